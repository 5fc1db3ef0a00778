//! Measures `prefectd` and, where they are installed, the real servers, side by side with one
//! load generator, and prints a table for each generation of clients. `examples/bench` runs it.

mod against;
mod answer;
mod args;
mod call;
mod http;
mod instructions;
mod load;
mod measuring;
mod modern;
mod orion;
mod report;
mod seed;
mod server;
mod table;
mod written;

use std::io::Write;

use args::{Args, Generation};
use call::Call;
use http::Address;
use report::Report;
use seed::Stored;

fn main() -> anyhow::Result<()> {
    // One thread: the other core is the server's.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(whole(&Args::told()))?;
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

async fn whole(args: &Args) -> anyhow::Result<String> {
    let temporary = tempfile::tempdir()?;
    let data = args.data.as_deref().unwrap_or(temporary.path());
    if let Some(other) = &args.against {
        return against::measure(args, other, data).await;
    }
    let mut reports = Vec::new();
    for generation in args.generations() {
        let mut report = Report::new(generation, &args.runs);
        match generation {
            Generation::Orion => orion::measure(args, data, &mut report).await?,
            Generation::Modern => modern::measure(args, data, &mut report).await?,
        }
        reports.push(report);
    }
    written::written(&reports, args)
}

/// The flow that lifecycles of a generation are of, and every call of it.
async fn prepared(
    generation: Generation,
    server: Address,
    stored: &Stored,
) -> anyhow::Result<(String, Vec<Call>)> {
    Ok(match generation {
        Generation::Orion => {
            let flow = orion::flow(server).await?;
            let calls = orion::calls::prepare(server, &flow).await?;
            (flow, calls)
        }
        Generation::Modern => {
            let things = modern::things::prepare(server, true).await?;
            let calls = modern::calls::all(&things, Some(stored));
            (things.flow, calls)
        }
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Progress, beside the table.
fn say(what: &str) {
    eprintln!("bench: {what}");
}
