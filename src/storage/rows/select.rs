//! The statements that find, sort and count rows.

use sea_query::{Condition, Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement, Value};

use super::way::{self, Way};
use super::{Filtered, column, condition};
use crate::domain::filter::{Criterion, Filters, Holds, Noun, Page, RUN_TIME, Sort};
use crate::domain::time::Timestamp;

/// The rows of a table by which the order is followed.
const FOLLOWED: &str = "followed";

pub(super) fn selecting<R: Filtered>(
    filters: &Filters,
    sort: Sort,
    page: Page,
    way: Way,
) -> SelectStatement {
    let (mut statement, of) = match way {
        Way::Planned => (selecting_among::<R>(filters, None), R::TABLE),
        Way::Among(ids) => (selecting_among::<R>(filters, Some(*ids)), R::TABLE),
        Way::InOrder(last) => (following::<R>(filters, sort, last), FOLLOWED),
    };
    statement
        .expr(Expr::cust(R::columns()))
        .limit(page.limit)
        .offset(page.offset);
    if let Some(states) = R::STATES {
        let current = Expr::col(("s", "id")).equals((R::TABLE, "state_id"));
        statement.join_as(JoinType::LeftJoin, states, "s", current);
    }
    let order = order(sort);
    statement.order_by_expr(key(of, sort), order.clone());
    if sort.column == RUN_TIME {
        let expected = column(R::TABLE, "expected_start_time");
        statement.order_by_expr(expected, Order::Desc);
        statement.order_by((R::TABLE, "id"), Order::Desc);
    }
    if R::TIES_BY_ID {
        statement.order_by((R::TABLE, "id"), order);
    }
    statement
}

/// Which way rows are sorted.
pub(super) fn order(sort: Sort) -> Order {
    match sort.descending {
        true => Order::Desc,
        false => Order::Asc,
    }
}

/// What rows are sorted by.
pub(super) fn key(table: &'static str, sort: Sort) -> Expr {
    match sort.or {
        _ if sort.column == RUN_TIME => run_time(table, sort.now),
        Some(other) => Func::coalesce([column(table, sort.column), column(table, other)]).into(),
        None => column(table, sort.column),
    }
}

/// A selection from all rows in an order, from the largest down to a key: no index but that of the
/// order leads to them, since what else is asked is asked of a row that is found by its id.
fn following<R: Filtered>(filters: &Filters, sort: Sort, last: Option<Value>) -> SelectStatement {
    let mut asked = condition::of(R::NOUN, filters).add(bounds(R::NOUN, filters, sort));
    if let Some(last) = last {
        asked = asked.add(key(FOLLOWED, sort).gte(last));
    }
    Query::select()
        .from_as(R::TABLE, FOLLOWED)
        .cross_join(R::TABLE)
        .and_where(Expr::col((R::TABLE, "id")).equals((FOLLOWED, "id")))
        .cond_where(asked)
        .take()
}

/// The keys of an order, from the largest down, within what the filters ask of them.
pub(super) fn keys<R: Filtered>(filters: &Filters, sort: Sort) -> SelectStatement {
    Query::select()
        .expr(key(FOLLOWED, sort))
        .from_as(R::TABLE, FOLLOWED)
        .cond_where(bounds(R::NOUN, filters, sort))
        .order_by_expr(key(FOLLOWED, sort), Order::Desc)
        .take()
}

/// What the filters ask of the column that rows are sorted by.
fn bounds(noun: Noun, filters: &Filters, sort: Sort) -> Condition {
    let of_order = |one: &&Criterion| {
        one.field.column == sort.column && one.field.or == sort.or && one.field.holds == Holds::Time
    };
    let bounds = condition::certain(noun, filters).filter(of_order);
    bounds.fold(Condition::all(), |all, one| {
        all.add(condition::one(FOLLOWED, one))
    })
}

/// How long a run of the table has run by now, beside its state `s`; see
/// `RunStatistics::estimated_run_time`.
pub(super) fn run_time(table: &str, now: Timestamp) -> Expr {
    let run_time = format!(
        "\"{table}\".\"total_run_time\" + \
         CASE \"{table}\".\"state_type\" WHEN 'RUNNING' THEN ? - s.timestamp ELSE 0 END"
    );
    Expr::cust_with_values(run_time, [now.micros()])
}

pub(super) fn counting<R: Filtered>(
    filters: &Filters,
    among: Option<SelectStatement>,
) -> SelectStatement {
    selecting_among::<R>(filters, among)
        .expr(Func::count(Expr::cust("*")))
        .take()
}

/// How many flow runs are in some states, where nothing else is asked, added up of each state: for a list
/// SQLite would make a table each time, and clients ask this all the time.
pub(super) fn counting_by_state<R: Filtered>(filters: &Filters) -> Option<SelectStatement> {
    let only = filters.only(R::NOUN).filter(|_| R::NOUN == Noun::FlowRun)?;
    let each = way::states_of(only)?.into_iter().map(|state| {
        let word = state.word();
        format!("(SELECT count(*) FROM flow_runs WHERE state_type = '{word}')")
    });
    let sum = each.reduce(|sum, one| format!("{sum} + {one}"))?;
    Some(Query::select().expr(Expr::cust(sum)).take())
}

/// A selection of what the filters ask for, or of what they ask for among the rows whose ids a
/// statement finds: then no others are looked at, whatever index there is for the filters.
pub(super) fn selecting_among<R: Filtered>(
    filters: &Filters,
    among: Option<SelectStatement>,
) -> SelectStatement {
    let mut statement = Query::select();
    match among {
        None => statement.from(R::TABLE),
        // SQLite goes through tables that are crossed in their order.
        Some(ids) => statement
            .from_subquery(ids, "found")
            .cross_join(R::TABLE)
            .and_where(Expr::col((R::TABLE, "id")).equals(("found", "id"))),
    };
    statement.cond_where(condition::of(R::NOUN, filters)).take()
}
