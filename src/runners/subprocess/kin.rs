//! Which processes belong to a run.
//!
//! The one that leads it is known by its number and the moment of its start, which together no
//! other process has. What it started is known by the marks in the environment that it passed
//! on, by its group, and by descent: a session of its own hides nothing.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
use tokio::io::unix::AsyncFd;

use crate::domain::ids::FlowRunId;

/// The mark that names the run.
pub const RUN_VARIABLE: &str = "PREFECTD_FLOW_RUN_ID";
/// The mark that names whoever started it.
pub const INSTANCE_VARIABLE: &str = "PREFECTD_INSTANCE";

/// How often a process is looked at where the kernel has no handles on processes.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// One process, and no other that gets its number later.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it started, in the kernel's ticks since boot.
    started: u64,
    /// The boot that these are counted from.
    boot: String,
}

impl Process {
    /// The process that has the number now.
    pub fn of(pid: i32) -> Option<Self> {
        Some(Self {
            pid,
            started: Stat::read(pid)?.started,
            boot: boot_id(),
        })
    }

    /// Reads what [`Process::write`] wrote.
    pub fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let mut words = text.split_whitespace();
        Some(Self {
            pid: words.next()?.parse().ok()?,
            started: words.next()?.parse().ok()?,
            boot: words.next()?.to_owned(),
        })
    }

    /// Notes it for a program that is started later.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        fs::write(
            path,
            format!("{} {} {}\n", self.pid, self.started, self.boot),
        )
    }

    /// Whether it has not ended.
    pub fn is_alive(&self) -> bool {
        let stat = Stat::read(self.pid);
        stat.is_some_and(|stat| stat.lives() && stat.started == self.started)
            && self.boot == boot_id()
    }

    /// A handle on it, by which no other is meant that gets its number later. None when it has
    /// ended, or the kernel has no such handles.
    fn handle(&self) -> Option<OwnedFd> {
        let pid = rustix::process::Pid::from_raw(self.pid)?;
        let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        // What was opened may be another that had got its number.
        self.is_alive().then_some(handle)
    }

    /// Waits until it has ended.
    #[expect(
        deprecated,
        reason = "its successor is unsafe; the handle is owned and nobody else closes it"
    )]
    pub async fn ended(&self) {
        if let Some(handle) = self.handle()
            && let Ok(handle) = AsyncFd::new(handle)
        {
            // A handle becomes readable with the process's end.
            let _ = handle.readable().await;
            return;
        }
        while self.is_alive() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Sends it a signal, and to no other that got its number meanwhile.
    pub fn signal(&self, signal: Signal) {
        let number = match signal {
            Signal::SIGKILL => rustix::process::Signal::KILL,
            _ => rustix::process::Signal::TERM,
        };
        // Either fails for one that has ended, which is as well.
        match self.handle() {
            Some(handle) => drop(pidfd_send_signal(handle, number)),
            // A kernel without such handles.
            None if self.is_alive() => drop(kill(Pid::from_raw(self.pid), signal)),
            None => {}
        }
    }
}

/// What the kernel tells of a process.
struct Stat {
    state: char,
    parent: i32,
    group: i32,
    started: u64,
}

impl Stat {
    fn read(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name in brackets may hold anything, so what follows the last bracket is read.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(") ")?;
        let words: Vec<_> = rest.split_whitespace().collect();
        Some(Self {
            state: words.first()?.chars().next()?,
            parent: words.get(1)?.parse().ok()?,
            group: words.get(2)?.parse().ok()?,
            started: words.get(19)?.parse().ok()?,
        })
    }

    fn lives(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    match id.trim() {
        "" => "unknown".to_owned(),
        id => id.to_owned(),
    }
}

/// All processes of a run that `instance` started; `leader` leads it, if it is known and lives.
pub fn of_run(id: &str, instance: &str, leader: Option<&Process>) -> Vec<Process> {
    let boot = boot_id();
    let own = std::process::id().cast_signed();
    let all: HashMap<i32, Stat> = processes()
        .map(Pid::as_raw)
        .filter(|pid| *pid != own)
        .filter_map(|pid| Some((pid, Stat::read(pid).filter(Stat::lives)?)))
        .collect();
    let group = leader.map(|leader| leader.pid);
    let mut kin: HashSet<i32> = all
        .iter()
        .filter(|(pid, stat)| Some(stat.group) == group || is_marked(**pid, id, instance))
        .map(|(pid, _)| *pid)
        .collect();
    // What they started and what took the marks out of its environment.
    loop {
        let more: Vec<_> = all
            .iter()
            .filter(|(pid, stat)| !kin.contains(pid) && kin.contains(&stat.parent))
            .map(|(pid, _)| *pid)
            .collect();
        if more.is_empty() {
            break;
        }
        kin.extend(more);
    }
    let known = kin.into_iter().filter_map(|pid| {
        let started = all.get(&pid)?.started;
        Some(Process {
            pid,
            started,
            boot: boot.clone(),
        })
    });
    known.collect()
}

/// Waits until all of these have ended, but not longer than `most`.
pub fn wait_for_ends(processes: &[Process], most: Duration) {
    let begun = std::time::Instant::now();
    for process in processes {
        let Some(handle) = process.handle() else {
            if process.is_alive() {
                std::thread::sleep(POLL_INTERVAL.min(most));
            }
            continue;
        };
        let left = most.saturating_sub(begun.elapsed());
        let mut ended = [PollFd::new(&handle, PollFlags::IN)];
        // One that was interrupted, or is over time, is looked at again by the caller.
        let _ = poll(&mut ended, Timespec::try_from(left).ok().as_ref());
    }
}

/// The process that leads a run whose leader was not noted: the one of its marked processes that
/// is the oldest.
pub fn oldest_of_run(id: &str, instance: &str) -> Option<Process> {
    let marked = processes().filter(|pid| is_marked(pid.as_raw(), id, instance));
    let marked = marked.filter_map(|pid| Process::of(pid.as_raw()).filter(Process::is_alive));
    marked.min_by_key(|process| process.started)
}

/// The runs of which there are marked processes.
pub fn marked_runs(instance: &str) -> HashSet<FlowRunId> {
    processes()
        .filter_map(|pid| marks_of(pid, |mark| mark == instance))
        .collect()
}

fn is_marked(pid: i32, id: &str, instance: &str) -> bool {
    let run = marks_of(Pid::from_raw(pid), |mark| mark == instance);
    run.is_some_and(|run| run.to_string() == id)
}

/// The run that a process was started for, when `is_ours` holds for whoever started it: a
/// daemon's instance, with a standalone agent's name after a slash.
pub fn marks_of(pid: Pid, is_ours: impl FnOnce(&str) -> bool) -> Option<FlowRunId> {
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
pub fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_is_told_from_another_of_its_number() {
        let own = Process::of(std::process::id().cast_signed()).unwrap();
        assert!(own.is_alive());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("leader");
        own.write(&path).unwrap();
        assert_eq!(Process::read(&path), Some(own.clone()));
        assert!(
            !Process {
                started: own.started + 1,
                ..own.clone()
            }
            .is_alive()
        );
        assert!(
            !Process {
                boot: "another".to_owned(),
                ..own
            }
            .is_alive()
        );
        assert_eq!(Process::read(&folder.path().join("none")), None);
    }

    #[test]
    fn a_process_s_name_may_look_like_more() {
        let text = "7 (a) R 1 (b) S 5 6 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 99 0 0";
        let stat = Stat::parse(text).unwrap();
        assert_eq!(
            (stat.state, stat.parent, stat.group, stat.started),
            ('S', 5, 6, 99)
        );
        assert!(Stat::parse("").is_none() && Stat::parse("1 (x) S 1").is_none());
    }

    #[test]
    fn a_run_s_processes_are_found_in_sessions_of_their_own_and_without_marks() {
        let id = FlowRunId::new().to_string();
        let script = "setsid sleep 60 & env -i setsid sleep 60 & wait";
        let mut leader = Command::new("sh")
            .args(["-c", script])
            .env(RUN_VARIABLE, &id)
            .env(INSTANCE_VARIABLE, "kin-test")
            .spawn()
            .unwrap();
        let known = Process::of(leader.id().cast_signed()).unwrap();
        let begun = std::time::Instant::now();
        let kin = loop {
            let kin = of_run(&id, "kin-test", Some(&known));
            // The two shells that become the two sleepers may be seen on their way.
            if kin.len() == 3
                && kin
                    .iter()
                    .filter(|one| is_marked(one.pid, &id, "kin-test"))
                    .count()
                    == 2
            {
                break kin;
            }
            assert!(begun.elapsed().as_secs() < 20, "{kin:?}");
        };
        assert_eq!(oldest_of_run(&id, "kin-test"), Some(known));
        assert!(of_run(&id, "another", None).is_empty());
        for one in &kin {
            one.signal(Signal::SIGKILL);
        }
        leader.wait().unwrap();
        wait_for_ends(&kin, Duration::from_secs(20));
        assert!(!kin.iter().any(Process::is_alive), "{kin:?}");
    }

    #[tokio::test]
    async fn the_end_of_a_process_is_told() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::of(child.id().cast_signed()).unwrap();
        let soon = Duration::from_millis(50);
        let ended = tokio::time::timeout(soon, process.ended()).await;
        assert!(ended.is_err(), "it has only begun");
        wait_for_ends(std::slice::from_ref(&process), soon);
        assert!(process.is_alive());
        process.signal(Signal::SIGKILL);
        // Nobody has heard of its end yet.
        process.ended().await;
        child.wait().unwrap();
        process.ended().await;
    }
}
