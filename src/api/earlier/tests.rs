use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;

const OF_2_3: &[(&str, &str)] = &[
    ("user-agent", "python-httpx/0.23.3"),
    ("x-prefect-api-version", "0.8.0"),
];
const OF_2_10: &[(&str, &str)] = &[
    ("user-agent", "python-httpx/0.25.2"),
    ("x-prefect-api-version", "0.8.4"),
];
const OF_2_20: &[(&str, &str)] = &[
    ("user-agent", "prefect/2.20.26 (API 0.8.4)"),
    ("x-prefect-api-version", "0.8.4"),
];
const OF_3: &[(&str, &str)] = &[
    ("user-agent", "prefect/3.9.1 (API 0.8.4)"),
    ("x-prefect-api-version", "0.8.4"),
];

/// Asks for `path` where all is answered with that status and body; answers what came of it: the
/// path that was asked within, and the answer.
async fn asked(
    headers: &[(&str, &str)],
    path: &str,
    status: u16,
    body: Value,
) -> (String, Response) {
    let seen = Arc::new(Mutex::new(String::new()));
    let within = Arc::clone(&seen);
    let service = tower::service_fn(move |request: Request| {
        *within.lock().unwrap() = request.uri().to_string();
        let answer = Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        async move { Ok(answer) }
    });
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let answer = Translated.layer(service).oneshot(request).await.unwrap();
    let seen = seen.lock().unwrap().clone();
    (seen, answer)
}

async fn body(answer: Response) -> Value {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

fn deployment() -> Value {
    let cron = json!({ "cron": "0 6 * * *", "timezone": "UTC", "day_or": true });
    let interval =
        json!({ "interval": 60.0, "anchor_date": "2020-01-01T00:00:00Z", "timezone": "UTC" });
    json!({
        "name": "d",
        "paused": false,
        "schedules": [
            { "schedule": interval, "active": false },
            { "schedule": cron, "active": true },
        ],
        "job_variables": { "env.A": 1.50 },
        "parameters": { "state_type": "PAUSED" },
    })
}

#[tokio::test]
async fn deployments_are_told_in_the_words_of_each_generation() {
    for path in ["/api/v3/deployments/x", "/api/v3/deployments/name/f/d"] {
        let (_, answer) = asked(OF_3, path, 200, deployment()).await;
        assert_eq!(body(answer).await, deployment(), "{path}");
        for headers in [OF_2_3, OF_2_10, OF_2_20] {
            let (_, answer) = asked(headers, path, 201, deployment()).await;
            assert_eq!(answer.status(), 201);
            let told = body(answer).await;
            let mut meant = deployment();
            meant["schedule"] = meant["schedules"][1]["schedule"].clone();
            meant["is_schedule_active"] = true.into();
            meant["infra_overrides"] = json!({ "env.A": 1.50 });
            meant["manifest_path"] = Value::Null;
            assert_eq!(told, meant, "{path}");
        }
    }
    let list = json!([deployment(), deployment()]);
    let (_, answer) = asked(OF_2_10, "/api/v3/deployments/filter", 200, list).await;
    assert_eq!(body(answer).await[1]["is_schedule_active"], true);
    let page = json!({ "results": [deployment()], "count": 1 });
    let (_, answer) = asked(OF_2_10, "/api/v3/deployments/paginate", 200, page).await;
    let told = body(answer).await;
    assert_eq!(
        told["results"][0]["infra_overrides"],
        json!({ "env.A": 1.50 })
    );
    assert_eq!(told["count"], 1);
    let mut without = deployment();
    without["schedules"] = json!([]);
    without["paused"] = true.into();
    let (_, answer) = asked(OF_2_10, "/api/v3/deployments/x", 200, without).await;
    let told = body(answer).await;
    assert_eq!(
        (&told["schedule"], &told["is_schedule_active"]),
        (&Value::Null, &json!(false))
    );
}

#[tokio::test]
async fn states_that_came_later_are_told_as_the_nearest_to_those_who_do_not_know_them() {
    let state = |kind: &str| json!({ "type": kind, "name": "n", "state_details": {} });
    let run = |kind: &str| {
        json!({ "id": "i", "state_type": kind, "state": state(kind),
                "parameters": { "state_type": kind, "type": kind } })
    };
    let told = |kind: &str, nearest: &str| {
        let mut told = run(nearest);
        told["parameters"] = run(kind)["parameters"].clone();
        told
    };
    for (kind, nearest) in [("CANCELLING", "CANCELLED"), ("PAUSED", "SCHEDULED")] {
        for (path, answer, meant) in [
            ("/flow_runs/x", run(kind), told(kind, nearest)),
            (
                "/flow_runs/filter",
                json!([run(kind)]),
                json!([told(kind, nearest)]),
            ),
            (
                "/flow_run_states/",
                json!([state(kind)]),
                json!([state(nearest)]),
            ),
            ("/task_run_states/x", state(kind), state(nearest)),
            ("/task_runs/x", run(kind), told(kind, nearest)),
            (
                "/work_queues/x/get_runs",
                json!([run(kind)]),
                json!([told(kind, nearest)]),
            ),
            (
                "/flow_runs/x/set_state",
                json!({ "status": "ACCEPT", "state": state(kind) }),
                json!({ "status": "ACCEPT", "state": state(nearest) }),
            ),
            (
                "/work_pools/p/get_scheduled_flow_runs",
                json!([{ "flow_run": run(kind) }]),
                json!([{ "flow_run": told(kind, nearest) }]),
            ),
            (
                "/deployments/x/create_flow_run",
                run(kind),
                told(kind, nearest),
            ),
        ] {
            let path = format!("/api/v3{path}");
            let (_, to_old) = asked(OF_2_3, &path, 200, answer.clone()).await;
            assert_eq!(body(to_old).await, meant, "{path}");
            for headers in [OF_2_10, OF_2_20, OF_3] {
                let (_, to_newer) = asked(headers, &path, 200, answer.clone()).await;
                assert_eq!(body(to_newer).await, answer, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn only_earlier_clients_find_what_has_moved() {
    let was = "/api/v3/deployments/x/set_schedule_inactive";
    for (headers, asked_for) in [
        (OF_2_10, "/api/v3/deployments/x/pause_deployment"),
        (OF_2_20, "/api/v3/deployments/x/pause_deployment"),
        (OF_3, was),
        (&[], was),
    ] {
        assert_eq!(asked(headers, was, 200, Value::Null).await.0, asked_for);
    }
    let orion = "/api/orion/deployments/x";
    let (path, answer) = asked(OF_2_10, orion, 200, deployment()).await;
    assert_eq!((path.as_str(), body(answer).await), (orion, deployment()));
}

#[tokio::test]
async fn who_gives_up_at_a_503_is_asked_to_come_again_otherwise() {
    for (headers, status) in [(OF_2_3, 429), (OF_2_10, 503), (OF_2_20, 503), (OF_3, 503)] {
        let busy = json!({ "detail": "busy" });
        let (_, answer) = asked(headers, "/api/v3/logs/", 503, busy.clone()).await;
        assert_eq!(answer.status(), status, "{headers:?}");
        let again = answer.headers().contains_key("retry-after");
        assert_eq!(again, status == 429);
        assert_eq!(body(answer).await, busy);
    }
}
