//! The server's settings in the shape of the 2.0a7 server's own.

use axum::extract::State;
use serde_json::{Value, json};

use super::super::{About, Ctx};
use super::{Answer, ok};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::app::{LATE_AFTER, TIME_AHEAD};
use crate::domain::access::Need;
use crate::domain::filter::MAX_PAGE;
use crate::domain::schedule::Ahead;

/// What there is to request.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/admin/settings", "Tells the settings of the server")
            .tells("object")
            .needs(Need::Inspect, read),
    ]
}

/// What holds here, where that server has a setting for it; its own defaults elsewhere.
pub async fn read(State(ctx): State<Ctx>, who: Requester) -> Answer {
    let home = ctx.about.state_dir();
    ok(
        &who,
        json!({
            "home": home,
            "debug_mode": false,
            "test_mode": false,
            "logging": {
                "default_level": "INFO",
                "settings_path": home.join("logging.yml"),
                "orion": {
                    "enabled": true,
                    "batch_interval": 2.0,
                    "batch_size": 4_000_000,
                    "max_log_size": 1_000_000,
                },
            },
            "orion": {
                "database": { "connection_url": "**********", "echo": false, "timeout": 1.0 },
                "data": { "name": "default", "scheme": "file", "base_path": home.join("blobs") },
                "api": api(&ctx.about),
                "services": {
                    "run_in_app": true,
                    "scheduler_loop_seconds": 20.0,
                    "scheduler_deployment_batch_size": 100,
                    "scheduler_max_runs": Ahead::ORION.most,
                    "scheduler_max_scheduled_time": TIME_AHEAD.as_secs_f64(),
                    "scheduler_insert_batch_size": 500,
                    "late_runs_loop_seconds": 5.0,
                    "mark_late_after": LATE_AFTER.as_secs_f64(),
                },
                "ui": { "enabled": false },
            },
            "agent": { "query_interval": 5.0, "prefetch_seconds": 10 },
            "orion_host": null,
        }),
    )
    .await
}

/// Where the API listens first.
fn api(about: &About) -> Value {
    let listeners = about.listeners();
    let first = listeners.first().map(String::as_str).unwrap_or_default();
    let place = first.trim_start_matches("http://");
    let (host, port) = place.rsplit_once(':').unwrap_or(("127.0.0.1", ""));
    let port: Option<u16> = port.parse().ok();
    json!({ "default_limit": MAX_PAGE, "host": host, "port": port })
}
