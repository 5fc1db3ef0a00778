//! For how long a request is tried that cannot be done now.

use std::time::Duration;

use hyper::StatusCode;
use tokio::time::Instant;

use super::DAEMON_TIMEOUT;

/// For how long a full disk is borne: somebody has to make room.
pub(super) const FULL_DISK: Duration = Duration::from_secs(15 * 60);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// A run, which is known by the key in its path.
    Run,
    /// Somebody else.
    Other,
}

impl Asker {
    /// Who asks for that path.
    pub fn of(path: &str) -> Self {
        match path.starts_with(OF_RUNS) {
            true => Self::Run,
            false => Self::Other,
        }
    }
}

/// How the paths begin that runs are given.
const OF_RUNS: &str = "/run/";

/// The patience with one request.
pub(super) struct Patience {
    until: Instant,
    /// The same with a full disk.
    full_until: Instant,
}

impl Patience {
    /// Of a request that has just come. Only a run's is borne for long: whoever else asks is to
    /// read that the disk is full.
    pub fn new(asker: Asker) -> Self {
        let now = Instant::now();
        let until = now + DAEMON_TIMEOUT;
        let full_until = match asker {
            Asker::Run => now + FULL_DISK,
            Asker::Other => until,
        };
        Self { until, full_until }
    }

    /// Until when a full disk is borne.
    pub fn full_until(&self) -> Instant {
        self.full_until
    }

    /// Whether no daemon is waited for any more.
    pub fn is_over(&self) -> bool {
        Instant::now() > self.until
    }

    /// Whether to try again after a refusal of that status. Time that goes by while the disk is
    /// full is not counted against the daemon.
    pub fn bears(&mut self, status: StatusCode) -> bool {
        let now = Instant::now();
        if status != StatusCode::INSUFFICIENT_STORAGE {
            return now <= self.until;
        }
        let is_borne = now < self.full_until;
        if is_borne {
            self.until = now + DAEMON_TIMEOUT;
        }
        is_borne
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
        let mut patience = Patience::new(Asker::Run);
        assert!(patience.bears(BUSY));
        pass(DAEMON_TIMEOUT).await;
        assert!(patience.bears(BUSY) && !patience.is_over());
        pass(Duration::from_millis(1)).await;
        assert!(!patience.bears(BUSY) && patience.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_disk_is_borne_for_longer_and_not_for_ever() {
        let mut patience = Patience::new(Asker::Run);
        let begun = Instant::now();
        while patience.bears(FULL) {
            pass(DAEMON_TIMEOUT / 2).await;
            assert!(begun.elapsed() <= FULL_DISK);
        }
        assert_eq!(begun.elapsed(), FULL_DISK);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_no_run_hears_of_a_full_disk_within_a_minute() {
        assert_eq!(Asker::of("/run/k/api/logs/"), Asker::Run);
        assert_eq!(Asker::of("/api/logs/"), Asker::Other);
        let mut patience = Patience::new(Asker::Other);
        assert!(patience.bears(FULL));
        pass(DAEMON_TIMEOUT).await;
        assert!(!patience.bears(FULL));
    }

    #[tokio::test(start_paused = true)]
    async fn a_daemon_that_goes_while_the_disk_is_full_has_its_minute() {
        let mut patience = Patience::new(Asker::Run);
        pass(DAEMON_TIMEOUT / 2).await;
        assert!(patience.bears(FULL));
        pass(DAEMON_TIMEOUT).await;
        assert!(!patience.is_over());
        pass(Duration::from_millis(1)).await;
        assert!(patience.is_over());
    }
}
