//! Two builds of `prefectd` side by side: the same loads on each, turn by turn, so that what
//! the machine does meanwhile meets both.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::args::{Args, Generation, Part};
use super::call::Call;
use super::http::Address;
use super::instructions::Counted;
use super::load::{self, Outcome};
use super::seed::Stored;
use super::server::Server;
use super::table::{aligned, digits};
use super::{instructions, median, modern, orion, prepared, say, seed};

/// How often each is measured; the median counts.
const TURNS: usize = 7;
/// From how much on a row is marked as slower.
const SLOWER: f64 = 0.05;

/// Something of the other build, and of this one.
struct Both<T> {
    other: T,
    this: T,
}

impl<T> Both<T> {
    fn map<U>(&self, work: impl Fn(&T) -> U) -> Both<U> {
        Both {
            other: work(&self.other),
            this: work(&self.this),
        }
    }
}

/// A build, and where its databases lie.
struct Build<'a> {
    program: &'a Path,
    dir: PathBuf,
}

/// What the turns of a load came to, and the processor time that each cost the server.
type Turns = Vec<(Outcome, Duration)>;

/// A line of the table.
struct Row {
    what: String,
    unit: &'static str,
    more_is_better: bool,
    measured: Both<f64>,
}

/// Both builds, each on a database of its own.
struct Pair {
    servers: Both<Server>,
    turn: Duration,
    rows: Vec<Row>,
}

/// What a server is loaded with.
struct Ready {
    generation: Generation,
    flow: String,
    calls: Vec<Call>,
}

/// Measures `args.prefectd` against `other` and returns the tables of both.
pub async fn measure(args: &Args, other: &Path, data: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    for generation in args.generations() {
        for runs in args.runs.iter().copied() {
            say(&format!("both with {runs} stored runs"));
            let name = format!("{}-{runs}", generation.folder());
            let builds = Both {
                other: Build {
                    program: other,
                    dir: data.join(format!("against-{name}")),
                },
                this: Build {
                    program: &args.prefectd,
                    dir: data.join(name),
                },
            };
            let rows = match args.names(Part::Instructions) {
                true => counted(args, &builds, (generation, runs)).await?,
                false => both(args, &builds, (generation, runs)).await?,
            };
            let lines = std::iter::once(head(runs)).chain(rows.iter().map(Row::line));
            text.push_str(&aligned(&lines.collect::<Vec<_>>()));
            text.push('\n');
        }
    }
    Ok(text)
}

/// The same with so many stored runs of a generation.
async fn both(
    args: &Args,
    builds: &Both<Build<'_>>,
    (generation, runs): (Generation, u64),
) -> anyhow::Result<Vec<Row>> {
    let (other, stored_there) = server(&builds.other, generation, runs).await?;
    let (this, stored_here) = server(&builds.this, generation, runs).await?;
    let mut pair = Pair {
        servers: Both { other, this },
        turn: Duration::from_secs_f64(args.seconds / TURNS as f64),
        rows: Vec::new(),
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    pair.resident("resident, idle")?;
    let ready = Both {
        other: Ready::of(generation, &pair.servers.other, &stored_there).await?,
        this: Ready::of(generation, &pair.servers.this, &stored_here).await?,
    };
    pair.loads(&ready, &args.clients).await?;
    pair.servers.other.stop()?;
    pair.servers.this.stop()?;
    Ok(pair.rows)
}

/// The instructions that both take.
async fn counted(
    args: &Args,
    builds: &Both<Build<'_>>,
    stored: (Generation, u64),
) -> anyhow::Result<Vec<Row>> {
    let count = async |build: &Build<'_>| {
        instructions::counted(build.program, &build.dir, stored, args.time()).await
    };
    let other = count(&builds.other).await?;
    let this = count(&builds.this).await?;
    let row = |(other, this): (Counted, Counted)| Row {
        what: format!("{}: server's instructions", this.call),
        unit: instructions::UNIT,
        more_is_better: false,
        measured: Both {
            other: other.thousands,
            this: this.thousands,
        },
    };
    Ok(other.into_iter().zip(this).map(row).collect())
}

/// A build on its database, and when what is stored in that happened.
async fn server(
    Build { program, dir }: &Build<'_>,
    generation: Generation,
    runs: u64,
) -> anyhow::Result<(Server, Stored)> {
    let stored = seed::state_dir(program, dir, runs, generation).await?;
    let mut server = Server::prefectd(program, dir, generation.settings()).await?;
    server.address.speaker = generation.speaker();
    Ok((server, stored))
}

impl Ready {
    async fn of(generation: Generation, server: &Server, stored: &Stored) -> anyhow::Result<Self> {
        let (flow, calls) = prepared(generation, server.address, stored).await?;
        Ok(Self {
            generation,
            flow,
            calls,
        })
    }

    fn live(&self, server: Address, clients: usize, time: Duration) -> BoxFuture<'static, Outcome> {
        let flow = self.flow.clone();
        match self.generation {
            Generation::Orion => {
                let live = move |client| orion::lifecycle::live(client, flow.clone());
                Box::pin(load::run(server, clients, time, live))
            }
            Generation::Modern => {
                let live = move |client| modern::lifecycle::live(client, flow.clone());
                Box::pin(load::run(server, clients, time, live))
            }
        }
    }
}

fn head(runs: u64) -> Vec<String> {
    let words = ["unit", "other", "this", "this is", ""].map(str::to_owned);
    std::iter::once(format!("{runs} stored runs"))
        .chain(words)
        .collect()
}

impl Pair {
    async fn loads(&mut self, ready: &Both<Ready>, clients: &[usize]) -> anyhow::Result<()> {
        let turn = self.turn;
        for clients in clients.iter().copied() {
            let live = |server: &Server, ready: &Ready| ready.live(server.address, clients, turn);
            let what = format!("lifecycle, {clients} clients");
            self.load(&what, clients, ready, live).await?;
        }
        for (other, this) in ready.other.calls.iter().zip(&ready.this.calls) {
            let calls = Both { other, this };
            for clients in [1, 64] {
                let call =
                    |server: &Server, call: &&Call| call.measure(server.address, clients, turn);
                let what = format!("{}, {clients} clients", calls.this.name);
                self.load(&what, clients, &calls, call).await?;
            }
        }
        self.resident("resident, after the load")
    }

    /// Loads both by turns, neither always as the first.
    async fn load<T, F: Future<Output = Outcome>>(
        &mut self,
        what: &str,
        clients: usize,
        with: &Both<T>,
        work: impl Fn(&Server, &T) -> F,
    ) -> anyhow::Result<()> {
        say(what);
        let mut turns = Both {
            other: Turns::new(),
            this: Turns::new(),
        };
        for at in 0..2 * TURNS {
            let (server, with, turns) = match at % 4 {
                0 | 3 => (&self.servers.other, &with.other, &mut turns.other),
                _ => (&self.servers.this, &with.this, &mut turns.this),
            };
            let before = server.cpu()?;
            let outcome = work(server, with).await;
            anyhow::ensure!(outcome.failed == 0, "{what}: {:?}", outcome.why);
            turns.push((outcome, server.cpu()?.saturating_sub(before)));
        }
        self.enter(what, clients, &turns);
        Ok(())
    }

    /// A rate where there are many clients, a time where there is one, and the server's
    /// processor time in either case.
    fn enter(&mut self, what: &str, clients: usize, turns: &Both<Turns>) {
        let of = |each: fn(&Outcome) -> f64| {
            turns.map(|turns| median(turns.iter().map(|(one, _)| each(one)).collect()))
        };
        if clients == 1 {
            self.row(format!("{what}: median"), "ms", of(|one| one.millis(0.5)));
        } else {
            self.row(what.to_owned(), "/s", of(Outcome::rate));
        }
        let each = turns.map(|turns| {
            let used: Duration = turns.iter().map(|(_, used)| *used).sum();
            let done: u64 = turns.iter().map(|(one, _)| one.done).sum();
            used.as_secs_f64() * 1e6 / done.max(1) as f64
        });
        self.row(format!("{what}: server's CPU"), "µs", each);
    }

    fn resident(&mut self, what: &str) -> anyhow::Result<()> {
        let measured = Both {
            other: self.servers.other.resident_mib()?,
            this: self.servers.this.resident_mib()?,
        };
        self.row(what.to_owned(), "MiB", measured);
        Ok(())
    }

    fn row(&mut self, what: String, unit: &'static str, measured: Both<f64>) {
        self.rows.push(Row {
            what,
            unit,
            more_is_better: unit == "/s",
            measured,
        });
    }
}

impl Row {
    fn line(&self) -> Vec<String> {
        let Both { other, this } = self.measured;
        let slower = if self.more_is_better {
            other / this - 1.0
        } else {
            this / other - 1.0
        };
        let words = if slower > 0.0 { "worse" } else { "better" };
        let change = format!("{:.1} % {words}", slower.abs() * 100.0);
        let mark = if slower > SLOWER { "SLOWER" } else { "" };
        vec![
            self.what.clone(),
            self.unit.to_owned(),
            digits(other),
            digits(this),
            change,
            mark.to_owned(),
        ]
    }
}
