//! The agent against an engine and a writer that fail where a test says so. Whatever fails,
//! the run ends, and its flow was executed once or not at all.

mod cancel;
mod control_plane;
mod script;
mod unforeseen;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Agent, LocalControlPlane, Runners};
use crate::app::App;
use crate::app::testing::{Ahead, app};
use crate::domain::agent::{AgentSettings, ContainerRetention, EMBEDDED, Identity, OutputLimits};
use crate::domain::container::{ContainerRules, Placement};
use crate::domain::deployment::{DeploymentChanges, Infrastructure, NewDeployment};
use crate::domain::filter::{Page, log};
use crate::domain::flow::NewFlow;
use crate::domain::flow_run::{DeploymentRunRequest, FlowRun};
use crate::domain::ids::FlowRunId;
use crate::domain::log::OUTPUT_LOGGER;
use crate::domain::rules::{Client, Generation, Policy};
use crate::domain::runner::RunnerKind;
use crate::domain::state::{ProposedState, StateType};
use crate::runners::{RunnerError, RunnerSettings};
use control_plane::FailingControlPlane;
use script::{Fault, Script};

/// How long a run may take to end.
const PATIENCE: Duration = Duration::from_secs(15);

/// A run of a deployment that is due, in a world of its own.
struct World {
    app: App,
    clock: Ahead,
    run: FlowRunId,
    _dir: TempDir,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Ahead::default();
        let app = app(dir.path(), clock.clone());
        let flow = NewFlow::named("f");
        let flow = app.create_flow(flow).await.unwrap().into_inner();
        let deployment = NewDeployment {
            changes: DeploymentChanges {
                is_schedule_active: Some(false),
                infrastructure: Some(Infrastructure {
                    kind: Some(RunnerKind::Docker),
                    config: None,
                }),
                ..DeploymentChanges::default()
            },
            ..NewDeployment::named(flow.id, "d")
        };
        let deployment = app
            .create_deployment(deployment)
            .await
            .unwrap()
            .into_inner();
        let now = DeploymentRunRequest {
            state: Some(ProposedState::new(StateType::Scheduled)),
            ..DeploymentRunRequest::default()
        };
        let run = app.create_run_of_deployment(deployment.id, now).await;
        let run = run.unwrap().into_inner().id;
        Self {
            app,
            clock,
            run,
            _dir: dir,
        }
    }

    fn agent(&self, script: &Arc<Script>, faults: &[(&'static str, u32)]) -> Arc<Agent> {
        self.agent_within(Duration::from_secs(3600), script, faults)
    }

    /// An agent whose runs may take so long.
    fn agent_within(
        &self,
        time_limit: Duration,
        script: &Arc<Script>,
        faults: &[(&'static str, u32)],
    ) -> Arc<Agent> {
        let control_plane =
            FailingControlPlane::new(LocalControlPlane::new(self.app.clone(), EMBEDDED), faults);
        let runners = Runners {
            containers: script.clone(),
            processes: script.clone(),
        };
        let api = "http://127.0.0.1:4200/api/".to_owned();
        let runner_settings = RunnerSettings {
            home: None,
            instance: "i".to_owned(),
            agent: EMBEDDED.to_owned(),
            api_url: Some(api.clone()),
            container_api_url: Some(api),
            advertised_api_url: None,
            placement: Placement::Engine,
            key: None,
            python: "python3".to_owned(),
            containers: ContainerRules::default(),
        };
        let identity = Identity {
            id: "i".to_owned(),
            host: "h".to_owned(),
        };
        let settings = AgentSettings {
            slots: 2,
            poll: Duration::from_millis(20),
            stop_grace: Duration::from_secs(1),
            time_limit: Some(time_limit),
            output: OutputLimits {
                bytes: 1_000_000,
                lines_per_sec: None,
            },
            keep: ContainerRetention {
                at_most_for: Duration::from_secs(3600),
                at_most: 10,
            },
        };
        Agent::new(
            Arc::new(control_plane),
            runners,
            runner_settings,
            identity,
            settings,
        )
    }

    async fn state(&self) -> FlowRun {
        *self.app.flow_run(self.run).await.unwrap()
    }

    /// Has the agent look again and again until the flow is executed and says that it runs.
    async fn until_started(&self, agent: &Arc<Agent>, script: &Script) {
        let start = Instant::now();
        loop {
            agent.activate().await.unwrap();
            let state = self.state().await.state.unwrap();
            if *script.executions.lock().unwrap() > 0 && state.kind == StateType::Running {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "the run does not start: {state:?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Somebody cancels the run: it is being stopped, or is over at once.
    async fn cancel(&self, kind: StateType) {
        let wanted = ProposedState::new(kind);
        let told = self
            .app
            .propose_flow_run_state(
                self.run,
                wanted,
                Policy::Forced(Generation::V3),
                Client::default(),
            )
            .await;
        assert!(told.unwrap().state.is_some());
    }

    /// Has the agent look again and again until the run has ended and nobody watches the run has ended and nobody watches it.
    async fn until_over(&self, agent: &Arc<Agent>) -> String {
        let start = Instant::now();
        loop {
            // What fails is tried again by the next look.
            let _ = agent.activate().await;
            let state = self.state().await.state.unwrap();
            if state.kind.is_terminal() && agent.watched().is_empty() {
                return state.name;
            }
            assert!(start.elapsed() < PATIENCE, "the run hangs: {state:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the run's process printed, as it was stored.
    async fn output(&self) -> Vec<String> {
        let page = Page {
            limit: 200,
            offset: 0,
        };
        let lines = self.app.logs(Vec::new(), log::OLDEST, page).await;
        let lines = lines.unwrap().into_iter().map(|log| log.line);
        lines
            .filter(|line| line.name == OUTPUT_LOGGER)
            .map(|line| line.message)
            .collect()
    }
}

fn away() -> RunnerError {
    RunnerError::Away("The engine is away.".to_owned())
}

fn unfit() -> RunnerError {
    RunnerError::MakeAnew("The engine has no such thing.".to_owned())
}

fn refused() -> RunnerError {
    RunnerError::Refused("The engine refuses.".to_owned())
}

#[tokio::test]
async fn whatever_the_engine_fails_at_the_run_ends_and_ran_once_at_most() {
    for (call, fault, ends, executions) in [
        ("create", Fault::Undone(away()), "Completed", 1),
        ("create", Fault::Done(away()), "Completed", 1),
        ("create", Fault::Undone(refused()), "Crashed", 0),
        ("start", Fault::Undone(away()), "Completed", 1),
        ("start", Fault::Done(away()), "Completed", 1),
        ("start", Fault::Undone(refused()), "Crashed", 0),
        ("create", Fault::Undone(unfit()), "Completed", 1),
        ("start", Fault::Undone(unfit()), "Completed", 1),
        ("check", Fault::Undone(away()), "Completed", 1),
    ] {
        let world = World::new().await;
        let script = Script::new(world.app.clone()).fails(call, fault.clone());
        // The engine may also be away when it is asked what there is.
        let script = Arc::new(script.fails("find", Fault::Undone(away())));
        let agent = world.agent(&script, &[]);
        let ended = world.until_over(&agent).await;
        assert_eq!(ended, ends, "{call}: {fault:?}");
        assert_eq!(
            *script.executions.lock().unwrap(),
            executions,
            "{call}: {fault:?}"
        );
        assert_eq!(*script.wrong.lock().unwrap(), [""; 0], "{call}: {fault:?}");
    }
}

#[tokio::test]
async fn what_the_engine_took_back_before_it_was_started_is_made_again() {
    let world = World::new().await;
    let script = Script::new(world.app.clone()).fails("create", Fault::Done(away()));
    let script = Arc::new(script.fails("start", Fault::Gone(refused())));
    let agent = world.agent(&script, &[]);
    assert_eq!(world.until_over(&agent).await, "Completed");
    assert_eq!(*script.executions.lock().unwrap(), 1);
    assert_eq!(*script.wrong.lock().unwrap(), [""; 0]);
}

#[tokio::test]
async fn what_was_found_and_can_no_longer_be_started_is_made_anew() {
    let world = World::new().await;
    let script = Script::new(world.app.clone()).fails("create", Fault::Done(away()));
    let script = Arc::new(script.fails("start", Fault::Undone(unfit())));
    let agent = world.agent(&script, &[]);
    assert_eq!(world.until_over(&agent).await, "Completed");
    assert_eq!(*script.executions.lock().unwrap(), 1);
    assert_eq!(*script.wrong.lock().unwrap(), [""; 0]);
}

#[tokio::test]
async fn whatever_the_writer_fails_at_is_written_in_the_end() {
    for verb in [
        "held_runs",
        "claim_due_runs",
        "record_infrastructure",
        "flow_run",
        "output_seen",
        "create_logs",
        "close_output",
    ] {
        let world = World::new().await;
        let script = Arc::new(Script::new(world.app.clone()));
        let agent = world.agent(&script, &[(verb, 2)]);
        assert_eq!(world.until_over(&agent).await, "Completed", "{verb}");
        assert_eq!(*script.executions.lock().unwrap(), 1, "{verb}");
        assert_eq!(*script.wrong.lock().unwrap(), [""; 0], "{verb}");
        assert_eq!(
            world.output().await,
            ["line 0", "line 1", "line 2"],
            "{verb}"
        );
    }
}

#[tokio::test]
async fn an_end_that_cannot_be_written_is_written_later() {
    let world = World::new().await;
    let script = Script::new(world.app.clone()).fails("create", Fault::Undone(refused()));
    let script = Arc::new(script.fails("start", Fault::Undone(refused())));
    let agent = world.agent(&script, &[("end_run", 1)]);
    assert_eq!(world.until_over(&agent).await, "Crashed");
    assert_eq!(*script.executions.lock().unwrap(), 0);
}

#[tokio::test]
async fn output_that_never_ends_does_not_keep_a_run_from_ending() {
    let world = World::new().await;
    let script = Arc::new(Script::new(world.app.clone()).prints_for_ever());
    let agent = world.agent(&script, &[]);
    assert_eq!(world.until_over(&agent).await, "Completed");
    assert_eq!(world.output().await.len(), 3);
}

#[tokio::test]
async fn a_clock_that_jumps_ends_no_run() {
    let world = World::new().await;
    let script = Arc::new(Script::new(world.app.clone()));
    script.may_end.send_replace(false);
    let agent = world.agent(&script, &[]);
    world.until_started(&agent, &script).await;
    for hours in [10, -10] {
        world.clock.0.store(hours * 3_600_000_000, Ordering::SeqCst);
        agent.activate().await.unwrap();
        assert!(world.app.abandoned_runs().await.unwrap().is_empty());
        tokio::time::sleep(Duration::from_millis(100)).await;
        let state = world.state().await.state.unwrap();
        assert!(!state.kind.is_terminal(), "{hours} hours: {state:?}");
    }
    script.may_end.send_replace(true);
    assert_eq!(world.until_over(&agent).await, "Completed");
}
