//! What is to be known of a run at a glance.

use crate::api::Ctx;
use crate::domain::error::Result;
use crate::domain::filter::{Filters, Page, Sort, deployment, flow_run};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::DeploymentId;
use crate::domain::state::StateType;
use crate::domain::time::{Span, Timestamp};
use crate::pages::show::{Html, times};

/// How many runs are looked at to know what is usual.
const USUAL_OF: u64 = 30;

/// One number with its name and a word on it.
pub struct Tile {
    /// What it is.
    pub name: &'static str,
    /// How much.
    pub value: String,
    /// More about it.
    pub note: String,
    /// How far it has got, of how much.
    pub progress: Option<(i64, i64)>,
}

/// The median run time of a deployment's latest runs that completed; absent where there are few.
///
/// # Errors
/// Where the store cannot be read.
pub async fn usual(ctx: &Ctx, of: Option<DeploymentId>) -> Result<Option<Span>> {
    let Some(id) = of else { return Ok(None) };
    let completed = flow_run::STATE_TYPE.is_one_of([StateType::Completed.word()]);
    let filters = Filters {
        flow_runs: Some(vec![completed].into()),
        deployments: Some(vec![deployment::ID.is_one_of_ids([id.uuid()])].into()),
        ..Filters::default()
    };
    let page = Page {
        limit: USUAL_OF,
        offset: 0,
    };
    let latest = ctx
        .app
        .flow_run_glances(filters, Sort::NEWEST, page)
        .await?;
    let mut took: Vec<_> = latest.iter().map(|run| run.total_run_time).collect();
    took.sort_unstable();
    Ok(match took.len() {
        0..3 => None,
        number => took.get(number / 2).copied(),
    })
}

/// A sentence on where a run stands.
pub fn lead(run: &FlowRun, usual: Option<Span>, now: Timestamp) -> Html {
    let Some(state) = &run.state else {
        return Html::default();
    };
    let times = &run.statistics;
    let due = times
        .next_scheduled_start_time
        .or(times.expected_start_time);
    let words = match state.kind {
        StateType::Scheduled => match due {
            Some(due) if due > now => format!(
                "Due at {}, {}.",
                times::when(due, now),
                times::apart(due, now)
            ),
            Some(due) => format!("Was due at {}; it has not begun.", times::when(due, now)),
            None => String::new(),
        },
        StateType::Pending => "Taken; its process is on its way.".to_owned(),
        StateType::Running => {
            let run_time = times.estimated_run_time(Some(state), now);
            match usual.filter(|usual| *usual > run_time) {
                Some(usual) => format!(
                    "Should end about {}, like the latest runs.",
                    times::when(now + usual + Span::from_micros(-run_time.micros()), now)
                ),
                None => format!("Running since {}.", times::when(state.timestamp, now)),
            }
        }
        StateType::Paused => "Waits until somebody has it go on.".to_owned(),
        StateType::Cancelling => "Was asked to stop; its process has not ended yet.".to_owned(),
        _ => format!("Ended {}.", times::apart(state.timestamp, now)),
    };
    Html::of(words)
}

/// The numbers of a run. `tasks` are its task runs by state.
pub fn tiles(
    run: &FlowRun,
    usual: Option<Span>,
    tasks: &[(StateType, i64)],
    now: Timestamp,
) -> Vec<Tile> {
    vec![
        elapsed(run, usual, now),
        waited(run, now),
        of_tasks(tasks),
        attempt(run),
    ]
}

fn elapsed(run: &FlowRun, usual: Option<Span>, now: Timestamp) -> Tile {
    let state = run.state.as_ref();
    let run_time = run.statistics.estimated_run_time(state, now);
    let is_running = state.is_some_and(|state| state.kind == StateType::Running);
    let has_begun = run.statistics.start_time.is_some();
    let name = match is_running || !has_begun {
        true => "Elapsed",
        false => "Took",
    };
    let secs = |span: Span| span.whole_secs().max(0);
    let usual = usual.filter(|usual| secs(*usual) > 0);
    Tile {
        name,
        value: match has_begun {
            true => times::length(run_time),
            false => "–".to_owned(),
        },
        note: usual
            .map(|usual| format!("usually {}", times::length(usual)))
            .unwrap_or_default(),
        progress: usual
            .filter(|_| is_running)
            .map(|usual| (secs(run_time).min(secs(usual)), secs(usual))),
    }
}

fn waited(run: &FlowRun, now: Timestamp) -> Tile {
    let late = run.statistics.lateness(run.state.as_ref(), now);
    let note = match run.statistics.start_time {
        Some(_) => "between its time and its start",
        None => "past its time",
    };
    Tile {
        name: "Waited",
        value: times::length(late),
        note: note.to_owned(),
        progress: None,
    }
}

fn of_tasks(tasks: &[(StateType, i64)]) -> Tile {
    let sum = |fits: fn(StateType) -> bool| {
        let fitting = tasks.iter().filter(|(kind, _)| fits(*kind));
        fitting.map(|(_, count)| count).sum::<i64>()
    };
    let all = sum(|_| true);
    let done = sum(StateType::is_terminal);
    let bad = sum(|kind| matches!(kind, StateType::Failed | StateType::Crashed));
    Tile {
        name: "Tasks",
        value: match all {
            0 => "none".to_owned(),
            _ if done == all => all.to_string(),
            _ => format!("{done} of {all}"),
        },
        note: match bad {
            0 => String::new(),
            _ => format!("{bad} failed"),
        },
        progress: None,
    }
}

fn attempt(run: &FlowRun) -> Tile {
    let count = run.statistics.run_count.max(1);
    let retries = run.policy.retries.unwrap_or(run.policy.max_retries).max(0);
    Tile {
        name: "Attempt",
        value: match retries {
            0 => count.to_string(),
            _ => format!("{count} of {}", (retries + 1).max(count)),
        },
        note: String::new(),
        progress: None,
    }
}
