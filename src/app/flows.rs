//! Verbs on flows.

use super::App;
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Filters, Page};
use crate::domain::flow::{Created, Flow, NewFlow};
use crate::domain::ids::FlowId;
use crate::storage::flows;

impl App {
    /// Registers a flow by its name, or answers the one that is there.
    pub async fn create_flow(&self, flow: NewFlow) -> Result<Created<Flow>> {
        self.write(move |db, now| flows::upsert(db, &flow, now))
            .await
    }

    /// The flow with that id.
    pub async fn flow(&self, id: FlowId) -> Result<Flow> {
        self.look_up(move |db| flows::by_id(db, id)?.ok_or_else(unknown))
            .await
    }

    /// The flow with that name.
    pub async fn flow_by_name(&self, name: &str) -> Result<Flow> {
        let name = name.to_owned();
        self.look_up(move |db| flows::by_name(db, &name)?.ok_or_else(unknown))
            .await
    }

    /// A page of flows, by name.
    pub async fn flows(&self, filters: Filters, page: Page) -> Result<Vec<Flow>> {
        self.read(move |db| flows::page(db, &filters, page)).await
    }

    /// How many flows match.
    pub async fn count_flows(&self, filters: Filters) -> Result<u64> {
        self.read(move |db| flows::count(db, &filters)).await
    }

    /// Replaces a flow's tags.
    pub async fn update_flow(&self, id: FlowId, tags: Option<Vec<String>>) -> Result<()> {
        self.write_once(move |db, now| {
            let flow = flows::by_id(db, id)?.ok_or_else(unknown)?;
            flows::update_tags(db, id, &tags.unwrap_or(flow.tags), now)?;
            Ok(())
        })
        .await
    }

    /// Removes a flow with its deployments and runs.
    pub async fn delete_flow(&self, id: FlowId) -> Result<()> {
        let deleted = self
            .write_once(move |db, _| match flows::delete(db, id)? {
                true => Ok(()),
                false => Err(unknown()),
            })
            .await;
        self.inner.agent_bell.ring();
        deleted
    }
}

fn unknown() -> Error {
    Error::not_found("Flow")
}
