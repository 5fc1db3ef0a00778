//! The process that leads a run.

use tokio_util::sync::CancellationToken;

use super::kin;
use crate::runners::Exit;

/// The process that leads a run.
#[derive(Clone, Debug)]
pub(super) struct Leader {
    /// Absent when nobody can tell which it is, or was.
    pub process: Option<kin::Process>,
    /// Cancelled once it has ended.
    pub over: CancellationToken,
}

impl Leader {
    /// Whether it has not ended.
    pub fn lives(&self) -> bool {
        self.process.is_some() && !self.over.is_cancelled()
    }
}

/// How a process ended.
pub(super) fn exit(status: std::process::ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().map(i64::from);
    let killed = status.signal().map(|signal| 128 + i64::from(signal));
    Exit {
        code: code.or(killed),
        ..Exit::default()
    }
}
