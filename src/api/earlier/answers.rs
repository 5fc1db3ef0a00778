//! What answers say to these clients besides.

use axum::body::Bytes;
use serde_json::Value;

use crate::api::client::Earlier;
use crate::api::dialect::V3;
use crate::domain::JsonMap;

/// What the answers below a path are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noun {
    /// Deployments, and runs that are made of them.
    Deployments,
    /// Runs and states, alone or in others' hands.
    Runs,
}

/// The first words of paths whose answers are about runs.
const OF_RUNS: [&str; 6] = [
    "flow_runs",
    "task_runs",
    "flow_run_states",
    "task_run_states",
    "work_queues",
    "work_pools",
];

/// What an answer is about that comes from a path; none where these clients read it as it is.
pub(super) fn noun(path: &str) -> Option<Noun> {
    let rest = path.strip_prefix(V3)?.strip_prefix('/')?;
    match rest.split('/').next()? {
        "deployments" => Some(Noun::Deployments),
        word => OF_RUNS.contains(&word).then_some(Noun::Runs),
    }
}

impl Noun {
    /// Whether there is anything to say besides.
    pub(super) fn concerns(self, client: Earlier) -> bool {
        self == Self::Deployments || !client.knows_pauses()
    }
}

/// The whole answer as such a client reads it; none where it stays as it is.
pub(super) fn told(answer: &Bytes, noun: Noun, client: Earlier) -> Option<Vec<u8>> {
    let mut answer: Value = serde_json::from_slice(answer).ok()?;
    match &mut answer {
        Value::Array(things) => things
            .iter_mut()
            .for_each(|thing| supply(thing, noun, client)),
        Value::Object(page) if page.contains_key("results") => {
            let things = page.get_mut("results").and_then(Value::as_array_mut);
            let things = things.into_iter().flatten();
            things.for_each(|thing| supply(thing, noun, client));
        }
        thing => supply(thing, noun, client),
    }
    serde_json::to_vec(&answer).ok()
}

/// Gives a thing what the client looks for. What it is, its own fields say.
fn supply(thing: &mut Value, noun: Noun, client: Earlier) {
    let Value::Object(fields) = thing else {
        return;
    };
    if noun == Noun::Deployments && fields.contains_key("schedules") {
        deployment(fields);
    }
    if !client.knows_pauses() {
        run(fields);
    }
}

/// A deployment had one schedule, and overrides of its infrastructure.
fn deployment(fields: &mut JsonMap) {
    let schedules = fields.get("schedules").and_then(Value::as_array);
    let mut schedules = schedules.into_iter().flatten();
    let followed = schedules.find(|one| one["active"] == true);
    let schedule = followed.map(|one| one["schedule"].clone());
    let is_active = fields.get("paused") == Some(&Value::Bool(false));
    let overrides = fields.get("job_variables").cloned();
    for (name, value) in [
        ("schedule", schedule),
        ("is_schedule_active", Some(is_active.into())),
        ("infra_overrides", overrides),
        ("manifest_path", None),
    ] {
        fields.insert(name.to_owned(), value.unwrap_or_default());
    }
}

/// A run, a state, or a decision about one: of states that came later the nearest is told.
fn run(fields: &mut JsonMap) {
    if fields.contains_key("state_details") {
        nearest(fields.get_mut("type"));
    }
    nearest(fields.get_mut("state_type"));
    if let Some(Value::Object(state)) = fields.get_mut("state") {
        nearest(state.get_mut("type"));
    }
    if let Some(Value::Object(inner)) = fields.get_mut("flow_run") {
        run(inner);
    }
}

/// The type of state that is nearest to one, among those that there were.
fn nearest(kind: Option<&mut Value>) {
    let Some(kind) = kind else {
        return;
    };
    let known = match kind.as_str() {
        Some("CANCELLING") => "CANCELLED",
        Some("PAUSED") => "SCHEDULED",
        _ => return,
    };
    *kind = known.into();
}
