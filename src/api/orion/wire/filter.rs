//! Filters, sorts and pages on the wire: the tables of fields, as these clients ask them.

use super::super::read::{
    Fields, JsonValue, ReadContext, boolean, choice, id, integer, list, string, timestamp, within,
};
use super::state::STATE_TYPES;
use crate::domain::filter::{
    Criteria, Criterion, Field, Filters, Holds, MAX_PAGE, Page, RUN_SORTS, Sort, Test, Values,
    deployment, flow, flow_run, log, task_run,
};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// The four filters that most routes take.
pub fn filters(fields: &mut Fields<'_, '_>) -> Option<Filters> {
    let flows = fields.optional("flows", about(flow::FIELDS));
    let flow_runs = fields.optional("flow_runs", about(flow_run::FIELDS));
    let task_runs = fields.optional("task_runs", about(task_run::FIELDS));
    let deployments = fields.optional("deployments", about(deployment::FIELDS));
    Some(Filters {
        flows: flows?,
        flow_runs: flow_runs?,
        task_runs: task_runs?,
        deployments: deployments?,
        ..Filters::default()
    })
}

/// `limit` and `offset`.
pub fn page(fields: &mut Fields<'_, '_>) -> Option<Page> {
    let most = MAX_PAGE as i64;
    let limit = fields.default("limit", within(0, most), || most);
    let offset = fields.default("offset", within(0, i64::MAX), || 0);
    Some(Page {
        limit: limit?.unsigned_abs(),
        offset: offset?.unsigned_abs(),
    })
}

/// The order of runs.
pub fn run_sort(fields: &mut Fields<'_, '_>) -> Option<Sort> {
    fields.default("sort", choice(RUN_SORTS), || Sort::NEWEST)
}

/// The order of log lines.
pub fn log_sort(fields: &mut Fields<'_, '_>) -> Option<Sort> {
    fields.default("sort", choice(log::SORTS), || log::OLDEST)
}

/// The filter of log lines.
pub fn log_criteria(fields: &mut Fields<'_, '_>) -> Option<Criteria> {
    let criteria = fields.optional("logs", about(log::FIELDS));
    Some(criteria?.unwrap_or_default())
}

/// Reads an object that asks about some of these fields.
fn about(
    table: &'static [&'static Field],
) -> impl FnOnce(&JsonValue<'_>, &mut ReadContext) -> Option<Criteria> {
    move |value, context| criteria(table)(value, context).map(Criteria::from)
}

fn criteria(
    table: &'static [&'static Field],
) -> impl FnOnce(&JsonValue<'_>, &mut ReadContext) -> Option<Vec<Criterion>> {
    move |value, context| {
        let mut fields = Fields::of(value, context)?;
        let each = table.iter().copied();
        let parts: Vec<_> = each
            .map(|field| fields.optional(field.name, |value, context| of(field, value, context)))
            .collect();
        fields.finish();
        let parts: Option<Vec<_>> = parts.into_iter().collect();
        Some(parts?.into_iter().flatten().flatten().collect())
    }
}

/// Reads what is asked of a field: each operator of the object is a criterion.
fn of(
    field: &'static Field,
    value: &JsonValue<'_>,
    context: &mut ReadContext,
) -> Option<Vec<Criterion>> {
    if let Holds::Group(parts) = field.holds {
        return criteria(parts)(value, context);
    }
    let mut fields = Fields::of(value, context)?;
    let tests = operators(field, &mut fields);
    fields.finish();
    let tests: Option<Vec<_>> = tests.into_iter().collect();
    let tests = tests?.into_iter().flatten();
    Some(tests.map(|test| field.asked(test)).collect())
}

/// What an operator asks, unless it is absent; the outer answer is absent for one that is refused.
type Asked = Option<Option<Test>>;

/// The operators of a field.
fn operators(field: &Field, fields: &mut Fields<'_, '_>) -> Vec<Asked> {
    let mut asked = match field.holds {
        Holds::Id => vec![operator(fields, "any_", list(id(|id| id)), |ids| {
            Test::In(Values::Ids(ids))
        })],
        Holds::Text => vec![operator(fields, "any_", list(string), |words| {
            Test::In(Values::Words(words))
        })],
        Holds::StateType => vec![operator(fields, "any_", list(choice(STATE_TYPES)), kinds)],
        Holds::Tags => vec![
            operator(fields, "all_", list(string), Test::HasAll),
            operator(fields, "is_null_", boolean, Test::IsNull),
        ],
        Holds::Time => vec![
            operator(fields, "before_", timestamp, |at: Timestamp| {
                Test::AtMost(at.micros())
            }),
            operator(fields, "after_", timestamp, |at: Timestamp| {
                Test::AtLeast(at.micros())
            }),
        ],
        Holds::Number => vec![
            operator(fields, "ge_", integer, Test::AtLeast),
            operator(fields, "le_", integer, Test::AtMost),
        ],
        Holds::Flag => vec![operator(fields, "eq_", boolean, Test::Is)],
        Holds::SubFlow => vec![operator(fields, "exists_", boolean, Test::Is)],
        Holds::Group(_) => Vec::new(),
        // These clients ask nothing of the kind.
        Holds::ParentRun
        | Holds::Deployments
        | Holds::NameOrFlow
        | Holds::QueueName
        | Holds::Member(_)
        | Holds::Message => Vec::new(),
    };
    if field.may_exclude {
        asked.push(operator(fields, "not_any_", list(id(|id| id)), |ids| {
            Test::NotIn(Values::Ids(ids))
        }));
    }
    if field.may_be_null {
        asked.push(operator(fields, "is_null_", boolean, Test::IsNull));
    }
    asked
}

/// Reads one operator as a criterion.
fn operator<V>(
    fields: &mut Fields<'_, '_>,
    name: &'static str,
    read: impl Fn(&JsonValue<'_>, &mut ReadContext) -> Option<V>,
    request: impl Fn(V) -> Test,
) -> Asked {
    fields.optional(name, |value, context| read(value, context).map(request))
}

/// Types of states; asking for FAILED finds what this generation is told is FAILED.
fn kinds(mut kinds: Vec<StateType>) -> Test {
    for (told, also) in [
        (StateType::Failed, StateType::Crashed),
        (StateType::Running, StateType::Cancelling),
        (StateType::Pending, StateType::Paused),
    ] {
        if kinds.contains(&told) {
            kinds.push(also);
        }
    }
    let words = kinds.iter().map(|kind| kind.word().to_owned());
    Test::In(Values::Words(words.collect()))
}
