//! The daemon's own pages, as a browser asks for them.

use super::things::Things;
use crate::call::{Call, Request};
use crate::http::Speaker;

/// Each page, by its name in the table.
pub fn calls(things: &Things) -> Vec<Call> {
    let Things {
        ended,
        task,
        deployment,
        ..
    } = things;
    let pages = [
        ("dashboard", "/".to_owned()),
        ("runs", "/runs".to_owned()),
        ("failed runs", "/runs?state=failed".to_owned()),
        ("run", format!("/runs/flow-run/{ended}")),
        ("task run", format!("/runs/task-run/{task}")),
        ("flows", "/flows".to_owned()),
        ("deployments", "/deployments".to_owned()),
        (
            "deployment",
            format!("/deployments/deployment/{deployment}"),
        ),
        ("work pools", "/work-pools".to_owned()),
        ("work pool", "/work-pools/work-pool/bench-due".to_owned()),
        ("events", "/events".to_owned()),
        ("automations", "/automations".to_owned()),
        ("artifacts", "/artifacts".to_owned()),
        ("variables", "/variables".to_owned()),
        ("blocks", "/blocks".to_owned()),
        ("concurrency limits", "/concurrency-limits".to_owned()),
        ("daemon", "/daemon".to_owned()),
    ];
    let calls = pages.into_iter();
    calls
        .map(|(name, path)| {
            Call::one(format!("page: {name}"), Request::page(path)).by(Speaker::Browser)
        })
        .collect()
}
