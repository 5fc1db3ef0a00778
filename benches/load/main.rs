//! Measures `prefectd` and, where it is installed, the real 2.0a7 server, side by side with
//! one load generator, and prints one table. `examples/bench` runs it.

mod against;
mod bodies;
mod bulk;
mod calls;
mod dispatch;
mod http;
mod lifecycle;
mod load;
mod report;
mod retention;
mod seed;
mod server;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, ValueEnum};

use http::Client;
use load::Outcome;
use report::{Of, Report};
use server::Server;

/// How often a lifecycle's rate and a start are measured; the median counts.
const ROUNDS: usize = 3;
/// Where stored runs belong to; seed.sql makes it, and it is made where that was not used.
const FLOW: &str = r#"{"name": "seeded-0", "tags": []}"#;

/// A part of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// From the start to the first answer.
    Start,
    /// Whole lives of runs.
    Lifecycle,
    /// Single endpoints.
    Calls,
    /// Many log lines that come while a client changes states; only where it is asked for, since
    /// what is measured after it has more stored lines.
    Bulk,
    /// Many runs that are due at once.
    Dispatch,
    /// Old runs that go while a client writes; only where it is asked for, since it spends the
    /// stored runs.
    Retention,
}

/// Measures prefectd against the real 2.0a7 server.
#[derive(Parser)]
struct Args {
    /// Measure only these parts
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// Numbers of stored runs
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 100_000, 1_000_000])]
    runs: Vec<u64>,
    /// How many clients live through lifecycles at once
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64])]
    clients: Vec<usize>,
    /// Seconds for each load
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Short loads on 1,000 stored runs: to see that all works
    #[arg(long)]
    quick: bool,
    /// Virtual environment of the real server; without it only prefectd is measured
    #[arg(long)]
    real: Option<PathBuf>,
    /// Another prefectd than the one built beside this
    #[arg(long, default_value = env!("CARGO_BIN_EXE_prefectd"))]
    prefectd: PathBuf,
    /// Measure that prefectd against this one, turn by turn, and nothing else
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Keep the databases here, and use those that are here
    #[arg(long)]
    data: Option<PathBuf>,
    /// Write the measurements here as JSON, beside printing them
    #[arg(long)]
    json: Option<PathBuf>,
    /// Put the table, or its main rows, into this file, between the marks that it has for it;
    /// may be given several times
    #[arg(long, value_name = "FILE")]
    readme: Vec<PathBuf>,
    /// Runs that are due in the same second in the dispatch part
    #[arg(long, default_value_t = 10_000)]
    due: u64,
    /// Seconds that each of those runs takes; 0 means a process that ends at once
    #[arg(long, value_delimiter = ',', default_values_t = [0.0, 0.05])]
    lasting: Vec<f64>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

struct Bench {
    args: Args,
    report: Report,
}

fn main() -> anyhow::Result<()> {
    let mut args = Args::parse();
    if args.quick {
        args.seconds = 0.5;
        args.runs = vec![1000];
        args.due = args.due.min(500);
    }
    // One thread: the other core is the server's.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(whole(args))?;
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

async fn whole(args: Args) -> anyhow::Result<String> {
    let temporary = tempfile::tempdir()?;
    let data = args.data.clone().unwrap_or(temporary.path().to_owned());
    if let Some(other) = args.against.clone() {
        return against::measure(&args, &other, &data).await;
    }
    let mut bench = Bench {
        report: Report {
            stored_runs: args.runs.clone(),
            ..Report::default()
        },
        args,
    };
    for (at, runs) in bench.args.runs.clone().into_iter().enumerate() {
        bench.prefectd(at, runs, &data).await?;
    }
    if let Some(venv) = bench.args.real.clone() {
        bench.real(&venv).await?;
    }
    if bench.wants(Part::Dispatch) {
        say("many runs due at once");
        for lasting in bench.args.lasting.clone() {
            let (program, due) = (&bench.args.prefectd, bench.args.due);
            dispatch::measure(program, due, lasting, &mut bench.report).await?;
        }
    }
    if let Some(path) = &bench.args.json {
        std::fs::write(path, serde_json::to_string_pretty(&bench.report)?)?;
    }
    for path in &bench.args.readme {
        let text = std::fs::read_to_string(path)?;
        std::fs::write(path, bench.report.placed(&text)?)?;
    }
    Ok(bench.report.markdown())
}

impl Bench {
    fn wants(&self, part: Part) -> bool {
        self.args.only.is_empty() || self.args.only.contains(&part)
    }

    async fn prefectd(&mut self, at: usize, runs: u64, data: &Path) -> anyhow::Result<()> {
        let program = self.args.prefectd.clone();
        say(&format!("prefectd with {runs} stored runs"));
        let dir = data.join(format!("runs-{runs}"));
        seed::state_dir(&program, &dir, runs).await?;
        if self.wants(Part::Start) {
            self.starts(at, &program, &dir).await?;
        }
        let server = Server::prefectd(&program, &dir, &[]).await?;
        self.loads(Of::Prefectd(at), &server).await?;
        if self.args.only.contains(&Part::Bulk) {
            say("many log lines come");
            let set_state = retention::set_state(&server).await?;
            let (time, report) = (self.time(), &mut self.report);
            bulk::measure(server.address, &set_state, Of::Prefectd(at), time, report).await?;
        }
        server.stop()?;
        if self.args.only.contains(&Part::Retention) {
            say("old runs go");
            let (time, report) = (self.time(), &mut self.report);
            retention::measure(&program, &dir, (at, runs), time, report).await?;
            seed::spent(&dir)?;
        }
        Ok(())
    }

    /// Starts on that database and on a new one.
    async fn starts(&mut self, at: usize, program: &Path, dir: &Path) -> anyhow::Result<()> {
        let mut stored = Vec::new();
        let mut new = Vec::new();
        for _ in 0..ROUNDS {
            let server = Server::prefectd(program, dir, &[]).await?;
            stored.push(server.ready_after.as_secs_f64());
            server.stop()?;
            let empty = tempfile::tempdir()?;
            let server = Server::prefectd(program, empty.path(), &[]).await?;
            new.push(server.ready_after.as_secs_f64());
            server.stop()?;
        }
        let of = Of::Prefectd(at);
        self.report
            .enter(of, "start, new database", "s", median(new));
        self.report.enter(of, "start", "s", median(stored));
        Ok(())
    }

    async fn real(&mut self, venv: &Path) -> anyhow::Result<()> {
        say("the real server");
        let home = tempfile::tempdir()?;
        let server = Server::real(venv, home.path()).await?;
        let first = server.ready_after.as_secs_f64();
        self.report
            .enter(Of::Real, "start, new database", "s", first);
        server.stop()?;
        let server = Server::real(venv, home.path()).await?;
        let again = server.ready_after.as_secs_f64();
        self.report.enter(Of::Real, "start", "s", again);
        self.loads(Of::Real, &server).await?;
        server.stop()
    }

    async fn loads(&mut self, of: Of, server: &Server) -> anyhow::Result<()> {
        // What a start leaves to be done is not idleness.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let idle = server.resident_mib()?;
        self.report.enter(of, "resident, idle", "MiB", idle);
        let flow = flow(server.address).await?;
        if self.wants(Part::Lifecycle) {
            self.lifecycles(of, server, &flow).await?;
        }
        if self.wants(Part::Calls) {
            self.calls(of, server, &flow).await?;
        }
        let loaded = server.resident_mib()?;
        self.report
            .enter(of, "resident, after the load", "MiB", loaded);
        Ok(())
    }

    async fn lifecycles(&mut self, of: Of, server: &Server, flow: &str) -> anyhow::Result<()> {
        for clients in self.args.clients.clone() {
            let what = format!("lifecycle, {clients} clients");
            say(&what);
            let mut rates = Vec::new();
            let (mut done, mut failed, mut p99) = (0, 0, Vec::new());
            let before = server.cpu()?;
            for _ in 0..ROUNDS {
                let flow = flow.to_owned();
                let work = move |client: Client, _| lifecycle::live(client, flow.clone());
                let outcome = load::run(server.address, clients, self.time(), work).await;
                rates.push(outcome.rate());
                p99.push(outcome.millis(0.99));
                done += outcome.done;
                failed += outcome.failed;
            }
            let used = server.cpu()?.saturating_sub(before).as_secs_f64() * 1000.0;
            let enter = &mut self.report;
            enter.enter(of, &what, "runs/s", median(rates));
            enter.enter(of, &format!("{what}: p99"), "ms", median(p99));
            let each = used / done.max(1) as f64;
            enter.enter(of, &format!("{what}: server's CPU"), "ms/run", each);
            enter.note_failures(of, &what, failed);
        }
        Ok(())
    }

    async fn calls(&mut self, of: Of, server: &Server, flow: &str) -> anyhow::Result<()> {
        for call in calls::prepare(server.address, flow).await? {
            say(call.name);
            let alone = call.measure(server.address, 1, self.time()).await;
            // The real server is at its best with fewer.
            let many = if of == Of::Real { 8 } else { 64 };
            let before = server.cpu()?;
            let together = call.measure(server.address, many, self.time()).await;
            let used = server.cpu()?.saturating_sub(before);
            self.enter_call(of, &call, &alone, &together, used);
        }
        Ok(())
    }

    fn enter_call(
        &mut self,
        of: Of,
        call: &calls::Call,
        alone: &Outcome,
        together: &Outcome,
        used: Duration,
    ) {
        let report = &mut self.report;
        let name = call.name;
        let (unit, each) = match call.carries {
            1 => ("/s", "µs/call"),
            _ => ("lines/s", "µs/line"),
        };
        let carried = call.carries as f64;
        report.enter(
            of,
            &format!("{name}, 1 client: median"),
            "ms",
            alone.millis(0.5),
        );
        report.enter(
            of,
            &format!("{name}, 1 client: p99"),
            "ms",
            alone.millis(0.99),
        );
        report.enter(
            of,
            &format!("{name}, many clients"),
            unit,
            together.rate() * carried,
        );
        let cpu = used.as_secs_f64() * 1e6 / (together.done.max(1) as f64 * carried);
        report.enter(of, &format!("{name}: server's CPU"), each, cpu);
        report.note_failures(of, name, alone.failed + together.failed);
    }

    fn time(&self) -> Duration {
        Duration::from_secs_f64(self.args.seconds)
    }
}

async fn flow(server: SocketAddr) -> anyhow::Result<String> {
    let mut client = Client::connect(server).await?;
    client.send("POST", "/flows/", FLOW).await?;
    let id = client.id().context("creating a flow")?;
    Ok(id.to_owned())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Progress, beside the table.
fn say(what: &str) {
    eprintln!("bench: {what}");
}
