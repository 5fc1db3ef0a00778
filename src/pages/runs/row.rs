//! A run as a row of a list.

use crate::domain::flow_run::FlowRun;
use crate::domain::state::StateType;
use crate::domain::time::{Span, Timestamp};
use crate::pages::names::{Names, Origin};
use crate::pages::show::state::Look;
use crate::pages::show::{Html, in_address, short, text, times};

/// The most tags that a row shows.
const MOST_TAGS: usize = 4;
/// The most bytes of a tag that is part of an address.
const LONGEST_TAG: usize = 256;
/// The most characters of what a state says.
const LONGEST_NOTE: usize = 120;

/// A run at a glance.
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Html,
    /// The shape of its state.
    pub icon: Html,
    /// Its state.
    pub look: Look,
    /// What its state says.
    pub note: Html,
    /// Its deployment or its flow.
    pub origin: Origin,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// When it began, or is due.
    pub begun: Html,
    /// How far that is from now.
    pub apart: Html,
    /// How long it took, or takes.
    pub took: String,
    /// Whether it has ended.
    pub has_ended: bool,
}

/// A tag, with where its runs are.
pub struct Tag {
    /// What it says.
    pub text: Html,
    /// The runs that have it; empty where that would be too long an address.
    pub href: String,
}

/// Tags, as far as there is room.
pub fn tags(tags: &[String]) -> Vec<Tag> {
    let some = tags.iter().take(MOST_TAGS);
    some.map(|tag| Tag {
        text: short(tag),
        href: match tag.len() <= LONGEST_TAG {
            true => format!("/runs?tag={}", in_address(tag)),
            false => String::new(),
        },
    })
    .collect()
}

impl Row {
    /// A run at that moment.
    pub fn new(run: &FlowRun, names: &Names, now: Timestamp) -> Self {
        let state = run.state.as_ref();
        let look = Look::of(state);
        let times = &run.statistics;
        let at = times.start_time.or(times.expected_start_time);
        let run_time = times.estimated_run_time(state, now);
        let has_run = times.start_time.is_some() && run_time != Span::ZERO;
        Self {
            id: run.id.to_string(),
            name: short(&run.name),
            icon: look.icon(),
            note: note(run),
            origin: names.origin(run),
            tags: tags(&run.tags),
            begun: at.map(|at| times::when(at, now)).unwrap_or_default(),
            apart: at.map(|at| times::apart(at, now)).unwrap_or_default(),
            took: match has_run {
                true => times::length(run_time),
                false => String::new(),
            },
            has_ended: state.is_some_and(|state| state.kind.is_terminal()),
            look,
        }
    }

    /// Rows of runs, in their order.
    pub fn all(runs: &[FlowRun], names: &Names, now: Timestamp) -> Vec<Self> {
        runs.iter().map(|run| Self::new(run, names, now)).collect()
    }
}

/// A word on a run that is not as usual.
fn note(run: &FlowRun) -> Html {
    let Some(state) = &run.state else {
        return Html::default();
    };
    let is_usual = matches!(state.kind, StateType::Completed | StateType::Running);
    let message = state.message.as_deref().filter(|_| !is_usual);
    let line = message.and_then(|message| message.lines().find(|line| !line.trim().is_empty()));
    let line = line.unwrap_or_default().trim();
    match line.char_indices().nth(LONGEST_NOTE) {
        Some((end, _)) => text(&format!("{}…", line.get(..end).unwrap_or_default())),
        None => text(line),
    }
}
