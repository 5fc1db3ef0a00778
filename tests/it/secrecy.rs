//! Every operation, by every kind of caller, with secrets wherever one can be.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::access::with_groups;
use super::support::Http;

/// What must be in no answer to those who only look.
const CANARY: &str = "zz-canary-zz";

/// What was planted, by the words that stand for it in paths.
struct Planted {
    flow: String,
    deployment: String,
    run: String,
    task: String,
    run_state: String,
    task_state: String,
    search: String,
    document: Value,
}

/// Something with a secret at every place at which one can be told.
fn secrets() -> Value {
    json!({
        "api_key": CANARY,
        "deep": [[{ "PASSWORD": { "a": [CANARY] }, "n": 1 }]],
        "url": format!("postgres://user:{CANARY}@host/db"),
        "words": ["--token=zz-canary-zz", format!("X_SECRET={CANARY}")],
        "text": json!({ "auth": CANARY }).to_string(),
    })
}

fn text() -> String {
    format!("cannot reach pg://u:{CANARY}@host with token={CANARY} and {{'api_key': '{CANARY}'}}")
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

impl Planted {
    fn plant(http: &Http) -> Self {
        let flow = http.flow("f");
        let runner = json!({ "type": "docker", "config": {
            "env": { "API_KEY": CANARY, "DB": format!("pg://u:{CANARY}@h"), "HOME": "/h" } } });
        let deployment = json!({
            "name": "d", "flow_id": flow, "parameters": secrets(), "flow_runner": runner,
            "flow_data": { "encoding": "cloudpickle", "blob": CANARY },
        });
        let deployment = id(&http.post("/orion/deployments/", &deployment).expect(201));
        let data = |blob: String| json!({ "encoding": "json", "blob": blob });
        let run = json!({
            "flow_id": flow, "deployment_id": deployment, "parameters": secrets(),
            "context": secrets(), "flow_runner": runner,
            "state": { "type": "FAILED", "message": text(), "data": data(secrets().to_string()) },
        });
        let run = http.post("/orion/flow_runs/", &run).expect(201);
        let task = json!({
            "flow_run_id": run["id"], "task_key": "k", "dynamic_key": "0",
            "state": { "type": "COMPLETED", "message": text(),
                       "data": { "encoding": "cloudpickle", "blob": CANARY } },
        });
        let task = http.post("/orion/task_runs/", &task).expect(201);
        let lines = json!([{ "flow_run_id": run["id"], "task_run_id": task["id"], "name": "n",
                             "level": 20, "message": text(),
                             "timestamp": "2024-01-01T00:00:00+00:00" }]);
        http.post("/orion/logs/", &lines).expect(201);
        let search = json!({ "name": "s", "filters": { "flow_runs": secrets() } });
        let search = http.put("/orion/saved_searches/", &search);
        let document = http.post("/orion/data/persist", &secrets()).expect(201);
        Self {
            flow,
            deployment,
            run_state: run["state_id"].as_str().unwrap().to_owned(),
            task_state: task["state_id"].as_str().unwrap().to_owned(),
            run: id(&run),
            task: id(&task),
            search: id(&search.expect(201)),
            document,
        }
    }

    /// A path of the description with these in it.
    fn path(&self, path: &str) -> String {
        let noun = path.split('/').nth(3).unwrap_or_default();
        let one = match noun {
            "flows" => &self.flow,
            "deployments" => &self.deployment,
            "flow_runs" | "prefectd" => &self.run,
            "task_runs" => &self.task,
            "flow_run_states" => &self.run_state,
            "task_run_states" => &self.task_state,
            _ => &self.search,
        };
        let path = path
            .replace("{id}", one)
            .replace("{run}", &self.run)
            .replace("agents/{name}", "agents/embedded")
            .replace("{noun}", "flow_runs")
            .replace("{beginning}", "0a")
            .replace("{name}", "f")
            .replace("{flow_name}", "f")
            .replace("{deployment_name}", "d");
        match path.as_str() {
            path if path.ends_with("flow_run_states/") => {
                format!("{path}?flow_run_id={}", self.run)
            }
            path if path.ends_with("task_run_states/") => {
                format!("{path}?task_run_id={}", self.task)
            }
            path => path.to_owned(),
        }
    }

    fn body(&self, path: &str) -> String {
        match path {
            path if path.ends_with("/retrieve") => self.document.to_string(),
            path if path.ends_with("/logs/page") => json!({
                "flow_run_id": self.run, "backwards": false })
            .to_string(),
            path if path.ends_with("/around") => json!({ "ids": [self.deployment] }).to_string(),
            path if path.ends_with("/lengths") => json!({ "ids": [self.run] }).to_string(),
            path if path.ends_with("/history") => json!({
                "history_start": "2020-01-01T00:00:00Z", "history_end": "2020-01-02T00:00:00Z",
                "history_interval_seconds": 3600 })
            .to_string(),
            _ => "{}".to_owned(),
        }
    }
}

/// Every operation that is described, and the pages beside them.
fn operations(http: &Http) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&http.text("/openapi.json")).unwrap();
    let mut all: Vec<_> = ["/", "/metrics", "/docs", "/openapi.json"]
        .map(|page| ("GET".to_owned(), page.to_owned()))
        .into();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            all.push((method.to_uppercase(), path.clone()));
        }
    }
    assert!(all.len() > 80, "{}", all.len());
    all
}

/// Whether an operation only looks: what a viewer may.
fn looks(method: &str, path: &str) -> bool {
    // These tell what is on the machine, which may be secret whatever its name.
    let closed = [
        "/backup",
        "/agents/{name}/runs",
        "/prefectd/settings",
        "/prefectd/doctor",
    ];
    let is_closed = closed.iter().any(|end| path.ends_with(end));
    match method {
        "GET" => !is_closed,
        "POST" => [
            "/filter", "/count", "/history", "/around", "/lengths", "/page",
        ]
        .iter()
        .any(|end| path.ends_with(end)),
        _ => false,
    }
}

fn ask_as(uid: u32, socket: &Path, method: &str, path: &str, body: &str) -> (u16, String) {
    let output = Command::new("curl")
        .args([
            "--silent",
            "--include",
            "--max-time",
            "20",
            "--path-as-is",
            "--unix-socket",
        ])
        .arg(socket)
        .args([
            "--header",
            "Content-Type: application/json",
            "--request",
            method,
        ])
        .args(match method {
            "GET" => Vec::new(),
            _ => vec!["--data", body],
        })
        .arg(format!("http://x{path}"))
        .uid(uid)
        .gid(uid)
        .current_dir("/")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    (status.unwrap_or(0), text)
}

#[test]
fn viewers_look_at_everything_but_secrets_and_strangers_at_nothing() {
    let daemon = with_groups();
    let planted = Planted::plant(&daemon.http());
    let socket = daemon.socket();
    let (operator, viewer, stranger) = (1, 2, 3);
    let mut seen_by_operator = 0;
    for (method, described) in operations(&daemon.http()) {
        let (path, body) = (planted.path(&described), planted.body(&described));
        let ask = |uid| ask_as(uid, &socket, &method, &path, &body);
        let what = format!("{method} {path}");
        let is_health = described.ends_with("/health");
        let (status, text) = ask(viewer);
        let may = looks(&method, &described);
        assert_eq!(status != 403, may, "{what}: {text}");
        assert!(!text.contains(CANARY), "{what}: {text}");
        assert!(!may || status < 500, "{what}: {text}");
        let (status, text) = ask(stranger);
        assert_eq!(status == 403, !is_health, "{what}: {text}");
        assert!(!text.contains(CANARY), "{what}: {text}");
        if may {
            let (status, text) = ask(operator);
            assert!(status != 403, "{what}: {text}");
            seen_by_operator += usize::from(text.contains(CANARY));
        }
    }
    // It was there to be seen.
    assert!(seen_by_operator > 20, "{seen_by_operator}");
}

#[test]
fn what_is_no_route_is_refused_to_who_may_only_look() {
    let daemon = with_groups();
    let planted = Planted::plant(&daemon.http());
    let socket = daemon.socket();
    let run = &planted.run;
    for path in [
        "/nothing".to_owned(),
        "/api/v3/nothing".to_owned(),
        "/api/v3/flow_runs".to_owned(),
        format!("/api/v3/flow_runs/{run}/"),
        format!("/api/v3//flow_runs/{run}"),
        format!("//api/v3/flow_runs/{run}"),
        format!("/api/v3/flow_runs/{run}/nothing"),
        format!("/api/v3/flow_runs%2F{run}"),
        "/api/v3/flow_runs/../prefectd/backup".to_owned(),
        "/api/v3/prefectd/backup/".to_owned(),
        "/api/v3/prefectd/%62ackup".to_owned(),
        "/api/v3/prefectd/agents/embedded/runs/".to_owned(),
        "/metrics/".to_owned(),
    ] {
        for method in ["GET", "POST", "DELETE", "PUT", "BREW"] {
            let (status, text) = ask_as(2, &socket, method, &path, "{}");
            assert_eq!(status, 403, "{method} {path}: {text}");
            assert!(!text.contains(CANARY), "{method} {path}: {text}");
        }
    }
    // A path of the old dialect that lacks its slash is sent on, to where it is judged.
    let (status, text) = ask_as(2, &socket, "GET", "/api/orion/flow_runs", "");
    assert_eq!(status, 307, "{text}");
    let (status, _) = ask_as(
        2,
        &socket,
        "DELETE",
        &format!("/api/orion/flow_runs/{run}/"),
        "",
    );
    assert_eq!(status, 307);
    assert_eq!(daemon.http().get(&format!("/flow_runs/{run}")).status, 200);
}

#[test]
fn prefectctl_shows_viewers_what_they_may_see() {
    let daemon = with_groups();
    let planted = Planted::plant(&daemon.http());
    // Where every user finds it.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("prefectctl");
    std::fs::copy(env!("CARGO_BIN_EXE_prefectctl"), &program).unwrap();
    for path in [folder.path(), &*program] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let run = planted.run.as_str();
    for words in [
        &["flow", "ls"][..],
        &["deployment", "ls"],
        &["deployment", "inspect", "f/d"],
        &["flow-run", "ls"],
        &["flow-run", "inspect", run],
        &["flow-run", "logs", run],
        &["flow-run", "why", run],
        &["top", "--once"],
        &["status"],
    ] {
        let output = Command::new(&program)
            .args(words)
            .arg("--show-secrets")
            .env("PREFECTD_SOCKET", daemon.socket())
            .uid(2)
            .gid(2)
            .current_dir("/")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let trouble = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {told}{trouble}");
        assert!(!told.contains(CANARY), "{words:?}: {told}");
    }
}

#[cfg(feature = "docker")]
mod run {
    use super::super::access::{KeyFile, with_key};
    use super::super::docker::{Marked, daemon, docker, image};
    use super::super::neighbours::{Stranger, await_relay, sleeper};
    use super::super::support::flows::deploy;
    use super::*;

    /// Sends requests and prints the status and the body of each answer.
    const ASK: &str = "
import json, sys, urllib.error, urllib.request
answers = []
for method, url, body in json.load(sys.stdin):
    request = urllib.request.Request(url, data=None if body is None else body.encode(), method=method)
    request.add_header('Content-Type', 'application/json')
    try:
        answer = urllib.request.urlopen(request, timeout=120)
    except urllib.error.HTTPError as error:
        answer = error
    answers.append([answer.status, answer.read().decode('utf-8', 'replace')])
print(json.dumps(answers))
";

    /// What a run's container is answered.
    fn ask(
        container: &str,
        daemon: &crate::support::TestDaemon,
        asked: &[(String, String, String)],
    ) -> Vec<(u16, String)> {
        let url = format!("http://host.docker.internal:{}", daemon.port());
        let asked: Vec<_> = asked
            .iter()
            .map(|(method, path, body)| {
                let body = (method != "GET").then_some(body);
                json!([method, format!("{url}{path}"), body])
            })
            .collect();
        let mut command = Command::new("docker");
        command.args(["exec", "--interactive", container, "python", "-c", ASK]);
        let input = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(input.path(), Value::from(asked).to_string()).unwrap();
        let output = command
            .stdin(std::fs::File::open(input.path()).unwrap())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    #[test]
    fn a_run_does_what_it_needs_and_is_told_no_other_s_secrets() {
        let (mut daemon, marked, key) = (daemon(), Marked::new(), KeyFile::new());
        deploy(&daemon, "cases.py", &marked.runner(json!({})));
        let planted = Planted::plant(&daemon.http());
        let described = operations(&daemon.http());
        assert!(daemon.terminate().success());
        daemon.restart(key.env());
        await_relay(&daemon);
        let http = with_key(&daemon);
        let (own, container) = sleeper(&http, &marked, "own");
        let asked: Vec<_> = described
            .iter()
            .map(|(method, path)| (method.clone(), planted.path(path), planted.body(path)))
            .collect();
        let answers = ask(&container, &daemon, &asked);
        for ((method, path), (status, text)) in described.iter().zip(&answers) {
            let what = format!("{method} {path}: {status} {text}");
            let is_data = ["/data/retrieve", "/data/persist"]
                .iter()
                .any(|end| path.ends_with(end));
            // Who is given a document's name may have the document.
            assert!(is_data || !text.contains(CANARY), "{what}");
            let is_of_daemon = path.contains("/prefectd/") || path.contains("/admin/");
            let is_page = !path.starts_with("/api/");
            let reads = looks(method, path) && !is_of_daemon && !is_page;
            let registers = method == "POST" && path.ends_with("/flows/");
            let runs = method == "POST" && path.ends_with("/create_flow_run");
            assert_eq!(
                *status != 403,
                reads || is_data || registers || runs,
                "{what}"
            );
        }
        let image = image();
        let host = "host.docker.internal:host-gateway";
        let words = ["run", "--detach", "--rm", "--add-host", host];
        let sleeps = ["--entrypoint", "sleep", &image, "300"];
        let stranger = Stranger(docker(&[&words[..], &sleeps[..]].concat()));
        let answers = ask(&stranger.0, &daemon, &asked);
        for ((method, path), (status, text)) in described.iter().zip(&answers) {
            let expected = if path.ends_with("/health") { 200 } else { 403 };
            assert_eq!(*status, expected, "{method} {path}: {text}");
            assert!(!text.contains(CANARY), "{method} {path}: {text}");
        }
        // Half a surrogate pair is read as by the handler; whose line it is is read as well.
        let line = |api: &str, of: &str| {
            let body = format!(
                r#"[{{"flow_run_id":"{of}","name":"n","level":20,"message":"half \ud800","timestamp":"2024-01-01T00:00:00+00:00"}}]"#
            );
            ("POST".to_owned(), format!("/api/{api}/logs/"), body)
        };
        let halves = [
            line("orion", &own),
            line("v3", &own),
            line("orion", &planted.run),
            line("v3", &planted.run),
        ];
        let answers = ask(&container, &daemon, &halves);
        let statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
        assert!(statuses[..2].iter().all(|one| *one < 300), "{answers:?}");
        assert_eq!(statuses[2..], [403, 403]);
        let v3 = "/api/v3";
        let (deployment, task) = (&planted.deployment, &planted.task);
        let post = |path: String, body: Value| ("POST".to_owned(), path, body.to_string());
        let twice = format!(
            "{{\"flow_run_id\":\"{own}\",\"flow_run_id\":\"{}\",\"task_key\":\"k\",\"dynamic_key\":\"9\"}}",
            planted.run
        );
        let refused = [
            // Lists are objects to readers that take fields by their order.
            post(
                format!("{v3}/deployments/{deployment}/create_flow_run"),
                json!([null, {}, {}, null, null, task, null]),
            ),
            post(
                format!("{v3}/deployments/{deployment}/create_flow_run"),
                json!([]),
            ),
            post(format!("{v3}/task_runs/"), json!([planted.run, "k", "1"])),
            post(
                format!("{v3}/flow_runs/"),
                json!([planted.flow, null, null, task]),
            ),
            post(format!("{v3}/logs/"), json!([[planted.run, "n", 20, "m"]])),
            post(
                format!("{v3}/flow_runs/{{{own}}}/set_state"),
                json!({ "state": { "type": "RUNNING" } }),
            ),
            post(
                format!("{v3}//flow_runs/{own}/set_state"),
                json!({ "state": { "type": "RUNNING" } }),
            ),
            post(
                format!("{v3}/flow_runs/{}/set_state/", planted.run),
                json!({ "state": { "type": "RUNNING" } }),
            ),
            (
                "POST".to_owned(),
                "/api/orion/task_runs/".to_owned(),
                twice.clone(),
            ),
        ];
        for ((_, path, body), (status, text)) in
            refused.iter().zip(ask(&container, &daemon, &refused))
        {
            assert_eq!(status, 403, "{path} {body}: {text}");
        }
        // The modern dialect reads no name twice.
        let twice = [("POST".to_owned(), format!("{v3}/task_runs/"), twice)];
        let (status, text) = ask(&container, &daemon, &twice).remove(0);
        assert!([403, 422].contains(&status), "{text}");
        // Its own parameters and results are its own.
        let body = json!({ "state": { "type": "RUNNING", "message": text, "data": {
            "encoding": "json", "blob": "{\"token\": \"mine\"}" } } });
        http.post(&format!("/orion/flow_runs/{own}/set_state"), &body);
        let read = [(
            "GET".to_owned(),
            format!("/api/orion/flow_runs/{own}"),
            String::new(),
        )];
        let (status, text) = ask(&container, &daemon, &read).remove(0);
        assert_eq!(status, 200);
        assert!(
            text.contains("/marks/own") && !text.contains("********"),
            "{text}"
        );
        let _ = docker(&["kill", &container]);
    }
}
