//! Events as the 3.9.1 client tells them, one a message.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::bodies::instant;

/// A flow run, as what its task runs tell of it.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its flow's id.
    pub flow: String,
}

/// An event of a user's, about one of many things.
pub fn observed(thing: &str) -> String {
    let (id, now) = (Uuid::now_v7(), instant(Utc::now()));
    format!(
        r#"{{"occurred":"{now}","event":"bench.observed","resource":{{"prefect.resource.id":"{thing}","prefect.resource.name":"something that is observed"}},"related":[],"payload":{{"value":17,"unit":"mm"}},"id":"{id}","follows":null}}"#
    )
}

/// The three events of a task run that ends well.
pub fn task_run(of: &Run, key: usize) -> [String; 3] {
    let task = Task {
        id: Uuid::now_v7(),
        name: format!("extract-{key}"),
        key: Uuid::new_v4(),
        began: Utc::now(),
    };
    let states = [
        ("PENDING", "Pending"),
        ("RUNNING", "Running"),
        ("COMPLETED", "Completed"),
    ];
    let mut before = None;
    states.map(|state| {
        let id = Uuid::now_v7();
        let follows = before.map(|(id, _)| id);
        let text = task.event(of, id, state, before.map(|(_, state)| state), follows);
        before = Some((id, state));
        text
    })
}

/// A task run that is told of.
struct Task {
    id: Uuid,
    name: String,
    key: Uuid,
    began: DateTime<Utc>,
}

/// A state by its type and name.
type State = (&'static str, &'static str);

impl Task {
    /// The event by which it enters a state.
    fn event(
        &self,
        of: &Run,
        id: Uuid,
        (kind, state): State,
        from: Option<State>,
        follows: Option<Uuid>,
    ) -> String {
        let Self { id: task, name, .. } = self;
        let Run {
            id: run,
            name: run_name,
            flow,
        } = of;
        let now = Utc::now();
        let stamp = now.format("%Y-%m-%dT%H:%M:%S%.6f+00:00");
        let occurred = instant(now);
        let count = i32::from(from.is_some());
        let payload = self.payload((kind, state), from, now);
        let follows = follows.map_or("null".to_owned(), |id| format!("\"{id}\""));
        format!(
            r#"{{"occurred":"{occurred}","event":"prefect.task-run.{state}","resource":{{"prefect.resource.id":"prefect.task-run.{task}","prefect.resource.name":"{name}","prefect.run-count":"{count}","prefect.state-message":"","prefect.state-name":"{state}","prefect.state-timestamp":"{stamp}","prefect.state-type":"{kind}","prefect.orchestration":"client"}},"related":[{{"prefect.resource.id":"prefect.flow-run.{run}","prefect.resource.role":"flow-run","prefect.resource.name":"{run_name}"}},{{"prefect.resource.id":"prefect.flow.{flow}","prefect.resource.role":"flow","prefect.resource.name":"seeded-0"}}],"payload":{payload},"id":"{id}","follows":{follows}}}"#
        )
    }

    fn payload(&self, (kind, state): State, from: Option<State>, now: DateTime<Utc>) -> String {
        let Self { name, key, .. } = self;
        let (began, now) = (instant(self.began), instant(now));
        let (intended, initial) = match from {
            None => ("null".to_owned(), "null".to_owned()),
            Some((kind, name)) => (
                format!("\"{kind}\""),
                format!(r#"{{"type":"{kind}","name":"{name}","message":"","state_details":{{}}}}"#),
            ),
        };
        let count = i32::from(from.is_some());
        let times = match kind {
            "PENDING" => String::new(),
            "RUNNING" => format!(r#","start_time":"{began}""#),
            _ => format!(r#","start_time":"{began}","end_time":"{now}""#),
        };
        format!(
            r#"{{"intended":{{"from":{intended},"to":"{kind}"}},"initial_state":{initial},"validated_state":{{"type":"{kind}","name":"{state}","message":"","state_details":{{}},"data":null}},"task_run":{{"name":"{name}","task_key":"extract-5f4684fe","dynamic_key":"{key}","empirical_policy":{{"max_retries":0,"retry_delay_seconds":0.0,"retries":0,"retry_delay":0}},"tags":[],"labels":{{}},"task_inputs":{{"name":[]}},"run_count":{count},"flow_run_run_count":{count},"expected_start_time":"{began}"{times},"total_run_time":0.0}}}}"#
        )
    }
}
