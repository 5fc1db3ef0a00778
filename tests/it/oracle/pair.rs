//! Two servers, asked the same.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};
use uuid::Uuid;

use super::answer::known;
pub use super::answer::{Answer, Ask};
use super::compare::{Comparison, Ids};

/// The deliberate differences that the comparison itself finds.
const OTHER_OFFSET: &str = "times in UTC";
const SHARED_ID: &str = "ids of limits of deployments";

/// The headers that are compared beside the location. `Allow` is not: HTTP asks for it where a
/// method is refused, and that server leaves it out. Nor are those for pages of other sites,
/// which that server lets in: no client sends an `Origin`, and so none is sent here.
const TOLD: [&str; 2] = ["content-type", "retry-after"];

/// How today's client calls itself.
pub const MODERN: &str = "prefect/3.9.1 (API 0.8.4)";

/// How often a server that says that it has too much to do is asked again.
const MOST_TRIES: usize = 600;

/// Ours and the real one, with what was found.
pub struct Pair {
    agent: Agent,
    name: String,
    bases: [String; 2],
    kept: [HashMap<String, String>; 2],
    ids: Ids,
    any_order: bool,
    /// The calls that were compared.
    pub calls: usize,
    /// The differences that nothing explains.
    pub unexplained: Vec<String>,
    /// The explained differences that were met.
    pub met: Vec<String>,
}

impl Pair {
    /// Compares the servers at two addresses.
    pub fn new(ours: &str, theirs: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            // The real server hangs up after a fault of its own.
            .max_idle_connections(0)
            .build();
        Self {
            agent: config.into(),
            name: "python-httpx/0.22.0".to_owned(),
            bases: [format!("{ours}/api"), format!("{theirs}/api")],
            kept: Default::default(),
            ids: Ids::default(),
            any_order: false,
            calls: 0,
            unexplained: Vec::new(),
            met: Vec::new(),
        }
    }

    /// The same for today's client, which says its name.
    pub fn modern(ours: &str, theirs: &str) -> Self {
        Self {
            name: MODERN.to_owned(),
            ..Self::new(ours, theirs)
        }
    }

    /// Sends what follows under another name, by the same path.
    pub fn named(&mut self, name: &str) {
        self.name = name.to_owned();
    }

    /// Sends what follows under another name, and to ours by the path that says the dialect.
    pub fn call_itself(&mut self, name: &'static str) {
        self.name = name.to_owned();
        let is_the_client = name.starts_with("python-httpx/");
        let [ours, _] = &mut self.bases;
        *ours = ours.replace("/api/orion", "/api");
        if !is_the_client {
            ours.push_str("/orion");
        }
    }

    /// Reads.
    pub fn get(&mut self, path: &str) {
        self.same("GET", path, None);
    }

    /// Deletes.
    pub fn delete(&mut self, path: &str) {
        self.same("DELETE", path, None);
    }

    /// Sends JSON.
    pub fn post(&mut self, path: &str, body: &Value) {
        self.same("POST", path, Some(&body.to_string()));
    }

    /// Changes something.
    pub fn patch(&mut self, path: &str, body: &Value) {
        self.same("PATCH", path, Some(&body.to_string()));
    }

    /// Puts something.
    pub fn put(&mut self, path: &str, body: &Value) {
        self.same("PUT", path, Some(&body.to_string()));
    }

    /// Sends JSON and keeps the id in the answer under a name.
    pub fn make(&mut self, name: &str, path: &str, body: &Value) {
        let answers = self.same("POST", path, Some(&body.to_string()));
        self.keep(name, &answers, "/id");
    }

    /// Sends JSON of which the answers differ on purpose.
    pub fn post_differs(&mut self, reason: &str, path: &str, body: &Value) {
        self.differs(reason, "POST", path, Some(&body.to_string()));
    }

    /// Keeps the text at a JSON pointer of the answers under a name.
    pub fn keep(&mut self, name: &str, answers: &[Answer; 2], pointer: &str) {
        for (kept, answer) in self.kept.iter_mut().zip(answers) {
            let quoted = Value::from(answer.text(pointer)).to_string();
            kept.insert(name.to_owned(), quoted.trim_matches('"').to_owned());
        }
    }

    /// Sends JSON whose answer is a list in that server's random order.
    pub fn post_any_order(&mut self, path: &str, body: &Value) {
        self.in_any_order("POST", path, Some(&body.to_string()));
    }

    /// Sends a request whose answer is a list in that server's random order.
    pub fn in_any_order(&mut self, method: &str, path: &str, body: Option<&str>) {
        self.any_order = true;
        self.same(method, path, body);
        self.any_order = false;
    }

    /// Sends a request of which the answers should be the same.
    pub fn same(&mut self, method: &str, path: &str, body: Option<&str>) -> [Answer; 2] {
        self.ask(Ask {
            method,
            path,
            body,
            kind: "application/json",
        })
    }

    /// Sends a request of which the caller looks at the answers.
    pub fn send_raw(&mut self, method: &str, path: &str, body: Option<&str>) -> [Answer; 2] {
        self.send(Ask {
            method,
            path,
            body,
            kind: "application/json",
        })
    }

    /// Sends any request of which the answers should be the same.
    pub fn ask(&mut self, ask: Ask<'_>) -> [Answer; 2] {
        let answers = self.send(ask);
        let found = self.compare(&answers);
        match known(ask.body.unwrap_or_default(), &answers) {
            _ if found.is_empty() => {}
            Some(reason) => self.met.push(reason.to_owned()),
            None => self.unexplained.push(report(ask, &found)),
        }
        answers
    }

    /// Sends a request until the answers are the same, for some seconds: what is told may come
    /// later there.
    pub fn soon(&mut self, ask: Ask<'_>) {
        let ids = self.ids.clone();
        for _ in 0..100 {
            let answers = self.send(ask);
            if self.compare(&answers).is_empty() {
                return;
            }
            self.ids = ids.clone();
            std::thread::sleep(Duration::from_millis(200));
        }
        self.ask(ask);
    }

    /// Sends a request of which the answers differ on purpose; `reason` names the entry of
    /// the list that explains it.
    pub fn differs(&mut self, reason: &str, method: &str, path: &str, body: Option<&str>) {
        let ask = Ask {
            method,
            path,
            body,
            kind: "application/json",
        };
        let answers = self.send(ask);
        if self.compare(&answers).is_empty() {
            self.unexplained
                .push(report(ask, &[format!("should differ by {reason:?}")]));
        }
        self.met.push(reason.to_owned());
    }

    /// Takes note of what both told on a websocket, which should be the same.
    pub fn told(&mut self, what: &str, [ours, theirs]: &[Value; 2]) {
        let mut comparison = Comparison {
            ids: &mut self.ids,
            any_order: false,
            other_offset: false,
            shared_id: false,
        };
        let found = comparison.differences(ours, theirs);
        if !found.is_empty() {
            let told = format!("{what}\n    {}", found.join("\n    "));
            self.unexplained.push(told);
        }
    }

    /// The ports of both.
    pub fn ports(&self) -> [u16; 2] {
        self.bases.each_ref().map(|base| {
            let uri: ureq::http::Uri = base.parse().unwrap();
            uri.port_u16().unwrap()
        })
    }

    /// A text for each, with its ids.
    pub fn filled(&self, text: &str) -> [String; 2] {
        self.kept.each_ref().map(|kept| filled(text, kept))
    }

    fn compare(&mut self, [ours, theirs]: &[Answer; 2]) -> Vec<String> {
        let mut found = Vec::new();
        if ours.status != theirs.status {
            found.push(format!("status {}, theirs {}", ours.status, theirs.status));
        }
        if ours.location != theirs.location {
            found.push(format!(
                "to {:?}, theirs {:?}",
                ours.location, theirs.location
            ));
        }
        if ours.headers != theirs.headers {
            let (ours, theirs) = (&ours.headers, &theirs.headers);
            found.push(format!("{TOLD:?}: {ours:?}, theirs {theirs:?}"));
        }
        let mut comparison = Comparison {
            ids: &mut self.ids,
            any_order: self.any_order,
            other_offset: false,
            shared_id: false,
        };
        found.extend(comparison.differences(&ours.body, &theirs.body));
        if comparison.other_offset {
            self.met.push(OTHER_OFFSET.to_owned());
        }
        if comparison.shared_id {
            self.met.push(SHARED_ID.to_owned());
        }
        found
    }

    fn send(&mut self, ask: Ask<'_>) -> [Answer; 2] {
        self.calls += 1;
        [0, 1].map(|side| {
            let base = self.bases.get(side).unwrap();
            let kept = self.kept.get(side).unwrap();
            let mut path = filled(ask.path, kept);
            // Without a prefix it is the modern clients' question.
            if side == 0 && path == "/admin/version" && self.name.starts_with("python-httpx/") {
                path.insert_str(0, "/orion");
            }
            let body = ask.body.map(|body| filled(body, kept));
            let mut response = self.answered(ask, &format!("{base}{path}"), body.as_deref());
            let text = response.body_mut().read_to_string().unwrap();
            let location = response.headers().get("location");
            let location = location.map(|to| to.to_str().unwrap().replace(base.as_str(), ""));
            let headers = TOLD.map(|name| {
                let value = response.headers().get(name)?;
                Some(value.to_str().unwrap().to_lowercase())
            });
            Answer {
                headers,
                status: response.status().as_u16(),
                location,
                body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
            }
        })
    }
}

impl Pair {
    fn answered(&self, ask: Ask<'_>, url: &str, body: Option<&str>) -> Response<Body> {
        let mut tries = 0;
        loop {
            let request = Request::builder()
                .method(ask.method)
                .uri(url)
                .header("user-agent", &self.name)
                .header("content-type", ask.kind);
            let response = match body {
                Some(body) => self.agent.run(request.body(body).unwrap()),
                None => self.agent.run(request.body(()).unwrap()),
            };
            let response = response.unwrap_or_else(|error| panic!("{} {url}: {error}", ask.method));
            tries += 1;
            if response.status() != 503 || tries == MOST_TRIES {
                return response;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn filled(text: &str, kept: &HashMap<String, String>) -> String {
    let mut text = text.to_owned();
    if text.contains('{') {
        for (name, id) in kept {
            text = text.replace(&format!("{{{name}}}"), id);
        }
        let now = Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
            .to_string();
        text = text.replace("{now}", &now);
        while text.contains("{new}") {
            text = text.replacen("{new}", &Uuid::new_v4().to_string(), 1);
        }
    }
    text
}

fn report(ask: Ask<'_>, found: &[String]) -> String {
    let mut told = format!("{} {} {}", ask.method, ask.path, ask.body.unwrap_or(""));
    for difference in found {
        write!(told, "\n    {difference}").unwrap();
    }
    told
}
