//! How a page of runs is found.
//!
//! A page has an order and a few conditions, and for each of these there may be an index. SQLite
//! knows of none how many runs it leads to: by that of a state it would find and sort a million of
//! them for a page of fifty. So that is looked at first. Where a condition leaves few runs, these are
//! sorted. Where each leaves many, the order is followed, in which those that meet them all are mostly
//! found soon. Where they lie far from where it begins, more are sorted as well. Runs of some states
//! have an index that is in order within each state: of these the first of each are sorted.

use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sea_query::{Condition, Expr, ExprTrait, Query, SelectStatement, UnionType, Value};

use super::{Filtered, all, column, condition, select};
use crate::domain::error::Result;
use crate::domain::filter::{Criteria, Criterion, Filters, Holds, Noun, Page, Sort, Test, Values};
use crate::domain::state::StateType;
use crate::storage::sql;

/// So many runs are sorted in some milliseconds, and are counted by an index in some hundredths of one.
pub(super) const FEW: u64 = 3_000;

/// So many runs are sorted in some tenths of a second: in about as long as it takes to pass by several
/// times as many in an order.
pub(super) const MANY: u64 = 100_000;

/// How many rows of an order are followed, and how many if that was not enough.
pub(super) const REACHES: [u64; 2] = [3_000, 30_000];

/// How a page is found.
pub(super) enum Way {
    /// As SQLite plans it.
    Planned,
    /// Among those whose ids this finds.
    Among(Box<SelectStatement>),
    /// Following an index of the order, down to a key.
    InOrder(Option<Value>),
}

impl Way {
    /// To a page of what the filters ask for, where so many runs are few enough to be sorted.
    pub fn of<R: Filtered>(
        db: &Connection,
        filters: &Filters,
        sort: Sort,
        page: Page,
        few: u64,
    ) -> Result<Self> {
        if let Some(ids) = ended_within::<R>(filters, sort)
            && is_few(db, &ids, few)?
        {
            return Ok(Self::Among(Box::new(ids)));
        }
        if let Some(ids) = first_of_each::<R>(filters, sort, page) {
            return Ok(Self::Among(Box::new(ids)));
        }
        if !is_followed(R::NOUN, sort, filters) {
            return Ok(Self::Planned);
        }
        let Some(conditions) = spread(R::NOUN, filters, sort) else {
            return Ok(Self::Planned);
        };
        let is_any = !conditions.is_empty();
        for condition in conditions {
            let ids = Query::select()
                .column((R::TABLE, "id"))
                .from(R::TABLE)
                .cond_where(condition)
                .take();
            if is_few(db, &ids, few)? {
                return Ok(Self::Among(Box::new(ids)));
            }
        }
        Ok(match is_any {
            true => Self::InOrder(None),
            false => Self::Planned,
        })
    }
}

/// The ids of what has ended in the states that are asked for, and was expected since the time that is
/// asked for, where another order is: by the index of states these are found without the others.
fn ended_within<R: Filtered>(filters: &Filters, sort: Sort) -> Option<SelectStatement> {
    let states = states(R::NOUN, filters)?;
    let is_of_order = sort.column == "expected_start_time";
    if R::NOUN != Noun::FlowRun || is_of_order || !states.iter().all(|it| it.is_terminal()) {
        return None;
    }
    let is_expected = |one: &&Criterion| {
        one.field.holds == Holds::Time && one.field.column == "expected_start_time"
    };
    let times: Vec<_> = condition::certain(R::NOUN, filters)
        .filter(is_expected)
        .collect();
    let is_since = |one: &&Criterion| matches!(one.test, Test::AtLeast(_));
    times.iter().any(is_since).then(|| {
        let words = sql::words(|state| states.contains(&state));
        let mut found = Query::select();
        found
            .column((R::TABLE, "id"))
            .from(R::TABLE)
            .and_where(Expr::cust(format!(
                "\"flow_runs\".\"state_type\" IN ({words})"
            )))
            .and_where(column(R::TABLE, "next_scheduled_start_time").is_null());
        for time in times {
            found.cond_where(condition::one(R::TABLE, time));
        }
        found
    })
}

/// The ids of the first of each state that is asked for, as many as a page may show of them: where each
/// of these states has an index in this order, and no other condition has an index that may lead to
/// fewer. All of them are sorted, so pages that lie deep are found otherwise.
pub(super) fn first_of_each<R: Filtered>(
    filters: &Filters,
    sort: Sort,
    page: Page,
) -> Option<SelectStatement> {
    let wanted = page.offset.saturating_add(page.limit);
    let states = states(R::NOUN, filters)?;
    // That of the states is the one condition.
    if wanted > FEW || spread(R::NOUN, filters, sort)?.len() != 1 {
        return None;
    }
    let mut each = states.into_iter().map(|state| {
        let first = first_of::<R>(state, filters, sort)?.limit(wanted).take();
        let ids = Query::select()
            .column("id")
            .from_subquery(first, "first")
            .take();
        Some(ids)
    });
    let first = each.next()??;
    each.try_fold(first, |mut all, one| {
        Some(all.union(UnionType::All, one?).take())
    })
}

/// The states that the filters ask for; nothing where they ask for none.
fn states(noun: Noun, filters: &Filters) -> Option<BTreeSet<StateType>> {
    condition::certain(noun, filters).find_map(states_of)
}

/// The states that a criterion asks for; nothing where it asks for something else.
pub(super) fn states_of(one: &Criterion) -> Option<BTreeSet<StateType>> {
    match &one.test {
        Test::In(Values::Words(words)) if one.field.holds == Holds::StateType => words
            .iter()
            .map(|word| StateType::from_word(word))
            .collect(),
        _ => None,
    }
}

/// The ids of what is asked for of a state, in an order that an index has within the state.
fn first_of<R: Filtered>(
    state: StateType,
    filters: &Filters,
    sort: Sort,
) -> Option<SelectStatement> {
    let mut found = Query::select();
    match (R::NOUN, sort.column, sort.or) {
        (Noun::TaskRun, "expected_start_time", None) => {}
        // What has ended is not due any more.
        (Noun::FlowRun, "expected_start_time", None) if state.is_terminal() => {
            found.and_where(column(R::TABLE, "next_scheduled_start_time").is_null());
        }
        (Noun::FlowRun, "start_time", Some("expected_start_time")) if ended_badly(state) => {}
        _ => return None,
    }
    // Only of a word that stands in the statement is it known that a partial index has it.
    let is_in_it = format!("\"{}\".\"state_type\" = '{}'", R::TABLE, state.word());
    found
        .column((R::TABLE, "id"))
        .from(R::TABLE)
        .and_where(Expr::cust(is_in_it))
        .cond_where(condition::of(R::NOUN, filters))
        .order_by_expr(select::key(R::TABLE, sort), select::order(sort));
    Some(found)
}

/// The states of the index `flow_runs_ended_badly`.
const fn ended_badly(state: StateType) -> bool {
    matches!(
        state,
        StateType::Failed | StateType::Crashed | StateType::Cancelled
    )
}

/// The key that comes after so many in an order; nothing where there are not so many.
pub(super) fn key_after<R: Filtered>(
    db: &Connection,
    filters: &Filters,
    sort: Sort,
    reach: u64,
) -> Result<Option<Value>> {
    let statement = select::keys::<R>(filters, sort)
        .limit(1)
        .offset(reach)
        .take();
    let found = all(db, &statement, |row| {
        Ok(match row.get_ref(0)? {
            ValueRef::Blob(id) => Value::Bytes(Some(id.to_vec())),
            // Those without a time come last.
            number => Value::BigInt(Some(number.as_i64_or_null()?.unwrap_or(i64::MIN))),
        })
    })?;
    Ok(found.into_iter().next())
}

/// Whether a statement finds at most so many rows.
pub(super) fn is_few(db: &Connection, found: &SelectStatement, few: u64) -> Result<bool> {
    let beyond = found.clone().limit(1).offset(few).take();
    Ok(all(db, &beyond, |_| Ok(()))?.is_empty())
}

/// Whether all runs have an index of that order; from the largest down, where what has no such time
/// comes last.
fn is_followed(noun: Noun, sort: Sort, filters: &Filters) -> bool {
    // Only what has ended is in its index: where nobody asks when it did, others belong to the page.
    if (noun, sort.column) == (Noun::FlowRun, "end_time") {
        let mut own = condition::certain(noun, filters);
        let has_ended = |one: &Criterion| {
            one.field.column == "end_time" && matches!(one.test, Test::AtLeast(_) | Test::AtMost(_))
        };
        return sort.descending && own.any(has_ended);
    }
    let is_indexed = matches!(
        (noun, sort.column, sort.or),
        (
            Noun::FlowRun | Noun::TaskRun,
            "id" | "expected_start_time",
            None
        ) | (Noun::FlowRun, "start_time", Some("expected_start_time"))
    );
    is_indexed && sort.descending
}

/// Each condition that has an index other than that of the order, and that runs of any time may meet.
/// Nothing where another index is likely to lead to few: that of an id, of a name, or of what runs
/// of one time have in common, as the task runs of a flow run do.
fn spread(noun: Noun, filters: &Filters, sort: Sort) -> Option<Vec<Condition>> {
    let is_of_runs = filters.is_only_about(&[
        Noun::FlowRun,
        Noun::TaskRun,
        Noun::Flow,
        Noun::Deployment,
        Noun::WorkPool,
        Noun::WorkQueue,
    ]);
    let is_around = match noun {
        Noun::FlowRun => filters.task_runs.is_none(),
        _ => filters.flow_runs.as_ref().is_none_or(Criteria::is_nothing),
    };
    if !is_around || !is_of_runs {
        return None;
    }
    let mut all = Vec::new();
    for one in condition::certain(noun, filters) {
        if one.field.column == sort.column && one.field.holds == Holds::Time {
            continue;
        }
        match kind_of(one) {
            Kind::Spread => all.push(condition::one(condition::table_of(noun), one)),
            Kind::Close => return None,
            Kind::Other => {}
        }
    }
    if noun == Noun::FlowRun {
        all.extend(condition::by_neighbours(noun, filters));
    }
    Some(all)
}

enum Kind {
    /// Runs of any time may meet it, and there is an index.
    Spread,
    /// It is likely to be met by few, or by runs of one time.
    Close,
    /// There is no index, or one of an order.
    Other,
}

fn kind_of(one: &Criterion) -> Kind {
    let is_list = matches!(one.test, Test::In(_));
    match (one.field.holds, one.field.column) {
        (Holds::StateType | Holds::QueueName, _) if is_list => Kind::Spread,
        (Holds::Id, "flow_id" | "deployment_id" | "work_queue_id") if is_list => Kind::Spread,
        (Holds::Id | Holds::ParentRun, _) => Kind::Close,
        (Holds::Text, "name" | "idempotency_key") if is_list => Kind::Close,
        (Holds::Time, "next_scheduled_start_time" | "end_time") => Kind::Close,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests;
