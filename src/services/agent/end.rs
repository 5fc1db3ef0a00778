//! How a run's end is told. Pure.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Timestamp;
use crate::runners::{Exit, JobKind, Made, RunnerError};

/// The name of the state of a run that its infrastructure ended.
const CRASHED: &str = "Crashed";

/// The name of the state of a run that is submitted again.
const RESUBMITTED: &str = "Resubmitted";

/// The name of the state of a run that took longer than it may.
pub(super) const TIMED_OUT: &str = "TimedOut";

/// A run that could not be submitted.
pub(super) fn not_submitted(error: &RunnerError) -> ProposedState {
    ProposedState::new(StateType::Crashed)
        .named(CRASHED)
        .because(format!("Submission failed. {error}"))
}

/// A run that was asked to stop and has stopped.
pub(super) fn cancelled() -> ProposedState {
    ProposedState::new(StateType::Cancelled).because("Cancelled; the run's process has ended.")
}

/// A run that was to end before there was a process.
pub(super) fn cancelled_before_start() -> ProposedState {
    ProposedState::new(StateType::Cancelled).because("Cancelled before the run's process began.")
}

/// A run that this program fails to look after.
pub(super) fn given_up(why: &str) -> ProposedState {
    ProposedState::new(StateType::Crashed)
        .named(CRASHED)
        .because(format!(
            "The agent failed while it looked after the run: {why}"
        ))
}

/// A run that took longer than it may.
pub(super) fn timed_out(limit: Duration) -> ProposedState {
    let secs = limit.as_secs_f64();
    ProposedState::new(StateType::Failed)
        .named(TIMED_OUT)
        .because(format!(
            "The run was not over after {secs} seconds, its time limit."
        ))
}

/// A run that is submitted again, since the node is lost that it was on.
pub(super) fn resubmitted(exit: &Exit, now: Timestamp) -> ProposedState {
    let why = exit.error.as_deref().unwrap_or("Its node is lost");
    ProposedState::scheduled(now)
        .named(RESUBMITTED)
        .because(format!("{why}. The run is submitted again."))
}

/// A run whose process has gone while nobody looked.
pub(super) fn vanished() -> ProposedState {
    ProposedState::new(StateType::Crashed)
        .named(CRASHED)
        .because("The run's process is gone, and nobody can tell how it ended.")
}

/// What the clients of runs print when they cannot connect to the API.
const NOT_CONNECTED: &[&str] = &["httpx.ConnectError", "httpx.ConnectTimeout"];

/// A run whose process ended before it began to execute the run.
pub(super) fn never_began(made: &Made, exit: &Exit, tail: &[String]) -> ProposedState {
    let says = |words: &&str| tail.iter().any(|line| line.contains(*words));
    if exit.code.is_none() || !NOT_CONNECTED.iter().any(says) {
        return crashed(made, exit, tail);
    }
    let how = format!("could not reach the API and {}", manner(exit));
    ended(how, made, exit, tail)
}

/// A run whose process ended before the run did.
pub(super) fn crashed(made: &Made, exit: &Exit, tail: &[String]) -> ProposedState {
    ended(manner(exit), made, exit, tail)
}

fn ended(how: String, made: &Made, exit: &Exit, tail: &[String]) -> ProposedState {
    let mut message = format!("{} {how}.", made.name);
    if let Some(error) = &exit.error {
        message = format!("{message} {error}.");
    }
    if !tail.is_empty() {
        message = format!("{message} Last output:\n{}", tail.join("\n"));
    }
    let mut state = ProposedState::new(StateType::Crashed)
        .named(CRASHED)
        .because(message);
    let extra = &mut state.details.extra;
    extra.insert("exit_code".to_owned(), json!(exit.code));
    extra.insert("signal".to_owned(), json!(signal(exit).map(Signal::as_str)));
    extra.insert("oom_killed".to_owned(), json!(exit.oom_killed));
    extra.insert("last_output".to_owned(), json!(tail));
    extra.insert("infrastructure".to_owned(), json!(made.id));
    state
}

/// The signal that ended it.
fn signal(exit: &Exit) -> Option<Signal> {
    let number = i32::try_from(exit.code? - 128).ok()?;
    Signal::try_from(number).ok()
}

fn manner(exit: &Exit) -> String {
    let Some(code) = exit.code else {
        return match &exit.error {
            Some(_) => "ended before the run did",
            None => "was removed before the run finished",
        }
        .to_owned();
    };
    let told = format!("exited with exit code {code}");
    match signal(exit) {
        _ if exit.oom_killed => format!("ran out of memory and {told}"),
        Some(signal) => format!("{told} ({signal})"),
        None if code == 0 => format!("{told} before the run finished"),
        None => told,
    }
}

/// What was made, for people.
pub(super) fn described(kind: &JobKind, made: &Made) -> String {
    match kind {
        JobKind::Container(container) if container.cluster.is_some() => {
            format!("service '{}' from image '{}'", made.name, container.image)
        }
        JobKind::Container(container) => {
            format!("container '{}' from image '{}'", made.name, container.image)
        }
        JobKind::Process(process) => format!("process '{}'", process.command.join(" ")),
    }
}

/// Whether nothing of it is kept once it has ended. A process leaves only its output, which
/// is in the run's log.
pub(super) fn removes_itself(kind: &JobKind) -> bool {
    match kind {
        JobKind::Container(container) => container.auto_remove,
        JobKind::Process(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Made {
        Made {
            id: "abc".to_owned(),
            name: "brave-owl".to_owned(),
        }
    }

    fn message(exit: Exit, tail: &[&str]) -> String {
        let tail: Vec<_> = tail.iter().map(|line| (*line).to_owned()).collect();
        crashed(&made(), &exit, &tail).message.unwrap()
    }

    fn exit(code: i64) -> Exit {
        Exit {
            code: Some(code),
            ..Exit::default()
        }
    }

    #[test]
    fn every_end_is_told() {
        assert_eq!(message(exit(1), &[]), "brave-owl exited with exit code 1.");
        assert_eq!(
            message(exit(137), &["a", "b"]),
            "brave-owl exited with exit code 137 (SIGKILL). Last output:\na\nb"
        );
        assert_eq!(
            message(exit(0), &[]),
            "brave-owl exited with exit code 0 before the run finished."
        );
        let oom = Exit {
            oom_killed: true,
            ..exit(137)
        };
        assert!(message(oom, &[]).contains("ran out of memory and exited with exit code 137"));
        assert!(message(Exit::default(), &[]).contains("was removed"));
    }

    #[test]
    fn programs_read_of_a_crash_what_people_do() {
        let exit = Exit {
            oom_killed: true,
            ..exit(137)
        };
        let state = crashed(&made(), &exit, &["last".to_owned()]);
        let told = serde_json::Value::Object(state.details.extra);
        let expected = json!({
            "exit_code": 137,
            "signal": "SIGKILL",
            "oom_killed": true,
            "last_output": ["last"],
            "infrastructure": "abc",
        });
        assert_eq!(told, expected);
    }

    #[test]
    fn a_process_that_did_not_reach_the_api_says_so() {
        let tail = ["httpx.ConnectTimeout".to_owned(), String::new()];
        let told = never_began(&made(), &exit(1), &tail).message.unwrap();
        assert!(told.contains("could not reach the API"), "{told}");
        let told = never_began(&made(), &exit(1), &[]).message.unwrap();
        assert_eq!(told, "brave-owl exited with exit code 1.");
    }
}
