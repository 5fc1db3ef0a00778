//! Sends requests under a deadline and watches the daemon's memory.

use std::cell::Cell;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http;

use crate::support::TestDaemon;

/// How long an answer may take. Without optimisation everything takes longer.
const DEADLINE: Duration = match cfg!(debug_assertions) {
    true => Duration::from_secs(10),
    false => Duration::from_secs(1),
};

/// What is sent.
pub struct Request<'a> {
    method: &'a str,
    path: &'a str,
    body: Option<String>,
}

impl<'a> Request<'a> {
    /// To a path from `/api` on.
    pub fn new(method: &'a str, path: &'a str, body: Option<String>) -> Self {
        Self { method, path, body }
    }

    /// The request as it is told where something is wrong with its answer.
    fn told(&self) -> String {
        let body: String = self
            .body
            .iter()
            .flat_map(|body| body.chars())
            .take(600)
            .collect();
        format!("{} {} {body}", self.method, self.path)
    }

    fn may_wait(&self) -> bool {
        may_wait(self.path)
    }
}

/// Some wait for news where they are asked to.
pub fn may_wait(path: &str) -> bool {
    path.ends_with("/report") || path.ends_with("/news")
}

/// What came back.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub text: String,
}

fn is_cut_off<T>(answer: &Result<T, ureq::Error>) -> bool {
    let kinds = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
    matches!(answer, Err(ureq::Error::Io(error)) if kinds.contains(&error.kind()))
}

/// Sends to one daemon.
pub struct Sender<'a> {
    daemon: &'a TestDaemon,
    agent: Agent,
    slowest: Cell<Duration>,
}

impl<'a> Sender<'a> {
    /// To that daemon.
    pub fn new(daemon: &'a TestDaemon) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // A connection on which a body was not taken is closed after its answer.
            .max_idle_connections(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .user_agent("python-httpx/0.22.0")
            .build();
        Self {
            daemon,
            agent: config.into(),
            slowest: Cell::default(),
        }
    }

    /// The answer, which comes in time and is no fault of the daemon's own. A slow one is asked
    /// for once more: the machine may have been busy.
    #[track_caller]
    pub fn send(&self, request: Request<'_>) -> Answer {
        let (mut answer, mut took) = self.timed(&request);
        if took > DEADLINE && !request.may_wait() {
            (answer, took) = self.timed(&request);
            assert!(took <= DEADLINE, "{took:?}: {}", request.told());
        }
        if !request.may_wait() {
            self.slowest.set(self.slowest.get().max(took));
        }
        assert!(
            answer.status < 500,
            "{} {}: {}",
            answer.status,
            answer.text,
            request.told()
        );
        answer
    }

    #[track_caller]
    fn timed(&self, request: &Request<'_>) -> (Answer, Duration) {
        let begun = Instant::now();
        let asked = http::Request::builder()
            .method(request.method)
            .uri(format!("{}{}", self.daemon.url(), request.path))
            .header("content-type", "application/json");
        let asked = asked
            .body(request.body.clone().unwrap_or_default())
            .unwrap();
        let run = || match &request.body {
            Some(_) => self.agent.run(asked.clone()),
            None => self.agent.run(asked.clone().map(drop)),
        };
        // Who is refused before the body is read finds, now and then, the connection closed
        // while it still sends.
        let response = (0..5).map(|_| run()).find(|answer| !is_cut_off(answer));
        let mut response = match response {
            Some(Ok(response)) => response,
            Some(Err(error)) => panic!("{error}: {}", request.told()),
            None => panic!("always cut off: {}", request.told()),
        };
        let body = response
            .body_mut()
            .with_config()
            .limit(200 << 20)
            .read_to_vec();
        let text = String::from_utf8_lossy(&body.unwrap()).into_owned();
        let status = response.status().as_u16();
        (Answer { status, text }, begun.elapsed())
    }

    /// The daemon still answers and never had more memory than that, in KiB.
    #[track_caller]
    pub fn check(&self, most_resident: u64) {
        self.send(Request::new("GET", "/api/health", None));
        let status = format!("/proc/{}/status", self.daemon.pid());
        let status = std::fs::read_to_string(status).unwrap();
        let of = |what: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(what));
            let number = line.unwrap().trim().trim_end_matches(" kB");
            number.parse().unwrap()
        };
        // Without optimisation the program itself is several times as large.
        let program = match cfg!(debug_assertions) {
            true => of("RssFile:"),
            false => 0,
        };
        let peak = of("VmHWM:") - program;
        eprintln!(
            "at most {} MiB resident, the slowest answer after {:?}",
            peak / 1024,
            self.slowest.get()
        );
        assert!(peak < most_resident, "{peak} KiB resident");
        assert!(
            !self.daemon.log().contains("panicked"),
            "{}",
            self.daemon.log()
        );
    }
}
