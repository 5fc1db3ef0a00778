//! The statements that put together what is counted.

use rusqlite::{Connection, Row as SqlRow};
use sea_query::{
    CommonTableExpression, Condition, Expr, ExprTrait, Func, JoinType, Query, SelectStatement,
    UnionType,
};

use super::super::{Filtered, all, column, condition, each};
use super::asked::Asked;
use super::boxes::{Range, Split, Within};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::state::StateType;
use crate::storage::run_counts::{MISSING, STEPS};
use crate::storage::sql;

/// SQLite goes through tables that are crossed in their order. The builder drops a condition here.
const CROSSED: JoinType = JoinType::CrossJoin;

/// What is told of the runs that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// How many they are.
    Number,
    /// How many they are, and how late they were together.
    Lateness,
    /// Parts of the tallies of each bucket and state, in no order.
    Parts,
}

/// A question about runs that have ended.
pub(super) struct Question<'a> {
    noun: Noun,
    table: &'static str,
    counts: &'static str,
    asked: &'a Asked,
    told: Told,
}

impl<'a> Question<'a> {
    /// About runs of either kind.
    pub fn of<R: Filtered>(asked: &'a Asked, told: Told) -> Self {
        Self {
            noun: R::NOUN,
            table: R::TABLE,
            counts: match R::NOUN {
                Noun::TaskRun => "task_run_counts",
                _ => "flow_run_counts",
            },
            asked,
            told,
        }
    }

    /// What is told of the runs within these ranges: of hours and seconds that lie in them whole,
    /// and of the runs themselves at their ends.
    pub fn ended(
        &self,
        db: &Connection,
        mut within: Vec<Within>,
        mut tell: impl FnMut(&SqlRow<'_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        within.retain(|it| !it.expected.is_empty() && !it.started.is_empty());
        for step in STEPS {
            let split = Split::of(&within, step);
            if !split.whole.is_empty() {
                each(db, &self.of_counts(step, &split.whole), &mut tell)?;
            }
            within = split.ends;
            within.extend(self.mixed(db, step, &split.mixed)?);
        }
        let (timeless, timed): (Vec<_>, Vec<_>) = within
            .into_iter()
            .partition(|it| it.expected == Range::NONE);
        for (within, has_time) in [(timed, true), (timeless, false)] {
            if !within.is_empty() {
                each(db, &self.of_runs(&within, has_time), &mut tell)?;
            }
        }
        Ok(())
    }

    /// Each of those ranges in a part of time that was expected in them and has runs for them.
    fn mixed(&self, db: &Connection, step: i64, mixed: &[Within]) -> Result<Vec<Within>> {
        if mixed.is_empty() {
            return Ok(Vec::new());
        }
        let outer: Vec<_> = (0..)
            .zip(mixed)
            .map(|(bucket, it)| Within {
                bucket,
                started: it.started_in(step),
                ..*it
            })
            .collect();
        let mut statement = self.over_counts(step, &outer);
        statement
            .distinct()
            .column(("box", "bucket"))
            .column((self.table, "expected_start_time"));
        let parts = all(db, &statement, |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
        let within = parts.into_iter().filter_map(|(number, start)| {
            let it = mixed.get(usize::try_from(number).ok()?)?;
            Some(it.of_part(start, step))
        });
        Ok(within.collect())
    }

    /// What is told of the counts within whole parts of time.
    pub(super) fn of_counts(&self, step: i64, whole: &[Within]) -> SelectStatement {
        let mut statement = self.over_counts(step, whole);
        let sums = ["count", "run_time", "lateness"].map(|name| column(self.table, name));
        self.tell(&mut statement, sums);
        statement
    }

    fn over_counts(&self, step: i64, within: &[Within]) -> SelectStatement {
        let of = |name| column(self.table, name);
        let mut there = Condition::all().add(of("step").eq(step)).add(bounded(
            of("expected_start_time"),
            ["expected_from", "expected_to"],
        ));
        if within.iter().any(|it| it.started != Range::ALL) {
            there = there.add(bounded(of("start_time"), ["started_from", "started_to"]));
        }
        let mut rest = condition::of(self.noun, &self.asked.rest);
        if self.asked.in_flow_run {
            rest = rest.add(of("in_flow_run").eq(true));
        }
        let mut statement = Query::select();
        statement
            .with_cte(boxes(within))
            .from("box")
            .join_as(CROSSED, self.counts, self.table, Condition::all())
            .cond_where(there.add(rest));
        statement
    }

    /// What is told of the runs themselves, where they have a time at which they were expected, or
    /// have none. They are found by that time alone, whatever else is asked.
    pub(super) fn of_runs(&self, within: &[Within], has_time: bool) -> SelectStatement {
        let expected = column("part", "expected_start_time");
        let there = match has_time {
            true => bounded(expected, ["expected_from", "expected_to"]),
            false => expected.is_null(),
        };
        let started = Func::coalesce([column(self.table, "start_time"), Expr::val(MISSING)]);
        let ended = sql::words(StateType::is_terminal);
        let asked = condition::of(self.noun, &self.asked.plain)
            .add(bounded(started.into(), ["started_from", "started_to"]))
            .add(Expr::cust(format!(
                "\"{}\".\"state_type\" IN ({ended})",
                self.table
            )));
        let same = Expr::col((self.table, "id")).equals(("part", "id"));
        let mut statement = Query::select();
        statement
            .with_cte(boxes(within))
            .from("box")
            .join_as(CROSSED, self.table, "part", Condition::all())
            .join(CROSSED, self.table, Condition::all())
            .cond_where(asked.add(there).add(same));
        let table = self.table;
        let run_time = format!("max(0, \"{table}\".\"total_run_time\")");
        let lateness = format!(
            "max(0, coalesce(\"{table}\".\"start_time\" - \"{table}\".\"expected_start_time\", 0))"
        );
        let sums = [Expr::val(1), Expr::cust(run_time), Expr::cust(lateness)];
        self.tell(&mut statement, sums);
        statement
    }

    fn tell(&self, statement: &mut SelectStatement, [count, run_time, lateness]: [Expr; 3]) {
        let count_of_all = |count| Expr::cust_with_exprs("coalesce(sum(?), 0)", [count]);
        match self.told {
            Told::Number => statement.expr(count_of_all(count)),
            // Of more than the largest number that is told.
            Told::Lateness => statement
                .expr(count_of_all(count))
                .expr(Expr::cust_with_exprs(
                    "CAST(total(?) AS INTEGER)",
                    [lateness],
                )),
            Told::Parts => statement.exprs([
                column("box", "bucket"),
                column(self.table, "state_type"),
                column(self.table, "state_name"),
                count,
                run_time,
                lateness,
            ]),
        };
    }
}

/// The ids of the runs that have not ended and were expected within a range.
pub(super) fn live(table: &'static str, expected: Range) -> SelectStatement {
    let of_state = |condition: Expr| {
        let mut found = Query::select();
        found
            .column(("live", "id"))
            .from_as(table, "live")
            .and_where(condition);
        if expected.has_time() {
            // The index of states tells it as well. Of the time there may be many more that have
            // ended: SQLite uses no index for a sum.
            let time = || Expr::cust("+live.expected_start_time");
            found.and_where(time().gte(expected.from));
            found.and_where(time().lt(expected.to));
        }
        found
    };
    let live = sql::words(|kind| !kind.is_terminal());
    of_state(Expr::cust(format!("live.state_type IN ({live})")))
        .union(
            UnionType::All,
            of_state(column("live", "state_type").is_null()).take(),
        )
        .take()
}

/// The ids of the runs that were expected within a range.
pub(super) fn expected_within(table: &'static str, expected: Range) -> SelectStatement {
    let time = || column("timed", "expected_start_time");
    Query::select()
        .column(("timed", "id"))
        .from_as(table, "timed")
        .and_where(time().gte(expected.from))
        .and_where(time().lt(expected.to))
        .take()
}

/// The ids of the task runs that stand for sub-flows.
pub(super) fn with_sub_flows() -> SelectStatement {
    let parent = || column("child", "parent_task_run_id");
    Query::select()
        .distinct()
        .expr_as(parent(), "id")
        .from_as("flow_runs", "child")
        .and_where(parent().is_not_null())
        .take()
}

fn bounded(time: Expr, [from, to]: [&'static str; 2]) -> Expr {
    let at_least = time.clone().gte(column("box", from));
    at_least.and(time.lt(column("box", to)))
}

/// The ranges, one a row: a single parameter, however many there are, that is read once.
fn boxes(within: &[Within]) -> CommonTableExpression {
    let each = within.iter().map(|it| {
        [
            it.bucket,
            it.expected.from,
            it.expected.to,
            it.started.from,
            it.started.to,
        ]
    });
    let list = serde_json::Value::from_iter(each.map(|it| it.to_vec())).to_string();
    let mut statement = Query::select();
    let names = [
        "bucket",
        "expected_from",
        "expected_to",
        "started_from",
        "started_to",
    ];
    for (place, name) in names.into_iter().enumerate() {
        statement.expr_as(Expr::cust(format!("value ->> {place}")), name);
    }
    statement.from_function(Func::cust("json_each").arg(list), "list");
    CommonTableExpression::new()
        .query(statement)
        .table_name("box")
        .materialized(true)
        .to_owned()
}
