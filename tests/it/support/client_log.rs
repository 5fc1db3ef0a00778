//! What a client of Prefect logs of its requests.

use std::sync::LazyLock;

use regex::Regex;

/// A setting with which it logs each request and its answer: that is the words of its HTTP library,
/// which it otherwise keeps to itself at any level of its own.
pub const TALKATIVE: (&str, &str) = ("PREFECT_LOGGING_ROOT_LEVEL", "INFO");

static REQUEST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"HTTP Request: (\w+) (\S+) "HTTP/\S+ (\d+)"#).unwrap());

/// By what things are looked for that are about to be made.
const BY_NAME: [&str; 3] = ["/name/", "/slug/", "/work_pools/"];

/// A request in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logged<'a> {
    /// Such as `POST`.
    pub method: &'a str,
    /// Where to.
    pub url: &'a str,
    /// How it was answered.
    pub status: u16,
}

impl Logged<'_> {
    /// Whether it failed.
    pub fn has_failed(&self) -> bool {
        self.status >= 400
    }

    /// Whether it asks if there is something, and hears that there is not.
    pub fn asks_in_vain(&self) -> bool {
        let path = self.url.split('?').next().unwrap_or_default();
        match (self.method, self.status) {
            // That no token is needed is told by a refusal.
            ("GET", 422) => path.ends_with("/csrf-token"),
            ("GET", 404) => BY_NAME.iter().any(|by| path.contains(by)),
            _ => false,
        }
    }
}

/// All requests in a log.
pub fn requests(log: &str) -> Vec<Logged<'_>> {
    let found = REQUEST.captures_iter(log).map(|found| found.extract().1);
    let told = found.map(|[method, url, status]| Logged {
        method,
        url,
        status: status.parse().unwrap(),
    });
    told.collect()
}

/// A log has requests, and none that failed.
#[track_caller]
pub fn has_no_failure(log: &str) {
    let all = requests(log);
    assert!(!all.is_empty(), "no request is logged: {log}");
    let failed = |it: &&Logged<'_>| it.has_failed() && !it.asks_in_vain();
    let failed: Vec<_> = all.iter().filter(failed).collect();
    assert!(failed.is_empty(), "{failed:?}: {log}");
}
