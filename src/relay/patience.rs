//! For how long a request is tried that cannot be done now.

use std::time::Duration;

use hyper::StatusCode;
use tokio::time::Instant;

use super::DAEMON_TIMEOUT;

/// For how long a full disk is borne: somebody has to make room.
pub(super) const FULL_DISK: Duration = Duration::from_secs(15 * 60);

/// The patience with one request.
pub(super) struct Patience {
    until: Instant,
    /// The same with a full disk.
    full_until: Instant,
}

impl Patience {
    /// Of a request that has just come.
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            until: now + DAEMON_TIMEOUT,
            full_until: now + FULL_DISK,
        }
    }

    /// Whether no daemon is waited for any more.
    pub fn is_over(&self) -> bool {
        Instant::now() > self.until
    }

    /// Whether to try again after a refusal of that status. Time that goes by while the disk is
    /// full is not counted against the daemon.
    pub fn bears(&mut self, status: StatusCode) -> bool {
        let now = Instant::now();
        if status == StatusCode::INSUFFICIENT_STORAGE && now < self.full_until {
            self.until = now + DAEMON_TIMEOUT;
        }
        now <= self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: StatusCode = StatusCode::INSUFFICIENT_STORAGE;
    const BUSY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

    async fn pass(time: Duration) {
        tokio::time::advance(time).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_daemon_that_is_busy_or_away_is_borne_for_a_minute() {
        let mut patience = Patience::new();
        assert!(patience.bears(BUSY));
        pass(DAEMON_TIMEOUT).await;
        assert!(patience.bears(BUSY) && !patience.is_over());
        pass(Duration::from_millis(1)).await;
        assert!(!patience.bears(BUSY) && patience.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_disk_is_borne_for_longer_and_not_for_ever() {
        let mut patience = Patience::new();
        let begun = Instant::now();
        while patience.bears(FULL) {
            pass(DAEMON_TIMEOUT / 2).await;
            assert!(begun.elapsed() < 2 * FULL_DISK);
        }
        assert!(begun.elapsed() >= FULL_DISK, "{:?}", begun.elapsed());
        assert!(patience.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn a_daemon_that_goes_while_the_disk_is_full_has_its_minute() {
        let mut patience = Patience::new();
        pass(DAEMON_TIMEOUT / 2).await;
        assert!(patience.bears(FULL));
        pass(DAEMON_TIMEOUT).await;
        assert!(!patience.is_over());
        pass(Duration::from_millis(1)).await;
        assert!(patience.is_over());
    }
}
