//! Verbs on log lines.

use std::iter::Peekable;

use crate::app::tx::Effect;
use crate::app::{App, request};
use crate::domain::access::run_key::without_keys;
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Criteria, Filters, Page, Sort};
use crate::domain::ids::FlowRunId;
use crate::domain::log::{Lines, Log, NewLog, OUTPUT_LOGGER, OutputSeen, OutputState, Wanted};
use crate::domain::time::Span;
use crate::storage::flow_runs::{self, Output};
use crate::storage::{Job, logs, rows};

/// About what a line holds beside its message, in bytes.
const LINE: usize = 200;
/// How many lines one transaction stores, and about how many bytes of them, so that others do not
/// wait long. A single line may hold more.
const AT_ONCE: usize = 1000;
/// See [`AT_ONCE`].
const BYTES_AT_ONCE: usize = 1024 * 1024;

/// About what a line holds, in bytes.
fn weight(line: &NewLog) -> usize {
    LINE + line.message.len()
}

/// About what lines hold, in bytes.
fn weight_of_all(lines: &[NewLog]) -> usize {
    lines.iter().map(weight).sum()
}

/// The next lines that go in one transaction: one at least.
fn part(lines: &mut Peekable<impl Iterator<Item = NewLog>>) -> Vec<NewLog> {
    let (mut part, mut bytes) = (Vec::new(), 0);
    while part.len() < AT_ONCE
        && let Some(line) =
            lines.next_if(|line| part.is_empty() || bytes + weight(line) <= BYTES_AT_ONCE)
    {
        bytes += weight(&line);
        part.push(line);
    }
    part
}

/// For how long after the end of a run that no agent started lines are still to be expected:
/// its own process hands them in every two seconds, and at its end.
const STRAGGLERS: Span = Span::from_micros(2_500_000);

impl App {
    /// Appends lines in their order. Very many go in several transactions, whether or not the
    /// caller is still there; a request that comes again finds those done that were.
    pub async fn create_logs(&self, mut lines: Vec<NewLog>) -> Result<()> {
        for line in &mut lines {
            if let Some(message) = without_keys(&line.message) {
                line.message = message;
            }
        }
        if lines.len() <= AT_ONCE && weight_of_all(&lines) <= BYTES_AT_ONCE {
            return self.append(lines).await;
        }
        let app = self.clone();
        let appending = async move {
            let mut lines = lines.into_iter().peekable();
            while lines.peek().is_some() {
                app.append(part(&mut lines)).await?;
            }
            Ok(())
        };
        let appending = tokio::spawn(request::under(request::current(), appending));
        appending.await.map_err(Error::internal)?
    }

    async fn append(&self, lines: Vec<NewLog>) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let job = Job::of_size(weight_of_all(&lines));
        self.write_as(job, move |tx| {
            tx.entail(Effect::TellNews);
            logs::insert(tx.db, &lines, tx.now)
        })
        .await
    }

    /// A page of lines.
    pub async fn logs(
        &self,
        criteria: impl Into<Criteria>,
        sort: Sort,
        page: Page,
    ) -> Result<Vec<Log>> {
        let filters = about_logs(criteria.into());
        self.find(move |db| rows::page(db, &filters, sort, page))
            .await
    }

    /// How many lines match.
    pub async fn count_logs(&self, criteria: impl Into<Criteria>) -> Result<u64> {
        let filters = about_logs(criteria.into());
        self.count::<Log>(filters).await
    }

    /// How much of a run's own output is stored.
    pub async fn output_seen(&self, id: FlowRunId) -> Result<OutputSeen> {
        self.read(move |db| logs::seen_of(db, id, OUTPUT_LOGGER))
            .await
    }

    /// Lines of one run from a place on.
    pub async fn lines(&self, wanted: Wanted) -> Result<Lines> {
        self.scan(move |db| logs::of_run(db, &wanted)).await
    }

    /// Whether a run's log is complete.
    pub async fn output_state(&self, id: FlowRunId) -> Result<OutputState> {
        let found = self.read(move |db| flow_runs::output(db, id)).await?;
        let run = found.ok_or_else(|| Error::not_found("Flow run"))?;
        let ended = run.state.is_some_and(|kind| kind.is_terminal());
        let is_there = |name: &String| self.live_agents().iter().any(|one| one.name == *name);
        Ok(OutputState {
            ended,
            complete: ended && self.nothing_is_to_come(&run),
            agent_is_there: run.agent.as_ref().is_none_or(is_there),
        })
    }

    fn nothing_is_to_come(&self, run: &Output) -> bool {
        match (&run.agent, run.started) {
            (Some(_), _) => !run.is_open,
            (None, None) => true, // it never ran
            (None, Some(_)) => run
                .ended
                .is_none_or(|ended| self.now() - ended > STRAGGLERS),
        }
    }
}

fn about_logs(criteria: Criteria) -> Filters {
    Filters {
        logs: Some(criteria),
        ..Filters::default()
    }
}
