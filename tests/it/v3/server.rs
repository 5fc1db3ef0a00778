//! Versions, unknown fields, and what clients ask of the server itself.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Http, TestDaemon};

/// What a server answers to a request with these headers.
fn get(daemon: &TestDaemon, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.build().into();
    let mut request = agent.get(format!("{}/api{path}", daemon.url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = request.call().unwrap();
    let status = answer.status().as_u16();
    let text = answer.body_mut().read_to_string().unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

#[test]
fn old_clients_read_pools_without_what_they_refuse() {
    let daemon = TestDaemon::without_agent();
    let pool = json!({ "name": "p", "type": "process" });
    daemon.modern().post("/work_pools/", &pool).expect(201);
    let storage = |agent: &str| {
        let (_, pool) = get(&daemon, "/work_pools/p", &[("user-agent", agent)]);
        pool["storage_configuration"].clone()
    };
    let of_old = json!({ "bundle_upload_step": null, "bundle_execution_step": null });
    assert_eq!(storage("prefect/3.3.7 (API 0.8.4)"), of_old);
    let mut of_new = of_old;
    of_new["default_result_storage_block_id"] = Value::Null;
    assert_eq!(storage("prefect/3.3.8 (API 0.8.4)"), of_new);
}

#[test]
fn every_client_is_told_a_version_that_it_accepts() {
    let daemon = TestDaemon::without_agent();
    let told = |agent: &str| get(&daemon, "/admin/version", &[("user-agent", agent)]).1;
    for (agent, version) in [
        ("prefect/3.9.1 (API 0.8.4)", "3.9.1"),
        ("prefect/3.4.0 (API 0.8.4)", "3.4.0"),
        ("prefect/2.20.26 (API 0.8.4)", "2.20.26"),
        ("prefect/4.0.0 (API 1.0.0)", "3.9.1"),
        ("prefect/nonsense", "3.9.1"),
        // Clients of websockets.
        ("python-httpx/0.28.1", "3.9.1"),
        ("curl/8", "3.9.1"),
    ] {
        assert_eq!(told(agent), version, "{agent}");
    }
    assert_eq!(get(&daemon, "/orion/admin/version", &[]).1, "2.0a7");
    assert_eq!(get(&daemon, "/version", &[]), (200, json!("0.8.4")));
    let asked =
        |path: &str, version: &str| get(&daemon, path, &[("x-prefect-api-version", version)]);
    for version in ["0.8.0", "0.8.4", "0.9.0", "1.0.0"] {
        assert_eq!(asked("/admin/version", version).0, 200, "{version}");
    }
    let low = "The request specified API version 0.7.9 but this server requires version 0.8.0 or \
               higher.";
    assert_eq!(
        asked("/admin/version", "0.7.9"),
        (400, json!({ "detail": low }))
    );
    let none = "Invalid X-PREFECT-API-VERSION header format.Expected header in format 'x.y.z' but \
                received new";
    assert_eq!(asked("/hello", "new"), (400, json!({ "detail": none })));
    assert_eq!(asked("/health", "new"), (200, json!(true)));
    assert_eq!(asked("/version", "0.1.0"), (200, json!("0.8.4")));
}

#[test]
fn what_a_client_asks_before_it_begins() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let told = json!({ "detail": "CSRF protection is disabled." });
    assert_eq!(http.get("/csrf-token?client=x").expect(422), told);
    let missing = http.get("/csrf-token").expect(422);
    assert_eq!(
        missing["exception_detail"][0]["loc"],
        json!(["query", "client"])
    );
    assert_eq!(http.get("/hello").expect(200), "👋");
    assert_eq!(http.get("/ready").expect(200), json!({ "message": "OK" }));
    let none = json!({ "default_result_storage_block_id": null });
    assert_eq!(http.get("/admin/storage").expect(200), none);
    let id = "00000000-1111-4222-8333-444444444444";
    let block = json!({ "default_result_storage_block_id": id });
    assert_eq!(http.put("/admin/storage", &block).status, 404);
    assert_eq!(http.delete("/admin/storage").status, 204);
    let settings = http.get("/admin/settings").expect(200);
    assert_eq!(settings["server"]["api"]["default_limit"], 200);
    assert_eq!(settings["server"]["api"]["csrf_protection_enabled"], false);
}

/// What `prefectctl` prints.
fn printed(daemon: &TestDaemon, words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_prefectctl"))
        .arg("--socket")
        .arg(daemon.socket())
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn unknown_fields_are_ignored_of_clients_and_told_to_others() {
    let daemon = TestDaemon::without_agent();
    let body = json!({ "name": "f", "shade": 1, "labels": {} });
    let made = daemon.modern().post("/flows/", &body).expect(201);
    assert_eq!(made["name"], "f");
    daemon.modern().post("/flows/", &body).expect(200);
    let flow = made["id"].as_str().unwrap();
    let deployment = json!({
        "name": "d",
        "flow_id": flow,
        "schedules": [
            { "schedule": { "cron": "0 0 * * *" }, "tint": true, "umbra": 1 },
            { "schedule": { "cron": "0 1 * * *" }, "tint": false },
        ],
    });
    let older = Http::named(&daemon.url(), "prefect/2.20.26 (API 0.8.4)");
    older.post("/deployments/", &deployment).expect(201);
    let listed: Value = serde_json::from_str(&printed(&daemon, &["compat", "-o", "json"])).unwrap();
    let fields: Vec<_> = listed.as_array().unwrap().iter().collect();
    let told = |at: usize| {
        let it = fields[at];
        [&it["client"], &it["operation"], &it["field"]].map(|it| it.as_str().unwrap().to_owned())
    };
    assert_eq!(told(0), ["2.20.26", "POST /deployments/", "schedules.tint"]);
    assert_eq!(
        told(1),
        ["2.20.26", "POST /deployments/", "schedules.umbra"]
    );
    assert_eq!(told(2), ["3.9.1", "POST /flows/", "shade"]);
    assert_eq!((fields.len(), &fields[2]["count"]), (3, &json!(2)));
    let table = printed(&daemon, &["compat"]);
    assert!(table.contains("schedules.tint"), "{table}");
    assert_eq!(daemon.log().matches("shade").count(), 1, "{}", daemon.log());
    // Somebody who mistypes a name is told.
    let stranger = Http::named(&daemon.url(), "curl/8");
    let refused = stranger.post("/flows/", &body).expect(422);
    assert_eq!(refused["exception_message"], "Invalid request received.");
    assert_eq!(refused["request_body"], body);
    let fault = json!({
        "type": "extra_forbidden",
        "loc": ["body", "shade"],
        "msg": "Extra inputs are not permitted",
        "input": 1,
    });
    assert_eq!(refused["exception_detail"], json!([fault]));
    let refused = stranger.post("/deployments/", &deployment).expect(422);
    let places = refused["exception_detail"].as_array().unwrap().iter();
    let places: Vec<_> = places.map(|it| it["loc"].clone()).collect();
    assert_eq!(places[0], json!(["body", "schedules", 0, "tint"]));
    let missing = stranger.post("/flows/", &json!({})).expect(422);
    assert_eq!(missing["exception_detail"][0]["type"], "missing");
    assert_eq!(
        missing["exception_detail"][0]["loc"],
        json!(["body", "name"])
    );
}
