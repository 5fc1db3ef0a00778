//! What runs use of the machine, live.

use std::collections::HashMap;
use std::io::{IsTerminal, stdout};
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Ctl, REFRESH};
use crate::api::v3::wire::Process;
use crate::cli::args::Output;
use crate::cli::failure::Result;
use crate::cli::render::{self, keep, spare};

/// How long the first look is apart from the second: only two tell how busy a run is.
const FIRST: Duration = Duration::from_millis(500);

/// Shows the runs that have processes, once or again and again.
pub async fn top(ctl: &Ctl, once: bool) -> Result<()> {
    let mut before: Vec<Process> = ctl.client.get("/prefectd/processes").await?;
    tokio::time::sleep(FIRST).await;
    loop {
        let now: Vec<Process> = ctl.client.get("/prefectd/processes").await?;
        let busy = busy(&before, &now);
        if ctl.output != Output::Table {
            let told: Vec<_> = now.iter().map(|one| told(one, &busy)).collect();
            return render::print(ctl.output, &told, |_| String::new());
        }
        let table = table(ctl, &now, &busy).await?;
        if once || !stdout().is_terminal() {
            return render::line(&table);
        }
        render::screen(&table)?;
        before = now;
        tokio::time::sleep(REFRESH).await;
    }
}

/// How many processors each run keeps busy, in percent of one.
fn busy(before: &[Process], now: &[Process]) -> HashMap<Uuid, f64> {
    let earlier: HashMap<_, _> = before.iter().map(|one| (one.id, one)).collect();
    let shares = now.iter().filter_map(|one| {
        let known = earlier.get(&one.id)?;
        let secs = one.read_at.utc() - known.read_at.utc();
        let secs = secs.as_seconds_f64();
        let spent = one.cpu_seconds? - known.cpu_seconds?;
        (secs > 0.0).then(|| (one.id, (spent / secs * 100.0).max(0.0)))
    });
    shares.collect()
}

fn told(one: &Process, busy: &HashMap<Uuid, f64>) -> Value {
    let mut told = json!(one);
    if let Value::Object(fields) = &mut told {
        fields.insert("cpu_percent".to_owned(), json!(busy.get(&one.id)));
    }
    told
}

async fn table(ctl: &Ctl, now: &[Process], busy: &HashMap<Uuid, f64>) -> Result<String> {
    let flows = ctl.flow_names(now.iter().map(|one| one.flow_id)).await?;
    let ids = ctl
        .short_ids("flow_runs", now.iter().map(|one| one.id))
        .await;
    let clock = Utc::now();
    let unknown = || "?".to_owned();
    let rows = now.iter().map(|one| {
        let age = one.start_time.map(|at| (clock - at.utc()).as_seconds_f64());
        let busy = busy.get(&one.id).map(|share| format!("{share:.0} %"));
        [
            one.name.clone(),
            flows.get(&one.flow_id).cloned().unwrap_or_default(),
            one.state_name.clone().unwrap_or_default(),
            busy.unwrap_or_else(unknown),
            one.memory_bytes.map_or_else(unknown, render::bytes),
            age.map(render::lasting).unwrap_or_default(),
            one.agent.clone().unwrap_or_default(),
            ids.get(&one.id).cloned().unwrap_or_default(),
        ]
    });
    let head = [
        keep("name"),
        spare("flow", 2),
        spare("state", 3),
        keep("cpu"),
        keep("memory"),
        spare("age", 1),
        spare("agent", 4),
        spare("id", 1),
    ];
    Ok(render::table(head, rows))
}
