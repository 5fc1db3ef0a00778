//! What an event tells of a task run that its client orchestrates itself.
//!
//! Such events are named `prefect.task-run.…` and say `prefect.orchestration = client`. Each tells
//! one state of the run, whose id is the event's, and what the run is like in it. They may come in
//! any order and more than once; whichever tells the latest state says what the run is like.

use serde_json::Value;

use super::Event;
use crate::domain::JsonMap;
use crate::domain::ids::{FlowRunId, StateId, TaskRunId};
use crate::domain::run::RunStatistics;
use crate::domain::state::{State, StateDetails, StateType};
use crate::domain::time::{Span, Timestamp};

/// How the names of such events begin.
const PREFIX: &str = "prefect.task-run";
/// The label that says who orchestrates a run.
const ORCHESTRATION: &str = "prefect.orchestration";

/// A task run as an event tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldTaskRun {
    /// Its id, unless one is known already of the same task and dynamic key in the flow run.
    pub id: TaskRunId,
    /// The flow run that it is part of, if it is part of one.
    pub flow_run_id: Option<FlowRunId>,
    /// Its name.
    pub name: String,
    /// Names the task within the flow's code.
    pub task_key: String,
    /// Tells apart the runs of one task within one flow run.
    pub dynamic_key: String,
    /// How it retries, as the client says it.
    pub empirical_policy: JsonMap,
    /// Tags.
    pub tags: Vec<String>,
    /// Labels.
    pub labels: JsonMap,
    /// Where its arguments come from.
    pub task_inputs: JsonMap,
    /// How often the flow run had run when this one last began.
    pub flow_run_run_count: i64,
    /// Counts and times.
    pub statistics: RunStatistics,
    /// The state.
    pub state: State,
}

impl ToldTaskRun {
    /// What an event tells; `None` where it tells of no such run, or not enough to know which.
    pub fn of(event: &Event) -> Option<Self> {
        let is_told =
            event.name.starts_with(PREFIX) && event.resource.label(ORCHESTRATION) == Some("client");
        if !is_told {
            return None;
        }
        let id: TaskRunId = event.resource.object("task-run")?;
        let flow_run = event.in_role("flow-run");
        let flow_run_id = match flow_run {
            Some(resource) => Some(resource.object("flow-run")?),
            None => None,
        };
        let state = state(event, id, flow_run_id)?;
        let run = Told(event.payload.get("task_run")?.as_object()?);
        let key = |name| run.text(name).filter(|key| !key.is_empty());
        Some(Self {
            id,
            flow_run_id,
            name: run.text("name").unwrap_or_default(),
            task_key: key("task_key")?,
            dynamic_key: key("dynamic_key")?,
            empirical_policy: run.map("empirical_policy"),
            tags: run.tags(),
            labels: run.map("labels"),
            task_inputs: run.map("task_inputs"),
            flow_run_run_count: run.count("flow_run_run_count"),
            statistics: run.statistics(&state),
            state,
        })
    }

    /// Whether its state is later than that one. Of two at the same moment one is later all the
    /// same, whichever came first.
    pub fn is_later_than(&self, other: (Timestamp, StateId)) -> bool {
        (self.state.timestamp, self.state.id) > other
    }
}

/// The state that an event tells.
fn state(event: &Event, of: TaskRunId, within: Option<FlowRunId>) -> Option<State> {
    let told = Told(event.payload.get("validated_state")?.as_object()?);
    let kind = StateType::from_word(&told.text("type")?)?;
    let mut details = details(told.map("state_details"));
    details.task_run_id = Some(of);
    details.flow_run_id = within;
    let name = told.text("name").filter(|name| !name.is_empty());
    Some(State {
        id: StateId::from_uuid(event.id.uuid()),
        kind,
        name: name.unwrap_or_else(|| kind.default_name()),
        timestamp: event.occurred,
        message: told.text("message"),
        data: told.0.get("data").filter(|data| !data.is_null()).cloned(),
        details,
    })
}

/// The details of a state; what has no place of its own is kept as it came.
fn details(mut map: JsonMap) -> StateDetails {
    let told = Told(&map);
    let mut details = StateDetails {
        child_flow_run_id: told.parsed("child_flow_run_id"),
        scheduled_time: told.time("scheduled_time"),
        cache_key: told.text("cache_key"),
        cache_expiration: told.time("cache_expiration"),
        pause_timeout: told.time("pause_timeout"),
        pause_reschedule: told.flag("pause_reschedule").unwrap_or_default(),
        pause_key: told.text("pause_key"),
        refresh_cache: told.flag("refresh_cache"),
        retriable: told.flag("retriable"),
        transition_id: told.parsed("transition_id"),
        ..StateDetails::default()
    };
    // The hold on a slot is a flow run's.
    for known in [
        "flow_run_id",
        "task_run_id",
        "child_flow_run_id",
        "scheduled_time",
        "cache_key",
        "cache_expiration",
        "pause_timeout",
        "pause_reschedule",
        "pause_key",
        "run_input_keyset",
        "refresh_cache",
        "retriable",
        "transition_id",
        "deployment_concurrency_lease_id",
    ] {
        map.shift_remove(known);
    }
    map.retain(|_, value| !value.is_null());
    details.extra = map;
    details
}

/// An object of an event's payload, in which anything may stand: what is not as it should be
/// counts as absent.
struct Told<'a>(&'a JsonMap);

impl Told<'_> {
    fn text(&self, name: &str) -> Option<String> {
        Some(self.0.get(name)?.as_str()?.to_owned())
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    fn map(&self, name: &str) -> JsonMap {
        let map = self.0.get(name).and_then(Value::as_object);
        map.cloned().unwrap_or_default()
    }

    fn tags(&self) -> Vec<String> {
        let tags = self.0.get("tags").and_then(Value::as_array);
        let tags = tags.into_iter().flatten().filter_map(Value::as_str);
        tags.map(str::to_owned).collect()
    }

    fn count(&self, name: &str) -> i64 {
        self.0.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        let text = self.0.get(name)?.as_str()?;
        let at = chrono::DateTime::parse_from_rfc3339(text).ok()?;
        Some(Timestamp::from(at.to_utc())).filter(|at| at.is_in_calendar())
    }

    fn statistics(&self, state: &State) -> RunStatistics {
        let due = match state.kind {
            StateType::Scheduled => state.details.scheduled_time,
            _ => None,
        };
        let ran = self.0.get("total_run_time").and_then(Value::as_f64);
        RunStatistics {
            run_count: self.count("run_count"),
            expected_start_time: self.time("expected_start_time").or(Some(state.timestamp)),
            next_scheduled_start_time: self.time("next_scheduled_start_time").or(due),
            start_time: self.time("start_time"),
            end_time: self.time("end_time"),
            total_run_time: ran.and_then(Span::of_secs).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::event::{ID, Resource};
    use crate::domain::ids::EventId;

    const RUN: &str = "01a209ad-b654-745f-a63f-85116277c129";
    const FLOW_RUN: &str = "711935cd-4886-46e8-864e-103e9c9bf4d4";

    fn event(payload: Value) -> Event {
        Event {
            id: EventId::new(),
            occurred: Timestamp::from_micros(1_000_000),
            name: "prefect.task-run.AwaitingRetry".to_owned(),
            resource: Resource::of([
                (ID, format!("prefect.task-run.{RUN}").as_str()),
                (ORCHESTRATION, "client"),
            ]),
            related: vec![Resource::in_role(
                "flow-run",
                format!("prefect.flow-run.{FLOW_RUN}"),
            )],
            payload: payload.as_object().unwrap().clone(),
            follows: None,
        }
    }

    fn payload() -> Value {
        json!({
            "validated_state": { "type": "SCHEDULED", "name": "AwaitingRetry", "message": "",
                "state_details": { "scheduled_time": "2026-11-23T18:31:49.590427Z",
                                   "flow_run_id": null, "untrackable_result": true },
                "data": null },
            "task_run": { "name": "flaky-b67", "task_key": "flaky", "dynamic_key": "b67",
                "empirical_policy": { "retries": 2 }, "tags": ["t", 3], "labels": {},
                "task_inputs": {}, "run_count": 1, "flow_run_run_count": 1,
                "start_time": "2026-11-23T18:31:49.089185Z", "total_run_time": 0.001315 },
        })
    }

    #[test]
    fn a_run_is_read_from_its_event() {
        let event = event(payload());
        let told = ToldTaskRun::of(&event).unwrap();
        assert_eq!(told.id.to_string(), RUN);
        assert_eq!(told.flow_run_id.unwrap().to_string(), FLOW_RUN);
        assert_eq!(
            (told.task_key.as_str(), told.dynamic_key.as_str()),
            ("flaky", "b67")
        );
        assert_eq!(told.tags, ["t"]);
        let statistics = &told.statistics;
        assert_eq!((statistics.run_count, told.flow_run_run_count), (1, 1));
        assert_eq!(statistics.total_run_time.micros(), 1315);
        assert_eq!(statistics.end_time, None);
        let state = &told.state;
        assert_eq!(
            (state.id.uuid(), state.timestamp),
            (event.id.uuid(), event.occurred)
        );
        assert_eq!(
            (state.kind, state.name.as_str()),
            (StateType::Scheduled, "AwaitingRetry")
        );
        let due = statistics.next_scheduled_start_time.unwrap();
        assert_eq!(Some(due), state.details.scheduled_time);
        assert_eq!(due.micros() % 1_000_000, 590_427);
        assert_eq!(
            Value::from(state.details.extra.clone()),
            json!({ "untrackable_result": true })
        );
    }

    #[test]
    fn what_tells_of_no_run_tells_nothing() {
        let with = |change: &dyn Fn(&mut Value)| {
            let mut payload = payload();
            change(&mut payload);
            ToldTaskRun::of(&event(payload))
        };
        assert!(with(&|_| {}).is_some());
        assert!(with(&|it| it["validated_state"]["type"] = json!("ODD")).is_none());
        assert!(with(&|it| it["validated_state"] = json!(null)).is_none());
        assert!(with(&|it| it["task_run"]["task_key"] = json!("")).is_none());
        assert!(with(&|it| it["task_run"] = json!([])).is_none());
        let told = |change: &dyn Fn(&mut Event)| {
            let mut event = event(payload());
            change(&mut event);
            ToldTaskRun::of(&event)
        };
        assert!(told(&|it| it.name = "prefect.flow-run.Running".to_owned()).is_none());
        assert!(told(&|it| it.resource = Resource::of([(ID, "prefect.task-run.x")])).is_none());
        let elsewhere = vec![Resource::in_role("flow-run", "prefect.flow-run.x")];
        assert!(told(&|it| it.related.clone_from(&elsewhere)).is_none());
        assert_eq!(told(&|it| it.related.clear()).unwrap().flow_run_id, None);
    }
}
