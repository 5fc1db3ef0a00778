//! A real server of Prefect, from the environment of its client.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::wait_for;

/// Which server, and how it is begun.
#[derive(Debug)]
pub struct Program {
    /// The environment that has it.
    pub venv: PathBuf,
    /// Where in it the application is, in uvicorn's words.
    pub app: &'static [&'static str],
    /// Its settings.
    pub env: Vec<(&'static str, &'static str)>,
    /// What it answers once it is ready, below `/api`.
    pub asked: &'static str,
}

/// A running server on an empty database. Killed when it is dropped.
pub struct RealServer {
    dir: TempDir,
    child: Child,
    port: u16,
    asked: &'static str,
}

impl RealServer {
    /// Begins; it takes some seconds until it is ready.
    pub fn begin(program: &Program) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // It takes no port 0, so a free one is looked for.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let log = File::create(dir.path().join("log")).unwrap();
        let child = Command::new(program.venv.join("bin/uvicorn"))
            .args(program.app)
            .args(["--port", &port.to_string()])
            .env("HOME", dir.path())
            .env("PREFECT_HOME", dir.path())
            // It walks sets.
            .env("PYTHONHASHSEED", "0")
            .envs(program.env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        Self {
            dir,
            child,
            port,
            asked: program.asked,
        }
    }

    /// Ready when this returns.
    pub fn start(program: &Program) -> Self {
        let mut server = Self::begin(program);
        server.await_ready();
        server
    }

    /// Waits until it is ready.
    pub fn await_ready(&mut self) {
        wait_for("the real server to be ready", || {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the real server ended: {}", self.log());
            let asked = ureq::get(format!("{}/api{}", self.url(), self.asked)).call();
            asked.is_ok().then_some(())
        });
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
