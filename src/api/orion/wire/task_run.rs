//! Task runs on the wire.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::read::{
    Fields, JsonValue, ReadContext, id, integer, list, map_of, seconds, string, string_or_random,
    timestamp,
};
use super::run::StatisticsOut;
use super::state::{StateOut, proposal};
use super::time::{Iso, Secs};
use crate::api::redaction::{Reader, Redact};
use crate::domain::JsonMap;
use crate::domain::ids::FlowRunId;
use crate::domain::names;
use crate::domain::task_run::{NewTaskRun, RetryPolicy, TaskRun, TaskRunSpec};
use crate::domain::time::{Span, Timestamp};

/// A task run.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::TaskRun)]
pub struct TaskRunOut<'a> {
    id: Uuid,
    created: Iso,
    updated: Iso,
    name: Cow<'a, str>,
    flow_run_id: Uuid,
    task_key: Cow<'a, str>,
    dynamic_key: Cow<'a, str>,
    cache_key: Option<Cow<'a, str>>,
    cache_expiration: Option<Iso>,
    task_version: Option<Cow<'a, str>>,
    empirical_policy: PolicyOut,
    tags: Cow<'a, [String]>,
    state_id: Option<Uuid>,
    #[schema(value_type = Object)]
    task_inputs: Cow<'a, JsonMap>,
    #[serde(flatten)]
    statistics: StatisticsOut,
    state: Option<StateOut<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = orion::Policy)]
struct PolicyOut {
    max_retries: i64,
    retry_delay_seconds: Secs,
}

impl<'a> TaskRunOut<'a> {
    /// A run as it is at `now`.
    pub fn new(run: &'a TaskRun, now: Timestamp) -> Self {
        let TaskRun {
            id,
            created,
            updated,
            spec,
            flow_run_run_count: _,
            statistics,
            state,
        } = run;
        let TaskRunSpec {
            name,
            flow_run_id,
            task_key,
            dynamic_key,
            cache_key,
            cache_expiration,
            task_version,
            policy,
            empirical_policy: _,
            tags,
            labels: _,
            task_inputs,
        } = spec;
        Self {
            id: id.uuid(),
            created: Iso(*created),
            updated: Iso(*updated),
            name: name.into(),
            // That generation knows of no task run outside of a flow run.
            flow_run_id: flow_run_id.map_or(Uuid::nil(), FlowRunId::uuid),
            task_key: task_key.into(),
            dynamic_key: dynamic_key.into(),
            cache_key: cache_key.as_deref().map(Cow::Borrowed),
            cache_expiration: cache_expiration.map(Iso),
            task_version: task_version.as_deref().map(Cow::Borrowed),
            empirical_policy: PolicyOut {
                max_retries: policy.max_retries,
                retry_delay_seconds: Secs(policy.retry_delay),
            },
            tags: tags.into(),
            state_id: state.as_ref().map(|state| state.id.uuid()),
            task_inputs: Cow::Borrowed(task_inputs),
            statistics: StatisticsOut::new(statistics, state.as_ref(), now),
            state: state.as_ref().map(StateOut::from),
        }
    }
}

impl Redact for TaskRunOut<'_> {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.insert(FlowRunId::from_uuid(self.flow_run_id));
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            flow_run_id,
            task_key,
            dynamic_key,
            cache_key,
            cache_expiration: _,
            task_version,
            empirical_policy: _,
            tags,
            state_id: _,
            task_inputs,
            statistics: _,
            state,
        } = self;
        let mask = reader.within_flow_run(Some(FlowRunId::from_uuid(*flow_run_id)));
        for text in [name, task_key, dynamic_key] {
            mask.over(text);
        }
        mask.over(cache_key);
        mask.over(task_version);
        mask.over(tags);
        mask.over(task_inputs);
        if let Some(state) = state {
            state.redact_by(&mask);
        }
    }
}

/// A task run and the task runs whose results it takes.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::Dependency)]
pub struct DependencyOut<'a> {
    id: Uuid,
    upstream_dependencies: Vec<Cow<'a, Value>>,
    state: Option<StateOut<'a>>,
}

impl<'a> From<&'a TaskRun> for DependencyOut<'a> {
    fn from(run: &'a TaskRun) -> Self {
        let sources = run.spec.task_inputs.values();
        let sources = sources.filter_map(Value::as_array).flatten();
        let mut upstream: Vec<&Value> = Vec::new();
        for source in sources {
            let is_result = source
                .get("input_type")
                .is_some_and(|kind| kind == "task_run");
            if is_result && !upstream.contains(&source) {
                upstream.push(source);
            }
        }
        Self {
            id: run.id.uuid(),
            upstream_dependencies: upstream.into_iter().map(Cow::Borrowed).collect(),
            state: run.state.as_ref().map(StateOut::from),
        }
    }
}

impl Redact for DependencyOut<'_> {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            upstream_dependencies,
            state,
        } = self;
        let mask = reader.of_nobody();
        mask.over(upstream_dependencies);
        if let Some(state) = state {
            state.redact_by(&mask);
        }
    }
}

/// A task run to be created.
pub fn new_task_run(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<NewTaskRun> {
    let mut fields = Fields::of_row(value, context);
    let name = fields
        .optional("name", string_or_random)
        .map(Option::flatten);
    let flow_run_id = fields.required("flow_run_id", id(FlowRunId::from_uuid));
    let task_key = fields.required("task_key", string);
    let dynamic_key = fields.required("dynamic_key", string);
    let cache_key = fields.optional("cache_key", string);
    let cache_expiration = fields.optional("cache_expiration", timestamp);
    let task_version = fields.optional("task_version", string);
    let policy = fields.default("empirical_policy", policy, RetryPolicy::default);
    let tags = fields.default("tags", list(string), Vec::new);
    let task_inputs = fields.default("task_inputs", map_of(list(input)), Vec::new);
    let state = fields.optional("state", proposal);
    fields.finish();
    let name = name?.filter(|name| !name.is_empty());
    let inputs = task_inputs?.into_iter();
    Some(NewTaskRun {
        id: None,
        spec: TaskRunSpec {
            name: name.unwrap_or_else(names::random),
            flow_run_id: Some(flow_run_id?),
            task_key: task_key?,
            dynamic_key: dynamic_key?,
            cache_key: cache_key?,
            cache_expiration: cache_expiration?,
            task_version: task_version?,
            policy: policy?,
            empirical_policy: JsonMap::new(),
            tags: tags?,
            labels: JsonMap::new(),
            task_inputs: inputs
                .map(|(name, sources)| (name, Value::Array(sources)))
                .collect(),
        },
        state: state?,
    })
}

fn policy(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<RetryPolicy> {
    let mut fields = Fields::of(value, context)?;
    let max_retries = fields.default("max_retries", integer, || 0);
    let delay = fields.default("retry_delay_seconds", seconds, || Span::ZERO);
    fields.finish();
    Some(RetryPolicy {
        max_retries: max_retries?,
        retry_delay: delay?,
    })
}

/// The kinds of input and what each carries beyond its kind.
const INPUTS: &[(&str, &str)] = &[
    ("task_run", "id"),
    ("parameter", "name"),
    ("constant", "type"),
];

/// Where an argument comes from: a task run's result, a parameter, or a constant; the first
/// that fits. When none does, what each of them misses is told.
fn input(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<Value> {
    let mut faults = Vec::new();
    for (kind, key) in INPUTS {
        let mut trial = context.trial();
        let input = input_of(kind, key, value, &mut trial);
        if trial.is_clean() {
            return input;
        }
        faults.extend(trial.into_issues());
    }
    context.adopt(faults);
    None
}

fn input_of(
    kind: &str,
    key: &'static str,
    value: &JsonValue<'_>,
    context: &mut ReadContext,
) -> Option<Value> {
    let mut fields = Fields::of(value, context)?;
    fields.default(
        "input_type",
        |given, context| constant(kind, given, context),
        || (),
    );
    let carried = match key {
        "id" => fields
            .required(key, id(|uuid| uuid))
            .map(|id| id.to_string()),
        _ => fields.required(key, string),
    };
    fields.finish();
    Some(json!({ "input_type": kind, key: carried? }))
}

fn constant(expected: &str, given: &JsonValue<'_>, context: &mut ReadContext) -> Option<()> {
    if given.as_str() == Some(expected) {
        return Some(());
    }
    // Whatever else it is may be large.
    let given = match given {
        JsonValue::Array(_) | JsonValue::Object(_) => json!("…"),
        JsonValue::String(text) if text.len() > 100 => json!("…"),
        given => Value::from(given),
    };
    context.fault_with(
        format!("unexpected value; permitted: '{expected}'"),
        "value_error.const",
        Some(json!({ "given": given, "permitted": [expected] })),
    )
}
