//! What is told about a run, on its way into the run's log.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::desk::Desk;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::log::{AGENT_LOGGER, ERROR, INFO, NewLog, OUTPUT_LOGGER};
use crate::runners::OutputLine;

/// The most lines that wait to be stored; a process that prints faster waits.
const QUEUE: usize = 2048;
/// The most lines that are stored at once.
const BATCH: usize = 500;

/// A run's log; clones write to the same.
#[derive(Clone)]
pub(super) struct RunLog {
    desk: Arc<dyn Desk>,
    run: Arc<Named>,
    queue: mpsc::Sender<NewLog>,
}

struct Named {
    id: FlowRunId,
    name: String,
}

impl RunLog {
    /// Opens the log. The handle ends once every clone is dropped and all is stored.
    pub fn open(desk: &Arc<dyn Desk>, run: &FlowRun) -> (Self, JoinHandle<()>) {
        let (queue, lines) = mpsc::channel(QUEUE);
        let log = Self {
            desk: Arc::clone(desk),
            run: Arc::new(Named {
                id: run.id,
                name: run.name.clone(),
            }),
            queue,
        };
        (log, tokio::spawn(store(Arc::clone(desk), run.id, lines)))
    }

    /// The agent tells what it does for the run.
    pub fn tell(&self, message: impl Into<String>) {
        let message = message.into();
        tracing::info!(flow_run.id = %self.run.id, flow_run.name = %self.run.name, "{message}");
        self.push(INFO, message);
    }

    /// The agent tells what went wrong.
    pub fn complain(&self, message: impl Into<String>) {
        let message = message.into();
        tracing::error!(flow_run.id = %self.run.id, flow_run.name = %self.run.name, "{message}");
        self.push(ERROR, message);
    }

    /// The run's process printed a line.
    pub async fn output(&self, line: OutputLine) {
        let line = NewLog {
            name: OUTPUT_LOGGER.to_owned(),
            level: INFO,
            message: line.text,
            timestamp: line.timestamp,
            flow_run_id: self.run.id,
            task_run_id: None,
        };
        // The storing task listens for as long as a clone of the log lives.
        let _ = self.queue.send(line).await;
    }

    fn push(&self, level: i64, message: String) {
        let line = NewLog {
            name: AGENT_LOGGER.to_owned(),
            level,
            message,
            timestamp: self.desk.now(),
            flow_run_id: self.run.id,
            task_run_id: None,
        };
        // A full queue means that the process prints a lot; the daemon's own log has it.
        let _ = self.queue.try_send(line);
    }
}

async fn store(desk: Arc<dyn Desk>, id: FlowRunId, mut lines: mpsc::Receiver<NewLog>) {
    let mut batch = Vec::new();
    while lines.recv_many(&mut batch, BATCH).await > 0 {
        if let Err(error) = desk.create_logs(std::mem::take(&mut batch)).await {
            tracing::error!(flow_run.id = %id, %error, "lines of a run's log are lost");
        }
    }
}
