//! Runs as processes of this machine.
//!
//! A process writes its output to a file and leads a group of its own, so it survives the
//! daemon. A file beside its output says which process it is, and its environment names its run
//! and this daemon; that is how it, and what it started, is found again.

mod follow;
mod kin;
mod leader;

use std::collections::{HashMap, HashSet};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::spec::{Folder, Process};
use super::{
    Exit, Found, Job, JobKind, Made, OutputLine, Progress, Runner, RunnerError, RunnerFuture,
    Status,
};
use crate::clock::SharedClock;
use crate::domain::ids::FlowRunId;
use crate::domain::log::OutputSeen;
use crate::domain::proxies;

use follow::follow;
use kin::{INSTANCE_VARIABLE, RUN_VARIABLE};
pub(super) use kin::{marks_of, processes};
use leader::{Leader, exit};

/// Whoever may write to the folder of the output files cannot have others written by a link.
const NO_LINKS: i32 = OFlag::O_NOFOLLOW.bits();

/// What is told to the daemon or the agent alone: by systemd, and the key to the API, with which
/// a run could do everything.
const NOT_FOR_RUNS: &[&str] = &[
    "CREDENTIALS_DIRECTORY",
    "JOURNAL_STREAM",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "PREFECT_API_KEY",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// How long what was asked to end is waited for before looking for more of it: what is about to
/// end may start others.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long what was killed may take to end.
const DYING: Duration = Duration::from_secs(10);

/// Makes processes.
#[derive(Clone)]
pub struct SubprocessRunner {
    folder: PathBuf,
    instance: String,
    clock: SharedClock,
    children: Arc<Mutex<HashMap<String, Child>>>,
    /// By run, until it is removed: it need not be looked for among all processes, which takes
    /// longer the more there are.
    leaders: Arc<Mutex<HashMap<String, Leader>>>,
}

impl SubprocessRunner {
    /// Output files go to `folder`, which is created when it is not there.
    pub fn new(folder: &Path, instance: &str, clock: SharedClock) -> Result<Self, RunnerError> {
        fs::create_dir_all(folder).map_err(|error| {
            RunnerError::Refused(format!("creating {}: {error}", folder.display()))
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            instance: instance.to_owned(),
            clock,
            children: Arc::default(),
            leaders: Arc::default(),
        })
    }

    fn output_file(&self, made: &Made) -> PathBuf {
        self.folder.join(format!("{}.log", made.id))
    }

    /// The folder of its own that a run's process may have.
    fn own_folder(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.folder"))
    }

    /// The folder that a process is started in; absent: ours.
    fn started_in(&self, made: &Made, folder: &Folder) -> std::io::Result<Option<PathBuf>> {
        match folder {
            Folder::Inherited => Ok(None),
            Folder::Given(folder) => Ok(Some(folder.clone())),
            Folder::Fresh => {
                let own = self.own_folder(&made.id);
                let _ = fs::remove_dir_all(&own);
                fs::DirBuilder::new().mode(0o700).create(&own)?;
                Ok(Some(own))
            }
        }
    }

    /// Where it is noted which process leads a run.
    fn leader_file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.leader"))
    }

    fn children(&self) -> MutexGuard<'_, HashMap<String, Child>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leaders(&self) -> MutexGuard<'_, HashMap<String, Leader>> {
        self.leaders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, made: &Made, job: &Job) -> Result<Child, RunnerError> {
        let JobKind::Process(process) = &job.kind else {
            return Err(RunnerError::Refused("not a process".to_owned()));
        };
        let program = process
            .command
            .first()
            .map(String::as_str)
            .unwrap_or_default();
        let told = |error: std::io::Error| {
            RunnerError::Refused(format!(
                "The command {program:?} cannot be started: {error}."
            ))
        };
        let out = OpenOptions::new()
            .create(true)
            .append(true)
            .custom_flags(NO_LINKS)
            .open(self.output_file(made))
            .map_err(told)?;
        let err = out.try_clone().map_err(told)?;
        let mut command = self.command(program, process);
        if let Some(folder) = self.started_in(made, &process.folder).map_err(told)? {
            command.current_dir(folder);
        }
        command
            .env(RUN_VARIABLE, made.id.as_str())
            .env(INSTANCE_VARIABLE, self.instance.as_str())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err);
        command.spawn().map_err(told)
    }

    fn command(&self, program: &str, process: &Process) -> Command {
        let mut command = std::process::Command::new(program);
        command.args(process.command.iter().skip(1));
        for name in NOT_FOR_RUNS {
            command.env_remove(name);
        }
        for name in &process.unset {
            command.env_remove(name);
        }
        if let Some(first) = &process.path_first {
            let path = std::env::var("PATH").unwrap_or_default();
            command.env("PATH", format!("{first}:{path}"));
        }
        command.envs(&process.env);
        let inherited = |name: &str| std::env::var(name).ok();
        command.envs(proxies::bypassed(&process.env, inherited, &process.direct));
        // A group of its own: a signal to the daemon's group does not reach it, and a
        // signal to its group reaches all that it started.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut command = Command::from(command);
        command.kill_on_drop(false);
        command
    }

    /// The process that leads a run. What it started is none, however long that lives.
    fn leader(&self, id: &str) -> Leader {
        if let Some(known) = self.leaders().get(id) {
            return known.clone();
        }
        let noted = kin::Process::read(&self.leader_file(id));
        // Whoever started it may have been killed before that was noted.
        let process = noted.or_else(|| kin::oldest_of_run(id, &self.instance));
        self.follow_leader(id, process.filter(kin::Process::is_alive))
    }

    /// Has the end of a process that is not our child be told.
    fn follow_leader(&self, id: &str, process: Option<kin::Process>) -> Leader {
        let leader = Leader {
            process,
            over: CancellationToken::new(),
        };
        let (process, over) = (leader.process.clone(), leader.over.clone());
        tokio::spawn(async move {
            if let Some(process) = process {
                process.ended().await;
            }
            over.cancel();
        });
        self.leaders().insert(id.to_owned(), leader.clone());
        leader
    }

    /// Notes which process leads a run.
    fn note_leader(&self, id: &str, child: &Child) {
        let process = child
            .id()
            .and_then(|pid| kin::Process::of(pid.cast_signed()));
        if let Some(process) = &process
            && let Err(error) = process.write(&self.leader_file(id))
        {
            tracing::warn!(flow_run.id = id, %error, "not noted which process leads the run");
        }
        let over = CancellationToken::new();
        self.leaders()
            .insert(id.to_owned(), Leader { process, over });
    }

    /// Ends all that a run started: asks at first, and kills once the grace period is over.
    fn end_all(&self, id: &str, grace: Duration) -> Result<(), RunnerError> {
        let begun = std::time::Instant::now();
        let mut asked = HashSet::new();
        loop {
            let leader = self.leader(id);
            let leader = leader.process.as_ref().filter(|_| leader.lives());
            let kin = kin::of_run(id, &self.instance, leader);
            if kin.is_empty() {
                return Ok(());
            }
            let is_over = begun.elapsed() >= grace;
            if begun.elapsed() >= grace + DYING {
                let pids: Vec<_> = kin.iter().map(|one| one.pid.to_string()).collect();
                let words = format!("The processes {} do not end.", pids.join(", "));
                return Err(RunnerError::Refused(words));
            }
            for one in &kin {
                if is_over {
                    one.signal(Signal::SIGKILL);
                } else if asked.insert(one.clone()) {
                    one.signal(Signal::SIGTERM);
                }
            }
            let next = if is_over { grace + DYING } else { grace };
            let left = next.saturating_sub(begun.elapsed());
            kin::wait_for_ends(&kin, LOOK_AGAIN.min(left));
        }
    }

    /// The runs that something is left of.
    fn known_runs(&self) -> HashSet<FlowRunId> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = entries.filter_map(|entry| {
            let name = entry.file_name();
            name.to_str()?.strip_suffix(".log")?.parse().ok()
        });
        let mut known: HashSet<_> = files.collect();
        known.extend(kin::marked_runs(&self.instance));
        known
    }
}

impl Runner for SubprocessRunner {
    fn create<'a>(&'a self, job: &'a Job, _progress: &'a Progress) -> RunnerFuture<'a, Made> {
        let made = Made {
            id: job.flow_run_id.to_string(),
            name: job.name.clone(),
        };
        async move {
            // Output of an earlier attempt is in the run's log already.
            let _ = fs::remove_file(self.output_file(&made));
            let _ = fs::remove_file(self.leader_file(&made.id));
            Ok(made)
        }
        .boxed()
    }

    fn start<'a>(&'a self, made: &'a Made, job: &'a Job) -> RunnerFuture<'a, ()> {
        async move {
            let child = self.spawn(made, job)?;
            self.note_leader(&made.id, &child);
            self.children().insert(made.id.clone(), child);
            Ok(())
        }
        .boxed()
    }

    fn wait<'a>(&'a self, made: &'a Made) -> BoxFuture<'a, Exit> {
        async move {
            let child = self.children().remove(&made.id);
            if let Some(mut child) = child {
                let ended = child.wait().await;
                self.leader(&made.id).over.cancel();
                return ended.map(exit).unwrap_or_default();
            }
            let leader = self.leader(&made.id);
            if let Some(process) = &leader.process {
                tokio::select! {
                    () = leader.over.cancelled() => {}
                    // Whoever waited for a child may have been dropped.
                    () = process.ended() => leader.over.cancel(),
                }
            }
            Exit {
                error: Some("Its process is gone, and nobody can tell how it ended".to_owned()),
                ..Exit::default()
            }
        }
        .boxed()
    }

    fn output(&self, made: &Made, seen: OutputSeen) -> BoxStream<'static, OutputLine> {
        let (runner, made) = (self.clone(), made.clone());
        let (send, receive) = tokio::sync::mpsc::channel(256);
        tokio::spawn(async move { follow(&runner, &made, &send).await });
        stream::unfold(receive, |mut receive| async {
            receive.recv().await.map(|line| (line, receive))
        })
        // A line's time is the one at which it was read, so only its number tells it again.
        .skip(usize::try_from(seen.lines).unwrap_or(usize::MAX))
        .boxed()
    }

    fn stop<'a>(&'a self, made: &'a Made, grace: Duration) -> RunnerFuture<'a, ()> {
        let (runner, id) = (self.clone(), made.id.clone());
        async move {
            // It goes on though nobody waits for it any more: the leader ends before the others.
            let ended = tokio::task::spawn_blocking(move || runner.end_all(&id, grace));
            ended.await.unwrap_or_else(|error| {
                Err(RunnerError::Refused(format!("The stop failed: {error}.")))
            })
        }
        .boxed()
    }

    fn remove<'a>(&'a self, made: &'a Made) -> RunnerFuture<'a, ()> {
        async move {
            self.leaders().remove(&made.id);
            let _ = fs::remove_file(self.output_file(made));
            let _ = fs::remove_file(self.leader_file(&made.id));
            let _ = fs::remove_dir_all(self.own_folder(&made.id));
            Ok(())
        }
        .boxed()
    }

    fn find(&self) -> RunnerFuture<'_, Vec<Found>> {
        async move {
            let found = self.known_runs().into_iter().map(|flow_run_id| {
                let id = flow_run_id.to_string();
                let status = if self.leader(&id).lives() {
                    Status::Running
                } else {
                    // Its output may not be stored yet.
                    Status::Ended
                };
                Found {
                    flow_run_id,
                    made: Made {
                        name: id.clone(),
                        id,
                    },
                    status,
                    created: None,
                    removes_itself: true,
                }
            });
            Ok(found.collect())
        }
        .boxed()
    }

    fn check(&self) -> RunnerFuture<'_, ()> {
        std::future::ready(Ok(())).boxed()
    }
}
