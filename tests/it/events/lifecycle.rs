//! What is told of things that are made, changed and removed.

use serde_json::{Value, json};

use crate::support::{Http, TestDaemon, wait_for};

/// The events so far whose names begin so, in order.
fn told(http: &Http, prefix: &str) -> Vec<Value> {
    let filter = json!({ "limit": 50, "filter": {
        "event": { "prefix": [format!("prefect.{prefix}")] }, "order": "ASC",
    } });
    let page = http.post("/events/filter", &filter).expect(200);
    page["events"].as_array().unwrap().clone()
}

fn words(events: &[Value]) -> Vec<&str> {
    let name =
        |event: &'_ Value| -> usize { event["event"].as_str().unwrap().rfind('.').unwrap() + 1 };
    events
        .iter()
        .map(|event| &event["event"].as_str().unwrap()[name(event)..])
        .collect()
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// Roles and ids of what an event is related to.
fn related(event: &Value) -> Vec<(String, String)> {
    let text = |one: &Value, label: &str| one[label].as_str().unwrap().to_owned();
    let all = event["related"].as_array().unwrap().iter();
    all.map(|one| {
        (
            text(one, "prefect.resource.role"),
            text(one, "prefect.resource.id"),
        )
    })
    .collect()
}

#[test]
fn what_is_kept_tells_how_it_fares() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let flow = id(&http
        .post("/flows/", &json!({ "name": "f", "tags": ["a"] }))
        .expect(201));
    http.post("/flows/", &json!({ "name": "f" })).expect(200);
    http.patch(&format!("/flows/{flow}"), &json!({ "tags": ["b"] }))
        .expect(204);
    http.delete(&format!("/flows/{flow}")).expect(204);
    let flows = told(&http, "flow.");
    assert_eq!(words(&flows), ["created", "updated", "deleted"]);
    assert_eq!(
        flows[0]["resource"],
        json!({
            "prefect.resource.id": format!("prefect.flow.{flow}"), "prefect.resource.name": "f",
        })
    );
    assert_eq!(
        flows[0]["payload"],
        json!({ "name": "f", "tags": ["a"], "labels": {} })
    );
    assert_eq!(flows[1]["payload"]["tags"], json!(["b"]));

    http.post("/variables/", &json!({ "name": "v", "value": { "x": 1 } }))
        .expect(201);
    http.patch("/variables/name/v", &json!({ "value": 2 }))
        .expect(204);
    http.delete("/variables/name/v").expect(204);
    let variables = told(&http, "variable.");
    assert_eq!(words(&variables), ["created", "updated", "deleted"]);
    let payload = json!({ "name": "v", "value": { "x": 1 }, "tags": [] });
    assert_eq!(variables[0]["payload"], payload);
    assert_eq!(variables[2]["payload"]["value"], 2);

    let limit = json!({ "name": "l", "limit": 3, "slot_decay_per_second": 0.5 });
    http.post("/v2/concurrency_limits/", &limit).expect(201);
    http.patch("/v2/concurrency_limits/l", &json!({ "limit": 4 }))
        .expect(204);
    http.delete("/v2/concurrency_limits/l").expect(204);
    http.post(
        "/concurrency_limits/",
        &json!({ "tag": "t", "concurrency_limit": 1 }),
    )
    .expect(201);
    let limits = told(&http, "concurrency-limit.");
    assert_eq!(words(&limits), ["created", "updated", "deleted", "created"]);
    let payload = json!({ "name": "l", "limit": 4, "active": true, "slot_decay_per_second": 0.5 });
    assert_eq!(limits[1]["payload"], payload);
    assert_eq!(limits[3]["payload"]["name"], "tag:t");
}

#[test]
fn blocks_tell_no_secrets() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let kind = json!({ "name": "K", "slug": "k", "logo_url": "http://x/y.png" });
    let kind = id(&http.post("/block_types/", &kind).expect(201));
    let path = format!("/block_types/{kind}");
    http.patch(&path, &json!({ "description": "d" }))
        .expect(204);
    let fields = json!({ "title": "K", "type": "object", "block_type_slug": "k", "properties": {},
        "secret_fields": ["token", "deep.token"], "block_schema_references": {} });
    let schema = json!({ "fields": fields, "block_type_id": kind, "capabilities": ["c"] });
    let schema = id(&http.post("/block_schemas/", &schema).expect(201));
    let data =
        json!({ "token": "zz-secret", "deep": { "token": "zz-secret" }, "open": "o", "n": 1 });
    let new =
        json!({ "name": "d", "data": data, "block_type_id": kind, "block_schema_id": schema });
    let document = id(&http.post("/block_documents/", &new).expect(201));
    let of_document = format!("/block_documents/{document}");
    http.patch(&of_document, &json!({ "data": { "open": "p" } }))
        .expect(204);
    http.delete(&of_document).expect(204);
    http.delete(&path).expect(204);
    let kinds = told(&http, "block-type.");
    assert_eq!(words(&kinds), ["created", "updated", "deleted"]);
    let payload = json!({ "name": "K", "slug": "k", "logo_url": "http://x/y.png",
        "documentation_url": null, "description": "d", "code_example": null, "is_protected": false });
    assert_eq!(kinds[1]["payload"], payload);
    let documents = told(&http, "block-document.");
    assert_eq!(words(&documents), ["created", "updated", "deleted"]);
    let payload = json!({ "name": "d", "data": { "open": "o" }, "block_schema":
        { "capabilities": ["c"], "block_type": { "id": kind, "name": "K" } } });
    assert_eq!(documents[0]["payload"], payload);
    assert_eq!(documents[1]["payload"]["data"]["open"], "p");
    let roles = [
        (
            "block-type".to_owned(),
            format!("prefect.block-type.{kind}"),
        ),
        (
            "block-schema".to_owned(),
            format!("prefect.block-schema.{schema}"),
        ),
    ];
    assert_eq!(related(&documents[0]), roles);
    assert!(!json!([kinds, documents]).to_string().contains("zz-secret"));
}

#[test]
fn deployments_tell_what_changed_and_whether_somebody_runs_them() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    http.post("/work_pools/", &json!({ "name": "p", "type": "process" }))
        .expect(201);
    let flow = id(&http.post("/flows/", &json!({ "name": "f" })).expect(201));
    let new = json!({ "name": "d", "flow_id": flow, "work_pool_name": "p", "tags": ["a"],  "concurrency_limit": 2 });
    let made = http.post("/deployments/", &new).expect(201);
    let deployment = id(&made);
    let path = format!("/deployments/{deployment}");
    // Nothing is changed by it.
    http.post("/deployments/", &new).expect(200);
    http.patch(&path, &json!({ "description": "x", "tags": ["a"] }))
        .expect(204);
    // Of this nothing is told.
    for how in ["pause", "resume"] {
        http.post(&format!("{path}/{how}_deployment"), &json!({}))
            .expect(200);
    }
    http.patch(&path, &json!({ "paused": true })).expect(204);
    let ask = json!({ "deployment_ids": [deployment] });
    http.post("/deployments/get_scheduled_flow_runs", &ask)
        .expect(200);
    http.post("/deployments/get_scheduled_flow_runs", &ask)
        .expect(200);
    assert_eq!(http.get(&path).expect(200)["status"], "READY");
    http.delete(&path).expect(204);
    let events = told(&http, "deployment.");
    let expected = ["created", "updated", "updated", "ready", "deleted"];
    assert_eq!(words(&events), expected);
    let roles: Vec<_> = related(&events[0])
        .into_iter()
        .map(|(role, _)| role)
        .collect();
    assert_eq!(
        roles,
        ["flow", "work-queue", "work-pool", "concurrency-limit"]
    );
    assert_eq!(events[0]["payload"], json!({}));
    let payload = json!({ "updated_fields": ["description"],
        "updates": { "description": { "from": null, "to": "x" } } });
    assert_eq!(events[1]["payload"], payload);
    assert_eq!(
        events[2]["payload"]["updates"],
        json!({ "paused": { "from": false, "to": true } })
    );
}

#[test]
fn pools_and_queues_tell_how_they_are_served() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let pool = json!({ "name": "p", "type": "process" });
    let pool = http.post("/work_pools/", &pool).expect(201);
    let (pool, queue) = (
        id(&pool),
        pool["default_queue_id"].as_str().unwrap().to_owned(),
    );
    let flow = id(&http.post("/flows/", &json!({ "name": "f" })).expect(201));
    let new = json!({ "name": "d", "flow_id": flow, "work_pool_name": "p" });
    http.post("/deployments/", &new).expect(201);
    http.patch(
        "/work_pools/p",
        &json!({ "description": "x", "concurrency_limit": 3 }),
    )
    .expect(204);
    http.patch("/work_pools/p", &json!({ "is_paused": true }))
        .expect(204);
    http.patch("/work_pools/p", &json!({ "is_paused": false }))
        .expect(204);
    let beat = json!({ "name": "w", "heartbeat_interval_seconds": 3600 });
    http.post("/work_pools/p/workers/heartbeat", &beat)
        .expect(204);
    http.post("/work_pools/p/workers/heartbeat", &beat)
        .expect(204);
    http.post("/work_pools/p/get_scheduled_flow_runs", &json!({}))
        .expect(200);
    http.post("/work_pools/p/get_scheduled_flow_runs", &json!({}))
        .expect(200);
    http.patch(
        &format!("/work_queues/{queue}"),
        &json!({ "is_paused": true }),
    )
    .expect(204);
    http.patch(
        &format!("/work_queues/{queue}"),
        &json!({ "description": "q" }),
    )
    .expect(204);
    http.post(
        "/work_pools/p/queues",
        &json!({ "name": "other", "priority": 1 }),
    )
    .expect(201);
    http.delete("/work_pools/p/queues/other").expect(204);
    http.delete("/work_pools/p").expect(204);
    let pools = told(&http, "work-pool.");
    let expected = [
        "created",
        "not-ready",
        "updated",
        "paused",
        "not-ready",
        "ready",
        "deleted",
    ];
    assert_eq!(words(&pools), expected);
    let resource = json!({
        "prefect.resource.id": format!("prefect.work-pool.{pool}"), "prefect.resource.name": "p",
        "prefect.work-pool.type": "process", "prefect.resource.role": "work-pool",
    });
    assert_eq!(pools[0]["resource"], resource);
    let default = (
        "default-queue".to_owned(),
        format!("prefect.work-queue.{queue}"),
    );
    assert_eq!(related(&pools[0]), [default]);
    assert_eq!(
        pools[2]["payload"]["updates"],
        json!({
            "description": { "from": null, "to": "x" }, "concurrency_limit": { "from": null, "to": 3 },
        })
    );
    assert_eq!(pools[3]["follows"], Value::Null);
    for (one, next) in [(3, 4), (4, 5)] {
        assert_eq!(pools[next]["follows"], pools[one]["id"], "{next}");
    }
    let queues = told(&http, "work-queue.");
    let expected = [
        "created", "ready", "paused", "updated", "created", "deleted", "deleted",
    ];
    assert_eq!(words(&queues), expected);
    let of_pool = ("work-pool".to_owned(), format!("prefect.work-pool.{pool}"));
    assert!(
        queues
            .iter()
            .all(|event| related(event) == [of_pool.clone()])
    );
    let deployments = told(&http, "deployment.");
    assert_eq!(words(&deployments), ["created", "ready"]);
}

#[test]
fn the_daemon_s_own_worker_makes_pools_ready() {
    let daemon = TestDaemon::with_agent_without_bridge();
    let http = daemon.modern();
    http.post("/work_pools/", &json!({ "name": "p", "type": "process" }))
        .expect(201);
    let flow = id(&http.post("/flows/", &json!({ "name": "f" })).expect(201));
    let new = json!({ "name": "d", "flow_id": flow, "work_pool_name": "p" });
    let made = http.post("/deployments/", &new).expect(201);
    assert_eq!(words(&told(&http, "work-pool.")), ["created", "ready"]);
    assert_eq!(made["status"], "READY");
    // What nobody asked for by itself is noticed some seconds after the start.
    wait_for("the deployment to be told", || {
        (words(&told(&http, "deployment.")) == ["created", "ready"]).then_some(())
    });
    assert_eq!(words(&told(&http, "work-queue.")), ["created", "ready"]);
}
