//! A run's log, page by page. Ours, not Prefect's, whose pages cost more the later they are.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact, harmless};
use crate::api::v3::wire::{Instant, Log};
use crate::domain::error::{Error, Result};
use crate::domain::ids::{FlowRunId, LogId};
use crate::domain::log;

/// The most lines of one page.
pub const MAX_LINES: u64 = 2000;

/// A line's place in its run's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogPosition {
    /// When it was said.
    pub timestamp: Instant,
    /// Its id.
    pub id: Uuid,
}

impl LogPosition {
    /// Where a line is.
    pub fn of(line: &Log) -> Self {
        Self {
            timestamp: line.timestamp,
            id: line.id,
        }
    }
}

impl From<LogPosition> for log::LogPosition {
    fn from(place: LogPosition) -> Self {
        Self {
            at: place.timestamp.into(),
            id: LogId::from_uuid(place.id),
        }
    }
}

/// Lines of one run.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LinesQuery {
    /// The run.
    pub flow_run_id: Uuid,
    /// Of this level or above.
    pub level: Option<i64>,
    /// Said then or later.
    pub since: Option<Instant>,
    /// From the last line backwards.
    pub backwards: bool,
    /// Beyond that place, in the order of the page.
    pub after: Option<LogPosition>,
    /// What was stored after that line, in the order of arrival.
    pub arrived_after: Option<Uuid>,
    /// At most so many, up to 2000.
    pub limit: Option<u64>,
}

impl TryFrom<LinesQuery> for log::Wanted {
    type Error = Error;

    fn try_from(query: LinesQuery) -> Result<Self> {
        let limit = query.limit.unwrap_or(MAX_LINES);
        if limit > MAX_LINES {
            return Err(Error::invalid(format!(
                "limit must be at most {MAX_LINES}."
            )));
        }
        let place = query.after.map(Into::into);
        let start = match (query.arrived_after, query.backwards) {
            (None, false) => log::Start::After(place),
            (None, true) => log::Start::Before(place),
            (Some(id), false) if place.is_none() => log::Start::Arrived(LogId::from_uuid(id)),
            _ => {
                let words = "arrived_after cannot be asked with after or backwards.";
                return Err(Error::invalid(words));
            }
        };
        Ok(Self {
            run: FlowRunId::from_uuid(query.flow_run_id),
            level: query.level.unwrap_or(i64::MIN),
            since: query.since.map(Into::into),
            from: start,
            limit,
        })
    }
}

/// A page of a run's lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct LinesPage {
    /// The lines.
    pub lines: Vec<Log>,
    /// The line of any run that was stored last when they were read; what comes later is asked
    /// for as `arrived_after` it.
    pub last: Option<Uuid>,
}

impl From<log::Lines> for LinesPage {
    fn from(page: log::Lines) -> Self {
        Self {
            lines: page.lines.into_iter().map(Log::from).collect(),
            last: page.last.map(LogId::uuid),
        }
    }
}

impl Redact for LinesPage {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.lines.runs(noted);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self { lines, last: _ } = self;
        lines.redact(reader);
    }
}

/// Whoever follows runs, and what it has heard.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewsQuery {
    /// The number that it was told last; absent: it is told at once.
    pub heard: Option<u64>,
}

/// How often runs have gone on, or something was said in one.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunNews {
    /// Another number than the one that was heard: there is something to read.
    pub number: u64,
}

/// How a run's log stands.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OutputState {
    /// Whether the run has ended.
    pub ended: bool,
    /// Whether nothing more is to be expected in its log.
    pub complete: bool,
    /// Whether the agent that stores what its process printed is there.
    pub agent_is_there: bool,
}

impl From<log::OutputState> for OutputState {
    fn from(state: log::OutputState) -> Self {
        let log::OutputState {
            ended,
            complete,
            agent_is_there,
        } = state;
        Self {
            ended,
            complete,
            agent_is_there,
        }
    }
}

/// How much of a run's output is stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct OutputSeen {
    /// Lines in all.
    pub lines: u64,
    /// The last one's time.
    pub last: Option<Instant>,
    /// How many carry that time.
    pub of_last: u64,
}

impl From<log::OutputSeen> for OutputSeen {
    fn from(seen: log::OutputSeen) -> Self {
        Self {
            lines: seen.lines,
            last: seen.last.map(|(at, _)| at.into()),
            of_last: seen.last.map_or(0, |(_, lines)| lines),
        }
    }
}

impl From<OutputSeen> for log::OutputSeen {
    fn from(seen: OutputSeen) -> Self {
        Self {
            lines: seen.lines,
            last: seen.last.map(|at| (at.into(), seen.of_last)),
        }
    }
}

harmless!(OutputState, OutputSeen, RunNews);
