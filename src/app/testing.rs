//! An app of a test's own, whose clock the test may set.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::App;
use crate::clock::{Clock, SystemClock};
use crate::domain::JsonMap;
use crate::domain::deployment::Infrastructure;
use crate::domain::flow::NewFlow;
use crate::domain::flow_run::NewFlowRun;
use crate::domain::flow_run_policy::FlowRunPolicy;
use crate::domain::ids::FlowRunId;
use crate::domain::time::{Span, Timestamp};
use crate::storage::Store;
use crate::storage::blobs::Blobs;

/// A clock that is ahead of the machine's by so many microseconds.
#[derive(Clone, Default)]
pub struct Ahead(pub Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + Span::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// An app on a new database in that folder.
pub fn app(folder: &Path, clock: Ahead) -> App {
    let store = Store::open(&folder.join("prefectd.db")).unwrap();
    let blobs = Blobs::open(&folder.join("blobs")).unwrap();
    App::new(store, blobs, Arc::new(clock), Duration::from_secs(30))
}

/// A run of a flow that is made for it, or is there.
pub async fn flow_run(app: &App) -> FlowRunId {
    let flow = NewFlow {
        name: "f".to_owned(),
        tags: Vec::new(),
        labels: JsonMap::new(),
    };
    let flow_id = app.create_flow(flow).await.unwrap().get().id;
    let new = NewFlowRun {
        name: None,
        flow_id,
        deployment_id: None,
        flow_version: None,
        parameters: JsonMap::new(),
        idempotency_key: None,
        context: JsonMap::new(),
        policy: FlowRunPolicy::default(),
        tags: Vec::new(),
        labels: JsonMap::new(),
        parent_task_run_id: None,
        infrastructure: Infrastructure::default(),
        job_variables: None,
        work_queue_id: None,
        queue_names: None,
        deployment_version: None,
        auto_scheduled: false,
        created_by: None,
        state: None,
        is_told: false,
    };
    app.create_flow_run(new).await.unwrap().get().id
}
