//! Verbs on schedules: making the runs that they ask for, and marking those that are late.

mod edit;
mod memory;
mod plan;
mod runs;

use super::write::SLICE;
use crate::app::App;
use crate::app::budget::Budget;
use crate::app::request::comes_to_the_same;
use crate::app::runs::flow_runs::read;
use crate::app::runs::propose_state;
use crate::app::tx::Tx;
use crate::domain::deployment::{Deployment, DeploymentSchedule};
use crate::domain::error::{Error, Result};
use crate::domain::ids::{DeploymentId, ScheduleId};
use crate::domain::rules::{Client, Policy};
use crate::domain::schedule::{Ahead, TooCostly};
use crate::domain::state::ProposedState;
use crate::domain::time::{Span, Timestamp};
use crate::storage::schedules::{self, Active};
use crate::storage::{Job, flow_runs, rows};

pub(in crate::app) use memory::Memory;
pub use plan::Outlook;
pub(super) use plan::Plan;
use runs::{Inserted, key};
pub(super) use runs::{forget_some, insert_runs};

/// How far ahead a schedule makes runs at most, as on the servers of both generations.
pub const TIME_AHEAD: Span = Span::from_micros(100 * 86_400 * 1_000_000);
/// How late a run must be to be marked, as there.
pub const LATE_AFTER: Span = Span::from_micros(5 * 1_000_000);
/// The same for a run of the modern generation: of a work pool, or of a program that serves its
/// own flows; as on the 3.9 server.
pub const MODERN_LATE_AFTER: Span = Span::from_micros(15 * 1_000_000);
/// The most runs of a schedule that one request makes.
const MOST: u64 = 1000;
/// How many deployments or runs one transaction looks at.
const BATCH: u64 = 100;

/// Which dates of a schedule to make runs for: the first ones of a range, until those are enough
/// and reach far enough. What is absent is as in the deployment's generation ([`Ahead`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// From here on; absent: now.
    pub from: Option<Timestamp>,
    /// Up to here; absent: a hundred days on.
    pub until: Option<Timestamp>,
    /// So many are enough.
    pub least: Option<u64>,
    /// So far from the beginning is far enough.
    pub span: Option<Span>,
    /// At most so many, and never more than 1,000.
    pub most: Option<u64>,
}

impl Range {
    /// How far ahead, where a deployment's generation has it as `usual`.
    fn ahead(self, usual: Ahead) -> Ahead {
        Ahead {
            least: self.least.unwrap_or(usual.least),
            span: self.span.unwrap_or(usual.span),
            most: self.most.unwrap_or(usual.most).min(MOST),
        }
    }
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
    /// Makes the runs that a deployment's schedules ask for within a range. An unknown
    /// deployment, or one without an active schedule, makes none. Fails as invalid when the
    /// dates of one in that range take too long to find.
    pub async fn schedule_runs(&self, id: DeploymentId, range: Range) -> Result<u64> {
        let found = self.by_key(move |db| rows::by_id(db, id)).await?;
        match found {
            Some(deployment) => self.make_runs(&deployment, range).await?.map_err(|costly| {
                Error::invalid(format!(
                    "The schedule's dates in this range cannot be found: {costly}"
                ))
            }),
            None => Ok(0),
        }
    }

    /// Fills up every schedule that has fewer runs to come than it should; answers how
    /// many runs that made. Works in slices, so that no request waits for all of it.
    pub async fn fill_schedules(&self) -> Result<u64> {
        let mut made = 0;
        let mut after = None;
        let mut seen = std::collections::HashSet::new();
        loop {
            let active = self
                .read(move |db| schedules::active(db, after, BATCH))
                .await?;
            let Some(last) = active.last() else {
                break;
            };
            after = Some(last.id);
            seen.extend(active.iter().map(|schedule| schedule.id));
            for schedule in self.inner.schedules.due(active, self.now()) {
                made += self.fill(schedule).await?;
            }
        }
        self.inner.schedules.retain(|id| seen.contains(id));
        Ok(made)
    }

    /// Makes what is missing of a schedule's runs to come, and keeps when the next look can
    /// bring more.
    async fn fill(&self, active: Active) -> Result<u64> {
        let id = active.deployment;
        let found = self.by_key(move |db| rows::by_id(db, id)).await?;
        let Some(deployment) = found.filter(|it| it.updated == active.updated) else {
            return Ok(0);
        };
        let Some(schedule) = deployment.schedules.iter().find(|it| it.id == active.id) else {
            return Ok(0);
        };
        let (now, ahead) = (self.now(), deployment.ahead());
        let until = now + TIME_AHEAD;
        let range = Range {
            from: Some(now),
            until: Some(until),
            ..Range::default()
        };
        let plan = match self.plan(schedule.rule.clone(), range, ahead).await? {
            Ok(plan) => plan,
            Err(costly) => {
                if self.inner.schedules.keep(&active, None) {
                    tracing::warn!(deployment = %deployment.name, %id, "its schedule is not followed: {costly}");
                }
                return Ok(0);
            }
        };
        let look_at = match ahead.look_at(now, &plan.dates) {
            Some(date) => Some(date),
            // Once the next date comes near enough.
            None => match self.date_after(schedule.rule.clone(), until).await? {
                Ok(next) => next.map(|next| next - TIME_AHEAD),
                Err(_) => Some(until - Span::from_micros(TIME_AHEAD.micros() / 2)),
            },
        };
        let is_over = plan.dates.is_empty() && look_at.is_none();
        let missing = Missing::Later;
        let made = self
            .make_planned(&deployment, schedule, plan, missing)
            .await?;
        if self.inner.schedules.keep(&active, look_at) && is_over {
            tracing::warn!(deployment = %deployment.name, %id, "its schedule has no date left");
        }
        Ok(made)
    }

    /// Makes the runs of a range that are not there yet, except those of schedules whose dates
    /// take too long to find.
    pub(super) async fn make_runs(
        &self,
        deployment: &Deployment,
        range: Range,
    ) -> Result<Result<u64, TooCostly>> {
        let mut made = Ok(0);
        for schedule in deployment.schedules.iter().filter(|it| it.active) {
            let plan = self.plan(schedule.rule.clone(), range, deployment.ahead());
            match plan.await? {
                Ok(plan) => {
                    let missing = Missing::All;
                    let some = self.make_planned(deployment, schedule, plan, missing);
                    let some = some.await?;
                    made = made.map(|made| made + some);
                }
                Err(costly) => made = Err(costly),
            }
        }
        Ok(made)
    }

    /// Makes the runs of a plan that are not there yet, a slice at a time.
    pub(super) async fn make_planned(
        &self,
        deployment: &Deployment,
        schedule: &DeploymentSchedule,
        plan: Plan,
        which: Missing,
    ) -> Result<u64> {
        let (of, id, flow_id) = (deployment.id, schedule.id, deployment.flow_id);
        let Plan { rule, dates } = plan;
        let missing = self
            .read(move |db| {
                let mut missing = Vec::new();
                for date in dates {
                    match flow_runs::id_by_key(db, flow_id, &key(of, id, date))? {
                        None => missing.push(date),
                        Some(_) if which == Missing::Later => missing.clear(),
                        Some(_) => {}
                    }
                }
                Ok(missing)
            })
            .await?;
        let mut plan = Plan {
            rule,
            dates: missing,
        };
        let mut made = 0;
        while !plan.dates.is_empty() {
            let (left, some) = self.make_some(deployment.id, id, plan).await?;
            made += some;
            plan = left;
        }
        Ok(made)
    }

    /// Makes the first of a plan's runs, for as long as one transaction should take; answers
    /// what is left of the plan, and how many it has made.
    async fn make_some(
        &self,
        of: DeploymentId,
        id: ScheduleId,
        mut plan: Plan,
    ) -> Result<(Plan, u64)> {
        self.write_as(Job::bulk(0), move |tx| {
            let deployment = rows::by_id(tx.db, of)?;
            let schedules = deployment.iter().flat_map(|it| &it.schedules);
            let schedule = { schedules }.find(|it| it.id == id);
            let made = match deployment.as_ref().zip(schedule) {
                Some((deployment, schedule)) => insert_runs(tx, deployment, schedule, &plan)?,
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
    let before = (tx.now - LATE_AFTER, tx.now - MODERN_LATE_AFTER);
    let late = schedules::late(tx.db, before, BATCH)?;
    for (id, due) in &late {
        let proposed = ProposedState::scheduled(*due).named("Late");
        let run = read(tx.db, *id)?;
        propose_state::for_flow_run(tx, &run, proposed, Policy::Late, Client::default())?;
    }
    Ok(late.len() as u64)
}

#[cfg(test)]
mod tests;
