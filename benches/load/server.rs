//! The servers, each on a port and a folder of its own.

use std::ffi::OsString;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::http::{Address, Client, Speaker};

/// How long a server may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the files begin with that valgrind leaves in the state directory.
const COUNTED: &str = "instructions.";

/// A running server. Killed when it is dropped.
pub struct Server {
    child: Child,
    /// Where it listens, and as whom it is spoken to.
    pub address: Address,
    /// From its start to its first answer.
    pub ready_after: Duration,
}

impl Server {
    /// `prefectd` on a state directory, with its agent and services, set up by `env`.
    pub async fn prefectd(
        program: &Path,
        state: &Path,
        env: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        Self::daemon(Command::new(program), state, env).await
    }

    /// The same under valgrind, which counts its instructions and makes it some fifty times as slow; the
    /// state directory is there.
    pub async fn counted(
        program: &Path,
        state: &Path,
        env: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        for left in counts(state)? {
            std::fs::remove_file(left)?;
        }
        let mut counting = OsString::from("--callgrind-out-file=");
        counting.push(state.join(format!("{COUNTED}out")));
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--quiet"])
            .arg(counting)
            .arg(program);
        Self::daemon(command, state, env).await
    }

    async fn daemon(
        mut command: Command,
        state: &Path,
        env: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(state)?;
        let address = free_address()?;
        command
            .args(["--listen", &address.to_string(), "--log-format", "text"])
            .args(["--log-level", "warn", "--no-docker-bridge"])
            .arg("--state-dir")
            .arg(state)
            .arg("--socket")
            .arg(state.join("prefectd.sock"))
            .envs(env.iter().copied())
            .stderr(File::create(state.join("log"))?);
        Self::start(command, address, Speaker::Orion).await
    }

    /// The real 2.0a7 server of a virtual environment, without its own loops.
    pub async fn real(venv: &Path, home: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(venv.join("bin/uvicorn"));
        command
            .args(["prefect.orion.api.server:app", "--log-level", "error"])
            .args(["--port", &address.port().to_string()])
            .env("HOME", home)
            .env("PREFECT_ORION_SERVICES_RUN_IN_APP", "false")
            .stderr(File::create(home.join("log"))?);
        Self::start(command, address, Speaker::Orion).await
    }

    /// The real 3.9.1 server of a virtual environment as `prefect server start` runs it, with or
    /// without its services.
    pub async fn real3(venv: &Path, home: &Path, has_services: bool) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(venv.join("bin/uvicorn"));
        command
            .args(["--factory", "prefect.server.api.server:create_app"])
            .args(["--timeout-keep-alive", "5", "--ws-ping-interval", "20"])
            .args(["--log-level", "error", "--port"])
            .arg(address.port().to_string())
            .env("HOME", home)
            .env("PREFECT_HOME", home.join(".prefect"))
            .env("PREFECT__SERVER_FINAL", "1")
            .env("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
            .env("PREFECT_LOGGING_SERVER_LEVEL", "ERROR")
            .stderr(File::create(home.join("log"))?);
        if !has_services {
            command.env("PREFECT__SERVER_WEBSERVER_ONLY", "1");
        }
        Self::start(command, address, Speaker::Modern).await
    }

    async fn start(
        mut command: Command,
        socket: SocketAddr,
        speaker: Speaker,
    ) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let mut server = Self {
            child: child.with_context(|| format!("starting {:?}", command.get_program()))?,
            address: Address { socket, speaker },
            ready_after: Duration::ZERO,
        };
        while !server.answers().await {
            if let Some(status) = server.child.try_wait()? {
                bail!("{:?} ended: {status}", command.get_program());
            }
            if begun.elapsed() > PATIENCE {
                bail!("{:?} does not answer", command.get_program());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.ready_after = begun.elapsed();
        Ok(server)
    }

    async fn answers(&self) -> bool {
        let Ok(mut client) = Client::connect(self.address).await else {
            return false;
        };
        let path = match self.address.speaker {
            Speaker::Orion => "/admin/hello",
            Speaker::Modern | Speaker::Browser => "/health",
        };
        matches!(client.send("GET", path, "").await, Ok(200))
    }

    /// What it holds in memory, in MiB.
    pub fn resident_mib(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        let kib: f64 = number.context("no VmRSS")?.parse()?;
        Ok(kib / 1024.0)
    }

    /// The processor time that it has used.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold spaces.
        let after = stat.rsplit_once(") ").context("no times")?.1;
        let fields: Vec<_> = after.split_whitespace().collect();
        let ticks =
            |at: usize| -> anyhow::Result<u64> { Ok(fields.get(at).context("no times")?.parse()?) };
        // Ticks are hundredths of a second on every Linux that this runs on.
        Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
    }

    /// How many instructions one that is [`counted`](Self::counted) has taken since this was last asked.
    pub fn instructions(&self, state: &Path) -> anyhow::Result<u64> {
        let mut asked = Command::new("callgrind_control");
        asked.args(["--dump", &self.child.id().to_string()]);
        let told = asked.output()?;
        let words = [told.stdout, told.stderr].concat();
        let counted = counts(state)?;
        // It ends well where it has found nobody to ask, too.
        let words = String::from_utf8_lossy(&words);
        ensure!(!counted.is_empty(), "callgrind_control: {words}");
        let mut all = 0;
        for path in counted {
            let text = std::fs::read_to_string(&path)?;
            let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
            all += total.context("no total is told")?.trim().parse::<u64>()?;
            std::fs::remove_file(path)?;
        }
        Ok(all)
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> anyhow::Result<()> {
        kill(
            Pid::from_raw(self.child.id().cast_signed()),
            Signal::SIGTERM,
        )?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The files that valgrind has left in a state directory.
fn counts(state: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(state)? {
        let entry = entry?;
        // An empty one only keeps the name for the end.
        let is_written = entry.metadata()?.len() > 0;
        if is_written && entry.file_name().to_string_lossy().starts_with(COUNTED) {
            all.push(entry.path());
        }
    }
    Ok(all)
}

/// An address that nobody listens on.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
