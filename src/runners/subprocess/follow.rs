//! The output of a run's process, read from its file.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::sync::mpsc::Sender;

use super::{NO_LINKS, SubprocessRunner};
use crate::domain::time::Timestamp;
use crate::runners::output::Lines;
use crate::runners::{Made, OutputLine};

/// How often the file is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Reads the output file as it grows, until the process has ended and all is read.
pub(super) async fn follow(runner: &SubprocessRunner, made: &Made, send: &Sender<OutputLine>) {
    let path = runner.output_file(made);
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(NO_LINKS)
        .open(&path);
    let Ok(file) = opened else {
        return;
    };
    let mut file = tokio::fs::File::from_std(file);
    let mut lines = Lines::default();
    let mut buffer = vec![0; 16 * 1024];
    let leader = runner.leader(&made.id);
    loop {
        let alive = leader.lives();
        while let Ok(count @ 1..) = file.read(&mut buffer).await {
            let piece = buffer.get(..count).unwrap_or_default();
            for text in lines.push(piece) {
                let timestamp = runner.clock.now();
                if send.send(read(timestamp, text)).await.is_err() {
                    return;
                }
            }
        }
        if !alive {
            break;
        }
        tokio::select! {
            () = leader.over.cancelled() => {}
            () = tokio::time::sleep(POLL_INTERVAL) => {}
        }
    }
    if let Some(text) = lines.finish() {
        let timestamp = runner.clock.now();
        let _ = send.send(read(timestamp, text)).await;
    }
}

fn read(timestamp: Timestamp, text: String) -> OutputLine {
    OutputLine {
        timestamp,
        // Both streams share one file, which keeps their order.
        stream: None,
        text,
    }
}
