//! The runs of schedules: made, each under a key of its own, and taken away.

use super::Plan;
use crate::app::budget::Budget;
use crate::app::runs::flow_runs::create_run;
use crate::app::tx::Tx;
use crate::domain::JsonMap;
use crate::domain::actor::Actor;
use crate::domain::deployment::{Deployment, DeploymentSchedule};
use crate::domain::error::Result;
use crate::domain::flow_run::NewFlowRun;
use crate::domain::flow_run_policy::FlowRunPolicy;
use crate::domain::ids::{DeploymentId, ScheduleId};
use crate::domain::state::ProposedState;
use crate::domain::time::Timestamp;
use crate::storage::schedules;

/// The runs that are taken away between two looks at the time.
const CHUNK: u64 = 100;
/// About as many bytes of runs as one transaction makes.
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;
/// The most runs that one transaction makes.
const RUNS_AT_ONCE: usize = 100;
/// What a run takes beside its parameters, in bytes, to reckon with.
const RUN_BYTES: usize = 1024;

/// Removes runs that schedules made and that have never begun, as long as there is time; `true`
/// when none are left. What is due of a schedule that is followed stays.
pub(in crate::app::deployments) fn forget_some(
    tx: &Tx<'_>,
    id: DeploymentId,
    budget: &Budget,
) -> Result<bool> {
    while schedules::forget(tx.db, id, tx.now, CHUNK)? > 0 {
        if budget.is_spent() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many runs of a deployment one transaction makes: a dozen milliseconds' worth.
fn slice_of(deployment: &Deployment) -> usize {
    let parameters = serde_json::to_string(&deployment.parameters).map_or(0, |text| text.len());
    (BYTES_AT_ONCE / (parameters + RUN_BYTES)).clamp(1, RUNS_AT_ONCE)
}

/// What became of a plan.
pub(in crate::app::deployments) struct Inserted {
    /// How many of its dates were looked at; `None` when it has nothing more to say.
    pub dates: Option<usize>,
    /// How many runs were made.
    pub runs: u64,
}

impl Inserted {
    /// Nothing.
    pub const NONE: Self = Self {
        dates: None,
        runs: 0,
    };
}

/// Makes those runs of the first of a plan's dates that are not there yet, as many as one
/// transaction should, unless the schedule has changed; each date's run has a key of its own.
pub(in crate::app::deployments) fn insert_runs(
    tx: &mut Tx<'_>,
    deployment: &Deployment,
    schedule: &DeploymentSchedule,
    plan: &Plan,
) -> Result<Inserted> {
    let is_followed = deployment.is_schedule_active && schedule.active;
    if !is_followed || schedule.rule != plan.rule {
        return Ok(Inserted::NONE);
    }
    let (mut dates, mut runs) = (0, 0);
    for date in plan.dates.iter().take(slice_of(deployment)) {
        if create_run(tx, scheduled_run(deployment, schedule, *date))?.is_new() {
            runs += 1;
        }
        dates += 1;
    }
    Ok(Inserted {
        dates: Some(dates),
        runs,
    })
}

/// What the run of a date is known by, as on the 3.9 server: to the second, or to the microsecond
/// where there is a part of one.
pub(super) fn key(of: DeploymentId, id: ScheduleId, date: Timestamp) -> String {
    let shown = date.utc().map(|date| {
        let part = match date.timestamp_subsec_micros() {
            0 => "",
            _ => "%.6f",
        };
        date.format(&format!("%Y-%m-%d %H:%M:%S{part}+00:00"))
            .to_string()
    });
    format!("scheduled {of} {id} {}", shown.unwrap_or_default())
}

fn scheduled_run(
    deployment: &Deployment,
    schedule: &DeploymentSchedule,
    date: Timestamp,
) -> NewFlowRun {
    let mut parameters = deployment.parameters.clone();
    parameters.extend(schedule.parameters.clone());
    let mut tags = vec!["auto-scheduled".to_owned()];
    tags.extend(deployment.tags.iter().cloned());
    NewFlowRun {
        name: None,
        flow_id: deployment.flow_id,
        deployment_id: Some(deployment.id),
        flow_version: None,
        parameters,
        idempotency_key: Some(key(deployment.id, schedule.id, date)),
        context: JsonMap::new(),
        policy: FlowRunPolicy::default(),
        tags,
        labels: deployment.labels.clone(),
        parent_task_run_id: None,
        infrastructure: deployment.infrastructure_in(deployment.work_queue_id),
        job_variables: None,
        work_queue_id: deployment.work_queue_id,
        queue_names: None,
        deployment_version: deployment.version.clone(),
        auto_scheduled: true,
        created_by: Some(Actor::schedule(
            schedule.id,
            schedule.slug.as_deref().unwrap_or(schedule.rule.kind()),
        )),
        state: Some(ProposedState::scheduled(date).because("Flow run scheduled")),
        is_told: false,
    }
}
