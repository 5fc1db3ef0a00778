//! The modern generation: `prefectd` and the real 3.9.1 server.

mod bodies;
pub mod calls;
mod dashboard;
mod events;
mod events_in;
pub mod lifecycle;
mod pages;
mod socket;
mod subscribers;
mod telling;
pub mod things;

use std::path::Path;

use crate::args::{Args, Generation, Part};
use crate::measuring::{Measuring, starts};
use crate::report::{Of, Report};
use crate::seed::{self, Stored};
use crate::server::Server;
use crate::{instructions, say};

/// Stored events are older than the week for which they are kept otherwise.
pub const SETTINGS: &[(&str, &str)] = &[("PREFECTD_RETENTION__EVENTS_DAYS", "3650")];

/// Measures all of it.
pub async fn measure(args: &Args, data: &Path, report: &mut Report) -> anyhow::Result<()> {
    for (at, runs) in args.runs.iter().copied().enumerate() {
        prefectd(args, (at, runs), data, report).await?;
    }
    if let Some(venv) = &args.real3 {
        for (peer, has_services) in [(0, false), (1, true)] {
            let measured = real(args, venv, (peer, has_services), report).await;
            // What was measured before is not lost.
            if let Err(error) = measured {
                let whose = report.peers.get(peer).copied().unwrap_or_default();
                report
                    .failures
                    .push(format!("{whose}, the rest: {error:#}"));
            }
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
    say(&format!("prefectd with {runs} stored modern runs"));
    let (program, of) = (&args.prefectd, Of::Prefectd(at));
    let dir = data.join(format!("{}-{runs}", Generation::Modern.folder()));
    let stored = seed::state_dir(program, &dir, runs, Generation::Modern).await?;
    if args.wants(Part::Start) {
        starts(program, &dir, SETTINGS, of, report).await?;
    }
    let mut server = Server::prefectd(program, &dir, SETTINGS).await?;
    server.address.speaker = Generation::Modern.speaker();
    let mut measuring = Measuring {
        server: &server,
        of,
        args,
        report,
    };
    loads(&mut measuring, Some(&stored), true).await?;
    server.stop()?;
    if args.names(Part::Instructions) {
        let whose = (Generation::Modern, runs, of);
        instructions::measure(args, &dir, whose, report).await?;
    }
    Ok(())
}

async fn real(
    args: &Args,
    venv: &Path,
    (peer, has_services): (usize, bool),
    report: &mut Report,
) -> anyhow::Result<()> {
    let with = if has_services { "with" } else { "without" };
    say(&format!("the real 3.9.1 server {with} its services"));
    let of = Of::Peer(peer);
    let home = tempfile::tempdir()?;
    let server = Server::real3(venv, home.path(), has_services).await?;
    let first = server.ready_after.as_secs_f64();
    report.enter(of, "start, new database", "s", first);
    server.stop()?;
    let server = Server::real3(venv, home.path(), has_services).await?;
    let again = server.ready_after.as_secs_f64();
    report.enter(of, "start", "s", again);
    let mut measuring = Measuring {
        server: &server,
        of,
        args,
        report,
    };
    loads(&mut measuring, None, has_services).await?;
    server.stop()
}

/// All loads. `keeps_events` says that the server stores events and makes task runs of them.
async fn loads(
    m: &mut Measuring<'_>,
    stored: Option<&Stored>,
    keeps_events: bool,
) -> anyhow::Result<()> {
    m.idle().await?;
    // The real server makes them a moment later.
    let things = things::prepare(m.address(), m.is_ours()).await?;
    // Of what is stored, before the loads store more: those that only create runs leave some hundred
    // thousand that never begin.
    if m.wants(Part::Dashboard) {
        let calls = [dashboard::call(m.address()).await?];
        m.times(&calls).await?;
    }
    if m.wants(Part::Pages) && m.is_ours() {
        m.times(&pages::calls(&things)).await?;
    }
    if m.wants(Part::Lifecycle) {
        let flow = things.flow.clone();
        m.lifecycles(move |client| lifecycle::live(client, flow.clone()))
            .await?;
    }
    if m.wants(Part::Calls) {
        m.calls(&calls::all(&things, stored)).await?;
    }
    if m.wants(Part::Events) {
        events_in::measure(m, &things.lived, keeps_events).await?;
        if m.is_ours() {
            events_in::beside(m, &calls::set_state(&things), &things.flow).await?;
        }
    }
    if m.wants(Part::Subscribers) {
        subscribers::measure(m).await?;
    }
    m.resident("resident, after the load")
}
