//! Deployments of Prefect 2 for agents: by queues without a pool, and infrastructure blocks.

use serde_json::{Value, json};

use super::clients;
use crate::support::{Http, Options, TestDaemon, interpreter, wait_for};

/// A block of a type that is made for it; answers its id.
fn block(http: &Http, slug: &str, data: &Value) -> Value {
    let kind = json!({ "name": slug, "slug": slug });
    let kind = http.post("/block_types/", &kind).expect(201);
    let schema = json!({
        "block_type_id": kind["id"], "capabilities": ["run-infrastructure"],
        "fields": { "title": slug, "type": "object", "properties": { "type": { "type": "string" } },
            "block_type_slug": slug, "block_schema_references": {}, "secret_fields": [] },
    });
    let schema = http.post("/block_schemas/", &schema).expect(201);
    let document = json!({ "name": "b", "data": data, "block_type_id": kind["id"],
        "block_schema_id": schema["id"] });
    http.post("/block_documents/", &document).expect(201)["id"].clone()
}

/// A run of a deployment with that infrastructure, in the queue of that name.
fn run(http: &Http, queue: &str, block: &Value, overrides: &Value) -> String {
    let flow = http.post("/flows/", &json!({ "name": "f" })).body["id"].clone();
    let deployment = json!({ "flow_id": flow, "name": queue, "work_queue_name": queue,
        "infrastructure_document_id": block, "infra_overrides": overrides });
    // One of the same name is changed.
    let made = http.post("/deployments/", &deployment);
    assert!([200, 201].contains(&made.status), "{made:?}");
    let made = made.body;
    assert_eq!(made["infrastructure_document_id"], *block);
    let path = format!(
        "/deployments/{}/create_flow_run",
        made["id"].as_str().unwrap()
    );
    let run = http
        .post(&path, &json!({ "state": { "type": "SCHEDULED" } }))
        .expect(201);
    run["id"].as_str().unwrap().to_owned()
}

fn why(daemon: &TestDaemon, run: &str) -> String {
    let why = daemon
        .modern()
        .get(&format!("/v3/prefectd/flow_runs/{run}/why"));
    why.expect(200)["code"].as_str().unwrap().to_owned()
}

#[test]
fn the_daemons_agent_makes_what_infrastructure_blocks_say_and_leaves_others_to_theirs() {
    let place = tempfile::tempdir().unwrap();
    let mark = place.path().join("mark");
    let words = format!("echo \"$SPICE $SALT $*\" >> {}", mark.display());
    let python = interpreter(place.path(), &words);
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env: vec![("PREFECTD_RUNNERS__PYTHON", python.clone())],
        ..Options::default()
    });
    let [_, (_, http), _] = clients(&daemon);
    let marks = || {
        let text = std::fs::read_to_string(&mark).unwrap_or_default();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };

    let usual = json!(["python", "-m", "prefect.engine"]);
    let data = json!({ "type": "process", "command": usual, "env": { "SPICE": "pepper" } });
    let process = block(&http, "process", &data);
    run(&http, "q", &process, &json!({ "env.SALT": "sea" }));
    wait_for("the block's process", || (marks().len() == 1).then_some(()));
    run(
        &http,
        "r",
        &process,
        &json!({ "command": [python, "-O"], "env": {} }),
    );
    wait_for("the other process", || (marks().len() == 2).then_some(()));
    assert_eq!(marks(), ["pepper sea -m prefect.engine", "  -O"]);

    // What only an agent of Prefect 2 makes waits for one.
    let other = block(
        &http,
        "kubernetes-job",
        &json!({ "type": "kubernetes-job" }),
    );
    let waiting = run(&http, "k", &other, &json!({}));
    assert_eq!(why(&daemon, &waiting), "no_worker");
    // A queue that an agent asks for is that agent's.
    let queue = http.get("/work_queues/name/q").expect(200);
    let asked = format!("/work_queues/{}/get_runs", queue["id"].as_str().unwrap());
    assert_eq!(
        http.post(&asked, &json!({ "limit": 10 })).expect(200),
        json!([])
    );
    let own = run(&http, "q", &process, &json!({}));
    let found = http.post(&asked, &json!({ "limit": 10 })).expect(200);
    assert_eq!(found[0]["id"], json!(own));
    assert_eq!(why(&daemon, &own), "served_by_worker");
    // By then the daemon's agent has looked at all queues.
    run(&http, "r", &process, &json!({}));
    wait_for("another process", || (marks().len() == 3).then_some(()));
    for run in [&own, &waiting] {
        let run = http.get(&format!("/flow_runs/{run}")).expect(200);
        assert_eq!(run["state_type"], "SCHEDULED");
    }
    let flow = http.post("/flows/", &json!({ "name": "f" })).body["id"].clone();
    let no_block = &queue["id"];
    let lost = json!({ "flow_id": flow, "name": "x", "infrastructure_document_id": no_block });
    assert_eq!(http.post("/deployments/", &lost).status, 409);
}
