//! Whether the disk has room for a large request.
//!
//! One that begins while the disk is full is not read: its client waits, as one does whose small
//! request the daemon refuses meanwhile. What the disk is filled by in between is refused.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

/// How soon to look again.
const AGAIN: Duration = Duration::from_secs(1);

/// Waits until there is room for so many bytes in `folder`, or the time has come.
pub(super) async fn wait_for_room(folder: &Path, bytes: u64, until: Instant) {
    while !has_room(folder, bytes) && Instant::now() < until {
        tokio::time::sleep(AGAIN).await;
    }
}

/// Where the disk does not say how much is free, it is tried.
fn has_room(folder: &Path, bytes: u64) -> bool {
    let Ok(disk) = rustix::fs::statvfs(folder) else {
        return true;
    };
    // Some of it is kept for root.
    let free = match nix::unistd::geteuid().is_root() {
        true => disk.f_bfree,
        false => disk.f_bavail,
    };
    free.saturating_mul(disk.f_frsize) >= bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_waits_for_room_and_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let begun = Instant::now();
        let until = begun + Duration::from_secs(60);
        wait_for_room(dir.path(), 1, until).await;
        wait_for_room(&dir.path().join("gone"), u64::MAX, until).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        wait_for_room(dir.path(), u64::MAX, until).await;
        assert!(Instant::now() >= until);
    }
}
