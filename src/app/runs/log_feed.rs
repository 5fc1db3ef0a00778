//! Who listens to log lines hears each once, in the order of arrival.
//!
//! Listeners are only woken; each reads from the store what it has not heard, so that a slow one
//! costs no memory and misses nothing.

use crate::app::{App, Listener};
use crate::domain::error::Result;
use crate::domain::ids::LogId;
use crate::domain::log::Log;
use crate::domain::log_filter::LogFilter;
use crate::storage::logs;

/// How many lines are read at once.
const PAGE: u64 = 500;

/// A listener that hears of the lines that a filter asks for.
pub struct LogSubscription {
    app: App,
    filter: LogFilter,
    bell: Listener,
    heard: Option<LogId>,
}

impl App {
    /// Hears of the lines that come from here on and that a filter asks for.
    pub async fn hear_logs(&self, filter: LogFilter) -> Result<LogSubscription> {
        let bell = self.inner.shared.news.listen();
        Ok(LogSubscription {
            heard: self.read(logs::last).await?,
            app: self.clone(),
            filter,
            bell,
        })
    }
}

impl LogSubscription {
    /// The next lines, one at least. May be given up at any time and asked again.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn next(&mut self) -> Result<Vec<Log>> {
        loop {
            let heard = self.heard;
            let mut lines = self
                .app
                .read(move |db| logs::after(db, heard, PAGE))
                .await?;
            let Some(last) = lines.last() else {
                self.bell.rung().await;
                continue;
            };
            self.heard = Some(last.id);
            lines.retain(|line| self.filter.takes(line));
            if !lines.is_empty() {
                return Ok(lines);
            }
        }
    }
}
