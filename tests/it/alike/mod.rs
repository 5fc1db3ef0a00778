//! The real 3.9.1 server as the oracle of what becomes of flows: the same programs of its client are
//! run under both servers, and end alike, with the same states, task runs, log lines and exit codes,
//! and no request that fails here succeeds there.

#![cfg(feature = "client")]

mod commands;
mod pools;
mod programs;
mod story;
mod told;

use serde_json::Value;

use crate::modern::venv;
use crate::oracle::compare::{Comparison, Ids};
use crate::support::real_server::{Program, RealServer};
use crate::support::{Options, TestDaemon};
use programs::{Said, Side};
use story::{Words, story};

/// Where the two differ on purpose: what the difference begins with, and why.
const DELIBERATE: &[(&str, &str)] = &[];

/// Flows whose process is ended by a signal: it hands in its lines every two seconds, and not those
/// that it has left.
const KILLED: &[&str] = &["told", "below"];

/// Begins the real server, with further settings.
fn real_server(more: &[(&'static str, &'static str)]) -> RealServer {
    let quiet = [
        ("PREFECT_UI_ENABLED", "false"),
        ("PREFECT_SERVER_ANALYTICS_ENABLED", "false"),
    ];
    RealServer::begin(&Program {
        venv: venv(),
        app: &["--factory", "prefect.server.api.server:create_app"],
        env: [&quiet[..], more].concat(),
        asked: "/health",
    })
}

/// What one server's side came to.
struct Outcome {
    runs: Vec<(String, Value)>,
    words: Words,
    said: Vec<Said>,
}

fn outcome(side: &Side) -> Outcome {
    let said = side.run_all();
    let (runs, words) = story(side);
    Outcome { runs, words, said }
}

/// Only at full size, since these may differ by the machine alone: which of a client's last lines are
/// handed in before a signal ends it; whether a pause that is over is ended by its own process or by the
/// server; in which order concurrent tasks begin.
#[test]
fn flows_of_today_fare_alike_under_the_real_server() {
    let mut real = real_server(&[]);
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        ..Options::default()
    });
    let [ours, theirs] = [Side::new(daemon.url()), Side::new(real.url())];
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| outcome(&ours));
        real.await_ready();
        let theirs = outcome(&theirs);
        (ours.join().unwrap(), theirs)
    });
    let mut found = differences(&ours, &theirs);
    let mut met = Vec::new();
    found.retain(|told| {
        let known = DELIBERATE.iter().find(|(at, _)| told.contains(at));
        met.extend(known.map(|(at, _)| *at));
        known.is_none()
    });
    let unmet: Vec<_> = DELIBERATE
        .iter()
        .filter(|(at, _)| !met.contains(at))
        .collect();
    assert!(
        found.is_empty(),
        "{} differences:\n{}",
        found.len(),
        found.join("\n")
    );
    assert!(unmet.is_empty(), "not met: {unmet:?}");
}

fn differences(ours: &Outcome, theirs: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    let names = |it: &Outcome| {
        it.runs
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    for name in names(ours).iter().filter(|it| !names(theirs).contains(it)) {
        found.push(format!("only ours: {name}"));
    }
    for name in names(theirs).iter().filter(|it| !names(ours).contains(it)) {
        found.push(format!("only theirs: {name}"));
    }
    let mut ids = Ids::default();
    for (name, our) in &ours.runs {
        let Some((_, their)) = theirs.runs.iter().find(|(other, _)| other == name) else {
            continue;
        };
        let (our, their) = match KILLED.iter().any(|flow| name.starts_with(flow)) {
            true => as_far_as_both_tell(our, their),
            false => (our.clone(), their.clone()),
        };
        let mut comparison = Comparison {
            ids: &mut ids,
            any_order: false,
            other_offset: false,
            shared_id: false,
        };
        let told = comparison.differences(&our, &their).into_iter();
        found.extend(told.map(|told| format!("{name}{told}")));
    }
    found.extend(told::differences(ours, theirs));
    found
}

/// Two stories of a run with as many of its last lines, and of its tasks', as both have.
fn as_far_as_both_tell(our: &Value, their: &Value) -> (Value, Value) {
    let (mut our, mut their) = (our.clone(), their.clone());
    let count = |it: &Value| it["lines"].as_array().unwrap().len();
    let both = count(&our).min(count(&their));
    assert!(both > 1, "{our}\n{their}");
    for it in [&mut our, &mut their] {
        it["lines"].as_array_mut().unwrap().truncate(both);
    }
    let tasks = [&mut our, &mut their].map(|it| it["tasks"].as_array_mut().unwrap());
    let [ours, theirs] = tasks;
    for (our, their) in ours.iter_mut().zip(theirs) {
        let both = count(our).min(count(their));
        for it in [our, their] {
            it["lines"].as_array_mut().unwrap().truncate(both);
        }
    }
    (our, their)
}
