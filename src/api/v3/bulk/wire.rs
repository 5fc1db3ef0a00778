//! Which things are meant, and what became of each.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact, harmless};
use crate::api::v3::extract::AimedBody;
use crate::api::v3::wire::{
    Decision, DeploymentFilter, FlowFilter, FlowRunFilter, SetState, State, StateCreate, or_default,
};
use crate::app;
use crate::domain::JsonMap;
use crate::domain::error::{Error, Result};
use crate::domain::filter::Filters;
use crate::domain::flow::Created;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::rules::Policy;
use crate::domain::state::ProposedState;

/// The most things that one request changes, as on the reference.
const MOST: u64 = 50;
/// The most runs that one request makes, as on the reference.
const MOST_MADE: usize = 100;

/// How many are meant at most; the reference's sentences where that is not served.
fn most(asked: Option<i64>) -> Result<u64> {
    match asked {
        None => Ok(MOST),
        Some(most) => match u64::try_from(most) {
            Ok(most @ 1..=MOST) => Ok(most),
            Ok(most) if most > MOST => Err(Error::invalid(format!(
                "limit: Input should be less than or equal to {MOST}"
            ))),
            _ => Err(Error::invalid(
                "limit: Input should be greater than or equal to 1",
            )),
        },
    }
}

/// Refuses more runs than one request makes.
///
/// # Errors
/// [`Kind::Refused`](crate::domain::error::Kind::Refused) where there are more.
pub fn check_number(runs: usize) -> Result<()> {
    match runs > MOST_MADE {
        true => Err(Error::refused(format!(
            "Cannot create more than {MOST_MADE} flow runs at once."
        ))),
        false => Ok(()),
    }
}

macro_rules! bulk {
    ($($(#[$doc:meta])* $name:ident: $field:ident of $filter:ty,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize, ToSchema)]
        #[serde(default)]
        pub struct $name {
            /// Those of which this holds; absent: all.
            $field: Option<$filter>,
            /// At most so many, 1 to 50.
            limit: Option<i64>,
        }

        impl $name {
            /// Which are meant, and how many of them at most.
            pub fn parts(self) -> Result<(Filters, u64)> {
                let $field = self.$field.map(<$filter>::criteria).transpose()?;
                let filters = Filters { $field, ..Filters::default() };
                Ok((filters, most(self.limit)?))
            }
        }
    )*};
}

bulk! {
    /// Flows to delete.
    BulkFlows: flows of FlowFilter,
    /// Deployments to delete.
    BulkDeployments: deployments of DeploymentFilter,
    /// Flow runs to delete.
    BulkFlowRuns: flow_runs of FlowRunFilter,
}

/// A state for flow runs.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BulkSetState {
    /// Those of which this holds; absent: all.
    #[serde(default)]
    flow_runs: Option<FlowRunFilter>,
    /// The proposed state.
    state: StateCreate,
    /// Whether to skip the rules.
    #[serde(default, deserialize_with = "or_default")]
    force: bool,
    /// At most so many, 1 to 50.
    #[serde(default)]
    limit: Option<i64>,
}

impl BulkSetState {
    /// Which are meant, how many of them at most, and what is proposed.
    pub fn parts(self) -> Result<(Filters, u64, (ProposedState, Policy))> {
        let Self {
            flow_runs,
            state,
            force,
            limit,
        } = self;
        let (filters, most) = BulkFlowRuns { flow_runs, limit }.parts()?;
        Ok((filters, most, SetState { state, force }.meaning()?))
    }
}

/// What was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deleted {
    /// The ids.
    deleted: Vec<Uuid>,
}

harmless!(Deleted);

impl Deleted {
    /// These.
    pub fn of(ids: impl Iterator<Item = Uuid>) -> Self {
        Self {
            deleted: ids.collect(),
        }
    }
}

/// What became of proposals.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkDecided {
    results: Vec<OneDecided>,
}

/// What became of one.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneDecided {
    /// The run.
    flow_run_id: Uuid,
    /// `ACCEPT`, `REJECT`, `WAIT` or `ABORT`.
    status: String,
    /// The state that it entered.
    state: Option<State>,
    /// Why, and how long to wait.
    #[schema(value_type = Object)]
    details: JsonMap,
}

impl From<Vec<(FlowRunId, Result<app::Decision>)>> for BulkDecided {
    fn from(decided: Vec<(FlowRunId, Result<app::Decision>)>) -> Self {
        let results = decided.into_iter().map(|(id, decision)| {
            let decision = decision.unwrap_or_else(|error| app::Decision {
                state: None,
                outcome: app::Outcome::Aborted {
                    why: error.message().to_owned(),
                    current: None,
                },
            });
            let Decision {
                state,
                status,
                details,
            } = Decision::from(&decision);
            OneDecided {
                flow_run_id: id.uuid(),
                status,
                state,
                details,
            }
        });
        Self {
            results: results.collect(),
        }
    }
}

impl Redact for BulkDecided {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        for one in &self.results {
            noted.insert(FlowRunId::from_uuid(one.flow_run_id));
        }
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        for one in &mut self.results {
            let OneDecided {
                flow_run_id: _,
                status: _,
                state,
                details,
            } = one;
            state.redact(reader);
            reader.of_nobody().over(details);
        }
    }
}

/// What became of wishes for runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkCreated {
    /// In the order of the wishes.
    pub results: Vec<OneCreated>,
}

/// What became of one.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneCreated {
    /// The run.
    flow_run_id: Option<Uuid>,
    /// `CREATED` or `FAILED`.
    status: &'static str,
    /// Why it failed.
    error: Option<String>,
}

impl From<Result<Created<FlowRun>>> for OneCreated {
    fn from(made: Result<Created<FlowRun>>) -> Self {
        match made {
            Ok(run) => Self {
                flow_run_id: Some(run.get().id.uuid()),
                status: "CREATED",
                error: None,
            },
            Err(error) => Self {
                flow_run_id: None,
                status: "FAILED",
                error: Some(error.message().to_owned()),
            },
        }
    }
}

impl Redact for BulkCreated {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_nobody();
        for one in &mut self.results {
            mask.over(&mut one.error);
        }
    }
}
