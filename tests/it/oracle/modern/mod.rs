//! The real 3.9.1 server as the oracle of today's dialect: both servers are sent the same, and
//! answer the same.

mod script;
mod talks;

use std::collections::BTreeSet;

use super::pair::Pair;
use super::still_daemon;
use crate::modern::venv;
use crate::support::real_server::{Program, RealServer};

/// Where the answers differ on purpose: a name for the calls that show it, and why a user would
/// agree.
const DELIBERATE: &[(&str, &str)] = &[
    (
        "faults of its own",
        "that server fails with 500; a 4xx says what is wrong with the request",
    ),
    (
        "conflicts in the database",
        "that server says that its database refused a row; here it is said what is missing or there \
         already",
    ),
    (
        "words of what is not there",
        "the sentence of a 404 or 409 names the same thing in other words; clients go by the status",
    ),
    (
        "fields that are not known",
        "fields of a Prefect client that nobody knows are ignored and counted, so that newer \
         clients work",
    ),
    (
        "null for what is not said",
        "clients of Prefect 2 send null for what they do not say; that server refuses it, or stores \
         what it cannot read",
    ),
    (
        "ids of limits of deployments",
        "a deployment's limit and its first schedule have the deployment's id; each is found by it all \
         the same",
    ),
    (
        "labels that are null",
        "a flow has labels or none; null is told as none",
    ),
    (
        "queues of no pool",
        "a run names no queue that is not there",
    ),
    (
        "runs that have ended when they are created",
        "a run that is created in a final state was never begun, so that it has no times of that",
    ),
    (
        "queues that are created paused",
        "a queue that is paused says so, also when it was created so",
    ),
    (
        "bodies of paths that are none",
        "a request whose path names nothing is refused before its body is read",
    ),
    (
        "pages of task runs",
        "task runs of a page are told whole, as those of a list are",
    ),
    (
        "what it cannot read itself",
        "that server takes a policy and labels that it then fails on with 500 for good, also among \
         others; here they are refused",
    ),
    (
        "how sockets are refused",
        "a path that is none is 404 here as elsewhere; a token that is no text, or a worker without \
         the subprotocol, is told so",
    ),
    (
        "live events by what they are related to",
        "that server tells live events of no relation to whom asks for a relation",
    ),
    (
        "times of lines",
        "a line that is told live has the times that it has when it is read",
    ),
    (
        "task runs that nobody took",
        "a task run whose worker leaves without taking it is given to the next one",
    ),
    (
        "blocks of the package",
        "the types of blocks of a Prefect package come with the first client that uses them, in its \
         version",
    ),
    (
        "limits and names that are none",
        "a limit of fewer slots than none is refused, and a variable without a name, which could not \
         be asked for",
    ),
    (
        "parameters that are none",
        "who is no Prefect client is told of a parameter that an operation does not have, where that \
         server passes over it",
    ),
    (
        "words of templates",
        "what is wrong with a template is said by another implementation of the same language",
    ),
    (
        "the names of all zones",
        "a zone that is none is refused without the names of the six hundred that there are",
    ),
    (
        "types of states in reasons",
        "a reason says PAUSED, not StateType.PAUSED",
    ),
    (
        "the words of settings",
        "settings of workers are described in words of our own",
    ),
    (
        "slashes at the end",
        "a path with a slash too many or too few is not there; no client sends one",
    ),
];

/// What both are sent, by theme, in this order. Each file starts from what it makes itself.
const THEMES: &[&str] = &[
    "flows",
    "deployments",
    "flow_runs",
    "task_runs",
    "work_pools",
    "variables",
    "artifacts",
    "blocks",
    "limits",
    "automations",
    "events",
    "logs",
    "saved_searches",
    "transitions",
    "filters",
    "administration",
];

/// What is said on websockets, by theme.
const TALKS: &[&str] = &["handshakes", "events", "logs", "tasks", "workers"];

/// The real server, without the loops that change something by themselves.
fn real_server() -> RealServer {
    RealServer::begin(&Program {
        venv: venv(),
        app: &["--factory", "prefect.server.api.server:create_app"],
        env: vec![
            ("PREFECT_UI_ENABLED", "false"),
            ("PREFECT_SERVER_ANALYTICS_ENABLED", "false"),
            ("PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED", "false"),
            ("PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED", "false"),
            ("PREFECT_SERVER_SERVICES_FOREMAN_ENABLED", "false"),
            ("PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED", "false"),
            (
                "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED",
                "false",
            ),
            ("PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED", "false"),
            ("PREFECT_SERVER_SERVICES_REPOSSESSOR_ENABLED", "false"),
            ("PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED", "true"),
            ("PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED", "true"),
            // Automations that are asked about would fire at what they tell of themselves.
            ("PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED", "false"),
        ],
        asked: "/health",
    })
}

#[test]
fn the_real_server_of_today_answers_the_same() {
    let mut real = real_server();
    let daemon = still_daemon();
    real.await_ready();
    let mut pair = Pair::modern(&daemon.url(), &real.url());
    for theme in THEMES {
        let before = pair.unexplained.len();
        script::send(&mut pair, theme);
        name(theme, &mut pair, before);
    }
    let mut talks = 0;
    for theme in TALKS {
        let before = pair.unexplained.len();
        talks += talks::hold(&mut pair, theme);
        name(theme, &mut pair, before);
    }
    let listed: BTreeSet<_> = DELIBERATE.iter().map(|(name, _)| *name).collect();
    let met: BTreeSet<_> = pair.met.iter().map(|name| &**name).collect();
    assert!(
        pair.unexplained.is_empty(),
        "{} of {} calls differ:\n{}",
        pair.unexplained.len(),
        pair.calls,
        pair.unexplained.join("\n")
    );
    assert_eq!(met, listed, "the list is what was met, no more and no less");
    assert!(listed.len() <= 25);
    assert!(pair.calls >= 1500, "{}", pair.calls);
    assert!(talks >= 150, "{talks}");
}

/// Puts the theme before what was found from there on.
fn name(theme: &str, pair: &mut Pair, from: usize) {
    for told in pair.unexplained.iter_mut().skip(from) {
        told.insert_str(0, &format!("{theme}: "));
    }
}
