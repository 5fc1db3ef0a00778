//! Runs as processes of this machine.
//!
//! A process writes its output to a file and leads a session of its own, so it survives the
//! daemon. Its environment names its run and this daemon; that is how it is found again.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::output::Lines;
use super::spec::Process;
use super::{
    Answer, Exit, Found, Job, JobKind, Made, OutputLine, Progress, Runner, RunnerError, Standing,
};
use crate::clock::SharedClock;
use crate::domain::ids::FlowRunId;
use crate::domain::log::OutputSeen;
use crate::domain::time::Timestamp;

/// A process that this daemon started.
#[derive(Clone, Debug)]
struct Started {
    leader: Pid,
    /// Cancelled once it has ended.
    over: CancellationToken,
}

const RUN_VARIABLE: &str = "PREFECTD_FLOW_RUN_ID";
const INSTANCE_VARIABLE: &str = "PREFECTD_INSTANCE";

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

/// How often processes that are not our children, and output files, are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Makes processes.
#[derive(Clone)]
pub struct SubprocessRunner {
    folder: PathBuf,
    instance: String,
    clock: SharedClock,
    children: Arc<Mutex<HashMap<String, Child>>>,
    /// What was started here, until it is removed: it need not be looked for among all
    /// processes, which takes longer the more there are.
    started: Arc<Mutex<HashMap<String, Started>>>,
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
            started: Arc::default(),
        })
    }

    fn output_file(&self, made: &Made) -> PathBuf {
        self.folder.join(format!("{}.log", made.id))
    }

    fn children(&self) -> MutexGuard<'_, HashMap<String, Child>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn started(&self) -> MutexGuard<'_, HashMap<String, Started>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
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
            .open(self.output_file(made))
            .map_err(told)?;
        let err = out.try_clone().map_err(told)?;
        let mut command = self.command(program, process);
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
        // A group of its own: a signal to the daemon's group does not reach it, and a
        // signal to its group reaches all that it started.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut command = Command::from(command);
        command.kill_on_drop(false);
        command
    }

    /// The leader of the run's group, if it lives.
    fn leader(&self, id: &str) -> Option<Pid> {
        if let Some(known) = self.started().get(id) {
            return (!known.over.is_cancelled()).then_some(known.leader);
        }
        processes().find_map(|pid| {
            let marks = self.marks(pid)?;
            (marks.to_string() == id).then_some(pid)
        })
    }

    /// The run that a process leads, when it is one of ours.
    fn marks(&self, pid: Pid) -> Option<FlowRunId> {
        if nix::unistd::getpgid(Some(pid)).ok()? != pid || is_zombie(pid) {
            return None;
        }
        marks_of(pid, |mark| mark == self.instance)
    }
}

impl Runner for SubprocessRunner {
    fn create<'a>(&'a self, job: &'a Job, _progress: &'a Progress) -> Answer<'a, Made> {
        let made = Made {
            id: job.flow_run_id.to_string(),
            name: job.name.clone(),
        };
        async move {
            // Output of an earlier attempt is in the run's log already.
            let _ = fs::remove_file(self.output_file(&made));
            Ok(made)
        }
        .boxed()
    }

    fn start<'a>(&'a self, made: &'a Made, job: &'a Job) -> Answer<'a, ()> {
        async move {
            let child = self.spawn(made, job)?;
            if let Some(leader) = child.id().and_then(|id| i32::try_from(id).ok()) {
                let started = Started {
                    leader: Pid::from_raw(leader),
                    over: CancellationToken::new(),
                };
                self.started().insert(made.id.clone(), started);
            }
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
                if let Some(known) = self.started().get(&made.id) {
                    known.over.cancel();
                }
                return ended.map(exit).unwrap_or_default();
            }
            while self.leader(&made.id).is_some() {
                tokio::time::sleep(LOOK).await;
            }
            Exit::default()
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

    fn stop<'a>(&'a self, made: &'a Made, grace: Duration) -> Answer<'a, ()> {
        async move {
            let Some(leader) = self.leader(&made.id) else {
                return Ok(());
            };
            // It may end between the look and the signal.
            let _ = killpg(leader, Signal::SIGTERM);
            let deadline = tokio::time::Instant::now() + grace;
            while self.leader(&made.id).is_some() {
                if tokio::time::Instant::now() >= deadline {
                    let _ = killpg(leader, Signal::SIGKILL);
                }
                tokio::time::sleep(LOOK).await;
            }
            Ok(())
        }
        .boxed()
    }

    fn remove<'a>(&'a self, made: &'a Made) -> Answer<'a, ()> {
        async move {
            self.started().remove(&made.id);
            let _ = fs::remove_file(self.output_file(made));
            Ok(())
        }
        .boxed()
    }

    fn find(&self) -> Answer<'_, Vec<Found>> {
        async move {
            let found = processes().filter_map(|pid| {
                let flow_run_id = self.marks(pid)?;
                let id = flow_run_id.to_string();
                Some(Found {
                    flow_run_id,
                    made: Made {
                        name: id.clone(),
                        id,
                    },
                    standing: Standing::Running,
                    created: None,
                    removes_itself: true,
                })
            });
            Ok(found.collect())
        }
        .boxed()
    }

    fn check(&self) -> Answer<'_, ()> {
        std::future::ready(Ok(())).boxed()
    }
}

fn exit(status: std::process::ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().map(i64::from);
    let killed = status.signal().map(|signal| 128 + i64::from(signal));
    Exit {
        code: code.or(killed),
        ..Exit::default()
    }
}

/// The run that a process was started for, when `is_ours` holds for whoever started it: a
/// daemon's instance, with a standalone agent's name after a slash.
pub(super) fn marks_of(pid: Pid, is_ours: impl FnOnce(&str) -> bool) -> Option<FlowRunId> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let value = |name: &str| {
        environment.split(|byte| *byte == 0).find_map(|entry| {
            let entry = std::str::from_utf8(entry).ok()?;
            entry
                .strip_prefix(name)?
                .strip_prefix('=')
                .map(str::to_owned)
        })
    };
    let ours = is_ours(&value(INSTANCE_VARIABLE)?);
    value(RUN_VARIABLE).filter(|_| ours)?.parse().ok()
}

/// All processes that can be seen.
pub(super) fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw))
}

fn is_zombie(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
    matches!(state, None | Some(Some('Z' | 'X') | None))
}

/// Reads the output file as it grows, until the process has ended and all is read.
async fn follow(
    runner: &SubprocessRunner,
    made: &Made,
    send: &tokio::sync::mpsc::Sender<OutputLine>,
) {
    let path = runner.output_file(made);
    let Ok(file) = File::open(&path) else {
        return;
    };
    let mut file = tokio::fs::File::from_std(file);
    let mut lines = Lines::default();
    let mut buffer = vec![0; 16 * 1024];
    let known = runner.started().get(&made.id).cloned();
    let over = known.map(|known| known.over).unwrap_or_default();
    loop {
        let alive = !over.is_cancelled() && runner.leader(&made.id).is_some();
        while let Ok(count @ 1..) = file.read(&mut buffer).await {
            let piece = buffer.get(..count).unwrap_or_default();
            for text in lines.push(piece) {
                let timestamp = runner.clock.now();
                if send.send(read(timestamp, text)).await.is_err() {
                    return;
                }
            }
        }
        if !alive {
            break;
        }
        tokio::select! {
            () = over.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    if let Some(text) = lines.finish() {
        let timestamp = runner.clock.now();
        let _ = send.send(read(timestamp, text)).await;
    }
}

fn read(timestamp: Timestamp, text: String) -> OutputLine {
    OutputLine {
        timestamp,
        // Both streams share one file, which keeps their order.
        stream: None,
        text,
    }
}
