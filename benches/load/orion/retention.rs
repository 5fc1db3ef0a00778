//! Old runs that go while a client changes states: how long does it wait, compared with a
//! server that has nothing else to do, and how fast do they go?

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::call::Call;
use crate::http::Client;
use crate::report::{Of, Report};
use crate::server::Server;

/// The least that is measured of each: deletions come in slices.
const LEAST: Duration = Duration::from_secs(20);

/// Measures on a seeded state directory, of which a quarter of the runs is left to be kept.
/// What was deleted is gone: the directory is not what it was.
pub async fn measure(
    program: &Path,
    dir: &Path,
    (at, runs): (usize, u64),
    time: Duration,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (of, time) = (Of::Prefectd(at), time.max(LEAST));
    let server = Server::prefectd(program, dir, &[]).await?;
    let idle = set_state(&server)
        .await?
        .measure(server.address, 1, time)
        .await;
    server.stop()?;

    let kept = (runs / 4).to_string();
    let env = [("PREFECTD_RETENTION__FLOW_RUNS_MAX", kept.as_str())];
    let before = file_mib(dir)?;
    let server = Server::prefectd(program, dir, &env).await?;
    let busy = set_state(&server)
        .await?
        .measure(server.address, 1, time)
        .await;
    let under_load = deleted(&server).await?;
    let begun = Instant::now();
    tokio::time::sleep(time).await;
    let alone = deleted(&server).await? - under_load;
    let secs = begun.elapsed().as_secs_f64();
    server.stop()?;

    let mut enter = |what: &str, unit, value| report.enter(of, what, unit, value);
    enter("set_state, nothing else: p99", "ms", idle.millis(0.99));
    enter("set_state while old runs go: p99", "ms", busy.millis(0.99));
    enter(
        "old runs deleted meanwhile",
        "runs/s",
        under_load / busy.took.as_secs_f64(),
    );
    enter("old runs deleted, nothing else", "runs/s", alone / secs);
    enter("database file before", "MiB", before);
    enter("database file when it was stopped", "MiB", file_mib(dir)?);
    report.note_failures(of, "set_state, nothing else", &idle);
    report.note_failures(of, "set_state while old runs go", &busy);
    Ok(())
}

/// The call that changes states.
pub async fn set_state(server: &Server) -> anyhow::Result<Call> {
    let flow = super::flow(server.address).await?;
    let calls = super::calls::prepare(server.address, &flow).await?;
    let mut named = calls.into_iter().filter(|call| call.name == "set_state");
    named.next().context("no such call")
}

/// How many runs retention has deleted.
async fn deleted(server: &Server) -> anyhow::Result<f64> {
    let mut client = Client::connect(server.address).await?;
    let name = "prefectd_retention_deleted_total{kind=\"flow_runs\"}";
    Ok(client.metric(name).await?.unwrap_or_default())
}

fn file_mib(dir: &Path) -> anyhow::Result<f64> {
    Ok(dir.join("prefectd.db").metadata()?.len() as f64 / 1024.0 / 1024.0)
}
