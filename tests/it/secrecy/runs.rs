//! Every operation × runs that live, in containers and as processes, each against the other.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::planted::{Asked, Planted, Targets};
use super::{Asker, CANARY};
use crate::docker::{Marked, daemon, docker, image};
use crate::neighbours::{Stranger, await_relay, sleeper};
use crate::support::flows::{deploy, venv};
use crate::support::{Http, KeyFile, TestDaemon, wait_for, with_key};

/// Sends requests and prints the status and the body of each answer.
const ASK: &str = include_str!("../../flows/ask.py");

fn requests(base: &str, asked: &[Asked]) -> Value {
    let one = |asked: &Asked| {
        let body = (asked.method != "GET").then_some(&asked.body);
        json!([asked.method, format!("{base}{}", asked.path), body])
    };
    asked.iter().map(one).collect()
}

/// What a container is answered.
fn ask(container: &str, daemon: &TestDaemon, asked: &[Asked]) -> Vec<(u16, String)> {
    let url = format!("http://host.docker.internal:{}", daemon.port());
    let input = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(input.path(), requests(&url, asked).to_string()).unwrap();
    let output = Command::new("docker")
        .args(["exec", "--interactive", container, "python", "-c", ASK])
        .stdin(std::fs::File::open(input.path()).unwrap())
        .output()
        .unwrap();
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{trouble}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn check(asker: Asker, asked: &[Asked], answers: &[(u16, String)]) {
    assert_eq!(asked.len(), answers.len());
    for (asked, (status, text)) in asked.iter().zip(answers) {
        asker.check(asked, *status, text);
    }
}

/// A run and a task run of it.
fn targets(http: &Http, run: String) -> Targets {
    let task = json!({ "flow_run_id": run, "task_key": "t", "dynamic_key": "0" });
    let task = http.post("/task_runs/", &task).expect(201)["id"].clone();
    let artifact = json!({ "flow_run_id": run, "data": 1 });
    let artifact = http.post("/v3/artifacts/", &artifact).expect(201)["id"].clone();
    Targets {
        artifact: artifact.as_str().unwrap().to_owned(),
        run,
        task: task.as_str().unwrap().to_owned(),
    }
}

/// A daemon that needs a key, with everything planted and the flows deployed.
fn keyed(runner: &Value) -> (TestDaemon, Planted, KeyFile) {
    let (mut daemon, key) = (daemon(), KeyFile::new());
    deploy(&daemon, "cases.py", runner);
    let planted = Planted::plant(&daemon.http());
    assert!(daemon.terminate().success());
    daemon.restart(key.env());
    await_relay(&daemon);
    (daemon, planted, key)
}

#[test]
fn two_runs_do_what_they_need_to_their_own_and_are_told_no_other_s_secrets() {
    let marked = Marked::new();
    let (daemon, planted, _key) = keyed(&marked.runner(json!({})));
    let http = with_key(&daemon);
    let (one, one_s_container) = sleeper(&http, &marked, "one");
    let (other, other_s_container) = sleeper(&http, &marked, "other");
    let (one, other) = (targets(&http, one), targets(&http, other));
    for (container, own, another) in [
        (&one_s_container, &one, &other),
        (&other_s_container, &other, &one),
    ] {
        for (asker, targets) in [
            (Asker::OtherRun, &planted.targets()),
            (Asker::OtherRun, another),
            (Asker::Run, own),
        ] {
            let asked = planted.requests(targets);
            check(asker, &asked, &ask(container, &daemon, &asked));
        }
    }
    let image = image();
    let host = "host.docker.internal:host-gateway";
    let words = ["run", "--detach", "--rm", "--add-host", host];
    let sleeps = ["--entrypoint", "sleep", &image, "300"];
    let stranger = Stranger(docker(&[&words[..], &sleeps[..]].concat()));
    let asked = planted.requests(&planted.targets());
    check(Asker::Stranger, &asked, &ask(&stranger.0, &daemon, &asked));
    odd_spellings(&daemon, &planted, &one, &one_s_container);
    its_own_is_shown(&daemon, &http, &one.run, &one_s_container);
    for container in [one_s_container, other_s_container] {
        let _ = docker(&["kill", &container]);
    }
}

fn post(path: String, body: String) -> Asked {
    Asked {
        need: prefectd::api::Need::Aim,
        method: "POST".to_owned(),
        path,
        body,
        names_runs: true,
    }
}

/// What is read in one way is authorised in that way.
fn odd_spellings(daemon: &TestDaemon, planted: &Planted, own: &Targets, container: &str) {
    let v3 = "/api/v3";
    let (own, deployment) = (&own.run, &planted.deployment);
    let twice = format!(
        r#"{{"flow_run_id":"{own}","flow_run_id":"{}","task_key":"k","dynamic_key":"9"}}"#,
        planted.run
    );
    let create = format!("{v3}/deployments/{deployment}/create_flow_run");
    let running = json!({ "state": { "type": "RUNNING" } }).to_string();
    let (run, task) = (&planted.run, &planted.task);
    let refused = [
        // Lists are objects to readers that take fields by their order.
        post(
            create.clone(),
            json!([null, {}, {}, null, null, task, null]).to_string(),
        ),
        post(create, "[]".to_owned()),
        post(
            format!("{v3}/task_runs/"),
            json!([run, "k", "1"]).to_string(),
        ),
        post(
            format!("{v3}/flow_runs/"),
            json!([planted.flow, null, null, task]).to_string(),
        ),
        post(
            format!("{v3}/logs/"),
            json!([[run, "n", 20, "m"]]).to_string(),
        ),
        post(
            format!("{v3}/flow_runs/{{{run}}}/set_state"),
            running.clone(),
        ),
        post(format!("{v3}//flow_runs/{own}/set_state"), running.clone()),
        post(format!("{v3}/flow_runs/{run}/set_state/"), running),
        post("/api/orion/task_runs/".to_owned(), twice.clone()),
        post(format!("{v3}/task_runs/"), twice),
    ];
    let answers = ask(container, daemon, &refused);
    for (asked, (status, text)) in refused.iter().zip(answers) {
        let what = format!("{} {}: {status} {text}", asked.path, asked.body);
        assert!([403, 404, 422].contains(&status), "{what}");
    }
    let lines = ["orion", "v3"].map(|api| {
        let line = format!(
            r#"[{{"flow_run_id":"{own}","name":"n","level":20,"message":"half \ud800","timestamp":"2024-01-01T00:00:00+00:00"}}]"#
        );
        post(format!("/api/{api}/logs/"), line)
    });
    for (status, text) in ask(container, daemon, &lines) {
        assert_eq!(status, 201, "{text}");
    }
}

/// A run's own parameters and results are its own.
fn its_own_is_shown(daemon: &TestDaemon, http: &Http, own: &str, container: &str) {
    let body = json!({ "state": { "type": "RUNNING", "message": CANARY, "data": {
        "encoding": "json", "blob": "{\"token\": \"mine\"}" } } });
    http.post(&format!("/orion/flow_runs/{own}/set_state"), &body)
        .expect(201);
    let read = ["orion", "v3"].map(|api| Asked {
        method: "GET".to_owned(),
        ..post(format!("/api/{api}/flow_runs/{own}"), String::new())
    });
    for (status, text) in ask(container, daemon, &read) {
        assert_eq!(status, 200);
        let is_whole = text.contains("/marks/one") && text.contains(r#"\"mine\""#);
        assert!(is_whole && !text.contains("********"), "{text}");
    }
}

#[test]
fn a_subprocess_run_gets_what_a_run_in_a_container_gets() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let runner = json!({ "type": "subprocess", "config": { "virtualenv": venv() } });
    let (daemon, planted, _key) = keyed(&runner);
    let http = with_key(&daemon);
    let made = http.get("/deployments/name/asks/test").expect(200)["id"].clone();
    let path = format!("/deployments/{}/create_flow_run", made.as_str().unwrap());
    let body = json!({ "state": { "type": "SCHEDULED" }, "parameters": {
        "program": ASK, "asked": at("asked"), "answers": at("answers") } });
    let run = http.post(&path, &body).expect(201)["id"].clone();
    let run = run.as_str().unwrap().to_owned();
    wait_for("the flow to run", || {
        (http.run(&run)["state_type"] == "RUNNING").then_some(())
    });
    let own = targets(&http, run.clone());
    let (others, owns) = (planted.requests(&planted.targets()), planted.requests(&own));
    let base = daemon.url();
    let mut all = requests(&base, &others);
    let more = requests(&base, &owns);
    all.as_array_mut()
        .unwrap()
        .extend(more.as_array().unwrap().clone());
    write(&at("asked"), &all.to_string());
    let answers = wait_for("its answers", || std::fs::read(at("answers")).ok());
    let answers: Vec<(u16, String)> = serde_json::from_slice(&answers).unwrap();
    let (of_others, of_own) = answers.split_at(others.len());
    check(Asker::OtherRun, &others, of_others);
    check(Asker::Run, &owns, of_own);
    assert_eq!(http.ended(&run)["state_name"], "Completed");
}

/// Writes a file that is there as a whole or not at all.
fn write(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, path).unwrap();
}
