//! The log of a run: its last lines, older ones by the page, and those that arrive.

use askama::Template;

use crate::api::Ctx;
use crate::domain::error::Result;
use crate::domain::filter::{Page, TextQuery, log as about_log};
use crate::domain::ids::{FlowRunId, LogId, TaskRunId};
use crate::domain::log::{Log, LogPosition, Start, Wanted};
use crate::domain::time::Timestamp;
use crate::pages::show::{Html, ansi, short, text, times};
use crate::pages::visitor::Visitor;

/// How many lines are on a page.
pub const LINES: u64 = 500;
/// How many lines are looked through for what is searched.
const LOOKED_THROUGH: u64 = 20_000;
/// The levels that can be chosen: values and labels.
const LEVELS: &[(i64, &str)] = &[
    (i64::MIN, "All lines"),
    (20, "Info and up"),
    (30, "Warnings and up"),
    (40, "Errors"),
];

/// What is asked of a log.
#[derive(Clone, Debug)]
pub struct Asked {
    level: i64,
    q: String,
    before: Option<LogPosition>,
}

/// A line.
pub struct Line {
    /// Names its place.
    pub id: String,
    /// Its kind.
    pub class: &'static str,
    /// When it was said.
    pub at: Html,
    /// Its level.
    pub level: String,
    /// Who says it.
    pub source: Html,
    /// What it says.
    pub message: Html,
}

/// Lines on their own, as they are added to a page.
#[derive(Template)]
#[template(path = "lines.html")]
pub struct Lines {
    /// The lines.
    pub lines: Vec<Line>,
}

/// The lines of a page.
#[derive(Default)]
pub struct Shown {
    /// The lines.
    pub lines: Vec<Line>,
    /// The line after which others arrive.
    pub after: String,
    /// Where older lines are.
    pub older: Option<String>,
    /// Where the newest are, where these are not.
    pub newest: Option<String>,
    /// The levels to choose from.
    pub levels: Vec<(i64, &'static str, Html)>,
    /// What is searched for.
    pub q: Html,
    /// What is asked, for addresses.
    pub query: String,
    /// Whether the newest line is here, so that others can follow.
    pub follows: bool,
}

impl Asked {
    /// What the address says.
    pub fn of(visitor: &Visitor) -> Self {
        let level = visitor.asked("level").and_then(|level| level.parse().ok());
        let q = visitor.asked("q").unwrap_or_default();
        let before = visitor.asked("before").and_then(|place| {
            let (at, id) = place.split_once('-')?;
            Some(LogPosition {
                at: Timestamp::from_micros(at.parse().ok()?),
                id: id.parse().ok()?,
            })
        });
        Self {
            level: level.unwrap_or(i64::MIN),
            q: q.chars().take(TextQuery::MOST).collect(),
            before,
        }
    }

    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if self.level != i64::MIN {
            query.append_pair("level", &self.level.to_string());
        }
        if !self.q.is_empty() {
            query.append_pair("q", &self.q);
        }
        query.finish()
    }

    fn search(&self) -> Option<TextQuery> {
        let query = TextQuery::read(&self.q);
        (!query.is_empty()).then_some(query)
    }

    fn wanted(&self, run: FlowRunId, from: Start, limit: u64) -> Wanted {
        Wanted {
            run,
            level: self.level,
            since: None,
            from,
            limit,
        }
    }
}

/// Whether a line has what is searched for.
fn has(search: Option<&TextQuery>, line: &Log) -> bool {
    search.is_none_or(|query| query.finds(&[&line.line.message, &line.line.name]))
}

/// The lines that a page of a run begins with.
///
/// # Errors
/// Where the store cannot be read.
pub async fn read(ctx: &Ctx, visitor: &Visitor, run: FlowRunId) -> Result<Shown> {
    let asked = Asked::of(visitor);
    let search = asked.search();
    let limit = match &search {
        Some(_) => LOOKED_THROUGH,
        None => LINES + 1,
    };
    let wanted = asked.wanted(run, Start::Before(asked.before), limit);
    let read = ctx.app.lines(wanted).await?;
    let is_whole = (read.lines.len() as u64) < limit;
    // Backwards: the newest come first.
    let mut found = read.lines;
    let farthest = found.last().map(place);
    found.retain(|line| has(search.as_ref(), line));
    let is_cut = found.len() as u64 > LINES;
    found.truncate(LINES as usize);
    let oldest = match is_cut {
        true => found.last().map(place),
        false => farthest.filter(|_| !is_whole),
    };
    found.reverse();
    let found = visitor.masked(found).await?;
    let query = asked.query();
    let here = format!("/runs/flow-run/{run}");
    Ok(Shown {
        lines: found.iter().map(Line::new).collect(),
        after: name_of(read.last),
        older: oldest.map(|oldest| format!("{here}?{query}&before={oldest}#log")),
        newest: asked.before.map(|_| format!("{here}?{query}#log")),
        levels: LEVELS
            .iter()
            .map(|(value, label)| (*value, *label, selected(*value == asked.level)))
            .collect(),
        q: text(&asked.q),
        follows: asked.before.is_none(),
        query,
    })
}

/// Lines that have arrived after that one, and the one after which others will.
///
/// # Errors
/// Where the store cannot be read.
pub async fn arrived(
    ctx: &Ctx,
    visitor: &Visitor,
    run: FlowRunId,
    after: LogId,
) -> Result<(Vec<Line>, LogId)> {
    let asked = Asked::of(visitor);
    let wanted = asked.wanted(run, Start::Arrived(after), LINES);
    let read = ctx.app.lines(wanted).await?;
    let is_all = (read.lines.len() as u64) < LINES;
    let last = match is_all {
        true => read.last,
        false => read.lines.last().map(|line| line.id),
    };
    let search = asked.search();
    let mut found = read.lines;
    found.retain(|line| has(search.as_ref(), line));
    let found = visitor.masked(found).await?;
    Ok((
        found.iter().map(Line::new).collect(),
        last.unwrap_or(after).max(after),
    ))
}

fn selected(is_it: bool) -> Html {
    match is_it {
        true => Html::fixed(" selected"),
        false => Html::default(),
    }
}

/// The name of a line's place, for addresses.
fn place(line: &Log) -> String {
    format!("{}-{}", line.line.timestamp.micros(), line.id)
}

fn name_of(last: Option<LogId>) -> String {
    last.unwrap_or(LogId::from_uuid(uuid::Uuid::nil()))
        .to_string()
}

impl Line {
    fn new(log: &Log) -> Self {
        let line = &log.line;
        let (class, word) = match line.level {
            ..20 => ("debug", "DEBUG"),
            20..30 => ("info", "INFO"),
            30..40 => ("warn", "WARN"),
            40..50 => ("error", "ERROR"),
            50.. => ("error", "CRIT"),
        };
        let source = line.name.strip_prefix("prefect.").unwrap_or(&line.name);
        Self {
            id: log.id.to_string(),
            class,
            at: times::exact(line.timestamp),
            level: word.to_owned(),
            source: short(source),
            message: ansi::line(&line.message),
        }
    }
}

/// The last lines of a task run.
///
/// # Errors
/// Where the store cannot be read.
pub async fn lines_of_task(ctx: &Ctx, visitor: &Visitor, id: TaskRunId) -> Result<Vec<Line>> {
    let of_task = about_log::TASK_RUN_ID.is_one_of_ids([id.uuid()]);
    let page = Page {
        limit: LINES,
        offset: 0,
    };
    let found = ctx.app.logs(vec![of_task], about_log::LATEST, page).await?;
    let mut found = visitor.masked(found).await?;
    found.reverse();
    Ok(found.iter().map(Line::new).collect())
}
