//! One server under load: what each load comes to is entered in the report.

use std::path::Path;
use std::time::Duration;

use super::args::{Args, Part};
use super::call::Call;
use super::http::{Address, Client};
use super::load::{self, Outcome};
use super::report::{Of, Report};
use super::server::Server;
use super::{median, say};

/// How often a lifecycle's rate and a start are measured; the median counts.
const ROUNDS: usize = 3;

/// A server, and where what is measured of it is entered.
pub struct Measuring<'a> {
    /// The server.
    pub server: &'a Server,
    /// Whose measurements these are.
    pub of: Of,
    /// What was asked for.
    pub args: &'a Args,
    /// Where they are entered.
    pub report: &'a mut Report,
}

impl Measuring<'_> {
    /// Where it is spoken to, and as whom.
    pub const fn address(&self) -> Address {
        self.server.address
    }

    /// Whether a part is measured.
    pub fn wants(&self, part: Part) -> bool {
        self.args.wants(part)
    }

    /// Whether it is `prefectd`.
    pub const fn is_ours(&self) -> bool {
        matches!(self.of, Of::Prefectd(_))
    }

    /// How many clients are many; the real servers are at their best with fewer.
    const fn many(&self) -> usize {
        if self.is_ours() { 64 } else { 8 }
    }

    /// Enters a measurement.
    pub fn enter(&mut self, what: &str, unit: &'static str, value: f64) {
        self.report.enter(self.of, what, unit, value);
    }

    /// Notes the failures of a load.
    pub fn note_failures(&mut self, what: &str, outcome: &Outcome) {
        self.report.note_failures(self.of, what, outcome);
    }

    /// Enters what the server holds in memory.
    pub fn resident(&mut self, what: &str) -> anyhow::Result<()> {
        let resident = self.server.resident_mib()?;
        self.enter(what, "MiB", resident);
        Ok(())
    }

    /// Enters what it holds before anything is asked of it.
    pub async fn idle(&mut self) -> anyhow::Result<()> {
        // What a start leaves to be done is not idleness.
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.resident("resident, idle")
    }

    /// Measures whole lives of runs, with each number of clients.
    pub async fn lifecycles<W, F>(&mut self, live: W) -> anyhow::Result<()>
    where
        W: Fn(Client) -> F + Clone + Send + 'static,
        F: Future<Output = anyhow::Result<Client>> + Send + 'static,
    {
        let mut best = 0_f64;
        for clients in self.args.clients.clone() {
            let what = format!("lifecycle, {clients} clients");
            say(&what);
            let (mut rates, mut p99) = (Vec::new(), Vec::new());
            let mut all = Outcome::default();
            let before = self.server.cpu()?;
            for _ in 0..ROUNDS {
                let time = self.args.time();
                let outcome = load::run(self.address(), clients, time, live.clone()).await;
                rates.push(outcome.rate());
                p99.push(outcome.millis(0.99));
                all.add(outcome);
            }
            let used = self.server.cpu()?.saturating_sub(before).as_secs_f64() * 1000.0;
            let rate = median(rates);
            best = best.max(rate);
            self.enter(&what, "runs/s", rate);
            self.note_failures(&what, &all);
            if all.done > 0 {
                self.enter(&format!("{what}: p99"), "ms", median(p99));
                let each = used / all.done as f64;
                self.enter(&format!("{what}: server's CPU"), "ms/run", each);
            }
        }
        self.enter("lifecycle, best number of clients", "runs/s", best);
        Ok(())
    }

    /// Measures each call with one client and with many.
    pub async fn calls(&mut self, calls: &[Call]) -> anyhow::Result<()> {
        for call in calls {
            say(&call.name);
            let alone = self.alone(call).await;
            let before = self.server.cpu()?;
            let together = call
                .measure(self.address(), self.many(), self.args.time())
                .await;
            let used = self.server.cpu()?.saturating_sub(before);
            let (unit, each) = match call.carries {
                1 => ("/s", "µs/call"),
                _ => ("lines/s", "µs/line"),
            };
            let name = &call.name;
            let carried = call.carries as f64;
            let rate = together.rate() * carried;
            self.enter_times(&format!("{name}, 1 client"), &alone);
            self.enter(&format!("{name}, many clients"), unit, rate);
            let cpu = used.as_secs_f64() * 1e6 / (together.done.max(1) as f64 * carried);
            self.enter(&format!("{name}: server's CPU"), each, cpu);
            let mut both = alone;
            both.add(together);
            self.note_failures(name, &both);
        }
        Ok(())
    }

    /// Measures each call with one client: its time, and the processor time that it costs the
    /// server.
    pub async fn times(&mut self, calls: &[Call]) -> anyhow::Result<()> {
        for call in calls {
            say(&call.name);
            let before = self.server.cpu()?;
            let alone = self.alone(call).await;
            let used = self.server.cpu()?.saturating_sub(before);
            let name = &call.name;
            self.enter_times(name, &alone);
            let cpu = used.as_secs_f64() * 1e3 / alone.done.max(1) as f64;
            self.enter(&format!("{name}: server's CPU"), "ms", cpu);
            self.note_failures(name, &alone);
        }
        Ok(())
    }

    /// A call by one client.
    async fn alone(&self, call: &Call) -> Outcome {
        call.measure(self.address(), 1, self.args.time()).await
    }

    /// Enters how long what was done took; nothing where nothing was.
    pub fn enter_times(&mut self, what: &str, outcome: &Outcome) {
        if outcome.done > 0 {
            self.enter(&format!("{what}: median"), "ms", outcome.millis(0.5));
            self.enter(&format!("{what}: p99"), "ms", outcome.millis(0.99));
        }
    }
}

/// Measures starts of `prefectd` on that state directory and on new ones.
pub async fn starts(
    program: &Path,
    dir: &Path,
    env: &[(&str, &str)],
    of: Of,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (mut stored, mut new) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let empty = tempfile::tempdir()?;
        for (dir, times) in [(dir, &mut stored), (empty.path(), &mut new)] {
            let server = Server::prefectd(program, dir, env).await?;
            times.push(server.ready_after.as_secs_f64());
            server.stop()?;
        }
    }
    report.enter(of, "start, new database", "s", median(new));
    report.enter(of, "start", "s", median(stored));
    Ok(())
}
