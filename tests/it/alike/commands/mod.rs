//! The commands of `prefect`, each run under both servers: the same exit code, and the same tables.
//!
//! `commands.txt` lists them. `any` before a command: its lines in any order. `keep NAME REGEX`: what
//! the regex's group finds in the last output stands for `{NAME}` from there on.

mod side;

use std::collections::BTreeMap;

use super::real_server;
use crate::support::{Options, TestDaemon};
use side::{Said, Side};

const SCRIPT: &str = include_str!("commands.txt");

/// Where the two differ on purpose: the command, and why.
const DELIBERATE: &[(&str, &str)] = &[
    (
        "work-pool create --type nothing",
        "one type of pool more: docker-swarm",
    ),
    (
        "work-pool get-default-base-job-template --type nothing",
        "likewise",
    ),
    (
        "work-queue read-runs default",
        "there, runs are looked for by the queue's name alone, and none is found where another pool \
         has a queue of that name",
    ),
    (
        "artifact ls --all",
        "the client fails at the artifacts without a key that results have there",
    ),
];

/// A line of the script.
enum Step {
    Run { words: Vec<String>, any_order: bool },
    Keep { name: String, regex: String },
}

/// The script, comments left out.
fn steps() -> Vec<Step> {
    let lines = SCRIPT.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(step).collect()
}

fn step(line: &str) -> Step {
    if let Some(kept) = line.strip_prefix("keep ") {
        let (name, regex) = kept.split_once(' ').expect("a name and a regex");
        return Step::Keep {
            name: name.to_owned(),
            regex: regex.to_owned(),
        };
    }
    let (any_order, command) = match line.strip_prefix("any ") {
        Some(command) => (true, command),
        None => (false, line),
    };
    Step::Run {
        words: words(command),
        any_order,
    }
}

/// Words between spaces; what stands between single quotes is one.
fn words(command: &str) -> Vec<String> {
    let parts = command.split('\'').enumerate();
    let words = parts.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

/// What each command said on one side.
fn said(side: &Side) -> Vec<(Said, bool)> {
    let mut kept = BTreeMap::new();
    let mut all: Vec<(Said, bool)> = Vec::new();
    for step in steps() {
        match step {
            Step::Run { words, any_order } => all.push((side.run(&words, &kept), any_order)),
            Step::Keep { name, regex } => {
                let (last, _) = all.last().expect("a command before it");
                kept.insert(name, last.found(&regex));
            }
        }
    }
    all
}

#[test]
fn commands_of_today_say_the_same_under_the_real_server() {
    let mut real = real_server(&[
        // Whether its loops have been by is a matter of time.
        ("PREFECT_SERVER_SERVICES_FOREMAN_ENABLED", "false"),
        ("PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED", "false"),
        ("PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED", "false"),
    ]);
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-services", "--no-docker-bridge"],
        ..Options::default()
    });
    let [ours, theirs] = [Side::new(daemon.url()), Side::new(real.url())];
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| said(&ours));
        real.await_ready();
        let theirs = said(&theirs);
        (ours.join().unwrap(), theirs)
    });
    let mut found = Vec::new();
    let mut met = Vec::new();
    for ((our, any_order), (their, _)) in ours.iter().zip(&theirs) {
        let differences = our.differences(their, *any_order);
        let known = DELIBERATE
            .iter()
            .find(|(name, _)| our.name.starts_with(name));
        match known {
            Some((name, _)) if !differences.is_empty() => met.push(*name),
            _ => found.extend(differences),
        }
    }
    assert!(
        found.is_empty(),
        "{} differences in {} commands:\n{}",
        found.len(),
        ours.len(),
        found.join("\n")
    );
    let unmet: Vec<_> = { DELIBERATE.iter() }
        .filter(|(name, _)| !met.contains(name))
        .collect();
    assert!(unmet.is_empty(), "not met: {unmet:?}");
}
