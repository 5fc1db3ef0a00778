//! Pages of a list, with how many there are in all.

use std::collections::HashSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::redaction::{Reader, Redact};
use crate::domain::ids::FlowRunId;

/// A page.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Paginated<T> {
    /// What is on it.
    pub results: Vec<T>,
    /// How many there are in all.
    pub count: u64,
    /// At most so many are on a page.
    pub limit: u64,
    /// So many pages there are.
    pub pages: u64,
    /// The number of this one, from 1.
    pub page: u64,
}

impl<T> Paginated<T> {
    /// A page of that number, of a list of `count`.
    pub fn new(results: Vec<T>, count: u64, limit: u64, page: u64) -> Self {
        let pages = match limit {
            0 => 0,
            limit => count.div_ceil(limit),
        };
        Self {
            results,
            count,
            limit,
            pages,
            page,
        }
    }
}

impl<T: Redact> Redact for Paginated<T> {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.results.runs(noted);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            results,
            count: _,
            limit: _,
            pages: _,
            page: _,
        } = self;
        results.redact(reader);
    }

    fn leave_out_ours(&mut self) {
        self.results.leave_out_ours();
    }
}
