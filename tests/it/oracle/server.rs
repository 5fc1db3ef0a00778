//! The real 2.0a7 server, from the client's environment.

use std::fs::File;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::{flows, wait_for};

/// A running server on an empty database, without its own loops. Killed when it is dropped.
pub struct RealServer {
    dir: TempDir,
    child: Child,
    port: u16,
}

impl RealServer {
    /// Ready when this returns.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // It takes no port 0, so a free one is looked for.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let log = File::create(dir.path().join("log")).unwrap();
        let child = Command::new(flows::venv().join("bin/uvicorn"))
            .args(["prefect.orion.api.server:app", "--port", &port.to_string()])
            .env("HOME", dir.path())
            .env("PREFECT_ORION_SERVICES_RUN_IN_APP", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self { dir, child, port };
        wait_for("the real server to be ready", || {
            server.is_ready().then_some(())
        });
        server
    }

    fn is_ready(&mut self) -> bool {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "the real server ended: {}", self.log());
        let asked = ureq::get(format!("{}/api/admin/hello", self.url())).call();
        asked.is_ok()
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn log(&self) -> String {
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
