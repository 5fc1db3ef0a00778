//! The real 2.0a7 server as the oracle: both servers are sent the same, and answer the same.

#![cfg(feature = "client")]

mod answer;
pub(super) mod compare;
mod modern;
mod pair;
mod requests;

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::support::real_server::{Program, RealServer};
use crate::support::{Options, TestDaemon, flows};
use pair::Pair;

/// Where the answers differ on purpose: a name for the requests that show it, and why a user
/// would agree.
const DELIBERATE: &[(&str, &str)] = &[
    (
        "unknown run",
        "set_state and the graph of a run that is not there fail with 500 there; a 404 says so",
    ),
    (
        "unknown parent",
        "creating below a flow, run or deployment that is not there fails with 500 there; a \
         409 says what is missing",
    ),
    (
        "foreign document",
        "a document that names any path is read from the disk there; only what was persisted \
         through the API comes back here",
    ),
    (
        "one submission",
        "two agents may both take a scheduled run there, and one may take a run that was \
         cancelled; here the second, and whoever is late, is told to leave it",
    ),
    (
        "deleted with what belongs to it",
        "deleting a flow that has deployments fails with 500 there, and runs that have not begun \
         outlive their deployment although nobody ever takes them; here they go with it",
    ),
    (
        "waiting for an attempt",
        "pausing a deployment deletes the runs there that failed and wait to be tried again, with \
         their history; here only those go that have never begun",
    ),
    (
        "time without a zone",
        "a state's scheduled time without a zone fails with 500 there; here it is in UTC, as \
         everywhere else",
    ),
    (
        "time beyond the calendar",
        "an instant that is before the year 1 or after 9999 in UTC is stored there, and then no \
         client can read the run, or it fails with 500; here it is 422",
    ),
    (
        "length beyond reason",
        "a length of more than a thousand years, or none that is finite, fails with 500 there or \
         makes times that no client reads; here it is 422",
    ),
    (
        "no lines",
        "an empty list of log lines fails with 500 there; here nothing is stored",
    ),
    (
        "graph with a parameter",
        "the graph of a run with a task run that takes a parameter fails with 500 there; here it \
         is told",
    ),
    (
        "unreadable rule",
        "a recurrence rule that cannot be read fails with 500 there; here it is 422",
    ),
    (
        "not a number",
        "NaN is taken there although it is no JSON, and then fails; here it is 422",
    ),
    (
        "number beyond 64 bits",
        "a level or a count of more than 64 bits fails with 500 there; here it is 422",
    ),
    (
        "half a character",
        "half a surrogate pair fails with 500 there and costs the whole batch of lines; here it \
         is kept as U+FFFD",
    ),
    (
        "too much",
        "texts that name something, lists and the depth of values have no limit there; here more \
         than anybody means is 422, and a refusal repeats only the beginning of a large body",
    ),
    (
        "cron over a clock change",
        "a cron time that a day skips or has twice is moved or doubled there by the library; \
         here it is as in Prefect 3: once, and moved forward by the gap",
    ),
    (
        "costly schedule",
        "a rule whose dates take too long to find, or that has several rules, fails with 500 there \
         or occupies the server; here several rules are followed, and one that would need more \
         than a set number of steps is 422",
    ),
    (
        "times in UTC",
        "a state's scheduled time is repeated there in the zone in which it was given; here \
         every time is told in UTC, the same instant",
    ),
    (
        "its own settings",
        "the settings are those of the server that is asked",
    ),
];

// What no request here shows, since it is about much or about others: a question that takes more
// than ten seconds is 422 here, and an answer of very many bytes 413; a name that is not the
// machine's own is 421, and a page of another site may change nothing.
//
// What the daemon does by itself differs on purpose in three ways, which no request shows: a
// schedule is filled up to a hundred runs once fewer than fifty are to come, not at every pass; a
// run of a schedule that somebody deleted before its date is not made again; and one request makes
// at most a thousand runs of a schedule, while that server is kept busy by any number.

/// A daemon that does nothing by itself.
fn still_daemon() -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-services", "--no-docker-bridge"],
        ..Options::default()
    })
}

/// The real server, without its own loops.
fn real_server() -> RealServer {
    RealServer::start(&Program {
        venv: flows::venv(),
        app: &["prefect.orion.api.server:app"],
        env: vec![("PREFECT_ORION_SERVICES_RUN_IN_APP", "false")],
        asked: "/admin/hello",
    })
}

/// What becomes of flows with caching, retries, concurrency, sub-flows and time limits that
/// are run against the API at an address.
fn story(url: &str) -> Value {
    let output = Command::new(flows::venv().join("bin/python"))
        .arg(flows::file("alike.py"))
        .env("PREFECT_ORION_HOST", format!("{url}/api/"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let told = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(told.lines().last().unwrap()).unwrap()
}

#[test]
fn flows_fare_alike_under_the_real_server() {
    let daemon = still_daemon();
    let real = real_server();
    let ours = story(&daemon.url());
    let theirs = story(&real.url());
    let runs = ours.as_array().unwrap().iter();
    for (our, their) in runs.zip(theirs.as_array().unwrap()) {
        assert_eq!(our, their);
    }
    assert_eq!(ours, theirs);
    let names = ["Cached", "AwaitingRetry", "Retrying", "Failed", "Completed"];
    for name in names {
        assert!(ours.to_string().contains(name), "{name}: {ours}");
    }
}

#[test]
fn the_real_server_answers_the_same() {
    let daemon = still_daemon();
    let real = real_server();
    let mut pair = Pair::new(&daemon.url(), &real.url());
    requests::send_all(&mut pair);

    let listed: BTreeSet<_> = DELIBERATE.iter().map(|(name, _)| *name).collect();
    let met: BTreeSet<_> = pair.met.iter().map(|name| &**name).collect();
    assert_eq!(met, listed, "the list is what was met, no more and no less");
    assert!(listed.len() <= 20);
    assert!(pair.calls >= 400);
    assert!(
        pair.unexplained.is_empty(),
        "{} of {} calls differ:\n{}",
        pair.unexplained.len(),
        pair.calls,
        pair.unexplained.join("\n")
    );
}
