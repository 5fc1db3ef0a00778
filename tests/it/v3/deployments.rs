//! Flows and deployments as the modern client makes and changes them.

use serde_json::{Map, Value, json};

use crate::support::{Http, TestDaemon};

/// What a modern client sent to the real server, and what that answered.
const RECORDED: &str = include_str!("../../golden/v3-deployment.json");

fn flow(http: &Http) -> String {
    let flow = json!({ "name": "f", "tags": ["t"], "labels": { "team": "a", "n": 1 } });
    let flow = http.post("/flows/", &flow).expect(201);
    assert_eq!(flow["labels"], json!({ "team": "a", "n": 1 }));
    flow["id"].as_str().unwrap().to_owned()
}

/// Makes a deployment, and answers its path.
fn made(http: &Http, more: Value) -> String {
    let mut body = json!({ "name": "d", "flow_id": flow(http) });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let made = http.post("/deployments/", &body).expect(201);
    format!("/deployments/{}", made["id"].as_str().unwrap())
}

#[test]
fn a_deployment_is_answered_as_the_real_server_does() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    let mut request = recorded["request"].clone();
    request["flow_id"] = flow(&http).into();
    let answer = http.post("/deployments/", &request).expect(201);
    let theirs: &Map<_, _> = recorded["answer"].as_object().unwrap();
    for (key, value) in theirs {
        let ours = &answer[key];
        match key.as_str() {
            // Ids and times, and what belongs to a pool.
            "id"
            | "created"
            | "updated"
            | "flow_id"
            | "schedules"
            | "global_concurrency_limit"
            | "labels"
            | "work_queue_name"
            | "work_queue_id"
            | "work_pool_name" => {
                assert!(answer.get(key).is_some(), "{key}");
            }
            _ => assert_eq!(ours, value, "{key}"),
        }
    }
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let of = |key: &str| (keys(&answer[key]), keys(&recorded["answer"][key]));
    let (ours, theirs) = of("global_concurrency_limit");
    assert_eq!(ours, theirs);
    let schedule = (&answer["schedules"][0], &recorded["answer"]["schedules"][0]);
    assert_eq!(keys(schedule.0), keys(schedule.1));
    assert_eq!(schedule.0["schedule"], schedule.1["schedule"]);
    let labels = json!({ "team": "a", "n": 1, "prefect.flow.id": request["flow_id"] });
    assert_eq!(answer["labels"], labels);
    // The older generation sees it too.
    let orion = daemon.http();
    let seen = orion.get("/deployments/name/f/yamldep").expect(200);
    assert_eq!(seen["schedule"]["interval"], 3600.0);
    // Created again: what is not said stays.
    let again = json!({ "name": "yamldep", "flow_id": request["flow_id"], "tags": ["z"] });
    let again = http.post("/deployments/", &again).expect(200);
    assert_eq!(again["description"], "None");
    assert_eq!(
        (&again["tags"], &again["schedules"]),
        (&json!(["z"]), &json!([]))
    );
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let path = made(
        &http,
        json!({
            "job_variables": { "image": "x" },
            "description": "d",
            "concurrency_limit": 2,
            "enforce_parameter_schema": false,
            "schedules": [{ "schedule": { "cron": "0 0 * * *" }, "slug": "night" }],
        }),
    );
    let change = |body: Value| assert_eq!(http.patch(&path, &body).status, 204, "{body}");
    change(json!({ "paused": true, "tags": ["a"] }));
    let it = http.get(&path).expect(200);
    assert_eq!(
        (&it["paused"], &it["description"]),
        (&json!(true), &json!("d"))
    );
    assert_eq!(it["job_variables"], json!({ "image": "x" }));
    assert_eq!(it["global_concurrency_limit"]["limit"], 2);
    change(json!({ "job_variables": {}, "description": null, "concurrency_limit": null }));
    let it = http.get(&path).expect(200);
    assert_eq!(
        (&it["job_variables"], &it["description"]),
        (&json!({}), &Value::Null)
    );
    assert_eq!(it["global_concurrency_limit"], Value::Null);
    assert_eq!(it["schedules"][0]["slug"], "night");
    // Schedules with slugs are changed by them.
    change(json!({ "schedules": [{ "slug": "night", "active": false }] }));
    let more = json!({ "slug": "noon", "schedule": { "cron": "0 12 * * *" } });
    change(json!({ "schedules": [more] }));
    let it = http.get(&path).expect(200);
    let schedules = it["schedules"].as_array().unwrap().iter();
    let told: Vec<_> = schedules
        .map(|it| {
            (
                it["slug"].as_str().unwrap(),
                it["active"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("noon", true), ("night", false)]);
    let unnamed = json!({ "schedules": [{ "schedule": { "cron": "0 1 * * *" } }] });
    assert_eq!(http.patch(&path, &unnamed).status, 422);
    let gone = "/deployments/00000000-1111-4222-8333-444444444444";
    let told = http.patch(gone, &json!({})).expect(404);
    assert_eq!(told, json!({ "detail": "Deployment not found" }));
}

/// How many runs wait for their time.
fn waiting(http: &Http) -> u64 {
    let scheduled = json!({ "flow_runs": { "state": { "type": { "any_": ["SCHEDULED"] } } } });
    http.post("/flow_runs/count", &scheduled)
        .expect(200)
        .as_u64()
        .unwrap()
}

#[test]
fn schedules_are_added_changed_and_removed_one_by_one() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let path = made(&http, json!({}));
    let schedules = format!("{path}/schedules");
    assert_eq!(http.get(&schedules).expect(200), json!([]));
    let new = json!([
        { "schedule": { "cron": "0 0 * * *", "timezone": "Asia/Tokyo" }, "slug": "a" },
        { "schedule": { "interval": "PT1H" }, "parameters": { "n": 1 }, "active": false },
        { "schedule": { "rrule": "FREQ=DAILY" }, "max_scheduled_runs": 3 },
    ]);
    let made = http.post(&schedules, &new).expect(201);
    assert_eq!(made[0]["schedule"]["timezone"], "Asia/Tokyo");
    assert_eq!(made[1]["schedule"]["interval"], 3600.0);
    assert_eq!(made[2]["schedule"]["timezone"], "UTC");
    assert_eq!(made[2]["max_scheduled_runs"], 3);
    let all = waiting(&http);
    assert!(all > 0);
    let same = json!([{ "schedule": { "cron": "1 0 * * *" }, "slug": "a" }]);
    assert_eq!(http.post(&schedules, &same).status, 409);
    let one = |at: usize| format!("{schedules}/{}", made[at]["id"].as_str().unwrap());
    assert_eq!(http.patch(&one(0), &json!({ "active": false })).status, 204);
    assert!(waiting(&http) < all);
    assert_eq!(http.patch(&one(1), &json!({ "active": true })).status, 204);
    let hourly = json!({ "flow_runs": { "state": { "name": { "any_": ["Scheduled"] } } } });
    let runs = http.post("/flow_runs/filter", &hourly).expect(200);
    let with = runs.as_array().unwrap().iter();
    assert!(
        with.filter(|run| run["parameters"] == json!({ "n": 1 }))
            .count()
            > 0
    );
    assert_eq!(http.delete(&one(2)).status, 204);
    assert_eq!(http.delete(&one(2)).status, 404);
    assert_eq!(
        http.post(&format!("{path}/pause_deployment"), &json!({}))
            .status,
        200
    );
    assert_eq!(waiting(&http), 0);
    assert_eq!(
        http.post(&format!("{path}/resume_deployment"), &json!({}))
            .status,
        200
    );
    assert!(waiting(&http) > 0);
    for bad in [
        json!([{ "schedule": {} }]),
        json!([{ "schedule": { "cron": "x" } }]),
        json!([{ "schedule": { "interval": 0 } }]),
        json!([{ "schedule": { "interval": "30" } }]),
        json!([{ "schedule": { "cron": "0 0 * * *", "rrule": "FREQ=DAILY" } }]),
        json!([{ "schedule": { "cron": "0 0 * * *" }, "max_scheduled_runs": 0 }]),
    ] {
        assert_eq!(http.post(&schedules, &bad).status, 422, "{bad}");
    }
}

#[test]
fn parameters_conform_to_the_schema() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let schema = json!({
        "type": "object",
        "properties": { "n": { "type": "integer" }, "name": { "type": "string" } },
        "required": ["n"],
    });
    let body = json!({
        "enforce_parameter_schema": true,
        "parameter_openapi_schema": schema,
        "parameters": { "name": "x" },
    });
    let path = made(&http, body.clone());
    let run = |body: Value| http.post(&format!("{path}/create_flow_run"), &body);
    let made = run(json!({ "parameters": { "n": 1 } })).expect(201);
    assert_eq!(made["parameters"], json!({ "name": "x", "n": 1 }));
    let refused = run(json!({ "parameters": { "n": "x" } })).expect(409);
    let words = refused["detail"].as_str().unwrap();
    let begins = "Error creating flow run: Validation failed for field 'n'. Failure reason: ";
    assert!(words.starts_with(begins), "{words}");
    assert_eq!(run(json!({})).status, 409);
    let free = json!({ "parameters": { "n": "x" }, "enforce_parameter_schema": false });
    run(free).expect(201);
    assert_eq!(
        http.patch(&path, &json!({ "parameters": { "name": 3 } }))
            .status,
        409
    );
    assert_eq!(
        http.patch(&path, &json!({ "parameters": { "name": "y" } }))
            .status,
        204
    );
    let mut bad = body;
    bad["name"] = "other".into();
    bad["flow_id"] = http.get(&path).expect(200)["flow_id"].clone();
    bad["parameters"] = json!({ "n": "x" });
    assert_eq!(http.post("/deployments/", &bad).status, 422);
    bad["parameters"] = json!({});
    bad["parameter_openapi_schema"] = json!({ "$ref": "#" });
    let told = http.post("/deployments/", &bad).expect(422);
    assert!(
        told["detail"].as_str().unwrap().contains("circular"),
        "{told}"
    );
}

#[test]
fn parameters_that_say_how_they_are_made_are_made() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let json_of = |text: &str| json!({ "__prefect_kind": "json", "value": text });
    let more = json!({
        "enforce_parameter_schema": true,
        "parameter_openapi_schema": {
            "type": "object",
            "properties": { "n": { "type": "integer" } },
        },
        "parameters": { "unset": { "__prefect_kind": "json" }, "list": json_of("[1]") },
    });
    let path = made(&http, more);
    let run = |n: Value| {
        let body = json!({ "parameters": { "n": n } });
        http.post(&format!("{path}/create_flow_run"), &body)
    };
    let made = run(json_of("7")).expect(201);
    assert_eq!(made["parameters"], json!({ "list": [1], "n": 7 }));
    assert_eq!(run(json_of("\"x\"")).status, 409);
    let detail = |answer: Value| answer["detail"].as_str().unwrap().to_owned();
    let refused = detail(run(json_of("{")).expect(400));
    let begins = "Error hydrating flow run parameters: Invalid JSON: ";
    assert!(refused.starts_with(begins), "{refused}");
    let change = |n: &str| http.patch(&path, &json!({ "parameters": { "n": json_of(n) } }));
    change("8").expect(204);
    assert_eq!(http.get(&path).expect(200)["parameters"], json!({ "n": 8 }));
    let refused = detail(change("{").expect(400));
    let begins = "Error hydrating deployment parameters: Invalid JSON: ";
    assert!(refused.starts_with(begins), "{refused}");
}

#[test]
fn parameters_are_made_of_templates_and_variables() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let path = made(&http, json!({}));
    let value = json!({ "key": ["{{ 1 }}", null] });
    for (name, value) in [("open", &value), ("api_token", &json!("hidden"))] {
        let variable = json!({ "name": name, "value": value });
        http.post("/variables/", &variable).expect(201);
    }
    let template = json!({ "__prefect_kind": "jinja", "template": "{{ 1 + 2 }}" });
    let of = |name: &str| json!({ "__prefect_kind": "workspace_variable", "variable_name": name });
    let dry = json!({ "parameters": { "text": template, "list": [of("open")] } });
    let wet = json!({ "text": "3", "list": [value] });
    let run = format!("{path}/create_flow_run");
    assert_eq!(http.post(&run, &dry).expect(201)["parameters"], wet);
    http.patch(&path, &dry).expect(204);
    assert_eq!(http.get(&path).expect(200)["parameters"], wet);
    for (name, why) in [
        ("none", "Variable 'none' not found in workspace."),
        (
            "api_token",
            "The variable 'api_token' is a secret by its name",
        ),
    ] {
        let told = http.post(&run, &json!({ "parameters": { "x": of(name) } }));
        let told = told.expect(400)["detail"].to_string();
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn whoever_serves_a_deployment_polls_for_its_runs() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let path = made(&http, json!({ "path": ".", "entrypoint": "f.py:f" }));
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(http.get(&path).expect(200)["status"], "NOT_READY");
    let poll = || {
        // As Python writes times.
        let body = json!({ "deployment_ids": [id], "scheduled_before": "2099-01-01 18:32:35.335384+00:00" });
        http.post("/deployments/get_scheduled_flow_runs", &body)
            .expect(200)
    };
    assert_eq!(poll(), json!([]));
    let it = http.get(&path).expect(200);
    assert_eq!(it["status"], "READY");
    assert!(it["last_polled"].is_string());
    let run = http.post(
        &format!("{path}/create_flow_run"),
        &json!({ "idempotency_key": "k" }),
    );
    let run = run.expect(201);
    assert_eq!(poll()[0]["id"], run["id"]);
    let again = http.post(
        &format!("{path}/create_flow_run"),
        &json!({ "idempotency_key": "k" }),
    );
    assert_eq!(again.expect(200)["id"], run["id"]);
    let many = json!({ "deployment_ids": vec![id; 201] });
    assert_eq!(
        http.post("/deployments/get_scheduled_flow_runs", &many)
            .status,
        422
    );
}
