//! What a run said: read page by page, told once, in order, to its end.

mod fold;
mod follow;
mod sink;
mod waiting;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::args::{Logs, Output};
use super::client::Client;
use super::failure::Result;
use crate::api::v3::wire::{LinesPage, LinesQuery, Log, LogPosition, MAX_LINES};
use fold::Fold;
use sink::Sink;

pub use follow::{has_ended, run_to_its_end, until_ended};

/// Which lines, and how.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Follow until all is said.
    pub follow: bool,
    /// Only the last, so many.
    pub tail: Option<u64>,
    /// Said then or later.
    pub since: Option<DateTime<Utc>>,
    /// Of this level or above.
    pub level: Option<i64>,
    /// Copies, too.
    pub console: bool,
    /// Messages as they are.
    pub raw: bool,
}

impl From<&Logs> for Wanted {
    fn from(logs: &Logs) -> Self {
        Self {
            follow: logs.follow,
            tail: logs.tail,
            since: logs.since,
            level: logs.level,
            console: logs.console,
            raw: logs.raw,
        }
    }
}

impl Wanted {
    fn query(&self, run: Uuid) -> LinesQuery {
        LinesQuery {
            flow_run_id: run,
            level: self.level,
            since: self.since.map(Into::into),
            ..LinesQuery::default()
        }
    }
}

/// Prints a run's lines.
pub async fn print(client: &Client, run: Uuid, wanted: &Wanted, output: Output) -> Result<()> {
    let mut sink = Sink::new(output, wanted.follow, wanted.raw);
    if wanted.follow {
        follow::lines(client, run, wanted, &mut sink).await?;
    } else {
        let mut fold = Fold::new(wanted.console);
        let show = |line: &Log| {
            if fold.admits(line) {
                sink.line(line)
            } else {
                Ok(())
            }
        };
        stored(client, run, wanted, show).await?;
    }
    sink.finish()
}

/// Hands over the lines that are stored, in their order, and answers where to go on from.
async fn stored(
    client: &Client,
    run: Uuid,
    wanted: &Wanted,
    mut show: impl FnMut(&Log) -> Result<()>,
) -> Result<Uuid> {
    let mut last = None;
    if let Some(tail) = wanted.tail {
        let (lines, arrived) = the_last(client, run, wanted, tail).await?;
        lines.iter().try_for_each(show)?;
        return Ok(arrived.unwrap_or_default());
    }
    let mut query = wanted.query(run);
    loop {
        let (page, is_last) = page(client, &query).await?;
        // What comes while the pages are read is asked for again from before the first.
        last = last.or(page.last);
        page.lines.iter().try_for_each(&mut show)?;
        query.after = page.lines.last().map(LogPosition::of);
        if is_last {
            return Ok(last.unwrap_or_default());
        }
    }
}

/// The last lines that are shown, oldest first.
async fn the_last(
    client: &Client,
    run: Uuid,
    wanted: &Wanted,
    tail: u64,
) -> Result<(Vec<Log>, Option<Uuid>)> {
    let mut query = LinesQuery {
        backwards: true,
        // A copy of each, and a few for what is folded at the edge.
        limit: Some(tail.saturating_mul(2).saturating_add(50).min(MAX_LINES)),
        ..wanted.query(run)
    };
    let (mut lines, mut last) = (Vec::new(), None);
    loop {
        let (page, is_first) = page(client, &query).await?;
        last = last.or(page.last);
        query.after = page.lines.last().map(LogPosition::of);
        lines.extend(page.lines);
        let mut fold = Fold::new(wanted.console);
        let shown = lines.iter().rev().filter(|line| fold.admits(line));
        let mut shown: Vec<_> = shown.cloned().collect();
        let wanted = usize::try_from(tail).unwrap_or(usize::MAX);
        if is_first || shown.len() >= wanted {
            let from = shown.len().saturating_sub(wanted);
            return Ok((shown.split_off(from), last));
        }
        query.limit = Some(MAX_LINES);
    }
}

/// A page, and whether there is nothing beyond it. Long lines are asked for in smaller pages.
async fn page(client: &Client, query: &LinesQuery) -> Result<(LinesPage, bool)> {
    let mut query = query.clone();
    loop {
        let limit = query.limit.unwrap_or(MAX_LINES);
        let page: Result<LinesPage> = client.post_plain("/prefectd/logs/page", &query).await;
        match page {
            Err(failure) if failure.is_too_large() && limit > 1 => {
                query.limit = Some(limit / 4 + 1);
            }
            page => {
                let page = page?;
                let is_last = (page.lines.len() as u64) < limit;
                return Ok((page, is_last));
            }
        }
    }
}
