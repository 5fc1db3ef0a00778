//! What a run asks for itself is served, also where others need a key.

#![cfg(feature = "docker")]

use serde_json::json;

use super::docker::{Marked, daemon};
use super::neighbours::await_relay;
use super::support::flows::{deploy, venv};
use super::support::{KeyFile, wait_for, with_key};

#[test]
fn a_flow_s_own_calls_all_pass_with_a_key_set() {
    let (mut daemon, marked, key) = (daemon(), Marked::new(), KeyFile::new());
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    assert!(daemon.terminate().success());
    daemon.restart(key.env());
    await_relay(&daemon);
    let http = with_key(&daemon);
    let wanted = |flow: &str| {
        let made = http
            .get(&format!("/deployments/name/{flow}/test"))
            .expect(200);
        let path = format!(
            "/deployments/{}/create_flow_run",
            made["id"].as_str().unwrap()
        );
        let body = json!({ "state": { "type": "SCHEDULED" },
                           "parameters": { "mark": format!("/marks/{flow}") } });
        let run = http.post(&path, &body).expect(201);
        run["id"].as_str().unwrap().to_owned()
    };
    let cases = [
        ("begins-others", "Completed"),
        ("tasks", "Completed"),
        ("parent", "Completed"),
        ("failing", "Failed"),
    ];
    let begun: Vec<_> = cases.iter().map(|(flow, _)| wanted(flow)).collect();
    for ((flow, ends), id) in cases.iter().zip(&begun) {
        let ended = http.ended(id);
        assert_eq!(
            ended["state_name"], *ends,
            "{flow}: {}",
            ended["state"]["message"]
        );
    }
    let began = begun.first().unwrap();
    wait_for("the run of the deployment", || {
        let marks = marked.lines("begins-others");
        (marks.len() == 3 && marks.contains(&"plain".to_owned())).then_some(())
    });
    let asked = json!({ "flows": { "name": { "any_": ["plain"] } } });
    let plain = http.post("/v3/flow_runs/filter", &asked).expect(200);
    let by = json!({ "type": "FLOW_RUN", "id": began, "display_value": began });
    assert_eq!(plain[0]["created_by"], by);
    assert_eq!(
        http.ended(plain[0]["id"].as_str().unwrap())["state_name"],
        "Completed"
    );
    // The client hands in its lines after the final state.
    wait_for("the flow's own lines", || {
        http.lines(began)
            .contains(&"begins others".to_owned())
            .then_some(())
    });
    assert!(!daemon.log().contains("refused "), "{}", daemon.log());
}

#[test]
fn a_subprocess_run_needs_no_key_and_its_neighbours_do() {
    let (mut daemon, key) = (daemon(), KeyFile::new());
    deploy(
        &daemon,
        "cases.py",
        &json!({ "type": "subprocess", "config": { "virtualenv": venv() } }),
    );
    assert!(daemon.terminate().success());
    daemon.restart(key.env());
    await_relay(&daemon);
    let http = with_key(&daemon);
    let marks = tempfile::tempdir().unwrap();
    let mark = marks.path().join("m");
    let made = http.get("/deployments/name/begins-others/test").expect(200);
    let path = format!(
        "/deployments/{}/create_flow_run",
        made["id"].as_str().unwrap()
    );
    let body = json!({ "state": { "type": "SCHEDULED" }, "parameters": { "mark": mark } });
    let run = http.post(&path, &body).expect(201)["id"].clone();
    let ended = http.ended(run.as_str().unwrap());
    assert_eq!(
        ended["state_name"], "Completed",
        "{}",
        ended["state"]["message"]
    );
    wait_for("the run of the deployment", || {
        let text = std::fs::read_to_string(&mark).unwrap_or_default();
        (text.lines().count() == 3).then_some(())
    });
    assert!(!daemon.log().contains("refused "), "{}", daemon.log());
    assert_eq!(daemon.http().get("/flows/filter").status, 401);
}
