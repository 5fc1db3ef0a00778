//! How many instructions each single call costs the server, counted by valgrind: a figure that depends
//! little on what else the machine does, and by which two builds differ that their times do not tell
//! apart.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::args::{Args, Generation};
use super::report::{Of, Report};
use super::server::Server;
use super::{prepared, say, seed};

/// How many clients ask at once.
const CLIENTS: usize = 64;

/// What is counted.
pub const UNIT: &str = "1,000/call";

/// A call, and how many thousand instructions one of it takes.
pub struct Counted {
    /// The call's name.
    pub call: String,
    /// Thousands of instructions.
    pub thousands: f64,
}

/// What `program` takes for each call of a generation, on the database in `dir`.
pub async fn counted(
    program: &Path,
    dir: &Path,
    (generation, runs): (Generation, u64),
    time: Duration,
) -> anyhow::Result<Vec<Counted>> {
    let is_there = ["valgrind", "callgrind_control"].into_iter().all(is_there);
    anyhow::ensure!(is_there, "instructions are counted by valgrind: install it");
    let stored = seed::state_dir(program, dir, runs, generation).await?;
    let mut server = Server::counted(program, dir, generation.settings()).await?;
    server.address.speaker = generation.speaker();
    let (_, calls) = prepared(generation, server.address, &stored).await?;
    let mut all = Vec::new();
    for call in &calls {
        say(&format!("instructions: {}", call.name));
        server.instructions(dir)?;
        let outcome = call.measure(server.address, CLIENTS, time).await;
        let used = server.instructions(dir)? as f64;
        let is_sound = outcome.failed == 0 && outcome.done > 0;
        anyhow::ensure!(is_sound, "{}: {:?}", call.name, outcome.why);
        all.push(Counted {
            call: call.name.clone(),
            thousands: used / outcome.done as f64 / 1000.0,
        });
    }
    server.stop()?;
    Ok(all)
}

/// Counts them, and enters them.
pub async fn measure(
    args: &Args,
    dir: &Path,
    (generation, runs, of): (Generation, u64, Of),
    report: &mut Report,
) -> anyhow::Result<()> {
    let all = counted(&args.prefectd, dir, (generation, runs), args.time()).await?;
    for Counted { call, thousands } in all {
        let what = format!("{call}: server's instructions");
        report.enter(of, &what, UNIT, thousands);
    }
    Ok(())
}

fn is_there(tool: &str) -> bool {
    let mut asked = Command::new(tool);
    asked.arg("--version").stdout(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}
