//! What today's client serves, deploys and begins, with the real 3.9.1.

#![cfg(feature = "client")]

use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::modern::{Place, deploy, is_content, only_run, run, suits, told};
use super::support::{TestDaemon, wait_for};

/// Runs it with the client's own log of requests, and has nothing in that which does not suit.
#[track_caller]
pub(super) fn says(daemon: &TestDaemon, mut command: Command) -> String {
    let output = command
        .env("PREFECT_LOGGING_LEVEL", "DEBUG")
        .env("PREFECT_CLI_PROMPT", "false")
        .output()
        .unwrap();
    assert!(output.status.success(), "{command:?}: {}", told(&output));
    is_content(daemon, &output);
    told(&output)
}

pub(super) fn prefect(daemon: &TestDaemon, place: &Place, words: &[&str]) -> String {
    let mut command = place.program(daemon, "prefect");
    command.args(words);
    says(daemon, command)
}

fn planned(daemon: &TestDaemon, place: &Place, what: &str, more: &[&str]) -> Command {
    place.script_of(daemon, "planned.py", what, more)
}

pub(super) fn deployment(daemon: &TestDaemon, path: &str) -> Value {
    let path = format!("/deployments/name/{path}");
    daemon.modern().get(&path).expect(200)
}

#[test]
fn a_served_flow_runs_and_its_schedules_pause_when_it_ends() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let log = place.mark().with_extension("log");
    let log = std::fs::File::create(log).unwrap();
    let mut serving = planned(&daemon, &place, "serve", &[])
        .env("PREFECT_LOGGING_LEVEL", "DEBUG")
        .env("PREFECT_RUNNER_POLL_FREQUENCY", "1")
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    wait_for("the flow to be served", || {
        let served = daemon.modern().get("/deployments/name/planned/here");
        (served.status == 200 && served.body["status"] == "READY").then_some(())
    });
    let served = deployment(&daemon, "planned/here");
    assert_eq!(served["paused"], false);
    assert_eq!(served["schedules"][0]["slug"], "yearly");
    let shown = prefect(
        &daemon,
        &place,
        &[
            "deployment",
            "run",
            "planned/here",
            "--param",
            "name=asked",
            "--watch",
        ],
    );
    assert!(shown.contains("Completed"), "{shown}");
    assert_eq!(place.marks(), ["asked"]);
    let pid = Pid::from_raw(serving.id().cast_signed());
    kill(pid, Signal::SIGTERM).unwrap();
    wait_for("the serving to end", || serving.try_wait().unwrap());
    let told = std::fs::read_to_string(place.mark().with_extension("log")).unwrap();
    suits(&told);
    let served = deployment(&daemon, "planned/here");
    assert_eq!(served["paused"], true);
    let asked = json!({ "deployments": { "id": { "any_": [served["id"]] } },
        "flow_runs": { "state": { "type": { "any_": ["SCHEDULED"] } } } });
    let left = daemon.modern().post("/flow_runs/count", &asked).expect(200);
    assert_eq!(left, 0);
}

#[test]
fn a_flow_runs_the_deployment_of_another() {
    let (daemon, place) = (TestDaemon::with_agent_without_bridge(), Place::new());
    deploy(&daemon, &place, ("planned.py", "planned"), &json!({}));
    says(&daemon, planned(&daemon, &place, "caller", &[]));
    assert_eq!(place.marks_in_order(), ["called", "COMPLETED"]);
    let (outer, inner) = (only_run(&daemon, "caller"), only_run(&daemon, "planned"));
    let id = inner["parent_task_run_id"].as_str().unwrap();
    let stub = daemon.modern().get(&format!("/task_runs/{id}")).expect(200);
    assert_eq!(stub["flow_run_id"], outer["id"]);
    assert_eq!(stub["state_type"], "COMPLETED");
    assert_eq!(inner["work_pool_name"], "p");
    assert_eq!(inner["work_queue_name"], "default");
}

#[test]
fn a_run_that_we_began_sets_variables() {
    let (daemon, place) = (TestDaemon::with_agent_without_bridge(), Place::new());
    let deployment = deploy(&daemon, &place, ("planned.py", "keeper"), &json!({}));
    let ended = daemon.http().ended(&run(&daemon, &deployment));
    assert_eq!(ended["state_name"], "Completed", "{}", daemon.log());
    assert_eq!(place.marks(), ["2"]);
    let left = daemon.modern().post("/variables/count", &json!({}));
    assert_eq!(left.expect(200), 0);
}

#[test]
fn a_run_is_executed_by_the_client_s_own_command() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let deployment = deploy(&daemon, &place, ("planned.py", "planned"), &json!({}));
    let id = run(&daemon, &deployment);
    prefect(&daemon, &place, &["flow-run", "execute", &id]);
    assert_eq!(place.marks(), ["plain"]);
    let ended = daemon.modern().get(&format!("/flow_runs/{id}")).expect(200);
    assert_eq!(ended["state_name"], "Completed");
}

#[test]
fn schedules_are_looked_after_from_the_command_line() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let mut create = place.program(&daemon, "prefect");
    create.args(["work-pool", "create", "--type", "process", "p"]);
    says(&daemon, create);
    let mut deploy = planned(&daemon, &place, "deploy", &["p", ""]);
    deploy.env("PREFECT_LOGGING_LEVEL", "DEBUG");
    says(&daemon, deploy);
    let path = "planned/deployed";
    let schedule = |words: &[&str]| {
        let words = [&["deployment", "schedule"], words].concat();
        prefect(&daemon, &place, &words)
    };
    let by_slug = || {
        let told = deployment(&daemon, path);
        let told = told["schedules"].as_array().unwrap().clone();
        let named = told.into_iter().map(|it| {
            let name = it["slug"].as_str().unwrap_or("-").to_owned();
            (name, it)
        });
        named.collect::<std::collections::BTreeMap<_, _>>()
    };
    let keys = |schedule: &Value| {
        let id = schedule["id"].as_str().unwrap();
        let runs = json!({ "flow_runs": { "created_by": { "id_": [id] } } });
        let runs = daemon.modern().post("/flow_runs/filter", &runs);
        let runs = runs.expect(200).as_array().unwrap().clone();
        for run in &runs {
            let key = run["idempotency_key"].as_str().unwrap();
            let of = deployment(&daemon, path)["id"].as_str().unwrap().to_owned();
            assert!(key.starts_with(&format!("scheduled {of} {id} ")), "{key}");
            assert_eq!(run["auto_scheduled"], true);
            assert_eq!(run["created_by"]["type"], "SCHEDULE");
            assert_eq!(run["work_pool_name"], "p");
            assert!(
                run["tags"]
                    .as_array()
                    .unwrap()
                    .contains(&json!("auto-scheduled"))
            );
        }
        runs
    };
    let all = by_slug();
    let (daily, hourly) = (&all["daily"], &all["hourly"]);
    let runs = keys(daily);
    assert!(!runs.is_empty() && !keys(hourly).is_empty());
    assert_eq!(runs[0]["parameters"]["name"], "daily");
    assert_eq!(runs[0]["created_by"]["display_value"], "daily");

    let listed = schedule(&["ls", path]);
    for words in ["0 * * * *", "interval: 1 day", "True"] {
        assert!(listed.contains(words), "{words}: {listed}");
    }
    let id = hourly["id"].as_str().unwrap();
    schedule(&["pause", path, id]);
    assert_eq!(by_slug()["hourly"]["active"], false);
    assert!(keys(hourly).is_empty() && !keys(daily).is_empty());
    schedule(&["resume", path, id]);
    assert_eq!(by_slug()["hourly"]["active"], true);
    assert!(!keys(hourly).is_empty());
    schedule(&["create", path, "--cron", "30 5 * * *", "--timezone", "UTC"]);
    assert_eq!(by_slug().len(), 3);
    let made = &by_slug()["-"];
    assert_eq!(made["schedule"]["cron"], "30 5 * * *");
    assert_eq!(keys(made)[0]["created_by"]["display_value"], "CronSchedule");
    schedule(&["delete", path, made["id"].as_str().unwrap(), "--accept-yes"]);
    assert_eq!(by_slug().len(), 2);
    assert!(keys(made).is_empty());
    schedule(&["clear", path, "--accept-yes"]);
    assert!(by_slug().is_empty() && keys(daily).is_empty());
}
