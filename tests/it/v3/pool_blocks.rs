//! Blocks and variables in the job variables of pools that the daemon itself serves.

use serde_json::{Value, json};

use crate::support::{Http, TestDaemon, wait_for};

const SECRET: &str = "zz-secret-zz";

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// A block `token` of the type `kept`, with a secret in it; answers the id of its document.
fn block(http: &Http) -> String {
    let kind = json!({ "name": "kept", "slug": "kept" });
    let kind = id(&http.post("/block_types/", &kind).expect(201));
    let fields = json!({ "title": "kept", "type": "object", "block_type_slug": "kept",
        "properties": {}, "secret_fields": ["value"], "block_schema_references": {} });
    let schema = json!({ "fields": fields, "block_type_id": kind });
    let schema = id(&http.post("/block_schemas/", &schema).expect(201));
    let new = json!({ "name": "token", "data": { "value": SECRET }, "block_type_id": kind,
        "block_schema_id": schema });
    id(&http.post("/block_documents/", &new).expect(201))
}

/// A run of a deployment into a pool of processes, with these job variables; as it ended.
fn ended(http: &Http, name: &str, variables: &Value) -> Value {
    let flow = id(&http.post("/flows/", &json!({ "name": "f" })).body);
    let new = json!({ "name": name, "flow_id": flow, "work_pool_name": "p",
        "entrypoint": "f.py:f", "job_variables": variables });
    let deployment = id(&http.post("/deployments/", &new).expect(201));
    let path = format!("/deployments/{deployment}/create_flow_run");
    let run = id(&http.post(&path, &json!({})).expect(201));
    wait_for("the run to end", || {
        let run = http.get(&format!("/flow_runs/{run}")).expect(200);
        let kind = run["state"]["type"].as_str().unwrap();
        matches!(kind, "CRASHED" | "FAILED").then_some(run)
    })
}

#[test]
fn jobs_get_the_values_of_blocks_and_nothing_else_tells_them() {
    let daemon = TestDaemon::with_agent_without_bridge();
    let http = daemon.modern();
    let document = block(&http);
    http.post("/variables/", &json!({ "name": "city", "value": "Paris" }))
        .expect(201);
    let template = json!({
        "job_configuration": { "command": "{{ command }}", "env": "{{ env }}" },
        "variables": { "properties": { "command": {}, "env": { "default":
            { "OF_POOL": "{{ prefect.blocks.kept.token }}" } } } },
    });
    let pool = json!({ "name": "p", "type": "process", "base_job_template": template });
    http.post("/work_pools/", &pool).expect(201);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("told");
    let command = format!(
        "sh -c 'echo \"$OF_POOL,$OF_JOB,$CITY\" > {}'",
        file.display()
    );
    let variables = json!({ "command": command, "env": {
        "OF_JOB": "<{{ prefect.blocks.kept.token.value }}>",
        "CITY": "{{ prefect.variables.city }}",
    } });
    let run = ended(&http, "good", &variables);
    let told = std::fs::read_to_string(&file).unwrap();
    assert_eq!(told.trim_end(), format!("{SECRET},<{SECRET}>,Paris"));
    // What is kept of the job is under seal.
    let database = rusqlite::Connection::open(daemon.database()).unwrap();
    let kept: String = database
        .query_row(
            "SELECT infrastructure_config FROM flow_runs ORDER BY created LIMIT 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(
        kept.contains("sealed_job") && !kept.contains(SECRET),
        "{kept}"
    );
    assert!(!run.to_string().contains(SECRET), "{run}");
    assert!(!daemon.log().contains(SECRET));
    // What there is not is told.
    for (variables, words) in [
        (
            json!({ "env": { "A": "{{ prefect.blocks.kept.none }}" } }),
            "kept.none, which there is not",
        ),
        (
            json!({ "env": { "A": "{{ prefect.blocks.kept.token.part }}" } }),
            "no such value",
        ),
        (
            json!({ "command": { "$ref": { "block_document_id": document } } }),
            "",
        ),
    ] {
        let run = ended(&http, words, &variables);
        let message = run["state"]["message"].as_str().unwrap();
        assert!(
            message.contains(words) && !message.contains(SECRET),
            "{run}"
        );
    }
}
