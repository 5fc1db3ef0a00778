//! What a list of runs is asked for: the address, read.

use uuid::Uuid;

use crate::domain::filter::{
    Criteria, Criterion, Filters, Sort, Test, deployment, flow, flow_run, work_pool,
};
use crate::domain::state::StateType;
use crate::domain::time::{Span, Timestamp};
use crate::pages::visitor::Visitor;

/// What people can choose among states: classes, and what is asked for each.
pub const STATES: &[(&str, &str)] = &[
    ("scheduled", "Scheduled"),
    ("late", "Late"),
    ("pending", "Pending"),
    ("running", "Running"),
    ("paused", "Paused"),
    ("completed", "Completed"),
    ("failed", "Failed"),
    ("crashed", "Crashed"),
    ("cancelling", "Cancelling"),
    ("cancelled", "Cancelled"),
];
/// How far back a list goes: words, what they are called, and the time in hours.
pub const LAST: &[(&str, &str, i64)] = &[
    ("1h", "Last hour", 1),
    ("24h", "Last 24 hours", 24),
    ("7d", "Last 7 days", 7 * 24),
    ("30d", "Last 30 days", 30 * 24),
    ("all", "Any time", 0),
];
/// The orders: words and what they mean.
const SORTS: &[(&str, &str)] = &[
    ("-start", "START_TIME_DESC"),
    ("start", "START_TIME_ASC"),
    ("name", "NAME_ASC"),
    ("-name", "NAME_DESC"),
    ("-end", "END_TIME_DESC"),
];
/// How far a list can be leafed through: what lies beyond is found by filters.
const LAST_PAGE: u64 = 200;
/// The most characters of what is searched for.
const LONGEST_SEARCH: usize = 200;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Words of [`STATES`].
    pub states: Vec<String>,
    /// Part of the name, or an id.
    pub q: String,
    /// A tag.
    pub tag: String,
    /// The name of a pool.
    pub pool: String,
    /// A deployment's id.
    pub deployment: Option<Uuid>,
    /// A flow's id.
    pub flow: Option<Uuid>,
    /// A word of [`LAST`].
    pub last: String,
    /// Expected from then on, in seconds since the epoch.
    pub from: Option<i64>,
    /// Expected before then.
    pub to: Option<i64>,
    /// The order.
    pub sort: String,
    /// The number of the page, from 0.
    pub page: u64,
}

impl Asked {
    /// What the address says. What it does not know is not asked for.
    pub fn of(visitor: &Visitor) -> Self {
        let one = |name: &str| {
            let text = visitor.asked(name).unwrap_or_default();
            text.trim().chars().take(LONGEST_SEARCH).collect::<String>()
        };
        let number = |name: &str| one(name).parse::<i64>().ok();
        let id = |name: &str| Uuid::parse_str(&one(name)).ok();
        let all = visitor.asked_all("state");
        let words = all.iter().flat_map(|words| words.split(','));
        let words: Vec<String> = words.map(|word| word.trim().to_lowercase()).collect();
        let is_asked = |word: &str| words.iter().any(|asked| asked == word);
        let states = STATES.iter().filter(|(word, _)| is_asked(word));
        Self {
            states: states.map(|(word, _)| (*word).to_owned()).collect(),
            q: one("q"),
            tag: one("tag"),
            pool: one("pool"),
            deployment: id("deployment"),
            flow: id("flow"),
            last: one("last"),
            from: number("from"),
            to: number("to"),
            sort: one("sort"),
            page: one("page").parse().unwrap_or(0).min(LAST_PAGE),
        }
    }

    /// Whether something narrows the list.
    pub fn is_narrow(&self) -> bool {
        let texts = [&self.q, &self.tag, &self.pool, &self.last];
        !self.states.is_empty()
            || texts.iter().any(|text| !text.is_empty())
            || self.deployment.is_some()
            || self.flow.is_some()
            || self.from.is_some()
    }

    /// The order.
    pub fn order(&self) -> Sort {
        let word = SORTS.iter().find(|(word, _)| *word == self.sort);
        let word = word.map_or("START_TIME_DESC", |(_, word)| word);
        let order = flow_run::SORTS.iter().find(|(known, _)| *known == word);
        order.map_or(Sort::NEWEST, |(_, order)| *order)
    }

    /// What has to hold.
    pub fn filters(&self, now: Timestamp) -> Filters {
        let mut all = vec![self.about_states(now), self.about_time(now)];
        if let Ok(id) = Uuid::parse_str(&self.q) {
            all.push(one(flow_run::ID.is_one_of_ids([id])));
        } else if !self.q.is_empty() {
            all.push(one(flow_run::NAME.asked(Test::Like(self.q.clone()))));
        }
        if !self.tag.is_empty() {
            let tags = vec![self.tag.clone()];
            all.push(one(flow_run::TAGS.asked(Test::HasAll(tags))));
        }
        let pool = (!self.pool.is_empty()).then(|| work_pool::NAME.is_one_of([&*self.pool]));
        Filters {
            flow_runs: Some(Criteria::All(all)),
            deployments: self
                .deployment
                .map(|id| one(deployment::ID.is_one_of_ids([id]))),
            flows: self.flow.map(|id| one(flow::ID.is_one_of_ids([id]))),
            work_pools: pool.map(one),
            ..Filters::default()
        }
    }

    /// Without any word, runs that are not due yet are left out: there may be very many.
    fn about_states(&self, now: Timestamp) -> Criteria {
        if self.states.is_empty() && self.from.is_none() && self.q.is_empty() {
            return one(flow_run::BEGINNING.asked(Test::AtMost(now.micros())));
        }
        let words = || self.states.iter().map(String::as_str);
        let kinds: Vec<_> = words().filter_map(kind).map(StateType::word).collect();
        let of_kinds = (!kinds.is_empty()).then(|| one(flow_run::STATE_TYPE.is_one_of(kinds)));
        let late_ones = || flow_run::late_ones().into_iter().collect();
        let of_late = words().any(|word| word == LATE).then(late_ones);
        // Alone each is certain, and an index may serve it.
        match (of_kinds, of_late) {
            (Some(of_kinds), Some(of_late)) => Criteria::Any(vec![of_kinds, of_late]),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => Criteria::NOTHING,
        }
    }

    fn about_time(&self, now: Timestamp) -> Criteria {
        let mut all = Vec::new();
        let hours = LAST.iter().find(|(word, _, _)| *word == self.last);
        if let Some((_, _, hours)) = hours.filter(|(_, _, hours)| *hours > 0) {
            let since = now - Span::from_micros(hours * 3600 * 1_000_000);
            all.push(flow_run::BEGINNING.asked(Test::AtLeast(since.micros())));
        }
        let micros = |secs: i64| secs.saturating_mul(1_000_000);
        if let Some(from) = self.from {
            all.push(flow_run::EXPECTED_START_TIME.asked(Test::AtLeast(micros(from))));
        }
        if let Some(to) = self.to {
            let last = micros(to).saturating_sub(1);
            all.push(flow_run::EXPECTED_START_TIME.asked(Test::AtMost(last)));
        }
        all.into()
    }

    /// The query of an address that asks for the same, but for what is said here; an empty value
    /// leaves something out.
    pub fn query(&self, changes: &[(&str, &str)]) -> String {
        let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        let number = |number: Option<i64>| number.map(|it| it.to_string()).unwrap_or_default();
        let pairs = [
            ("state", self.states.join(",")),
            ("q", self.q.clone()),
            ("tag", self.tag.clone()),
            ("pool", self.pool.clone()),
            ("deployment", id(self.deployment)),
            ("flow", id(self.flow)),
            ("last", self.last.clone()),
            ("from", number(self.from)),
            ("to", number(self.to)),
            ("sort", self.sort.clone()),
            ("page", String::new()),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &pairs {
            let change = changes.iter().find(|(changed, _)| changed == name);
            let value = change.map_or(value.as_str(), |(_, value)| value);
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

fn one(criterion: Criterion) -> Criteria {
    Criteria::One(criterion)
}

/// The word of [`STATES`] that is no kind of state, but a name of scheduled ones.
const LATE: &str = "late";

/// The kind of state that a word of [`STATES`] stands for.
fn kind(word: &str) -> Option<StateType> {
    StateType::from_word(&word.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_asked_and_nothing_else() {
        let asked = Asked {
            states: vec!["failed".to_owned(), "late".to_owned()],
            q: "a&b".to_owned(),
            page: 3,
            ..Asked::default()
        };
        assert_eq!(asked.query(&[]), "state=failed%2Clate&q=a%26b");
        let query = asked.query(&[("page", "4"), ("q", "")]);
        assert_eq!(query, "state=failed%2Clate&page=4");
        assert!(asked.is_narrow() && !Asked::default().is_narrow());
    }

    #[test]
    fn every_state_that_can_be_chosen_is_one() {
        for (word, _) in STATES {
            assert!(*word == LATE || kind(word).is_some(), "{word}");
        }
        assert_eq!(kind("x"), None);
    }
}
