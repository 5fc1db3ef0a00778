//! `/logs/out`: the log lines that a filter asks for, as they come.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::listening::{Feed, Wish, invalid, trouble};
use super::socket::Ending;
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::{Log, LogFilter};
use crate::app::{App, LogSubscription};
use crate::domain::error::Result;
use crate::domain::ids::FlowRunId;
use crate::domain::log;

/// What a client wants to hear.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    filter: LogFilter,
}

impl Wish for Wanted {
    type Feed = LogSubscription;

    fn kind(&self) -> &str {
        &self.kind
    }

    async fn begin(self, app: &App) -> std::result::Result<LogSubscription, Ending> {
        let filter = self.filter.heard();
        let filter = filter.map_err(|error| invalid(&error.into()))?;
        let subscription = app.hear_logs(filter).await;
        subscription.map_err(|error| trouble(&error))
    }
}

/// What it is told.
#[derive(Serialize)]
pub(super) struct LogMessage {
    #[serde(rename = "type")]
    kind: &'static str,
    log: Log,
}

impl Redact for LogMessage {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.log.runs(noted);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        self.log.redact(reader);
    }

    fn leave_out_ours(&mut self) {
        self.log.leave_out_ours();
    }
}

impl Feed for LogSubscription {
    type Item = log::Log;
    type Message = LogMessage;

    async fn coming(&mut self) -> Result<Vec<log::Log>> {
        self.next().await
    }

    fn message(line: log::Log) -> LogMessage {
        let log = Log::from(line);
        LogMessage { kind: "log", log }
    }
}
