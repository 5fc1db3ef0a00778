//! Why a run that is followed does not begin.

use std::convert::Infallible;
use std::time::Duration;

use uuid::Uuid;

use crate::api::v3::wire::{FlowRun, Why};
use crate::cli::client::Client;
use crate::cli::render;

/// How long a run may take to begin before its reason is told, and how soon to look for another.
const AGAIN: Duration = Duration::from_secs(5);

/// Tells on standard error why a run waits, once for each reason, and never ends.
pub(super) async fn tell_why(client: &Client, run: Uuid) -> Infallible {
    let mut told = None;
    loop {
        tokio::time::sleep(AGAIN).await;
        // What cannot be read is not told; the run is followed all the same.
        let Ok(state) = client.get::<FlowRun>(&format!("/flow_runs/{run}")).await else {
            continue;
        };
        if state.start_time.is_some() || state.state_type.as_deref() != Some("SCHEDULED") {
            continue;
        }
        let path = format!("/prefectd/flow_runs/{run}/why");
        let Ok(why) = client.get::<Why>(&path).await else {
            continue;
        };
        // Its words may count the seconds.
        let holders: Vec<_> = why.holders.iter().map(|holder| holder.id).collect();
        let this = Some((why.code, holders));
        if this != told {
            eprintln!("It waits: {}", render::name(&why.reason));
            told = this;
        }
    }
}
