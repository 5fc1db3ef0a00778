//! Verbs on schedules: making the runs that they ask for, and marking those that are late.

use super::{App, Force, propose_state};
use crate::domain::deployment::Deployment;
use crate::domain::error::Result;
use crate::domain::flow_run::NewFlowRun;
use crate::domain::ids::DeploymentId;
use crate::domain::state::ProposedState;
use crate::domain::time::{Span, Timestamp};
use crate::storage::{Connection, deployments, schedules};

/// How many runs a schedule makes ahead, as on the 2.0a7 server.
pub const RUNS_AHEAD: u64 = 100;
/// How far ahead, as there.
pub const TIME_AHEAD: Span = Span::from_micros(100 * 86_400 * 1_000_000);
/// How late a run must be to be marked, as there.
pub const LATE_AFTER: Span = Span::from_micros(5 * 1_000_000);
/// How many deployments or runs one transaction looks at.
const BATCH: u64 = 100;
/// A deployment is filled up once fewer runs than this are to come.
const REFILL_BELOW: u64 = RUNS_AHEAD / 2;

/// Which dates of a schedule to make runs for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// From here on; absent: now.
    pub from: Option<Timestamp>,
    /// Up to here; absent: a hundred days on.
    pub until: Option<Timestamp>,
    /// At most so many; absent: a hundred.
    pub most: Option<u64>,
}

impl App {
    /// Makes the runs that a deployment's schedule asks for within a range. An unknown
    /// deployment, or one without an active schedule, makes none.
    pub async fn schedule_runs(&self, id: DeploymentId, range: Range) -> Result<u64> {
        let work = move |db: &Connection, now| match deployments::by_id(db, id)? {
            Some(deployment) => make_runs(db, &deployment, range, now),
            None => Ok(0),
        };
        self.write_then(0, work, self.ring_if(|made| *made > 0))
            .await
    }

    /// Fills up every deployment that has fewer runs to come than it should; answers how
    /// many runs that made. Works in slices, so that no request waits for all of it.
    pub async fn fill_schedules(&self) -> Result<u64> {
        let mut made = 0;
        let mut after = None;
        loop {
            let wanting = self
                .read(move |db| schedules::active(db, after, BATCH))
                .await?;
            let Some(last) = wanting.last().copied() else {
                break;
            };
            after = Some(last);
            for id in self.short_of_runs(wanting).await? {
                let work = move |db: &Connection, now| fill(db, id, now);
                made += self
                    .write_then(0, work, self.ring_if(|made| *made > 0))
                    .await?;
            }
        }
        Ok(made)
    }

    async fn short_of_runs(&self, ids: Vec<DeploymentId>) -> Result<Vec<DeploymentId>> {
        let now = self.now();
        self.read(move |db| {
            let mut short = Vec::new();
            for id in ids {
                if schedules::to_come(db, id, now)?.count < REFILL_BELOW {
                    short.push(id);
                }
            }
            Ok(short)
        })
        .await
    }

    /// Marks scheduled runs that should have begun; answers how many.
    pub async fn mark_late_runs(&self) -> Result<u64> {
        let mut marked = 0;
        loop {
            let batch = self.write(mark_late).await?;
            marked += batch;
            if batch < BATCH {
                return Ok(marked);
            }
        }
    }
}

fn mark_late(db: &Connection, now: Timestamp) -> Result<u64> {
    let late = schedules::late(db, now - LATE_AFTER, BATCH)?;
    for (id, due) in &late {
        let proposed = ProposedState::scheduled(*due).named("Late");
        let run = super::flow_runs::read(db, *id)?;
        propose_state::for_flow_run(db, &run, proposed, Force::Yes, now)?;
    }
    Ok(late.len() as u64)
}

/// Makes what is missing of the runs to come.
fn fill(db: &Connection, id: DeploymentId, now: Timestamp) -> Result<u64> {
    let Some(deployment) = deployments::by_id(db, id)? else {
        return Ok(0);
    };
    let to_come = schedules::to_come(db, id, now)?;
    let range = Range {
        // From after the last one; every date before it was made when it was.
        from: to_come.last.map(|last| last + Span::from_micros(1)),
        until: Some(now + TIME_AHEAD),
        most: Some(RUNS_AHEAD.saturating_sub(to_come.count)),
    };
    make_runs(db, &deployment, range, now)
}

/// Makes the runs of a range that are not there yet; each date's run has a key of its own.
pub(super) fn make_runs(
    db: &Connection,
    deployment: &Deployment,
    range: Range,
    now: Timestamp,
) -> Result<u64> {
    let Some(schedule) = deployment
        .schedule
        .as_ref()
        .filter(|_| deployment.is_schedule_active)
    else {
        return Ok(0);
    };
    let from = range.from.unwrap_or(now);
    let until = range.until.unwrap_or(from + TIME_AHEAD);
    let most = usize::try_from(range.most.unwrap_or(RUNS_AHEAD)).unwrap_or(usize::MAX);
    let mut made = 0;
    for date in schedule.dates(from, until, most) {
        let run = scheduled_run(deployment, date);
        if super::flow_runs::create_run(db, run, now)?.is_new() {
            made += 1;
        }
    }
    Ok(made)
}

fn scheduled_run(deployment: &Deployment, date: Timestamp) -> NewFlowRun {
    let shown = date.utc().map(|date| date.to_rfc3339()).unwrap_or_default();
    let mut tags = vec!["auto-scheduled".to_owned()];
    tags.extend(deployment.tags.iter().cloned());
    NewFlowRun {
        name: None,
        flow_id: deployment.flow_id,
        deployment_id: Some(deployment.id),
        flow_version: None,
        parameters: deployment.parameters.clone(),
        idempotency_key: Some(format!("scheduled {} {shown}", deployment.id)),
        context: crate::domain::JsonMap::new(),
        tags,
        parent_task_run_id: None,
        infrastructure: deployment.infrastructure.clone(),
        auto_scheduled: true,
        created_by: None,
        state: Some(ProposedState::scheduled(date).because("Flow run scheduled")),
    }
}
