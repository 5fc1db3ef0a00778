//! One of each noun, and the paths that name it.

use serde_json::{Value, json};

use super::operations::{Ids, Operation};
use crate::support::{Answer, Http};

/// Which id is meant in a path that contains a word, the first of these.
const OF_NOUN: &[(&str, &str)] = &[
    ("/latest", "key"),
    ("/deployments/", "deployment_id"),
    ("/flow_run_states/", "flow_run_state_id"),
    ("/task_run_states/", "task_run_state_id"),
    ("flow_runs/", "flow_run_id"),
    ("/task_runs/", "task_run_id"),
    ("/artifacts/", "artifact_id"),
    ("/automations/", "automation_id"),
    ("/block_documents/", "block_document_id"),
    ("/block_schemas/", "block_schema_id"),
    ("/block_types/", "block_type_id"),
    ("/v2/concurrency_limits/", "limit_id"),
    ("/concurrency_limits/", "tag_limit_id"),
    ("/saved_searches/", "saved_search_id"),
    ("/variables/", "variable_id"),
    ("/work_queues/", "work_queue_id"),
];

/// And which name.
const NAME_OF_NOUN: &[(&str, &str)] = &[
    ("/workers/", "worker_name"),
    ("/queues/", "work_queue_name"),
    ("/work_queues/", "work_queue_name"),
    ("/work_pools/", "work_pool_name"),
    ("/variables/", "variable_name"),
];

/// Makes one of each thing; all that have names have this one, which is a word.
pub fn furnished(http: &Http, name: &str) -> Ids {
    let made = |path: &str, body: Value| http.post(&format!("/v3{path}"), &body);
    let id = |path: &str, body: Value| text(&made(path, body).expect(201)["id"]);
    let flow = http.flow(name);
    let deployment = http.deployment(&flow, name, &json!({ "type": "subprocess" }));
    let run = http.flow_run(&flow);
    let task = json!({ "flow_run_id": run, "task_key": "k", "dynamic_key": name });
    let task = text(&http.post("/task_runs/", &task).expect(201)["id"]);
    let running = json!({ "state": { "type": "RUNNING" } });
    let state = |path: String| text(&http.post(&path, &running).expect(201)["state"]["id"]);
    let mut ids = Ids::from([
        (
            "flow_run_state_id",
            state(format!("/flow_runs/{run}/set_state")),
        ),
        (
            "task_run_state_id",
            state(format!("/task_runs/{task}/set_state")),
        ),
    ]);
    let artifact = json!({ "key": name, "type": "markdown", "data": "# x", "flow_run_id": run });
    let trigger = json!({ "type": "event", "posture": "Reactive", "expect": ["x"] });
    let automation = json!({ "name": name, "trigger": trigger,
        "actions": [{ "type": "do-nothing" }], "owner_resource": name });
    let variable = json!({ "name": name, "value": { "x": [1] }, "tags": ["t"] });
    let tag_limit = json!({ "tag": name, "concurrency_limit": 1 });
    let input = json!({ "key": name, "value": "x" });
    made(&format!("/flow_runs/{run}/input"), input).expect(201);
    let event = json!({ "id": run, "occurred": "2030-01-01T00:00:00Z", "event": "x",
        "resource": { "prefect.resource.id": name } });
    made("/events", json!([event])).expect(204);
    let search = http.put(
        "/v3/saved_searches/",
        &json!({ "name": name, "filters": [] }),
    );
    ids.extend([
        ("artifact_id", id("/artifacts/", artifact)),
        ("automation_id", id("/automations/", automation)),
        ("variable_id", id("/variables/", variable)),
        ("tag_limit_id", id("/concurrency_limits/", tag_limit)),
        ("saved_search_id", text(&search.body["id"])),
        ("id", flow.clone()),
        ("flow_id", flow),
        // A deployment's first schedule has its id.
        ("schedule_id", deployment.clone()),
        ("deployment_id", deployment),
        ("flow_run_id", run.clone()),
        ("run", run),
        ("task_run_id", task),
    ]);
    ids.extend(work(&made, name));
    ids.extend(limits(&made, name));
    ids.extend(blocks(&made, name));
    for named in [
        "flow_name",
        "deployment_name",
        "work_pool_name",
        "work_queue_name",
        "worker_name",
        "variable_name",
        "slug",
        "block_document_name",
        "tag",
        "key",
        "resource_id",
    ] {
        ids.insert(named, name.to_owned());
    }
    ids
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn work(made: &impl Fn(&str, Value) -> Answer, name: &str) -> Ids {
    let pool = json!({ "name": name, "type": "process" });
    let pool = made("/work_pools/", pool).expect(201);
    let queue = made(
        &format!("/work_pools/{name}/queues"),
        json!({ "name": name }),
    );
    let beat = format!("/work_pools/{name}/workers/heartbeat");
    made(&beat, json!({ "name": name })).expect(204);
    Ids::from([
        ("work_pool_id", text(&pool["id"])),
        ("work_queue_id", text(&queue.expect(201)["id"])),
    ])
}

fn limits(made: &impl Fn(&str, Value) -> Answer, name: &str) -> Ids {
    let limit = json!({ "name": name, "limit": 2 });
    let limit = made("/v2/concurrency_limits/", limit).expect(201);
    let wanted = json!({ "names": [name], "slots": 1, "mode": "concurrency",
        "lease_duration": 600 });
    let lease = made("/v2/concurrency_limits/increment-with-lease", wanted).expect(200);
    Ids::from([
        ("limit_id", text(&limit["id"])),
        ("lease_id", text(&lease["lease_id"])),
    ])
}

fn blocks(made: &impl Fn(&str, Value) -> Answer, name: &str) -> Ids {
    let kind = made("/block_types/", json!({ "name": name, "slug": name })).expect(201);
    let fields = json!({ "title": name, "type": "object", "block_type_slug": name,
        "properties": { "token": { "type": "string" } }, "secret_fields": ["token"],
        "block_schema_references": {} });
    let schema = json!({ "fields": fields, "block_type_id": kind["id"], "capabilities": ["x"] });
    let schema = made("/block_schemas/", schema).expect(201);
    let document = json!({ "name": name, "data": { "token": "x" }, "block_type_id": kind["id"],
        "block_schema_id": schema["id"] });
    let document = made("/block_documents/", document).expect(201);
    Ids::from([
        ("block_type_id", text(&kind["id"])),
        ("block_schema_id", text(&schema["id"])),
        ("checksum", text(&schema["checksum"])),
        ("version", text(&schema["version"])),
        ("block_document_id", text(&document["id"])),
    ])
}

/// The path of a request that names what is there.
pub fn path(operation: &Operation, ids: &Ids) -> String {
    let of = |table: &[(&str, &'static str)]| {
        let found = table.iter().find(|(part, _)| operation.path.contains(part));
        found.map(|(_, name)| *name)
    };
    let known = |name: &str| ids.get(name).map_or("word", String::as_str);
    let mut path = operation.path.clone();
    while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
        let value = match &path[start + 1..end] {
            "id" | "id_or_name" => known(of(OF_NOUN).unwrap_or("flow_id")),
            "name" => known(of(NAME_OF_NOUN).unwrap_or("flow_name")),
            "countable" => "event",
            "view" => "aggregate-worker-metadata",
            other => known(other),
        };
        let value = value.to_owned();
        path.replace_range(start..=end, &value);
    }
    for (number, name) in operation.query.iter().enumerate() {
        let sign = if number == 0 { '?' } else { '&' };
        path += &format!("{sign}{name}={}", known(name));
    }
    path
}
