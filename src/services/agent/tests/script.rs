//! An engine that does what the test says, and notes who treats it wrongly.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::watch;

use crate::app::App;
use crate::domain::ids::FlowRunId;
use crate::domain::log::OutputSeen;
use crate::domain::rules::{Client, Generation, Policy};
use crate::domain::state::{ProposedState, StateType};
use crate::runners::{
    Exit, Found, Job, Made, OutputLine, Progress, Runner, RunnerError, RunnerFuture, Status,
};

/// What goes wrong with a call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is not done.
    Undone(RunnerError),
    /// It is done, and the answer is lost.
    Done(RunnerError),
    /// It is not done, and all that was made is gone.
    Gone(RunnerError),
    /// The runner has a bug.
    Panic,
}

/// The engine.
pub struct Script {
    app: App,
    faults: Mutex<HashMap<&'static str, VecDeque<Fault>>>,
    pub made: Arc<Mutex<HashMap<String, (FlowRunId, Status)>>>,
    /// Calls that a runner's contract forbids.
    pub wrong: Mutex<Vec<String>>,
    /// How often a flow was executed.
    pub executions: Mutex<u32>,
    /// How often something was to stop, and with which grace.
    pub stops: Mutex<Vec<Duration>>,
    /// Whether what is printed never ends.
    is_endless: bool,
    /// Nothing is made before this is true.
    pub may_create: watch::Sender<bool>,
    /// Flows end once this is true.
    pub may_end: watch::Sender<bool>,
}

impl Script {
    pub fn new(app: App) -> Self {
        Self {
            app,
            faults: Mutex::default(),
            made: Arc::default(),
            wrong: Mutex::default(),
            executions: Mutex::default(),
            stops: Mutex::default(),
            is_endless: false,
            may_create: watch::Sender::new(true),
            may_end: watch::Sender::new(true),
        }
    }

    pub fn fails(self, call: &'static str, fault: Fault) -> Self {
        self.faults
            .lock()
            .unwrap()
            .entry(call)
            .or_default()
            .push_back(fault);
        self
    }

    pub fn prints_for_ever(mut self) -> Self {
        self.is_endless = true;
        self
    }

    /// Carries a call out, or not.
    fn call<T>(
        &self,
        name: &'static str,
        work: impl FnOnce() -> Result<T, RunnerError>,
    ) -> Result<T, RunnerError> {
        let fault = self
            .faults
            .lock()
            .unwrap()
            .get_mut(name)
            .and_then(VecDeque::pop_front);
        match fault {
            Some(Fault::Panic) => panic!("{name} has a bug"),
            Some(Fault::Undone(error)) => Err(error),
            Some(Fault::Done(error)) => work().and(Err(error)),
            Some(Fault::Gone(error)) => {
                self.made.lock().unwrap().clear();
                Err(error)
            }
            None => work(),
        }
    }

    fn status(&self, made: &Made) -> Option<Status> {
        let all = self.made.lock().unwrap();
        all.get(&made.id).map(|(_, status)| status.clone())
    }

    fn stands(&self, id: &str, now: Status) {
        if let Some((_, status)) = self.made.lock().unwrap().get_mut(id) {
            *status = now;
        }
    }

    fn object(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    /// What a flow does in its process.
    fn execute(&self, made: &Made) {
        let Some((run, _)) = self.made.lock().unwrap().get(&made.id).cloned() else {
            return self.object(format!("start of {}, which is not there", made.id));
        };
        let (app, mut may_end) = (self.app.clone(), self.may_end.subscribe());
        let (all, id) = (Arc::clone(&self.made), made.id.clone());
        *self.executions.lock().unwrap() += 1;
        self.stands(&made.id, Status::Running);
        tokio::spawn(async move {
            for kind in [StateType::Running, StateType::Completed] {
                let proposed = ProposedState::new(kind);
                let entered = app
                    .propose_flow_run_state(
                        run,
                        proposed,
                        Policy::Normal(Generation::Orion),
                        Client::OF_2_0A7,
                    )
                    .await;
                entered.unwrap();
                may_end.wait_for(|may| *may).await.unwrap();
            }
            // A flow that has told its end has ended.
            if let Some((_, status)) = all.lock().unwrap().get_mut(&id) {
                *status = Status::Ended;
            }
        });
    }

    fn has_ended(&self, made: &Made) -> bool {
        self.status(made) == Some(Status::Ended)
    }
}

impl Runner for Script {
    fn create<'a>(&'a self, job: &'a Job, _progress: &'a Progress) -> RunnerFuture<'a, Made> {
        let mut may_create = self.may_create.subscribe();
        async move {
            may_create.wait_for(|may| *may).await.unwrap();
            self.call("create", || {
                let mut all = self.made.lock().unwrap();
                let id = format!("{}-{}", job.name, all.len());
                all.insert(id.clone(), (job.flow_run_id, Status::Created));
                let name = id.clone();
                Ok(Made { id, name })
            })
        }
        .boxed()
    }

    fn start<'a>(&'a self, made: &'a Made, _job: &'a Job) -> RunnerFuture<'a, ()> {
        if self.status(made) != Some(Status::Created) {
            self.object(format!("second start of {}", made.id));
        }
        let started = self.call("start", || {
            self.execute(made);
            Ok(())
        });
        std::future::ready(started).boxed()
    }

    fn wait<'a>(&'a self, made: &'a Made) -> BoxFuture<'a, Exit> {
        if self.status(made) == Some(Status::Created) {
            self.object(format!("wait for {}, which was not started", made.id));
        }
        async move {
            self.call("wait", || Ok(())).unwrap();
            while self.status(made).is_some() && !self.has_ended(made) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // What was killed does not end as it would have.
            let was_stopped = !self.stops.lock().unwrap().is_empty();
            let code = if was_stopped { 137 } else { 0 };
            let code = self.status(made).map(|_| code);
            Exit {
                code,
                ..Exit::default()
            }
        }
        .boxed()
    }

    fn output(&self, _made: &Made, seen: OutputSeen) -> BoxStream<'static, OutputLine> {
        let line = |number: i64| OutputLine {
            timestamp: crate::domain::time::Timestamp::from_micros(number),
            stream: None,
            text: format!("line {number}"),
        };
        if self.call("output", || Ok(())).is_err() {
            return stream::empty().boxed();
        }
        let skipped = usize::try_from(seen.lines).unwrap();
        let lines = stream::iter((0..3).map(line)).skip(skipped);
        if self.is_endless {
            lines.chain(stream::pending()).boxed()
        } else {
            lines.boxed()
        }
    }

    fn stop<'a>(&'a self, made: &'a Made, grace: Duration) -> RunnerFuture<'a, ()> {
        self.stops.lock().unwrap().push(grace);
        let stopped = self.call("stop", || {
            self.stands(&made.id, Status::Ended);
            Ok(())
        });
        std::future::ready(stopped).boxed()
    }

    fn remove<'a>(&'a self, made: &'a Made) -> RunnerFuture<'a, ()> {
        let removed = self.call("remove", || {
            self.made.lock().unwrap().remove(&made.id);
            Ok(())
        });
        std::future::ready(removed).boxed()
    }

    fn find(&self) -> RunnerFuture<'_, Vec<Found>> {
        let found = self.call("find", || {
            let all = self.made.lock().unwrap();
            let found = all.iter().map(|(id, (flow_run_id, status))| Found {
                flow_run_id: *flow_run_id,
                made: Made {
                    id: id.clone(),
                    name: id.clone(),
                },
                status: status.clone(),
                created: None,
                removes_itself: false,
            });
            Ok(found.collect())
        });
        std::future::ready(found).boxed()
    }

    fn check(&self) -> RunnerFuture<'_, ()> {
        std::future::ready(self.call("check", || Ok(()))).boxed()
    }
}
