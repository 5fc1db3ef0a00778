//! An agent with no API anywhere: it brings one of its own, which lives as long as it does.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::api::v3::wire::Status;
use crate::cli::args::AgentStart;
use crate::cli::client::{Client, Target};
use crate::cli::failure::Failure;

/// Whether a daemon answers at `target`.
pub(super) async fn is_served(target: &Target) -> bool {
    let client = Client::new(target.clone(), None);
    client.get::<Status>("/prefectd/status").await.is_ok()
}

/// Becomes a daemon that serves this machine's agent only; answers why when it cannot.
pub(super) fn become_one(start: &AgentStart) -> Failure {
    eprintln!(
        "prefectctl: no prefectd answers; starting an ephemeral API, which runs subprocesses \
         and no containers. For those start prefectd, or name one with --api."
    );
    let program = beside_us().unwrap_or_else(|| PathBuf::from("prefectd"));
    let mut command = Command::new(&program);
    command.arg("--ephemeral");
    if let Some(config) = &start.config {
        command.arg("--config").arg(config);
    }
    if let Some(folder) = &start.state_dir {
        command.arg("--state-dir").arg(folder);
        command.arg("--socket").arg(folder.join("prefectd.sock"));
    }
    if let Some(slots) = start.slots {
        command.env("PREFECTD_AGENT__SLOTS", slots.to_string());
    }
    let error = command.exec();
    Failure::new(format!("cannot start {}: {error}", program.display()))
}

fn beside_us() -> Option<PathBuf> {
    let us = std::env::current_exe().ok()?;
    Some(us.with_file_name("prefectd")).filter(|path| path.is_file())
}
