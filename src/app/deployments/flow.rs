//! Verbs on flows.

use crate::app::App;
use crate::app::events::emit;
use crate::app::request::comes_to_the_same;
use crate::domain::error::{Error, Result};
use crate::domain::event::{Happened, lifecycle};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::flow::{Created, Flow, NewFlow};
use crate::domain::ids::FlowId;
use crate::storage::removal::Removal;
use crate::storage::{Connection, flows, rows};

/// Whether a flow goes with what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// Only one that has no deployments goes.
    No,
    /// It goes with its deployments.
    Yes,
}

impl App {
    /// Registers a flow by its name, or answers the one that is there.
    pub async fn create_flow(&self, flow: NewFlow) -> Result<Created<Flow>> {
        // Clients do this before each run, and nearly always it is there: no writer is waited for. Where
        // nothing can be written it is the writer that says so.
        if self.inner.store.trouble().is_none() {
            let name = flow.name.clone();
            let known = self.by_key(move |db| flows::by_name(db, &name)).await?;
            if let Some(known) = known {
                return Ok(Created::Known(known));
            }
        }
        self.write(move |tx| {
            let created = flows::upsert(tx.db, &flow, tx.now)?;
            if let Created::New(flow) = &created {
                emit(tx, lifecycle::flow(Happened::Created, flow, tx.now))?;
            }
            Ok(created)
        })
        .await
    }

    /// The flow with that id.
    pub async fn flow(&self, id: FlowId) -> Result<Flow> {
        self.by_key(move |db| rows::by_id(db, id)?.ok_or_else(unknown))
            .await
    }

    /// The flow with that name.
    pub async fn flow_by_name(&self, name: &str) -> Result<Flow> {
        let name = name.to_owned();
        self.by_key(move |db| flows::by_name(db, &name)?.ok_or_else(unknown))
            .await
    }

    /// A page of flows.
    pub async fn flows(&self, filters: Filters, sort: Sort, page: Page) -> Result<Vec<Flow>> {
        self.find(move |db| rows::page(db, &filters, sort, page))
            .await
    }

    /// How many flows match.
    pub fn count_flows(&self, filters: Filters) -> impl Future<Output = Result<u64>> + Send {
        self.count::<Flow>(filters)
    }

    /// Replaces a flow's tags.
    pub async fn update_flow(&self, id: FlowId, tags: Option<Vec<String>>) -> Result<()> {
        self.write(move |tx| {
            let flow = rows::by_id(tx.db, id)?.ok_or_else(unknown)?;
            let tags = tags.unwrap_or(flow.tags);
            flows::update_tags(tx.db, id, &tags, tx.now)?;
            let flow = Flow { tags, ..flow };
            emit(tx, lifecycle::flow(Happened::Updated, &flow, tx.now))
        })
        .await
    }

    /// Removes a flow with its deployments and runs. Fails as a conflict, saying what would go,
    /// when it has deployments, unless forced.
    pub async fn delete_flow(&self, id: FlowId, force: Force) -> Result<()> {
        if force == Force::Yes {
            return self.remove(Removal::Flow(id)).await;
        }
        // There may be very many, so they are not counted while others wait to write.
        let count = move |db: &Connection| match flows::count_deployments(db, id)? {
            0 => Ok(0),
            _ => flows::count_runs(db, id),
        };
        let runs = self.scan(count).await?;
        self.remove_if(
            Removal::Flow(id),
            move |db| match flows::count_deployments(db, id)? {
                0 => Ok(()),
                deployments => Err(Error::conflict(would_go(deployments, runs))),
            },
        )
        .await
    }
}

fn would_go(deployments: u64, runs: u64) -> String {
    let many = |count: u64, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    format!(
        "The flow has {} and {}, which would be deleted with it, schedules included. \
         Ask with ?force=true to delete all of them.",
        many(deployments, "deployment"),
        many(runs, "flow run")
    )
}

// Found by its name.
comes_to_the_same!(Created<Flow>);

fn unknown() -> Error {
    Error::not_found("Flow")
}
