//! The real 3.9.1 server as the oracle of today's dialect: both servers are sent the same, and
//! answer the same.

mod script;

use std::collections::BTreeSet;

use super::pair::Pair;
use super::still_daemon;
use crate::modern::venv;
use crate::support::real_server::{Program, RealServer};

/// Where the answers differ on purpose: a name for the calls that show it, and why a user would
/// agree.
const DELIBERATE: &[(&str, &str)] = &[];

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

/// The real server, without the loops that change something by themselves.
fn real_server() -> RealServer {
    RealServer::begin(&Program {
        venv: venv(),
        app: &["--factory", "prefect.server.api.server:create_app"],
        env: &[
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
        for told in pair.unexplained.iter_mut().skip(before) {
            told.insert_str(0, &format!("{theme}: "));
        }
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
}
