//! The dates of a schedule, found where nobody waits for it: not on the writer, nor on a
//! thread that serves requests.

use super::{Range, TIME_AHEAD};
use crate::app::App;
use crate::domain::error::{Error, Result};
use crate::domain::schedule::{Ahead, Schedule, TooCostly};
use crate::domain::time::{Span, Timestamp};

/// How far dates are looked for: ten years.
const FAR: Span = Span::from_micros(10 * 366 * 86_400 * 1_000_000);

/// What there is to say about a schedule from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// When it is due next.
    Next(Timestamp),
    /// It is never due again.
    NoneLeft,
    /// Its dates take too long to find, so it is not followed.
    TooCostly(TooCostly),
}

/// The dates that a schedule was found to have.
#[derive(Clone, Debug)]
pub(in crate::app) struct Plan {
    /// When there are runs; a schedule that has changed since has other dates.
    pub rule: Schedule,
    /// The dates.
    pub dates: Vec<Timestamp>,
}

impl Plan {
    /// For a rule whose dates are not to be found.
    pub const fn nothing(rule: Schedule) -> Self {
        let dates = Vec::new();
        Self { rule, dates }
    }
}

impl App {
    /// What a schedule is good for from now on.
    pub async fn outlook(&self, schedule: Schedule) -> Result<Outlook> {
        let now = self.now();
        self.compute(move || match schedule.next(now) {
            Ok(Some(next)) => Outlook::Next(next),
            Ok(None) => Outlook::NoneLeft,
            Err(costly) => Outlook::TooCostly(costly),
        })
        .await
    }

    /// The first `most` dates of a schedule from now on; none of one that takes too long.
    pub async fn dates_to_come(&self, schedule: Schedule, most: usize) -> Result<Vec<Timestamp>> {
        let now = self.now();
        let far = now + FAR;
        self.compute(move || schedule.dates(now, far, most).unwrap_or_default())
            .await
    }

    /// Refuses a schedule that cannot be followed, saying why.
    pub async fn check_schedule(&self, schedule: Schedule) -> Result<Outlook> {
        schedule.check().map_err(Error::invalid)?;
        match self.outlook(schedule).await? {
            Outlook::TooCostly(costly) => Err(Error::invalid(format!(
                "The schedule cannot be followed: {costly}"
            ))),
            outlook => Ok(outlook),
        }
    }

    /// The dates within a range that have runs, where a deployment makes them so far ahead.
    pub(in crate::app::deployments) async fn plan(
        &self,
        schedule: Schedule,
        range: Range,
        usual: Ahead,
    ) -> Result<Result<Plan, TooCostly>> {
        let from = range.from.unwrap_or_else(|| self.now());
        let until = range.until.unwrap_or(from + TIME_AHEAD);
        let ahead = range.ahead(usual);
        let most = usize::try_from(ahead.most).unwrap_or(usize::MAX);
        self.compute(move || {
            let mut dates = schedule.dates(from, until, most)?;
            ahead.cut(from, &mut dates);
            Ok(Plan {
                rule: schedule,
                dates,
            })
        })
        .await
    }

    /// The first date that lies beyond what was planned until `until`.
    pub(super) async fn date_after(
        &self,
        schedule: Schedule,
        until: Timestamp,
    ) -> Result<Result<Option<Timestamp>, TooCostly>> {
        let from = until + Span::from_micros(1);
        self.compute(move || schedule.next(from)).await
    }

    /// Bounded work on a thread of its own; few at once, so that what many ask for leaves the
    /// machine to others.
    pub(in crate::app) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let planning = self.inner.planning.acquire().await;
        let done = tokio::task::spawn_blocking(work).await;
        drop(planning);
        done.map_err(Error::internal)
    }
}
