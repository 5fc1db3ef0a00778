//! What flow runs and task runs share on the wire.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::super::read::{Fields, JsonValue, ReadContext, map, string};
use super::state;
use super::time::{Iso, Secs};
use crate::api::redaction::Mask;
use crate::domain::JsonMap;
use crate::domain::deployment::Infrastructure;
use crate::domain::run::RunStatistics;
use crate::domain::runner::RunnerKind;
use crate::domain::state::State;
use crate::domain::time::Timestamp;

/// Counts and times, the estimates as of `now`.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::Books)]
pub struct StatisticsOut {
    state_type: Option<&'static str>,
    run_count: i64,
    expected_start_time: Option<Iso>,
    next_scheduled_start_time: Option<Iso>,
    start_time: Option<Iso>,
    end_time: Option<Iso>,
    total_run_time: Secs,
    estimated_run_time: Secs,
    estimated_start_time_delta: Secs,
}

impl StatisticsOut {
    /// The statistics of a run that is in `current`.
    pub fn new(statistics: &RunStatistics, current: Option<&State>, now: Timestamp) -> Self {
        let RunStatistics {
            run_count,
            expected_start_time,
            next_scheduled_start_time,
            start_time,
            end_time,
            total_run_time,
        } = statistics;
        Self {
            state_type: current.map(|state| state::told(state.kind)),
            run_count: *run_count,
            expected_start_time: expected_start_time.map(Iso),
            next_scheduled_start_time: next_scheduled_start_time.map(Iso),
            start_time: start_time.map(Iso),
            end_time: end_time.map(Iso),
            total_run_time: Secs(*total_run_time),
            estimated_run_time: Secs(statistics.estimated_run_time(current, now)),
            estimated_start_time_delta: Secs(statistics.lateness(current, now)),
        }
    }
}

/// A flow runner's type and settings.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::FlowRunner)]
pub struct FlowRunnerOut<'a> {
    #[serde(rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[schema(value_type = Option<Object>)]
    config: Option<Cow<'a, JsonMap>>,
}

impl<'a> From<&'a Infrastructure> for FlowRunnerOut<'a> {
    fn from(infrastructure: &'a Infrastructure) -> Self {
        let Infrastructure { kind, config } = infrastructure;
        Self {
            kind: kind.as_ref().map(RunnerKind::word).map(Cow::Borrowed),
            config: config.as_ref().map(Cow::Borrowed),
        }
    }
}

impl FlowRunnerOut<'_> {
    /// Masks the secrets in it.
    pub fn redact_by(&mut self, mask: &Mask<'_>) {
        let Self { kind, config } = self;
        mask.over_infrastructure(kind);
        mask.over_infrastructure(config);
    }
}

/// A flow runner's type and settings in a request.
pub fn flow_runner(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<Infrastructure> {
    let mut fields = Fields::of(value, context)?;
    let kind = fields.optional("type", string);
    let config = fields.optional("config", map);
    fields.finish();
    Some(Infrastructure {
        kind: kind?.map(RunnerKind::from),
        config: config?,
    })
}
