//! Typed filters as parameterised SQL.
//!
//! The shapes follow the 2.0a7 server: neighbours are asked for with EXISTS, and a filter
//! without criteria still asks that such a neighbour exists.

use std::collections::BTreeSet;

use sea_query::{Condition, Expr, ExprTrait, Func, Query, SelectStatement};
use uuid::Uuid;

use super::tags::{has_all, has_any};
use crate::domain::filter::{
    Criteria, Criterion, Field, Filters, Holds, Noun, Test, TextQuery, Values,
};

/// A noun whose rows belong to those that are asked for.
struct Neighbour {
    noun: Noun,
    /// Their column and ours that are equal.
    theirs: &'static str,
    ours: &'static str,
    /// Those that are asked about by way of it.
    beyond: &'static [Neighbour],
}

const fn neighbour(noun: Noun, theirs: &'static str, ours: &'static str) -> Neighbour {
    Neighbour {
        noun,
        theirs,
        ours,
        beyond: &[],
    }
}

const FLOW: Neighbour = neighbour(Noun::Flow, "id", "flow_id");
const DEPLOYMENT: Neighbour = neighbour(Noun::Deployment, "id", "deployment_id");
const TASK_RUNS: Neighbour = neighbour(Noun::TaskRun, "flow_run_id", "id");

const POOL: Neighbour = neighbour(Noun::WorkPool, "id", "work_pool_id");
const QUEUE: Neighbour = Neighbour {
    beyond: &[POOL],
    ..neighbour(Noun::WorkQueue, "id", "work_queue_id")
};

const fn flow_runs(theirs: &'static str) -> Neighbour {
    Neighbour {
        beyond: &[TASK_RUNS],
        ..neighbour(Noun::FlowRun, theirs, "id")
    }
}

/// By which neighbours a noun is asked for.
const fn neighbours(noun: Noun) -> &'static [Neighbour] {
    match noun {
        Noun::Flow => {
            const ALL: &[Neighbour] = &[
                Neighbour {
                    beyond: &[QUEUE],
                    ..neighbour(Noun::Deployment, "flow_id", "id")
                },
                flow_runs("flow_id"),
            ];
            ALL
        }
        Noun::Deployment => {
            const ALL: &[Neighbour] = &[FLOW, flow_runs("deployment_id"), QUEUE];
            ALL
        }
        Noun::FlowRun => &[TASK_RUNS, FLOW, DEPLOYMENT, QUEUE],
        Noun::TaskRun => {
            const ALL: &[Neighbour] = &[Neighbour {
                beyond: &[FLOW, DEPLOYMENT, QUEUE],
                ..neighbour(Noun::FlowRun, "id", "flow_run_id")
            }];
            ALL
        }
        Noun::Artifact | Noun::LatestArtifact => {
            const ALL: &[Neighbour] = &[
                Neighbour {
                    beyond: &[FLOW, DEPLOYMENT],
                    ..neighbour(Noun::FlowRun, "id", "flow_run_id")
                },
                neighbour(Noun::TaskRun, "id", "task_run_id"),
            ];
            ALL
        }
        Noun::BlockType => {
            const ALL: &[Neighbour] = &[neighbour(Noun::BlockSchema, "block_type_id", "id")];
            ALL
        }
        Noun::BlockDocument => {
            const ALL: &[Neighbour] = &[
                neighbour(Noun::BlockType, "id", "block_type_id"),
                neighbour(Noun::BlockSchema, "id", "block_schema_id"),
            ];
            ALL
        }
        Noun::Log
        | Noun::WorkPool
        | Noun::WorkQueue
        | Noun::Variable
        | Noun::Automation
        | Noun::BlockSchema => &[],
    }
}

/// The table of a noun.
pub(in crate::storage) const fn table_of(noun: Noun) -> &'static str {
    match noun {
        Noun::Flow => "flows",
        Noun::Deployment => "deployments",
        Noun::FlowRun => "flow_runs",
        Noun::TaskRun => "task_runs",
        Noun::Log => "logs",
        Noun::WorkPool => "work_pools",
        Noun::WorkQueue => "work_queues",
        Noun::Variable => "variables",
        Noun::Automation => "automations",
        Noun::Artifact => "artifacts",
        Noun::LatestArtifact => "latest_artifacts",
        Noun::BlockType => "block_types",
        Noun::BlockSchema => "block_schemas",
        Noun::BlockDocument => "block_documents",
    }
}

/// What the filters ask of a row.
pub(super) fn of(noun: Noun, filters: &Filters) -> Condition {
    asked(noun, neighbours(noun), filters)
}

/// What has to hold of a row itself, whatever becomes of others.
pub(super) fn certain(noun: Noun, filters: &Filters) -> impl Iterator<Item = &Criterion> {
    let own = filters.about(noun).map(Criteria::certain);
    own.into_iter().flatten()
}

/// What one criterion asks of a row of a table, by whatever name that is asked.
pub(super) fn one(table: &'static str, asked: &Criterion) -> Condition {
    criterion(table, asked.field.column, asked)
}

/// What the filters ask of the columns that name neighbours, each by itself.
pub(super) fn by_neighbours(noun: Noun, filters: &Filters) -> Vec<Condition> {
    let table = table_of(noun);
    let given = neighbours(noun)
        .iter()
        .filter(|it| it.is_asked_about(filters));
    let asked = given.map(|it| it.of_ours(table, filters));
    asked.filter(|condition| !condition.is_empty()).collect()
}

fn asked(noun: Noun, neighbours: &[Neighbour], filters: &Filters) -> Condition {
    let table = table_of(noun);
    let own = filters.about(noun).map(|asked| all_of(table, asked));
    let own = own.unwrap_or_else(Condition::all);
    let given = neighbours.iter().filter(|it| it.is_asked_about(filters));
    given.fold(own, |all, it| {
        let all = all.add(it.of_ours(table, filters));
        if it.noun == Noun::WorkQueue {
            return all;
        }
        let theirs = column(table_of(it.noun), it.theirs).equals((table, it.ours));
        let there = asked(it.noun, it.beyond, filters).add(theirs);
        all.add(Expr::exists(some(table_of(it.noun), there)))
    })
}

impl Neighbour {
    fn is_asked_about(&self, filters: &Filters) -> bool {
        let is_given = filters.about(self.noun).is_some();
        is_given || self.beyond.iter().any(|it| it.is_asked_about(filters))
    }

    /// What the filters say of our column that names them: of queues all of it, of others as far as an
    /// index on it is of use.
    fn of_ours(&self, table: &'static str, filters: &Filters) -> Condition {
        match self.noun {
            Noun::WorkQueue => {
                let queues = asked(self.noun, self.beyond, filters);
                Condition::all().add(is_in_queue(table, queues))
            }
            _ => self.by_key(table, filters),
        }
    }

    /// What the filters say of the column that is equal in both, once more of ours: only so is
    /// the index on it of use, and without it all of our rows would be gone through.
    fn by_key(&self, table: &'static str, filters: &Filters) -> Condition {
        let is_same = |it: &&Criterion| {
            it.field.column == self.theirs
                && it.field.holds == Holds::Id
                && matches!(it.test, Test::In(_))
        };
        let same = certain(self.noun, filters).filter(is_same);
        same.fold(Condition::all(), |all, it| {
            all.add(criterion(table, self.ours, it))
        })
    }
}

/// What criteria ask of a row.
fn all_of(table: &'static str, asked: &Criteria) -> Condition {
    match asked {
        Criteria::One(one) => criterion(table, one.field.column, one),
        Criteria::All(parts) => {
            let parts = parts.iter().filter(|part| !part.is_nothing());
            parts.fold(Condition::all(), |all, part| all.add(all_of(table, part)))
        }
        Criteria::Any(parts) => {
            let parts = parts.iter();
            parts.fold(Condition::any(), |any, part| any.add(all_of(table, part)))
        }
    }
}

/// What a criterion asks, of a column.
fn criterion(table: &'static str, name: &'static str, asked: &Criterion) -> Condition {
    let of = (table, name);
    let here = || column(table, name);
    let all = Condition::all();
    let compared = || match asked.field.or {
        Some(other) => Func::coalesce([here(), column(table, other)]).into(),
        None => here(),
    };
    match &asked.test {
        Test::In(Values::Ids(ids)) if asked.field.holds == Holds::ParentRun => {
            all.add(is_sub_flow_of(of, ids))
        }
        Test::In(Values::Ids(ids)) => all.add(is_id_in(of, ids)),
        Test::In(Values::Words(words)) if asked.field.holds == Holds::StateType => {
            // There are few, however often each is asked for.
            let words: BTreeSet<_> = words.iter().cloned().collect();
            all.add(is_word_in(of, &Vec::from_iter(words)))
        }
        Test::In(Values::Words(words)) => match asked.field.holds {
            Holds::QueueName => {
                let named = Condition::all().add(is_word_in(("work_queues", "name"), words));
                all.add(is_in_queue(table, named))
            }
            Holds::Member(path) => all.add(is_member_in(of, path, words)),
            _ => all.add(is_word_in(of, words)),
        },
        Test::NotIn(values) => all.add(is_not_in(of, values)),
        Test::Like(part) if asked.field.holds == Holds::NameOrFlow => {
            all.add(name_or_flow_is_like(part))
        }
        Test::Like(part) => all.add(here().like(format!("%{part}%"))),
        Test::StartsWith(starts) => all.add(starts.iter().fold(Condition::any(), |any, start| {
            any.add(here().like(format!("{start}%")))
        })),
        Test::HasAll(tags) => all.add(has_all(of, tags)),
        Test::HasAny(tags) => all.add(has_any(of, tags)),
        Test::Finds(query) => all.add(finds(query)),
        Test::IsNull(is_null) if asked.field.holds == Holds::Deployments => match is_null {
            true => all.add(has_deployments().not()),
            false => all.add(has_deployments()),
        },
        Test::IsNull(is_null) => all.add(is_absent(asked.field, here(), *is_null)),
        Test::AtLeast(number) => all.add(compared().gte(*number)),
        Test::AtMost(number) => all.add(compared().lte(*number)),
        Test::Is(is) if asked.field.holds == Holds::SubFlow => match is {
            true => all.add(stands_for_sub_flow(table)),
            false => all.add(stands_for_sub_flow(table).not()),
        },
        Test::Is(is) => all.add(here().eq(*is)),
    }
}

fn is_absent(field: &Field, column: Expr, is_absent: bool) -> Expr {
    match (field.holds, is_absent) {
        (Holds::Tags, true) => column.eq("[]"),
        (Holds::Tags, false) => column.ne("[]"),
        (_, true) => column.is_null(),
        (_, false) => column.is_not_null(),
    }
}

/// Up to so many values are parameters of their own, which takes less time than a list.
pub(super) const FEW: usize = 8;

/// The column holds one of these ids.
fn is_id_in(of: (&'static str, &'static str), ids: &[Uuid]) -> Expr {
    let bytes = |id: &Uuid| id.as_bytes().to_vec();
    match ids {
        // One is compared as it is: an index that also sorts is of use only then.
        [id] => column(of.0, of.1).eq(bytes(id)),
        [_, ..] if ids.len() <= FEW => column(of.0, of.1).is_in(ids.iter().map(bytes)),
        _ => listed(of, "IN (SELECT unhex(value)", &simple(ids)),
    }
}

/// The column holds one of these words.
fn is_word_in(of: (&'static str, &'static str), words: &[String]) -> Expr {
    match words {
        [word] => column(of.0, of.1).eq(word.as_str()),
        [_, ..] if words.len() <= FEW => column(of.0, of.1).is_in(words.iter().map(String::as_str)),
        _ => listed(of, "IN (SELECT value", words),
    }
}

/// The column holds none of these.
fn is_not_in(of: (&'static str, &'static str), values: &Values) -> Expr {
    match values {
        Values::Ids(ids) => listed(of, "NOT IN (SELECT unhex(value)", &simple(ids)),
        Values::Words(words) => listed(of, "NOT IN (SELECT value", words),
    }
}

fn simple(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(|id| id.simple().to_string()).collect()
}

/// A comparison with a list that is a single parameter: however long the list, the statement
/// is the same one, and prepared once.
fn listed(of: (&'static str, &'static str), how: &str, values: &[String]) -> Expr {
    let (table, name) = of;
    let text = format!("\"{table}\".\"{name}\" {how} FROM json_each(?))");
    Expr::cust_with_values(text, [array(values)])
}

/// The row names one of the queues of which that holds. There are few, so they are found first.
fn is_in_queue(table: &'static str, those: Condition) -> Expr {
    let queues = Query::select()
        .column(("work_queues", "id"))
        .from("work_queues")
        .cond_where(those)
        .take();
    column(table, "work_queue_id").in_subquery(queues)
}

/// A member of the object in a column is one of these words.
fn is_member_in(of: (&'static str, &'static str), path: &str, words: &[String]) -> Expr {
    let (table, name) = of;
    let text =
        format!("json_extract(\"{table}\".\"{name}\", ?) IN (SELECT value FROM json_each(?))");
    Expr::cust_with_values(text, [path.to_owned(), array(words)])
}

/// Texts as one parameter.
pub(super) fn array(values: &[impl AsRef<str>]) -> String {
    let values = values.iter().map(|value| value.as_ref().into());
    serde_json::Value::Array(values.collect()).to_string()
}

/// A column of a table.
pub(in crate::storage) fn column(table: &'static str, name: &'static str) -> Expr {
    Expr::col((table, name))
}

/// Some flow run names the row as its parent. Aliased, since the flow runs may already be part
/// of the question around it.
fn stands_for_sub_flow(table: &'static str) -> Expr {
    Expr::cust(format!(
        "EXISTS (SELECT 1 FROM flow_runs AS child WHERE child.parent_task_run_id = {table}.id)"
    ))
}

/// `SELECT 1 FROM table WHERE condition`, for EXISTS.
fn some(table: &'static str, condition: Condition) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1i64))
        .from(table)
        .cond_where(condition)
        .take()
}

/// The row's parent is a task run of one of these flow runs.
fn is_sub_flow_of((table, _): (&'static str, &'static str), ids: &[Uuid]) -> Expr {
    let theirs = is_id_in(("task_runs", "flow_run_id"), ids);
    let parents = Query::select()
        .column(("task_runs", "id"))
        .from("task_runs")
        .and_where(theirs)
        .take();
    column(table, "parent_task_run_id").in_subquery(parents)
}

/// A flow has deployments.
fn has_deployments() -> Expr {
    Expr::cust("EXISTS (SELECT 1 FROM deployments AS own WHERE own.flow_id = flows.id)")
}

/// A deployment's name, or its flow's, holds that.
fn name_or_flow_is_like(part: &str) -> Expr {
    let like = format!("%{part}%");
    Expr::cust_with_values(
        "(deployments.name LIKE ? OR EXISTS (SELECT 1 FROM flows AS own \
         WHERE own.id = deployments.flow_id AND own.name LIKE ?))",
        [like.clone(), like],
    )
}

/// A log line in which that is found; what stands in the words is meant as it is.
fn finds(query: &TextQuery) -> Condition {
    let TextQuery {
        include,
        exclude,
        require,
    } = query;
    let holds = |term: &String| {
        let text = "instr(lower(logs.message || ' ' || logs.name), ?) > 0";
        Expr::cust_with_values(text, [term.as_str()])
    };
    let mut all = Condition::all();
    if !include.is_empty() {
        let one = include.iter().map(holds);
        all = all.add(one.fold(Condition::any(), Condition::add));
    }
    for term in require {
        all = all.add(holds(term));
    }
    for term in exclude {
        all = all.add(holds(term).not());
    }
    all
}
