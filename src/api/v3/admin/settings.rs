//! The settings of a Prefect server, as far as they say something true of this daemon. Pages
//! show them, and clients of other tools look up limits in them.

use serde_json::{Value, json};

use crate::api::About;
use crate::app::{MODERN_LATE_AFTER, TIME_AHEAD};
use crate::domain::filter::MAX_PAGE;
use crate::domain::schedule::Ahead;

/// All of it, in the reference's order and by its names. Lengths of time are seconds or, where
/// the reference writes them so, ISO 8601.
pub fn tree(about: &About) -> Value {
    json!({
        "home": about.state_dir(),
        "profiles_path": null,
        "debug_mode": false,
        "api": { "url": about.listeners().first().map(|url| format!("{url}/api")) },
        "deployments": { "clear_schedules_on_empty": false },
        "logging": { "level": "INFO", "to_api": { "enabled": true, "max_log_size": 1_000_000 } },
        "results": { "default_serializer": "pickle", "persist_by_default": false },
        "server": {
            "logging_level": "WARNING",
            "analytics_enabled": false,
            "metrics_enabled": true,
            "register_blocks_on_start": true,
            "api": api(),
            "database": database(about),
            "ephemeral": { "enabled": false },
            "logs": { "stream_out_enabled": true, "stream_publishing_enabled": true },
            "services": services(),
            "ui": { "enabled": true, "serve_base": "/" },
        },
        "ui_url": null,
    })
}

fn api() -> Value {
    json!({
        "auth_string": null,
        "default_limit": MAX_PAGE,
        "csrf_protection_enabled": false,
        "max_parameter_size": 524_288,
    })
}

fn database(about: &About) -> Value {
    let file = about.state_dir().join("prefectd.db");
    json!({
        "connection_url": format!("sqlite:///{}", file.display()),
        "migrate_on_start": true,
    })
}

fn services() -> Value {
    let seconds = |micros: i64| format!("PT{}S", micros / 1_000_000);
    json!({
        "late_runs": { "enabled": true, "after_seconds": seconds(MODERN_LATE_AFTER.micros()) },
        "scheduler": {
            "enabled": true,
            "max_runs": Ahead::V3.most,
            "min_runs": Ahead::V3.least,
            "max_scheduled_time": seconds(TIME_AHEAD.micros()),
            "min_scheduled_time": seconds(Ahead::V3.span.micros()),
        },
    })
}
