//! A run's log as a table of comma-separated values.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use chrono::{DateTime, SecondsFormat, Timelike, Utc};
use futures_util::stream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::wire::Log;
use crate::api::access::Requester;
use crate::api::v3::Answer;
use crate::api::v3::extract::Id;
use crate::api::{Ctx, Operation};
use crate::app::App;
use crate::domain::access::Need;
use crate::domain::error::{Error, Result};
use crate::domain::ids::FlowRunId;
use crate::domain::log::{LogPosition, Start, Wanted};

/// Lines that are read at once.
const AT_ONCE: u64 = 1000;
const HEAD: &str = "timestamp,level,flow_run_id,task_run_id,message\r\n";
/// What a file's name may hold in a header, as Python quotes it.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What there is to ask.
pub fn operation() -> Operation {
    Operation::get(
        "/flow_runs/{id}/logs/download",
        "Reads a run's whole log as comma-separated values",
    )
    .tells("string")
    .needs(Need::Read, download)
}

/// What is read of a log, page by page.
struct Reading {
    app: App,
    who: Requester,
    run: FlowRunId,
    after: Option<LogPosition>,
    has_begun: bool,
}

impl Reading {
    /// The next rows; none once there are no more.
    async fn next(&mut self) -> Result<Option<String>> {
        if !self.has_begun {
            self.has_begun = true;
            return Ok(Some(HEAD.to_owned()));
        }
        let wanted = Wanted {
            run: self.run,
            level: i64::MIN,
            since: None,
            from: Start::After(self.after),
            limit: AT_ONCE,
        };
        let lines = self.app.lines(wanted).await?.lines;
        let Some(last) = lines.last() else {
            return Ok(None);
        };
        self.after = Some(LogPosition {
            at: last.line.timestamp,
            id: last.id,
        });
        let lines = lines.into_iter().map(Log::from).collect::<Vec<_>>();
        let lines = self.who.masked(lines).await?;
        Ok(Some(lines.iter().map(row).collect()))
    }
}

pub async fn download(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let run = FlowRunId::from_uuid(id);
    let name = ctx.app.flow_run(run).await?.name;
    let name = format!("{name}-logs.csv");
    let name = utf8_percent_encode(&name, QUOTED);
    let place = format!("attachment; filename=\"flow-run-logs.csv\"; filename*=UTF-8''{name}");
    let reading = Reading {
        app: ctx.app.clone(),
        who,
        run,
        after: None,
        has_begun: false,
    };
    let body = stream::try_unfold(reading, |mut reading| async {
        let rows = reading.next().await.inspect_err(tell)?;
        Ok::<_, Error>(rows.map(|rows| (rows, reading)))
    });
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, place),
    ];
    Ok((head, Body::from_stream(body)).into_response())
}

/// An answer that has begun can only be cut off.
fn tell(error: &Error) {
    tracing::warn!("a log that was being downloaded is cut off: {error}");
}

fn row(line: &Log) -> String {
    let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    format!(
        "{},{},{},{},{}\r\n",
        written(line.timestamp.utc()),
        line.level,
        id(line.flow_run_id),
        id(line.task_run_id),
        quoted(&line.message)
    )
}

/// As Python writes it: with a space, and without a fraction that is none.
fn written(at: DateTime<Utc>) -> String {
    let precision = match at.nanosecond() {
        0 => SecondsFormat::Secs,
        _ => SecondsFormat::Micros,
    };
    at.to_rfc3339_opts(precision, false).replacen('T', " ", 1)
}

/// A field, in quotes where it has to be.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_have_to_be_and_times_are_as_python_has_them() {
        for (text, wanted) in [
            ("plain text", "plain text"),
            ("a,b", "\"a,b\""),
            ("say \"x\"\n", "\"say \"\"x\"\"\n\""),
        ] {
            assert_eq!(quoted(text), wanted);
        }
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        assert_eq!(
            written(at("2024-01-01T00:00:00Z")),
            "2024-01-01 00:00:00+00:00"
        );
        let exact = "2024-01-01 00:00:00.500000+00:00";
        assert_eq!(written(at("2024-01-01T00:00:00.5Z")), exact);
    }
}
