//! Questions about ids: whose begin so, and how much of one tells it from all others.

use sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};
use uuid::Uuid;

use super::column;
use crate::domain::filter::Noun;

/// The table of a noun.
const fn table(noun: Noun) -> &'static str {
    match noun {
        Noun::Flow => "flows",
        Noun::Deployment => "deployments",
        Noun::FlowRun => "flow_runs",
        Noun::TaskRun => "task_runs",
    }
}

/// The ids and names between two ids, both included, oldest first.
pub fn between(noun: Noun, first: Uuid, last: Uuid, limit: u64) -> SelectStatement {
    let table = table(noun);
    Query::select()
        .expr(Expr::cust("id, name"))
        .from(table)
        .and_where(column(table, "id").gte(first.as_bytes().to_vec()))
        .and_where(column(table, "id").lte(last.as_bytes().to_vec()))
        .order_by("id", Order::Asc)
        .limit(limit)
        .take()
}

/// The nearest id below (`true`) or above one.
pub fn neighbour(noun: Noun, id: Uuid, below: bool) -> SelectStatement {
    let table = table(noun);
    let (here, bytes) = (column(table, "id"), id.as_bytes().to_vec());
    let mut statement = Query::select();
    match below {
        true => statement
            .expr(Func::max(Expr::col("id")))
            .and_where(here.lt(bytes)),
        false => statement
            .expr(Func::min(Expr::col("id")))
            .and_where(here.gt(bytes)),
    };
    statement.from(table).take()
}
