//! Runs of pools: what they are made of once this daemon's agent takes them, and what becomes of
//! those whose worker has gone.

use std::sync::atomic::Ordering::SeqCst;

use serde_json::{Value, json};

use crate::app::App;
use crate::app::testing::{Ahead, app};
use crate::domain::JsonMap;
use crate::domain::agent::{AgentReport, EMBEDDED};
use crate::domain::deployment::{DeploymentChanges, NewDeployment, QueueNames};
use crate::domain::error::Result;
use crate::domain::flow::NewFlow;
use crate::domain::flow_run::{DeploymentRunRequest, FlowRun, FlowRunUpdate};
use crate::domain::ids::{DeploymentId, FlowRunId};
use crate::domain::patch::Patch;
use crate::domain::rules::{Client, Generation, Policy};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::variable::NewVariable;
use crate::domain::work::{NewWorkPool, WorkPoolUpdate};

fn map(value: Value) -> JsonMap {
    match value {
        Value::Object(map) => map,
        _ => unreachable!(),
    }
}

/// A deployment to a process pool `p` with such a template.
async fn deployed(app: &App, template: Value) -> DeploymentId {
    deployed_to(app, "process", template).await
}

/// The same to a pool of that type.
async fn deployed_to(app: &App, kind: &str, template: Value) -> DeploymentId {
    let pool = NewWorkPool {
        name: "p".to_owned(),
        kind: kind.to_owned().into(),
        base_job_template: map(template),
        ..NewWorkPool::for_agents()
    };
    app.create_work_pool(pool).await.unwrap();
    let flow = app.create_flow(NewFlow::named("f")).await.unwrap().get().id;
    let queue = QueueNames {
        pool: Some("p".to_owned()),
        queue: None,
    };
    let new = NewDeployment {
        changes: DeploymentChanges {
            queue: Patch::Set(queue),
            job_variables: Some(map(json!({ "command": "of deployment" }))),
            ..DeploymentChanges::default()
        },
        ..NewDeployment::named(flow, "d")
    };
    app.create_deployment(new).await.unwrap().get().id
}

async fn due(app: &App, deployment: DeploymentId, variables: Value) -> FlowRunId {
    let request = DeploymentRunRequest {
        state: Some(ProposedState::scheduled(app.now())),
        job_variables: Some(map(variables)),
        ..DeploymentRunRequest::default()
    };
    let run = app.create_run_of_deployment(deployment, request).await;
    run.unwrap().get().id
}

async fn claimed(app: &App) -> Vec<FlowRun> {
    let report = AgentReport {
        host: "here".to_owned(),
        ..AgentReport::default()
    };
    app.agent_reports(EMBEDDED, report).unwrap();
    app.claim_due_runs(EMBEDDED, true, 10).await.unwrap()
}

/// As a worker, or the process that it made, proposes a state; answers the state's name, or why
/// there is none.
async fn proposed(
    app: &App,
    id: FlowRunId,
    state: ProposedState,
    worker: &str,
) -> std::result::Result<String, String> {
    let state = ProposedState {
        worker: Some(worker.to_owned()),
        ..state
    };
    let policy = Policy::Normal(Generation::V3);
    let decision = app.propose_flow_run_state(id, state, policy, Client::default());
    let decision = decision.await.unwrap();
    let state = decision.state.map(|state| state.name);
    state.ok_or_else(|| format!("{:?}", decision.outcome))
}

#[tokio::test]
async fn a_run_is_made_of_what_is_stored_when_it_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let template = |said: &str| {
        json!({
            "job_configuration": {
                "command": "{{ command }}", "said": said, "stored": "{{ prefect.variables.v }}",
            },
            "variables": {
                "type": "object", "properties": { "command": {}, "prefect.variables.v": {} },
            },
        })
    };
    let deployment = deployed(&app, template("first")).await;
    let variable = NewVariable {
        name: "v".to_owned(),
        value: json!({ "a": 1 }),
        tags: Vec::new(),
    };
    app.create_variable(variable).await.unwrap();
    let first = due(&app, deployment, json!({})).await;
    let update = WorkPoolUpdate {
        base_job_template: Some(map(template("second"))),
        ..WorkPoolUpdate::default()
    };
    app.update_work_pool("p", update).await.unwrap();
    let second = due(&app, deployment, json!({ "command": "of run" })).await;
    let taken = claimed(&app).await;
    let ids: Vec<_> = taken.iter().map(|run| run.id).collect();
    assert_eq!(ids, [first, second]);
    for (run, command) in taken.iter().zip(["of deployment", "of run"]) {
        let config = run.infrastructure.config.as_ref().unwrap();
        assert_eq!(config["command"], command);
        assert_eq!(config["said"], "second");
        assert_eq!(config["stored"], json!({ "a": 1 }));
        assert_eq!(config["env"]["PREFECT__WORKER_NAME"], "here");
        assert_eq!(run.taker(), Some("here"));
    }
}

#[tokio::test]
async fn a_run_that_cannot_be_made_ends() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let template = json!({
        "job_configuration": { "command": "{{ prefect.blocks.secret.s }}" },
        "variables": { "type": "object", "properties": { "prefect.blocks.secret.s": {} } },
    });
    let deployment = deployed(&app, template).await;
    let id = due(&app, deployment, json!({})).await;
    assert_eq!(claimed(&app).await, []);
    let state = app.flow_run(id).await.unwrap().state.unwrap();
    assert_eq!(state.kind, StateType::Crashed);
    let told = state.message.unwrap();
    assert!(told.contains("prefect.blocks.secret.s"), "{told}");
}

/// A pool of that type with a worker `w` that took a run.
async fn taken(app: &App, kind: &str) -> Result<FlowRunId> {
    let deployment = deployed_to(app, kind, json!({})).await;
    app.worker_heartbeat("p", "w", Some(30)).await?;
    let id = due(app, deployment, json!({})).await;
    let got = proposed(app, id, ProposedState::new(StateType::Pending), "w").await;
    assert_eq!(got.unwrap(), "Pending");
    Ok(id)
}

#[tokio::test]
async fn what_a_silent_worker_did_not_begin_waits_again() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Ahead::default();
    let app = app(dir.path(), clock.clone());
    let id = taken(&app, "process").await.unwrap();
    assert_eq!(app.flow_run(id).await.unwrap().taker(), Some("w"));
    assert_eq!(claimed(&app).await, []);
    clock.0.store(89_000_000, SeqCst);
    assert_eq!(app.put_back_abandoned_runs().await.unwrap(), 0);
    clock.0.store(91_000_000, SeqCst);
    assert_eq!(app.put_back_abandoned_runs().await.unwrap(), 1);
    let state = app.flow_run(id).await.unwrap().state.unwrap();
    assert_eq!(state.kind, StateType::Scheduled);
    assert_eq!(app.put_back_abandoned_runs().await.unwrap(), 0);
    let [run] = &claimed(&app).await[..] else {
        panic!("taken by the daemon's own agent");
    };
    assert_eq!(run.taker(), Some("here"));

    // The worker lives after all, and has made a process.
    let submitting = || ProposedState::new(StateType::Pending).named("Submitting");
    let running = || ProposedState::new(StateType::Running);
    for state in [submitting(), running()] {
        let refused = proposed(&app, id, state, "w").await.unwrap_err();
        assert!(refused.contains("taken by the worker 'here'"), "{refused}");
    }
    let got = proposed(&app, id, running(), "here").await;
    assert_eq!(got.unwrap(), "Running");
    let completed = ProposedState::new(StateType::Completed);
    proposed(&app, id, completed, "here").await.unwrap();
    proposed(&app, id, running(), "w").await.unwrap_err();
}

#[tokio::test]
async fn what_a_silent_worker_made_stays_but_for_processes() {
    for (kind, is_put_back) in [("docker", false), ("kubernetes", false), ("process", true)] {
        let dir = tempfile::tempdir().unwrap();
        let clock = Ahead::default();
        let app = app(dir.path(), clock.clone());
        let id = taken(&app, kind).await.unwrap();
        let update = FlowRunUpdate {
            infrastructure_pid: Patch::Set("host:1".to_owned()),
            ..FlowRunUpdate::default()
        };
        app.update_flow_run(id, update).await.unwrap();
        clock.0.store(91_000_000, SeqCst);
        let put_back = app.put_back_abandoned_runs().await.unwrap();
        assert_eq!(put_back, u64::from(is_put_back), "{kind}");
        let pid = app.flow_run(id).await.unwrap().infrastructure_pid;
        assert_eq!(pid.is_none(), is_put_back, "{kind}");
        // Nobody else has taken it.
        let got = proposed(&app, id, ProposedState::new(StateType::Running), "w").await;
        assert_eq!(got.unwrap(), "Running", "{kind}");
    }
}
