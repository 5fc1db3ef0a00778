//! Lists of flow runs.

use std::collections::HashMap;

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::v3::wire::{ByTextOrNot, ByTime, ByTimeOrNull, FlowRun, Query};
use crate::cli::args::{List, Output};
use crate::cli::commands::Ctl;
use crate::cli::failure::Result;
use crate::cli::news::News;
use crate::cli::render::{self, keep, never, spare};
use crate::cli::select;
use crate::domain::state::StateType;

/// Lists runs once, or again whenever something has changed.
pub async fn ls(ctl: &Ctl, list: &List) -> Result<()> {
    let mut news = News::of_list();
    if list.watch {
        news.wait(&ctl.client).await;
    }
    let mut meant = select::query(&ctl.client, &list.like).await?;
    loop {
        let query = meant.clone();
        let runs = if list.upcoming {
            upcoming(ctl, list, query).await?
        } else {
            latest(ctl, list, query).await?
        };
        let names = ctl.names_of(&runs).await?;
        let rows: Vec<_> = runs.iter().map(|run| names.told(run)).collect();
        if !list.watch {
            return match ctl.output {
                Output::Table => render::line(&table(ctl, &runs, &names, list).await?),
                _ => render::print(ctl.output, &rows, |_| String::new()),
            };
        }
        match ctl.output {
            Output::Table => render::screen(&table(ctl, &runs, &names, list).await?)?,
            Output::Json => render::line(&render::json_line(&rows)?)?,
            Output::Yaml => render::print(ctl.output, &rows, |_| String::new())?,
        }
        news.wait(&ctl.client).await;
        // What a pattern fits may have been made since, and what was named may have gone.
        if let Ok(now) = select::query(&ctl.client, &list.like).await {
            meant = now;
        }
    }
}

/// The state of a run that was due and waits for a slot of its deployment.
const AWAITING_SLOT: &str = "AwaitingConcurrencySlot";

/// Runs that are not due yet, soonest first.
async fn upcoming(ctl: &Ctl, list: &List, mut query: Query) -> Result<Vec<FlowRun>> {
    query.sort = Some(select::SOONEST_FIRST.to_owned());
    scheduled(&mut query, |time| time.after_ = Some(Utc::now().into()));
    select::runs(&ctl.client, &query, &list.like.name, list.limit).await
}

/// Runs that are due or further, latest first. Whoever asks for scheduled ones gets them all.
async fn latest(ctl: &Ctl, list: &List, query: Query) -> Result<Vec<FlowRun>> {
    let found = async |query| select::runs(&ctl.client, query, &list.like.name, list.limit).await;
    if !list.like.state.is_empty() {
        return found(&query).await;
    }
    let mut begun = query.clone();
    let kinds = StateType::ALL.into_iter();
    let kinds = kinds.filter(|kind| *kind != StateType::Scheduled);
    let kinds = kinds.map(|kind| kind.word().to_owned()).collect();
    begun.flow_runs.get_or_insert_default().state = Some(select::in_states(kinds));
    let mut due = query;
    let mut waiting = due.clone();
    scheduled(&mut due, |time| time.before_ = Some(Utc::now().into()));
    // What has run and is to go on later is under way, whenever that is, and so is what was due
    // and waits for a slot.
    scheduled(&mut waiting, |time| time.after_ = Some(Utc::now().into()));
    let filter = waiting.flow_runs.get_or_insert_default();
    filter.start_time = Some(ByTimeOrNull {
        is_null_: Some(false),
        ..ByTimeOrNull::default()
    });
    let mut held_back = waiting.clone();
    held_back.flow_runs.get_or_insert_default().start_time = None;
    let filter = held_back.flow_runs.get_or_insert_default();
    filter.state.get_or_insert_default().name = Some(ByTextOrNot {
        any_: Some(vec![AWAITING_SLOT.to_owned()]),
        ..ByTextOrNot::default()
    });
    let mut runs = found(&begun).await?;
    runs.extend(found(&due).await?);
    runs.extend(found(&waiting).await?);
    runs.extend(found(&held_back).await?);
    runs.sort_by_key(|run| std::cmp::Reverse((run.expected_start_time, run.id)));
    // One may have gone from one kind to another between two questions.
    runs.dedup_by_key(|run| run.id);
    runs.truncate(usize::try_from(list.limit).unwrap_or(usize::MAX));
    Ok(runs)
}

fn scheduled(query: &mut Query, when: impl FnOnce(&mut ByTime)) {
    let filter = query.flow_runs.get_or_insert_default();
    filter.state = Some(select::in_states(vec!["SCHEDULED".to_owned()]));
    when(filter.next_scheduled_start_time.get_or_insert_default());
}

async fn table(ctl: &Ctl, runs: &[FlowRun], names: &Names, list: &List) -> Result<String> {
    let ids = ctl
        .short_ids("flow_runs", runs.iter().map(|run| run.id))
        .await;
    let now = Utc::now();
    let rows = runs.iter().map(|run| {
        let at = if is_scheduled(run) {
            run.next_scheduled_start_time.or(run.expected_start_time)
        } else {
            run.start_time
        };
        let lasted = run
            .start_time
            .map(|_| render::lasting(run.estimated_run_time));
        [
            run.name.clone(),
            names.path(run),
            run.state_name.clone().unwrap_or_default(),
            at.map(|at| render::near(at.utc(), now)).unwrap_or_default(),
            lasted.unwrap_or_default(),
            ids.get(&run.id).cloned().unwrap_or_default(),
        ]
    });
    // Of what is to come it matters when, and all of it is Scheduled.
    let head = if list.upcoming {
        [
            keep("name"),
            spare("deployment", 1),
            spare("state", 2),
            keep("due"),
            never("duration"),
            keep("id"),
        ]
    } else {
        [
            keep("name"),
            spare("deployment", 2),
            keep("state"),
            spare("started or due", 1),
            spare("duration", 3),
            keep("id"),
        ]
    };
    Ok(render::table(head, rows))
}

fn is_scheduled(run: &FlowRun) -> bool {
    run.state_type.as_deref() == Some(StateType::Scheduled.word())
}

/// The names around runs.
pub struct Names {
    /// Flows, by id.
    pub flows: HashMap<Uuid, String>,
    /// FLOW/NAME, by the deployment's id.
    pub deployments: HashMap<Uuid, String>,
}

impl Names {
    /// FLOW/NAME of a run's deployment, or its flow where it has none.
    pub fn path(&self, run: &FlowRun) -> String {
        let deployment = run.deployment_id.and_then(|id| self.deployments.get(&id));
        let found = deployment.or_else(|| self.flows.get(&run.flow_id));
        found.cloned().unwrap_or_default()
    }

    /// A run for programs: with the names that commands want.
    pub fn told(&self, run: &FlowRun) -> Value {
        self.told_with(run, json!(run))
    }

    /// What became of a run, for programs: with its id, and the names that commands want.
    pub fn told_with(&self, run: &FlowRun, mut told: Value) -> Value {
        let deployment = run.deployment_id.and_then(|id| self.deployments.get(&id));
        if let Value::Object(fields) = &mut told {
            let flow = self.flows.get(&run.flow_id);
            fields.insert("id".to_owned(), json!(run.id));
            fields.insert("name".to_owned(), json!(run.name));
            fields.insert("flow_name".to_owned(), json!(flow));
            fields.insert("deployment".to_owned(), json!(deployment));
        }
        told
    }
}
