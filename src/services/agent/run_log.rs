//! What is told about a run, on its way into the run's log and into the daemon's own.
//!
//! The daemon's own carries the run in fields, so that `journalctl PREFECT_FLOW_RUN_ID=…`
//! tells the run's whole story.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::control_plane::ControlPlane;
use super::{TELL_AGAIN, is_passing};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::log::{AGENT_LOGGER, ERROR, INFO, NewLog, OUTPUT_LOGGER};
use crate::runners::{Made, OutputLine};

/// The most lines that wait to be stored; a process that prints faster waits.
const QUEUE: usize = 2048;
/// The most bytes of output that wait to be stored, and so the most of one batch. Written as
/// JSON they are at most six times as many, which a daemon elsewhere still takes.
const QUEUE_BYTES: u32 = 4 * 1024 * 1024;
/// The most lines that are stored at once.
const BATCH: usize = 500;

/// A line that waits to be stored, and its place in the queue's bytes.
type Waiting = (NewLog, Option<OwnedSemaphorePermit>);

/// A run's log; clones write to the same.
#[derive(Clone)]
pub(super) struct RunLog {
    control_plane: Arc<dyn ControlPlane>,
    run: Arc<Named>,
    queue: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
}

/// The fields of the daemon's own log.
struct Named {
    id: FlowRunId,
    name: String,
    deployment: Option<String>,
    in_container: bool,
    container: Mutex<Option<String>>,
}

impl Named {
    fn container(&self) -> MutexGuard<'_, Option<String>> {
        // An id cannot be left half-written.
        self.container
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line of the daemon's own log that is about a run.
macro_rules! event {
    ($level:ident, $run:expr, $($words:tt)*) => {
        tracing::$level!(
            prefect.flow_run_id = %$run.id,
            prefect.flow_run_name = $run.name,
            prefect.deployment = $run.deployment,
            container.id = $run.container().as_deref(),
            $($words)*
        )
    };
}

impl RunLog {
    /// Opens the log. The handle ends once every clone is dropped and all is stored.
    pub async fn open(
        control_plane: &Arc<dyn ControlPlane>,
        run: &FlowRun,
    ) -> (Self, JoinHandle<()>) {
        let deployment = match run.deployment_id {
            // A field is not worth failing for.
            Some(id) => control_plane.deployment_path(id).await.ok(),
            None => None,
        };
        let (queue, lines) = mpsc::channel(QUEUE);
        let log = Self {
            control_plane: Arc::clone(control_plane),
            run: Arc::new(Named {
                id: run.id,
                name: run.name.clone(),
                deployment,
                in_container: run.infrastructure.is_container(),
                container: Mutex::default(),
            }),
            queue,
            room: Arc::new(Semaphore::new(QUEUE_BYTES as usize)),
        };
        (
            log,
            tokio::spawn(store(Arc::clone(control_plane), run.id, lines)),
        )
    }

    /// From here on the run has something made for it.
    pub fn made(&self, made: &Made) {
        if self.run.in_container {
            *self.run.container() = Some(made.id.clone());
        }
    }

    /// The agent tells what it does for the run.
    pub fn tell(&self, message: impl Into<String>) {
        let message = message.into();
        event!(info, self.run, "{message}");
        self.push(INFO, message);
    }

    /// The agent tells what went wrong.
    pub fn complain(&self, message: impl Into<String>) {
        let message = message.into();
        event!(error, self.run, "{message}");
        self.push(ERROR, message);
    }

    /// Notes in the run's log what the daemon's own tells already.
    pub fn note(&self, message: impl Into<String>) {
        self.push(ERROR, message.into());
    }

    /// The run has ended by itself.
    pub fn close(&self) {
        event!(info, self.run, "Flow run '{}' is over", self.run.name);
    }

    /// Shows a line that the run's process printed.
    pub fn print(&self, text: &str) {
        event!(info, self.run, "| {text}");
    }

    /// The run's process printed a line.
    pub async fn output(&self, line: OutputLine) {
        let line = NewLog {
            name: OUTPUT_LOGGER.to_owned(),
            level: INFO,
            message: line.text,
            timestamp: line.timestamp,
            flow_run_id: Some(self.run.id),
            task_run_id: None,
            stream: line.stream,
        };
        let bytes = u32::try_from(line.message.len()).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room);
        // Nobody closes the semaphore.
        let place = room.acquire_many_owned(bytes.clamp(1, QUEUE_BYTES)).await;
        // The storing task listens for as long as a clone of the log lives.
        let _ = self.queue.send((line, place.ok())).await;
    }

    fn push(&self, level: i64, message: String) {
        let line = NewLog {
            name: AGENT_LOGGER.to_owned(),
            level,
            message,
            timestamp: self.control_plane.now(),
            flow_run_id: Some(self.run.id),
            task_run_id: None,
            stream: None,
        };
        // A full queue means that the process prints a lot; the daemon's own log has it.
        let _ = self.queue.try_send((line, None));
    }
}

async fn store(
    control_plane: Arc<dyn ControlPlane>,
    id: FlowRunId,
    mut lines: mpsc::Receiver<Waiting>,
) {
    let mut waiting = Vec::new();
    while lines.recv_many(&mut waiting, BATCH).await > 0 {
        let (batch, places): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
        while let Err(error) = control_plane.create_logs(batch.clone()).await {
            if !is_passing(error.kind()) {
                tracing::error!(prefect.flow_run_id = %id, %error, "lines of a run's log are lost");
                break;
            }
            tokio::time::sleep(TELL_AGAIN).await;
        }
        drop(places);
    }
}
