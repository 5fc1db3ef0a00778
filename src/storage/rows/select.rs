//! The statements that find, sort and count rows.

use sea_query::{Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement};

use super::{Filtered, column, condition};
use crate::domain::filter::{Filters, Page, RUN_TIME, Sort};
use crate::domain::time::Timestamp;

pub(super) fn selecting<R: Filtered>(filters: &Filters, sort: Sort, page: Page) -> SelectStatement {
    let mut statement = Query::select();
    statement
        .expr(Expr::cust(R::columns()))
        .from(R::TABLE)
        .cond_where(condition::of(R::NOUN, filters))
        .limit(page.limit)
        .offset(page.offset);
    if let Some(states) = R::STATES {
        let current = Expr::col(("s", "id")).equals((R::TABLE, "state_id"));
        statement.join_as(JoinType::LeftJoin, states, "s", current);
    }
    let order = match sort.descending {
        true => Order::Desc,
        false => Order::Asc,
    };
    let by = match sort.or {
        _ if sort.column == RUN_TIME => run_time(R::TABLE, sort.now),
        Some(other) => {
            Func::coalesce([column(R::TABLE, sort.column), column(R::TABLE, other)]).into()
        }
        None => column(R::TABLE, sort.column),
    };
    statement.order_by_expr(by, order.clone());
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
