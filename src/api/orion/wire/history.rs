//! Histories on the wire.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::super::read::{Fields, duration, timestamp};
use super::filters;
use super::state::told;
use super::time::{Iso, Secs};
use crate::api::redaction::{Reader, Redact};
use crate::domain::filter::Filters;
use crate::domain::history::{Buckets, Tally};

/// One bucket.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::Bucket)]
pub struct BucketOut<'a> {
    interval_start: Iso,
    interval_end: Iso,
    states: Vec<TallyOut<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = orion::Tally)]
struct TallyOut<'a> {
    state_type: &'static str,
    state_name: Cow<'a, str>,
    count_runs: i64,
    sum_estimated_run_time: Secs,
    sum_estimated_lateness: Secs,
}

impl Redact for BucketOut<'_> {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            interval_start: _,
            interval_end: _,
            states,
        } = self;
        let mask = reader.of_nobody();
        states
            .iter_mut()
            .for_each(|tally| mask.over(&mut tally.state_name));
    }
}

/// Every bucket with its tallies, empty ones included.
pub fn buckets_out(buckets: Buckets, tallies: &[Tally]) -> Vec<BucketOut<'_>> {
    let bucket = |(number, start, end)| BucketOut {
        interval_start: Iso(start),
        interval_end: Iso(end),
        states: tallies
            .iter()
            .filter(|tally| tally.bucket == number)
            .map(|tally| TallyOut {
                state_type: told(tally.kind),
                state_name: Cow::Borrowed(&tally.name),
                count_runs: tally.count,
                sum_estimated_run_time: Secs(tally.run_time),
                sum_estimated_lateness: Secs(tally.lateness),
            })
            .collect(),
    };
    buckets.each().map(bucket).collect()
}

/// What a history asks for. An interval below a second is told apart, since that server
/// refuses it with a sentence of its own.
pub fn history(fields: &mut Fields<'_, '_>) -> Option<(Filters, Option<Buckets>)> {
    let start = fields.required("history_start", timestamp);
    let end = fields.required("history_end", timestamp);
    let step = fields.required("history_interval_seconds", |value, context| {
        let step = duration(value, context)?;
        let buckets = start
            .zip(end)
            .map(|(start, end)| Buckets::new(start, end, step));
        match buckets.is_none_or(|buckets| buckets.end().is_in_calendar()) {
            true => Some(step),
            false => context.fault("The history ends after the year 9999.", "value_error"),
        }
    });
    let filters = filters(fields);
    let (start, end, step) = (start?, end?, step?);
    let long_enough = step.micros() >= 1_000_000;
    let buckets = long_enough.then(|| Buckets::new(start, end, step));
    Some((filters?, buckets))
}
