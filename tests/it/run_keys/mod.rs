//! Runs that are known by the key in the address of their API.

#[cfg(feature = "docker")]
mod containers;

use serde_json::{Value, json};

use super::support::socket::Socket;
use super::support::{Http, KeyFile, Options, TestDaemon, with_key};

/// An agent that the test plays, and the runs that it holds.
struct Played<'a> {
    daemon: &'a TestDaemon,
    operator: Http,
    deployment: String,
}

impl<'a> Played<'a> {
    fn new(daemon: &'a TestDaemon, operator: Http) -> Self {
        let report = json!({ "report": {
            "identity": "i", "host": "h", "pid": 1, "version": "0", "slots": 10,
            "last_activation": null, "last_error": null, "engine_trouble": null,
        }});
        operator
            .post("/v3/prefectd/agents/a/report", &report)
            .expect(200);
        let flow = operator.flow("f");
        let runner = json!({ "type": "docker", "config": {} });
        let deployment = operator.deployment(&flow, "d", &runner);
        Self {
            daemon,
            operator,
            deployment,
        }
    }

    /// A run that the agent has taken.
    fn run(&self) -> String {
        let run = self.operator.run_deployment(&self.deployment)["id"].clone();
        self.claim();
        run.as_str().unwrap().to_owned()
    }

    fn claim(&self) {
        let claim = json!({ "containers": true, "limit": 1 });
        let claimed = self.operator.post("/v3/prefectd/agents/a/claim", &claim);
        assert_eq!(claimed.expect(200).as_array().unwrap().len(), 1);
    }

    fn asks_key(&self, run: &str, wanted: &Value) -> Value {
        let path = format!("/v3/prefectd/agents/a/runs/{run}/key");
        self.operator.post(&path, wanted).expect(200)["key"].clone()
    }

    fn key(&self, run: &str) -> String {
        let key = self.asks_key(run, &json!({ "container": true }));
        key.as_str().unwrap().to_owned()
    }

    /// Whoever has the key.
    fn by(&self, key: &str) -> Http {
        Http::new(&format!("{}/run/{key}", self.daemon.url()))
    }

    fn by_today(&self, key: &str) -> Http {
        Http::modern(&format!("{}/run/{key}", self.daemon.url()))
    }
}

fn set(run: &str) -> String {
    format!("/flow_runs/{run}/set_state")
}

fn state(kind: &str) -> Value {
    json!({ "state": { "type": kind } })
}

fn line(run: &str, message: &str) -> Value {
    json!([{ "flow_run_id": run, "name": "n", "level": 20, "message": message,
             "timestamp": "2024-01-01T00:00:00+00:00" }])
}

fn keyed() -> (TestDaemon, KeyFile) {
    let key = KeyFile::new();
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: key.env(),
        ..Options::default()
    });
    (daemon, key)
}

#[test]
fn a_key_lets_its_own_run_speak_and_nobody_else() {
    // Where everybody may do everything, a key is a run's all the same.
    let open = TestDaemon::without_agent();
    let (closed, _key) = keyed();
    for (daemon, operator) in [(&open, open.http()), (&closed, with_key(&closed))] {
        let played = Played::new(daemon, operator);
        let (one, other) = (played.run(), played.run());
        let key = played.key(&one);
        for http in [played.by(&key), played.by_today(&key)] {
            assert_eq!(http.get(&format!("/flow_runs/{one}")).status, 200);
            assert_eq!(http.get(&format!("/flow_runs/{other}")).status, 200);
            let task = json!({ "flow_run_id": one, "task_key": "k", "dynamic_key": "0" });
            assert!(http.post("/task_runs/", &task).status < 300);
            assert_eq!(http.post(&set(&other), &state("RUNNING")).status, 403);
            assert_eq!(http.post("/logs/", &line(&other, "x")).status, 403);
            let flow = json!({ "name": "d2", "flow_id": other });
            assert_eq!(http.post("/deployments/", &flow).status, 403);
            for path in ["/v3/prefectd/status", "/v3/prefectd/agents", "/nothing"] {
                assert_eq!(http.get(path).status, 403, "{path}");
            }
            // Not with the operator's key either.
            let both = http.authorized(&format!("Bearer {}", super::support::KEY));
            assert_eq!(both.get("/v3/prefectd/status").status, 403);
        }
        for place in ["/metrics", "", "/", "/login", "/apis"] {
            let url = format!("{}/run/{key}{place}", daemon.url());
            let answer = ureq::get(&url).call();
            let told = answer.unwrap_err().to_string();
            assert!(told.contains("403"), "{place}: {told}");
        }
        let today = played.by_today(&key);
        let begun = today.post(&set(&one), &state("RUNNING")).expect(201);
        assert_eq!(begun["status"], "ACCEPT");
        for wrong in ["wrong", "", &key[1..], &"A".repeat(10_000)] {
            let answer = played.by(wrong).get(&format!("/flow_runs/{one}"));
            assert_eq!(answer.status, 401, "{wrong}");
        }
        // What only tells whether it is alive tells everybody.
        assert_eq!(played.by("wrong").get("/health").status, 200);
        // It may hand in its last lines, for a while.
        today.post(&set(&one), &state("COMPLETED")).expect(201);
        assert_eq!(today.post("/logs/", &line(&one, "last")).status, 201);
        assert_eq!(today.post(&set(&one), &state("RUNNING")).status, 403);
        let log = daemon.log();
        assert!(!log.contains(&key), "{log}");
        let refused = format!("refused POST /api/v3/flow_runs/{other}/set_state to run {one}");
        assert!(log.contains(&refused), "{log}");
    }
}

#[test]
fn a_key_is_worth_nothing_once_there_is_another_or_the_run_is_taken_anew() {
    let daemon = TestDaemon::without_agent();
    let played = Played::new(&daemon, daemon.http());
    let run = played.run();
    let (first, second) = (played.key(&run), played.key(&run));
    let path = format!("/flow_runs/{run}");
    assert_eq!(played.by(&first).get(&path).status, 403);
    assert_eq!(played.by(&second).get(&path).status, 200);
    // Of a run that is not the agent's there is none.
    let free = played.operator.flow_run(&played.operator.flow("f"));
    let asked = format!("/v3/prefectd/agents/a/runs/{free}/key");
    assert_eq!(played.operator.post(&asked, &json!({})).status, 200);
    let container = json!({ "container": true });
    assert_eq!(played.operator.post(&asked, &container).status, 409);
    for kind in ["FAILED", "SCHEDULED"] {
        let forced = json!({ "state": { "type": kind }, "force": true });
        let today = daemon.modern();
        today.post(&set(&run), &forced).expect(201);
    }
    played.claim();
    assert_eq!(played.by(&second).get(&path).status, 403);
    let third = played.key(&run);
    assert_eq!(played.by(&third).get(&path).status, 200);
}

#[test]
fn processes_of_an_agent_have_keys_where_tcp_needs_one() {
    let open = TestDaemon::without_agent();
    let (closed, _key) = keyed();
    let process = json!({ "container": false });
    let played = Played::new(&open, open.http());
    assert_eq!(played.asks_key(&played.run(), &process), Value::Null);
    let played = Played::new(&closed, with_key(&closed));
    assert!(played.asks_key(&played.run(), &process).is_string());
}

#[test]
fn a_key_opens_websockets_and_what_is_told_of_it_is_masked() {
    let (daemon, _key) = keyed();
    let played = Played::new(&daemon, with_key(&daemon));
    let (run, other) = (played.run(), played.run());
    let key = played.key(&run);
    let events = format!("/run/{key}/api/events/in");
    let url = format!("http://h:1/run/{key}/api/flows/");
    let told = format!("'403 Forbidden' for url '{url}'");
    let event = |id: u8, run: &str| {
        json!({ "id": format!("018f0000-0000-7000-8000-0000000000{id:02x}"),
            "event": "prefect.task-run.Running", "occurred": "2024-01-01T00:00:00Z",
            "resource": { "prefect.orchestration": "client",
                "prefect.resource.id": format!("prefect.task-run.018f0000-0000-7000-8000-00000000aa{id:02x}") },
            "related": [{ "prefect.resource.id": format!("prefect.flow-run.{run}"),
                          "prefect.resource.role": "flow-run" }],
            "payload": { "validated_state": { "type": "RUNNING", "message": told },
                         "task_run": { "task_key": "k", "dynamic_key": format!("{id}") } } })
    };
    let mut socket = Socket::greeted_at(&daemon, &events, Some("whatever"));
    socket.say(&event(1, &run));
    socket.checkpoint();
    let mut forger = Socket::greeted_at(&daemon, &events, None);
    forger.say(&event(2, &other));
    let (code, _) = forger.closing();
    assert_eq!(code, 1008);
    let wrong = Socket::open_at(&daemon, "/run/wrong/api/events/in", &[]);
    assert!(wrong.is_err());

    let http = played.by_today(&key);
    http.post("/logs/", &line(&run, &told)).expect(201);
    let failed = json!({ "state": { "type": "RUNNING", "message": told } });
    http.post(&set(&run), &failed).expect(201);
    let asked = json!({ "logs": { "flow_run_id": { "any_": [run] } } });
    let lines = played.operator.post("/v3/logs/filter", &asked).expect(200);
    assert_eq!(
        lines[0]["message"],
        told.replace(&key, "********"),
        "{lines}"
    );
    let run = played
        .operator
        .get(&format!("/v3/flow_runs/{run}"))
        .expect(200);
    let message = run["state"]["message"].as_str().unwrap();
    assert!(
        message.contains("********") && !message.contains(&key),
        "{message}"
    );
    // Neither the database nor a backup, nor what is counted, holds the key.
    let backup = daemon.state_dir().join("backup.tar");
    let made = daemon.ctl().arg("backup").arg(&backup).output().unwrap();
    assert!(made.status.success());
    for file in [
        backup,
        daemon.database(),
        daemon.database().with_extension("db-wal"),
    ] {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let is_there = bytes.windows(key.len()).any(|some| some == key.as_bytes());
        assert!(!is_there, "{}", file.display());
    }
    let status = daemon
        .ctl()
        .args(["status", "-o", "json"])
        .output()
        .unwrap();
    for text in [status.stdout, daemon.log().into_bytes()] {
        assert!(!String::from_utf8_lossy(&text).contains(&key));
    }
}

#[test]
fn what_is_sent_on_keeps_its_key() {
    let daemon = TestDaemon::without_agent();
    let played = Played::new(&daemon, daemon.http());
    let key = played.key(&played.run());
    let sent_on = played.by(&key).get("/flows");
    assert_eq!(sent_on.status, 307);
    let to = format!("{}/run/{key}/api/flows/", daemon.url());
    assert_eq!(sent_on.location.as_deref(), Some(&*to));
}
