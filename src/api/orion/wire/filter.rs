//! Filters, sorts and pages on the wire.

use uuid::Uuid;

use super::super::read::{
    Cursor, Fields, Given, boolean, choice, id, integer, list, string, timestamp, within,
};
use super::state::STATE_TYPES;
use crate::domain::filter::{
    DeploymentCriterion, Filters, FlowCriterion, FlowRunCriterion, LogCriterion, LogKey, LogSort,
    MAX_PAGE, Page, RunSort, TagCriterion, TaskRunCriterion, TimeCriterion,
};
use crate::domain::ids::{DeploymentId, FlowId, FlowRunId, TaskRunId};
use crate::domain::state::StateType;

/// What one criterion object asks: each of its operators is one criterion.
type Criteria<T> = Option<Vec<T>>;

/// The four filters that most routes take.
pub fn filters(fields: &mut Fields<'_, '_>) -> Option<Filters> {
    let flows = fields.optional("flows", flows);
    let flow_runs = fields.optional("flow_runs", flow_runs);
    let task_runs = fields.optional("task_runs", task_runs);
    let deployments = fields.optional("deployments", deployments);
    Some(Filters {
        flows: flows?,
        flow_runs: flow_runs?,
        task_runs: task_runs?,
        deployments: deployments?,
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
pub fn run_sort(fields: &mut Fields<'_, '_>) -> Option<RunSort> {
    const SORTS: &[(&str, RunSort)] = &[
        ("ID_DESC", RunSort::IdDesc),
        ("EXPECTED_START_TIME_ASC", RunSort::ExpectedStartTimeAsc),
        ("EXPECTED_START_TIME_DESC", RunSort::ExpectedStartTimeDesc),
        (
            "NEXT_SCHEDULED_START_TIME_ASC",
            RunSort::NextScheduledStartTimeAsc,
        ),
        ("END_TIME_DESC", RunSort::EndTimeDesc),
    ];
    fields.default("sort", choice(SORTS), RunSort::default)
}

/// The order of log lines.
pub fn log_sort(fields: &mut Fields<'_, '_>) -> Option<LogSort> {
    const fn by(key: LogKey, descending: bool) -> LogSort {
        LogSort { key, descending }
    }
    const SORTS: &[(&str, LogSort)] = &[
        ("TIMESTAMP_ASC", by(LogKey::Timestamp, false)),
        ("TIMESTAMP_DESC", by(LogKey::Timestamp, true)),
        ("LEVEL_ASC", by(LogKey::Level, false)),
        ("LEVEL_DESC", by(LogKey::Level, true)),
        ("FLOW_RUN_ID_ASC", by(LogKey::FlowRunId, false)),
        ("FLOW_RUN_ID_DESC", by(LogKey::FlowRunId, true)),
        ("TASK_RUN_ID_ASC", by(LogKey::TaskRunId, false)),
        ("TASK_RUN_ID_DESC", by(LogKey::TaskRunId, true)),
    ];
    fields.default("sort", choice(SORTS), || by(LogKey::Timestamp, false))
}

/// The filter of log lines.
pub fn log_criteria(fields: &mut Fields<'_, '_>) -> Criteria<LogCriterion> {
    let criteria = fields.optional("logs", |value, cursor| {
        all_of(value, cursor, |fields| {
            vec![
                fields.optional("level", levels),
                fields.optional("timestamp", |value, cursor| {
                    Some(
                        times(value, cursor, false)?
                            .into_iter()
                            .map(LogCriterion::Timestamp)
                            .collect(),
                    )
                }),
                fields.optional(
                    "flow_run_id",
                    any_id(FlowRunId::from_uuid, LogCriterion::FlowRunIn),
                ),
                fields.optional(
                    "task_run_id",
                    any_id(TaskRunId::from_uuid, LogCriterion::TaskRunIn),
                ),
            ]
        })
    });
    Some(criteria?.unwrap_or_default())
}

fn levels(value: &Given<'_>, cursor: &mut Cursor) -> Criteria<LogCriterion> {
    operators(value, cursor, |fields| {
        vec![
            operator(fields, "ge_", integer, LogCriterion::LevelAtLeast),
            operator(fields, "le_", integer, LogCriterion::LevelAtMost),
        ]
    })
}

fn flows(value: &Given<'_>, cursor: &mut Cursor) -> Criteria<FlowCriterion> {
    all_of(value, cursor, |fields| {
        vec![
            fields.optional("id", any_id(FlowId::from_uuid, FlowCriterion::IdIn)),
            fields.optional("name", any_text(FlowCriterion::NameIn)),
            fields.optional("tags", tags(FlowCriterion::Tags)),
        ]
    })
}

fn deployments(value: &Given<'_>, cursor: &mut Cursor) -> Criteria<DeploymentCriterion> {
    use DeploymentCriterion as Ask;
    all_of(value, cursor, |fields| {
        vec![
            fields.optional("id", any_id(DeploymentId::from_uuid, Ask::IdIn)),
            fields.optional("name", any_text(Ask::NameIn)),
            fields.optional("is_schedule_active", |value, cursor| {
                operators(value, cursor, |fields| {
                    vec![operator(fields, "eq_", boolean, Ask::ScheduleActive)]
                })
            }),
            fields.optional("tags", tags(Ask::Tags)),
        ]
    })
}

fn flow_runs(value: &Given<'_>, cursor: &mut Cursor) -> Criteria<FlowRunCriterion> {
    use FlowRunCriterion as Ask;
    all_of(value, cursor, |fields| {
        vec![
            fields.optional("id", |value, cursor| {
                operators(value, cursor, |fields| {
                    let ids = || list(id(FlowRunId::from_uuid));
                    vec![
                        operator(fields, "any_", ids(), Ask::IdIn),
                        operator(fields, "not_any_", ids(), Ask::IdNotIn),
                    ]
                })
            }),
            fields.optional("name", any_text(Ask::NameIn)),
            fields.optional("tags", tags(Ask::Tags)),
            fields.optional(
                "deployment_id",
                any_id_or_null(
                    DeploymentId::from_uuid,
                    Ask::DeploymentIn,
                    Ask::DeploymentIsNull,
                ),
            ),
            fields.optional("state", state(Ask::StateTypeIn, Ask::StateNameIn)),
            fields.optional("flow_version", any_text(Ask::FlowVersionIn)),
            fields.optional("start_time", time(true, Ask::StartTime)),
            fields.optional("expected_start_time", time(false, Ask::ExpectedStartTime)),
            fields.optional(
                "next_scheduled_start_time",
                time(false, Ask::NextScheduledStartTime),
            ),
            fields.optional(
                "parent_task_run_id",
                any_id_or_null(
                    TaskRunId::from_uuid,
                    Ask::ParentTaskRunIn,
                    Ask::ParentTaskRunIsNull,
                ),
            ),
        ]
    })
}

fn task_runs(value: &Given<'_>, cursor: &mut Cursor) -> Criteria<TaskRunCriterion> {
    use TaskRunCriterion as Ask;
    all_of(value, cursor, |fields| {
        vec![
            fields.optional("id", any_id(TaskRunId::from_uuid, Ask::IdIn)),
            fields.optional("name", any_text(Ask::NameIn)),
            fields.optional("tags", tags(Ask::Tags)),
            fields.optional("state", state(Ask::StateTypeIn, Ask::StateNameIn)),
            fields.optional("start_time", time(true, Ask::StartTime)),
            fields.optional("subflow_runs", |value, cursor| {
                operators(value, cursor, |fields| {
                    vec![operator(fields, "exists_", boolean, Ask::IsSubflow)]
                })
            }),
        ]
    })
}

/// Reads a filter object whose fields are criterion objects.
fn all_of<T>(
    value: &Given<'_>,
    cursor: &mut Cursor,
    read: impl FnOnce(&mut Fields<'_, '_>) -> Vec<Option<Option<Vec<T>>>>,
) -> Criteria<T> {
    let mut fields = Fields::of(value, cursor)?;
    let parts = read(&mut fields);
    fields.finish();
    let parts: Option<Vec<_>> = parts.into_iter().collect();
    Some(parts?.into_iter().flatten().flatten().collect())
}

/// Reads a criterion object whose fields are operators.
fn operators<T>(
    value: &Given<'_>,
    cursor: &mut Cursor,
    read: impl FnOnce(&mut Fields<'_, '_>) -> Vec<Option<Option<T>>>,
) -> Criteria<T> {
    let mut fields = Fields::of(value, cursor)?;
    let parts = read(&mut fields);
    fields.finish();
    let parts: Option<Vec<_>> = parts.into_iter().collect();
    Some(parts?.into_iter().flatten().collect())
}

/// Reads one operator as a criterion.
fn operator<V, T>(
    fields: &mut Fields<'_, '_>,
    name: &'static str,
    read: impl Fn(&Given<'_>, &mut Cursor) -> Option<V>,
    ask: impl Fn(V) -> T,
) -> Option<Option<T>> {
    fields.optional(name, |value, cursor| read(value, cursor).map(ask))
}

fn any_id<I, T>(
    from: impl Fn(Uuid) -> I + Copy,
    ask: impl Fn(Vec<I>) -> T,
) -> impl FnOnce(&Given<'_>, &mut Cursor) -> Criteria<T> {
    move |value, cursor| {
        operators(value, cursor, |fields| {
            vec![operator(fields, "any_", list(id(from)), ask)]
        })
    }
}

fn any_id_or_null<I, T>(
    from: impl Fn(Uuid) -> I + Copy,
    ask: impl Fn(Vec<I>) -> T,
    null: impl Fn(bool) -> T,
) -> impl FnOnce(&Given<'_>, &mut Cursor) -> Criteria<T> {
    move |value, cursor| {
        operators(value, cursor, |fields| {
            vec![
                operator(fields, "any_", list(id(from)), ask),
                operator(fields, "is_null_", boolean, null),
            ]
        })
    }
}

fn any_text<T>(
    ask: impl Fn(Vec<String>) -> T,
) -> impl FnOnce(&Given<'_>, &mut Cursor) -> Criteria<T> {
    move |value, cursor| {
        operators(value, cursor, |fields| {
            vec![operator(fields, "any_", list(string), ask)]
        })
    }
}

fn tags<T>(ask: impl Fn(TagCriterion) -> T) -> impl FnOnce(&Given<'_>, &mut Cursor) -> Criteria<T> {
    move |value, cursor| {
        let criteria = operators(value, cursor, |fields| {
            vec![
                operator(fields, "all_", list(string), TagCriterion::HasAll),
                operator(fields, "is_null_", boolean, TagCriterion::IsEmpty),
            ]
        });
        Some(criteria?.into_iter().map(ask).collect())
    }
}

/// Both parts of a state; asking for FAILED finds what this generation is told is FAILED.
fn state<T>(
    by_type: impl Fn(Vec<StateType>) -> T,
    by_name: impl Fn(Vec<String>) -> T,
) -> impl FnOnce(&Given<'_>, &mut Cursor) -> Criteria<T> {
    move |value, cursor| {
        let kinds = |mut kinds: Vec<StateType>| {
            for (told, also) in [
                (StateType::Failed, StateType::Crashed),
                (StateType::Running, StateType::Cancelling),
                (StateType::Pending, StateType::Paused),
            ] {
                if kinds.contains(&told) {
                    kinds.push(also);
                }
            }
            by_type(kinds)
        };
        all_of(value, cursor, |fields| {
            vec![
                fields.optional("type", |value, cursor| {
                    operators(value, cursor, |fields| {
                        vec![operator(fields, "any_", list(choice(STATE_TYPES)), kinds)]
                    })
                }),
                fields.optional("name", any_text(by_name)),
            ]
        })
    }
}

fn time<T>(
    may_be_null: bool,
    ask: impl Fn(TimeCriterion) -> T,
) -> impl FnOnce(&Given<'_>, &mut Cursor) -> Criteria<T> {
    move |value, cursor| {
        let criteria = times(value, cursor, may_be_null);
        Some(criteria?.into_iter().map(ask).collect())
    }
}

fn times(value: &Given<'_>, cursor: &mut Cursor, may_be_null: bool) -> Criteria<TimeCriterion> {
    operators(value, cursor, |fields| {
        let mut asked = vec![
            operator(fields, "before_", timestamp, TimeCriterion::AtOrBefore),
            operator(fields, "after_", timestamp, TimeCriterion::AtOrAfter),
        ];
        if may_be_null {
            asked.push(operator(fields, "is_null_", boolean, TimeCriterion::IsNull));
        }
        asked
    })
}
