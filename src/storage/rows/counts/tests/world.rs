//! Runs to which anything happens.

use proptest::prelude::*;
use rusqlite::Connection;
use uuid::Uuid;

use super::made::{new_flow_run, spec, told};
use crate::domain::flow_run::{FlowRun, NewFlowRun};
use crate::domain::ids::{DeploymentId, FlowId, FlowRunId, TaskRunId, WorkQueueId};
use crate::domain::run::RunStatistics;
use crate::domain::state::{ProposedState, State, StateType};
use crate::domain::task_run::{NewTaskRun, TaskRun};
use crate::domain::time::{Span, Timestamp};
use crate::storage::{StateOf, connection, flow_runs, migrate, rows, states, task_runs};

pub(super) const SECOND: i64 = 1_000_000;
pub(super) const HOUR: i64 = 3600 * SECOND;

/// Something that happens; numbers name one of those that there are.
#[derive(Clone, Debug)]
pub(super) enum Step {
    FlowRun {
        flow: usize,
        deployed: bool,
        queued: bool,
        parent: Option<usize>,
        at: At,
    },
    TaskRun {
        within: Option<usize>,
        at: At,
    },
    FlowRunEnters(usize, At),
    TaskRunEnters(usize, At),
    Told(usize, At),
    FlowRunGoes(usize),
    TaskRunGoes(usize),
    LeavesDeployment(usize),
    LosesSubFlow(usize),
    /// What is removed loses its states before it goes itself.
    LosesStates(usize),
}

/// A state, and the times that a run has in it.
#[derive(Clone, Debug)]
pub(super) struct At {
    kind: StateType,
    name: &'static str,
    expected: i64,
    started: Option<i64>,
    run_time: i64,
}

/// Near where seconds and hours begin and end, before 1970, too.
pub(super) fn moment() -> impl Strategy<Value = i64> {
    (-2_i64..3, 0_i64..3, -2_i64..3, -1_i64..2).prop_map(|(hour, part, second, apart)| {
        hour * HOUR + part * 1000 * SECOND + second * SECOND + apart
    })
}

fn at() -> impl Strategy<Value = At> {
    let kind = prop::sample::select(&StateType::ALL[..]);
    let name = prop::sample::select(&["a", "b"][..]);
    (
        kind,
        name,
        moment(),
        prop::option::weighted(0.8, moment()),
        -2_i64..5,
    )
        .prop_map(|(kind, name, expected, started, run_time)| At {
            kind,
            name,
            expected,
            started,
            run_time,
        })
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let one = 0_usize..64;
    prop_oneof![
        4 => (0_usize..2, any::<bool>(), any::<bool>(), prop::option::weighted(0.4, one.clone()), at())
            .prop_map(|(flow, deployed, queued, parent, at)| Step::FlowRun { flow, deployed, queued, parent, at }),
        4 => (prop::option::weighted(0.7, one.clone()), at())
            .prop_map(|(within, at)| Step::TaskRun { within, at }),
        3 => (one.clone(), at()).prop_map(|(nth, at)| Step::FlowRunEnters(nth, at)),
        2 => (one.clone(), at()).prop_map(|(nth, at)| Step::TaskRunEnters(nth, at)),
        2 => (one.clone(), at()).prop_map(|(nth, at)| Step::Told(nth, at)),
        1 => one.clone().prop_map(Step::FlowRunGoes),
        1 => one.clone().prop_map(Step::TaskRunGoes),
        1 => one.clone().prop_map(Step::LeavesDeployment),
        1 => one.clone().prop_map(Step::LosesSubFlow),
        1 => one.prop_map(Step::LosesStates),
    ]
}

/// A store with two flows, a deployment, a pool and its queue.
pub(super) struct World {
    pub db: Connection,
    pub flows: [FlowId; 2],
    pub deployment: DeploymentId,
    pub queue: WorkQueueId,
}

impl World {
    pub(super) fn new() -> Self {
        let mut db = Connection::open_in_memory().unwrap();
        let _ = connection::check_library();
        db.pragma_update(None, "foreign_keys", true).unwrap();
        migrate::run(&mut db).unwrap();
        let world = Self {
            db,
            flows: [FlowId::new(), FlowId::new()],
            deployment: DeploymentId::new(),
            queue: WorkQueueId::new(),
        };
        let db = &world.db;
        for (nth, id) in world.flows.iter().enumerate() {
            let sql = "INSERT INTO flows (id, created, updated, name) VALUES (?, 0, 0, ?)";
            db.execute(sql, (id, format!("flow {nth}"))).unwrap();
        }
        let sql = "INSERT INTO deployments (id, created, updated, name, flow_id, flow_data) \
                   VALUES (?, 0, 0, 'd', ?, '')";
        db.execute(sql, (world.deployment, world.flows[0])).unwrap();
        let pool = Uuid::now_v7().as_bytes().to_vec();
        let sql = "INSERT INTO work_pools (id, created, updated, name, type, default_queue_id) \
                   VALUES (?, 0, 0, 'p', 'docker', ?)";
        db.execute(sql, (&pool, world.queue)).unwrap();
        let sql = "INSERT INTO work_queues (id, created, updated, work_pool_id, name, priority) \
                   VALUES (?, 0, 0, ?, 'q', 1)";
        db.execute(sql, (world.queue, &pool)).unwrap();
        world
    }

    fn nth<T: rusqlite::types::FromSql>(&self, table: &str, nth: usize) -> Option<T> {
        let sql = format!("SELECT id FROM {table} ORDER BY id");
        let mut all = self.db.prepare(&sql).unwrap();
        let ids: Vec<T> = all
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let place = nth % ids.len().max(1);
        ids.into_iter().nth(place)
    }

    fn flow_run(&self, nth: usize) -> Option<FlowRun> {
        let id: FlowRunId = self.nth("flow_runs", nth)?;
        rows::by_id(&self.db, id).unwrap()
    }

    fn task_run(&self, nth: usize) -> Option<TaskRun> {
        let id: TaskRunId = self.nth("task_runs", nth)?;
        rows::by_id(&self.db, id).unwrap()
    }

    /// Ends the removal of what has lost its states.
    pub(super) fn remove_what_has_no_state(&self) {
        for of in ["task_run", "flow_run"] {
            let sql =
                format!("DELETE FROM {of}s WHERE state_id NOT IN (SELECT id FROM {of}_states)");
            self.db.execute(&sql, []).unwrap();
        }
    }

    fn begin_flow_run(&self, new: NewFlowRun, at: &At) {
        let (mut run, _) = FlowRun::create(new, Timestamp::from_micros(0));
        let (state, statistics) = at.state();
        // A run that is new has not run.
        run.statistics = RunStatistics {
            total_run_time: Span::default(),
            ..statistics
        };
        flow_runs::insert(&self.db, &run, &state).unwrap();
        states::insert(&self.db, StateOf::FlowRun(run.id), &state).unwrap();
    }

    fn begin_task_run(&self, within: Option<FlowRunId>, at: &At) {
        let new = NewTaskRun {
            id: None,
            spec: spec(within),
            state: None,
        };
        let (mut run, _) = TaskRun::create(new, Timestamp::from_micros(0));
        let (state, statistics) = at.state();
        run.statistics = statistics;
        task_runs::insert(&self.db, &run, &state).unwrap();
        states::insert(&self.db, StateOf::TaskRun(run.id), &state).unwrap();
    }

    pub(super) fn follow(&self, step: Step) -> Option<()> {
        let db = &self.db;
        match step {
            Step::FlowRun {
                flow,
                deployed,
                queued,
                parent,
                at,
            } => {
                let parent = parent.and_then(|nth| self.nth("task_runs", nth));
                let deployment = deployed.then_some(self.deployment);
                let queue = queued.then_some(self.queue);
                let new = new_flow_run(self.flows[flow], deployment, queue, parent);
                self.begin_flow_run(new, &at);
            }
            Step::TaskRun { within, at } => {
                self.begin_task_run(within.and_then(|nth| self.nth("flow_runs", nth)), &at);
            }
            Step::FlowRunEnters(nth, at) => {
                let run = self.flow_run(nth)?;
                let (state, statistics) = at.state_of(&run.statistics);
                states::insert(db, StateOf::FlowRun(run.id), &state).unwrap();
                flow_runs::enter_state(db, &run, &state, &statistics).unwrap();
            }
            Step::TaskRunEnters(nth, at) => {
                let run = self.task_run(nth)?;
                let (state, statistics) = at.state_of(&run.statistics);
                states::insert(db, StateOf::TaskRun(run.id), &state).unwrap();
                task_runs::enter_state(db, &run, &state, &statistics).unwrap();
            }
            Step::Told(nth, at) => {
                let run = self.task_run(nth)?;
                let told = told(run, &at);
                let known = task_runs::known(db, &told).unwrap().unwrap();
                states::insert(db, StateOf::TaskRun(known.id), &told.state).unwrap();
                task_runs::record(db, known, &told, Timestamp::from_micros(0)).unwrap();
            }
            Step::FlowRunGoes(nth) => _ = rows::delete(db, self.flow_run(nth)?.id).unwrap(),
            Step::TaskRunGoes(nth) => _ = rows::delete(db, self.task_run(nth)?.id).unwrap(),
            Step::LeavesDeployment(nth) => {
                let sql = "UPDATE flow_runs SET deployment_id = NULL WHERE id = ?";
                db.execute(sql, [self.flow_run(nth)?.id]).unwrap();
            }
            Step::LosesStates(nth) => {
                let (run, task) = (self.flow_run(nth)?, self.task_run(nth)?);
                let sql = "DELETE FROM flow_run_states WHERE run_id = ?";
                db.execute(sql, [run.id]).unwrap();
                let sql = "DELETE FROM task_run_states WHERE run_id = ?";
                db.execute(sql, [task.id]).unwrap();
            }
            Step::LosesSubFlow(nth) => {
                let sql = "UPDATE flow_runs SET parent_task_run_id = NULL WHERE id = ?";
                db.execute(sql, [self.flow_run(nth)?.id]).unwrap();
            }
        }
        Some(())
    }
}

impl At {
    pub(super) fn state(&self) -> (State, RunStatistics) {
        let proposed = ProposedState {
            name: Some(self.name.to_owned()),
            ..ProposedState::new(self.kind)
        };
        let statistics = RunStatistics {
            expected_start_time: Some(Timestamp::from_micros(self.expected)),
            start_time: self.started.map(Timestamp::from_micros),
            total_run_time: Span::from_micros(self.run_time),
            ..RunStatistics::default()
        };
        (
            State::enter(proposed, Timestamp::from_micros(0)),
            statistics,
        )
    }

    /// Of a run that was expected before; that stays.
    fn state_of(&self, before: &RunStatistics) -> (State, RunStatistics) {
        let (state, statistics) = self.state();
        let expected_start_time = before.expected_start_time;
        (
            state,
            RunStatistics {
                expected_start_time,
                ..statistics
            },
        )
    }
}
