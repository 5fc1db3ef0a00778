//! Verbs on schedules: making the runs that they ask for, and marking those that are late.

mod memory;
mod plan;

use super::SLICE;
use crate::app::budget::Budget;
use crate::app::request::comes_to_the_same;
use crate::app::runs::flow_runs::{create_run, read};
use crate::app::runs::propose_state;
use crate::app::tx::Tx;
use crate::app::{App, Force};
use crate::domain::deployment::Deployment;
use crate::domain::error::{Error, Result};
use crate::domain::flow_run::NewFlowRun;
use crate::domain::ids::DeploymentId;
use crate::domain::schedule::TooCostly;
use crate::domain::state::ProposedState;
use crate::domain::time::{Span, Timestamp};
use crate::storage::{Job, deployments, flow_runs, schedules};

pub(in crate::app) use memory::Memory;
pub use plan::Outlook;
pub(super) use plan::Plan;

/// How many runs a schedule makes ahead, as on the 2.0a7 server.
pub const RUNS_AHEAD: u64 = 100;
/// How far ahead, as there.
pub const TIME_AHEAD: Span = Span::from_micros(100 * 86_400 * 1_000_000);
/// How late a run must be to be marked, as there.
pub const LATE_AFTER: Span = Span::from_micros(5 * 1_000_000);
/// How many deployments or runs one transaction looks at.
const BATCH: u64 = 100;
/// The runs that are taken away between two looks at the time.
const CHUNK: u64 = 16;

/// Which dates of a schedule to make runs for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// From here on; absent: now.
    pub from: Option<Timestamp>,
    /// Up to here; absent: a hundred days on.
    pub until: Option<Timestamp>,
    /// At most so many, and never more than 1,000; absent: a hundred.
    pub most: Option<u64>,
}

/// Which of the dates that have no run get one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// All.
    All,
    /// Those after the last that has one: what lies before was made once, and deleted.
    Later,
}

// Each date's run is found by its key.
comes_to_the_same!((Plan, u64));

impl App {
    /// Makes the runs that a deployment's schedule asks for within a range. An unknown
    /// deployment, or one without an active schedule, makes none. Fails as invalid when the
    /// schedule's dates in that range take too long to find.
    pub async fn schedule_runs(&self, id: DeploymentId, range: Range) -> Result<u64> {
        let found = self.by_key(move |db| deployments::by_id(db, id)).await?;
        match found {
            Some(deployment) => self.make_runs(&deployment, range).await?.map_err(|costly| {
                Error::invalid(format!(
                    "The schedule's dates in this range cannot be found: {costly}"
                ))
            }),
            None => Ok(0),
        }
    }

    /// Fills up every deployment that has fewer runs to come than it should; answers how
    /// many runs that made. Works in slices, so that no request waits for all of it.
    pub async fn fill_schedules(&self) -> Result<u64> {
        let mut made = 0;
        let mut after = None;
        let mut seen = std::collections::HashSet::new();
        loop {
            let active = self
                .read(move |db| schedules::active(db, after, BATCH))
                .await?;
            let Some((last, _)) = active.last().copied() else {
                break;
            };
            after = Some(last);
            seen.extend(active.iter().map(|(id, _)| *id));
            for (id, updated) in self.inner.schedules.due(active, self.now()) {
                made += self.fill(id, updated).await?;
            }
        }
        self.inner.schedules.retain(|id| seen.contains(id));
        Ok(made)
    }

    /// Makes what is missing of a deployment's runs to come, and keeps when the next look can
    /// bring more.
    async fn fill(&self, id: DeploymentId, updated: Timestamp) -> Result<u64> {
        let found = self.by_key(move |db| deployments::by_id(db, id)).await?;
        let Some(deployment) = found.filter(|it| it.updated == updated) else {
            return Ok(0);
        };
        let Some(schedule) = deployment.schedule.clone() else {
            return Ok(0);
        };
        let now = self.now();
        let until = now + TIME_AHEAD;
        let range = Range {
            until: Some(until),
            ..Range::default()
        };
        let plan = match self.plan(schedule.clone(), range).await? {
            Ok(plan) => plan,
            Err(costly) => {
                if self.inner.schedules.keep(id, updated, None) {
                    tracing::warn!(deployment = %deployment.name, %id, "its schedule is not followed: {costly}");
                }
                return Ok(0);
            }
        };
        // Full: again once half of them are gone. Else: once the next date comes near enough.
        let half = usize::try_from(RUNS_AHEAD / 2).unwrap_or_default();
        let is_full = plan.dates.len() as u64 >= RUNS_AHEAD;
        let look_at = match plan.dates.get(half).filter(|_| is_full) {
            Some(date) => Some(*date),
            None => match self.date_after(schedule, until).await? {
                Ok(next) => next.map(|next| next - TIME_AHEAD),
                Err(_) => Some(until - Span::from_micros(TIME_AHEAD.micros() / 2)),
            },
        };
        let is_over = plan.dates.is_empty() && look_at.is_none();
        let made = self.make_planned(&deployment, plan, Missing::Later).await?;
        if self.inner.schedules.keep(id, updated, look_at) && is_over {
            tracing::warn!(deployment = %deployment.name, %id, "its schedule has no date left");
        }
        Ok(made)
    }

    /// Makes the runs of a range that are not there yet, unless its dates take too long to find.
    pub(super) async fn make_runs(
        &self,
        deployment: &Deployment,
        range: Range,
    ) -> Result<Result<u64, TooCostly>> {
        let Some(schedule) = deployment.schedule.clone() else {
            return Ok(Ok(0));
        };
        match self.plan(schedule, range).await? {
            Ok(plan) => {
                let made = self.make_planned(deployment, plan, Missing::All).await?;
                Ok(Ok(made))
            }
            Err(costly) => Ok(Err(costly)),
        }
    }

    /// Makes the runs of a plan that are not there yet, a slice at a time.
    pub(super) async fn make_planned(
        &self,
        deployment: &Deployment,
        plan: Plan,
        which: Missing,
    ) -> Result<u64> {
        let (id, flow_id) = (deployment.id, deployment.flow_id);
        let Plan { schedule, dates } = plan;
        let missing = self
            .read(move |db| {
                let mut missing = Vec::new();
                for date in dates {
                    match flow_runs::id_by_key(db, flow_id, &key(id, date))? {
                        None => missing.push(date),
                        Some(_) if which == Missing::Later => missing.clear(),
                        Some(_) => {}
                    }
                }
                Ok(missing)
            })
            .await?;
        let mut plan = Plan {
            schedule,
            dates: missing,
        };
        let mut made = 0;
        while !plan.dates.is_empty() {
            let (left, some) = self.make_some(id, plan).await?;
            made += some;
            plan = left;
        }
        Ok(made)
    }

    /// Makes the first of a plan's runs, for as long as one transaction should take; answers
    /// what is left of the plan, and how many it has made.
    async fn make_some(&self, id: DeploymentId, mut plan: Plan) -> Result<(Plan, u64)> {
        self.write_as(Job::bulk(0), move |tx| {
            let made = match deployments::by_id(tx.db, id)? {
                Some(deployment) => insert_runs(tx, &deployment, &plan, &Budget::of(SLICE))?,
                None => Inserted::NONE,
            };
            plan.dates.drain(..made.dates.unwrap_or(plan.dates.len()));
            Ok((plan, made.runs))
        })
        .await
    }

    /// Removes what is left of the runs that no schedule wants any more, a slice at a time.
    pub(super) async fn forget_runs(&self, id: DeploymentId) -> Result<()> {
        let some = async || {
            let job = Job::bulk(0);
            self.write_as(job, move |tx| forget_some(tx, id, &Budget::of(SLICE)))
                .await
        };
        while !some().await? {}
        Ok(())
    }

    /// Marks scheduled runs that should have begun; answers how many.
    pub async fn mark_late_runs(&self) -> Result<u64> {
        let mut marked = 0;
        loop {
            let batch = self.write_as(Job::bulk(0), mark_late).await?;
            marked += batch;
            if batch < BATCH {
                return Ok(marked);
            }
        }
    }
}

fn mark_late(tx: &mut Tx<'_>) -> Result<u64> {
    let late = schedules::late(tx.db, tx.now - LATE_AFTER, BATCH)?;
    for (id, due) in &late {
        let proposed = ProposedState::scheduled(*due).named("Late");
        let run = read(tx.db, *id)?;
        propose_state::for_flow_run(tx, &run, proposed, Force::Yes)?;
    }
    Ok(late.len() as u64)
}

/// Removes runs that a schedule made and that have never begun, as long as there is time;
/// `true` when none are left.
pub(super) fn forget_some(tx: &Tx<'_>, id: DeploymentId, budget: &Budget) -> Result<bool> {
    while schedules::forget(tx.db, id, CHUNK)? > 0 {
        if budget.is_spent() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What became of a plan.
pub(super) struct Inserted {
    /// How many of its dates were looked at; `None` when it has nothing more to say.
    dates: Option<usize>,
    /// How many runs were made.
    runs: u64,
}

impl Inserted {
    const NONE: Self = Self {
        dates: None,
        runs: 0,
    };
}

/// Makes those runs of a plan that are not there yet, as long as there is time, unless the
/// deployment has changed its schedule; each date's run has a key of its own.
pub(super) fn insert_runs(
    tx: &mut Tx<'_>,
    deployment: &Deployment,
    plan: &Plan,
    budget: &Budget,
) -> Result<Inserted> {
    if !deployment.is_schedule_active || deployment.schedule.as_ref() != Some(&plan.schedule) {
        return Ok(Inserted::NONE);
    }
    let (mut dates, mut runs) = (0, 0);
    for date in &plan.dates {
        if create_run(tx, scheduled_run(deployment, *date))?.is_new() {
            runs += 1;
        }
        dates += 1;
        if budget.is_spent() {
            break;
        }
    }
    Ok(Inserted {
        dates: Some(dates),
        runs,
    })
}

/// What the run of a date is known by.
fn key(id: DeploymentId, date: Timestamp) -> String {
    let shown = date.utc().map(|date| date.to_rfc3339()).unwrap_or_default();
    format!("scheduled {id} {shown}")
}

fn scheduled_run(deployment: &Deployment, date: Timestamp) -> NewFlowRun {
    let mut tags = vec!["auto-scheduled".to_owned()];
    tags.extend(deployment.tags.iter().cloned());
    NewFlowRun {
        name: None,
        flow_id: deployment.flow_id,
        deployment_id: Some(deployment.id),
        flow_version: None,
        parameters: deployment.parameters.clone(),
        idempotency_key: Some(key(deployment.id, date)),
        context: crate::domain::JsonMap::new(),
        tags,
        parent_task_run_id: None,
        infrastructure: deployment.infrastructure.clone(),
        auto_scheduled: true,
        created_by: None,
        state: Some(ProposedState::scheduled(date).because("Flow run scheduled")),
    }
}
