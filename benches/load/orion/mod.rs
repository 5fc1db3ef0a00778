//! The 2.0a7 generation: `prefectd` and the real 2.0a7 server.

mod bodies;
mod bulk;
pub mod calls;
mod dispatch;
pub mod lifecycle;
mod retention;

use std::path::Path;

use anyhow::Context;

use crate::args::{Args, Generation, Part};
use crate::http::{Address, Client};
use crate::measuring::{Measuring, starts};
use crate::report::{Of, Report};
use crate::server::Server;
use crate::{instructions, say, seed};

/// Where stored runs belong to; seed.sql makes it, and it is made where that was not used.
const FLOW: &str = r#"{"name": "seeded-0", "tags": []}"#;

/// Measures all of it.
pub async fn measure(args: &Args, data: &Path, report: &mut Report) -> anyhow::Result<()> {
    for (at, runs) in args.runs.iter().copied().enumerate() {
        prefectd(args, (at, runs), data, report).await?;
    }
    if let Some(venv) = &args.real {
        real(args, venv, report).await?;
    }
    if args.wants(Part::Dispatch) {
        say("many runs due at once");
        for lasting in &args.lasting {
            dispatch::measure(&args.prefectd, args.due, *lasting, report).await?;
        }
    }
    Ok(())
}

async fn prefectd(
    args: &Args,
    (at, runs): (usize, u64),
    data: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    say(&format!("prefectd with {runs} stored runs"));
    let (program, of) = (&args.prefectd, Of::Prefectd(at));
    let dir = data.join(format!("{}-{runs}", Generation::Orion.folder()));
    seed::state_dir(program, &dir, runs, Generation::Orion).await?;
    if args.wants(Part::Start) {
        starts(program, &dir, &[], of, report).await?;
    }
    let server = Server::prefectd(program, &dir, &[]).await?;
    loads(args, of, &server, report).await?;
    if args.names(Part::Bulk) {
        say("many log lines come");
        let set_state = retention::set_state(&server).await?;
        bulk::measure(server.address, &set_state, of, args.time(), report).await?;
    }
    server.stop()?;
    if args.names(Part::Instructions) {
        let whose = (Generation::Orion, runs, of);
        instructions::measure(args, &dir, whose, report).await?;
    }
    if args.names(Part::Retention) {
        say("old runs go");
        retention::measure(program, &dir, (at, runs), args.time(), report).await?;
        seed::spent(&dir)?;
    }
    Ok(())
}

async fn real(args: &Args, venv: &Path, report: &mut Report) -> anyhow::Result<()> {
    say("the real 2.0a7 server");
    let of = Of::Peer(0);
    let home = tempfile::tempdir()?;
    let server = Server::real(venv, home.path()).await?;
    let first = server.ready_after.as_secs_f64();
    report.enter(of, "start, new database", "s", first);
    server.stop()?;
    let server = Server::real(venv, home.path()).await?;
    let again = server.ready_after.as_secs_f64();
    report.enter(of, "start", "s", again);
    loads(args, of, &server, report).await?;
    server.stop()
}

async fn loads(args: &Args, of: Of, server: &Server, report: &mut Report) -> anyhow::Result<()> {
    let mut measuring = Measuring {
        server,
        of,
        args,
        report,
    };
    measuring.idle().await?;
    let flow = flow(server.address).await?;
    if measuring.wants(Part::Lifecycle) {
        let flow = flow.clone();
        let live = move |client| lifecycle::live(client, flow.clone());
        measuring.lifecycles(live).await?;
    }
    if measuring.wants(Part::Calls) {
        let calls = calls::prepare(server.address, &flow).await?;
        measuring.calls(&calls).await?;
    }
    measuring.resident("resident, after the load")
}

/// The flow that runs are made of.
pub async fn flow(server: Address) -> anyhow::Result<String> {
    let mut client = Client::connect(server).await?;
    client.send("POST", "/flows/", FLOW).await?;
    client.id().context("creating a flow")
}
