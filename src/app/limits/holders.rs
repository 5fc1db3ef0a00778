//! Who holds the slots of a limit.

use uuid::Uuid;

use super::{LimitKey, MOST_HOLDERS, deployments, find, missing};
use crate::app::App;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{FlowRunId, LeaseId, TaskRunId};
use crate::domain::task_run::TaskRun;
use crate::domain::time::Timestamp;
use crate::storage::{Connection, leases, rows};

/// A lease on slots of a limit, by somebody who said who he is.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Of how many slots.
    pub slots: i64,
    /// When it was granted.
    pub since: Timestamp,
    /// When it is over unless it is renewed.
    pub until: Option<Timestamp>,
    /// What holds it: `flow_run`, `task_run` or `deployment`.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// Its name, where it is a run that is there.
    pub name: Option<String>,
    /// The flow run that it is, or that it is a task run of.
    pub flow_run: Option<FlowRunId>,
}

impl App {
    /// Who holds slots of a limit, 1,000 at most.
    pub async fn holders_of_limit(&self, key: LimitKey) -> Result<Vec<Held>> {
        let now = self.now();
        self.scan(move |db| {
            let limit = match find(db, &key)? {
                None => deployments::find(db, &key)?,
                found => found,
            };
            let limit = limit.ok_or_else(missing)?;
            let found = leases::holders(db, limit.id.uuid(), now, MOST_HOLDERS)?;
            let mut all = Vec::new();
            for (id, by) in found {
                all.extend(held(db, id, by)?);
            }
            Ok(all)
        })
        .await
    }
}

fn held(db: &Connection, id: LeaseId, by: leases::Holder) -> Result<Option<Held>> {
    let Some(lease) = leases::by_id(db, id)? else {
        return Ok(None);
    };
    let (name, flow_run) = match by.kind.as_str() {
        "task_run" => {
            let run: Option<TaskRun> = rows::by_id(db, TaskRunId::from_uuid(by.id))?;
            run.map(|run| (run.spec.name, run.spec.flow_run_id)).unzip()
        }
        _ => {
            let run: Option<FlowRun> = rows::by_id(db, FlowRunId::from_uuid(by.id))?;
            run.map(|run| (run.name, Some(run.id))).unzip()
        }
    };
    Ok(Some(Held {
        slots: lease.slots,
        since: lease.created,
        until: lease.expires,
        kind: by.kind,
        id: by.id,
        name,
        flow_run: flow_run.flatten(),
    }))
}
