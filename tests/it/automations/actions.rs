//! What each action does.

use super::*;

#[test]
fn each_action_does_what_it_says() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let deployment = deployment(&http);
    let pool = http
        .post(
            "/v3/work_pools/",
            &json!({ "name": "p", "type": "process" }),
        )
        .expect(201);
    let queue = &pool["default_queue_id"];
    let path = format!("/v3/deployments/{deployment}/create_flow_run");
    let run = || {
        let made = http
            .post(&path, &json!({ "state": { "type": "SCHEDULED" } }))
            .expect(201);
        made["id"].as_str().unwrap().to_owned()
    };
    let other = on(&http, "nothing", &json!([]));
    let of_deployment = format!("/v3/deployments/{deployment}");
    let of_queue = format!("/v3/work_queues/{}", queue.as_str().unwrap());
    let of_other = format!("/v3/automations/{other}");
    let cases: [(Value, &str, &str, Value); 8] = [
        (
            json!({ "type": "pause-deployment", "deployment_id": deployment }),
            &of_deployment,
            "/paused",
            json!(true),
        ),
        (
            json!({ "type": "resume-deployment", "deployment_id": deployment }),
            &of_deployment,
            "/paused",
            json!(false),
        ),
        (
            json!({ "type": "pause-work-pool", "work_pool_id": pool["id"] }),
            "/v3/work_pools/p",
            "/is_paused",
            json!(true),
        ),
        (
            json!({ "type": "resume-work-pool", "work_pool_id": pool["id"] }),
            "/v3/work_pools/p",
            "/is_paused",
            json!(false),
        ),
        (
            json!({ "type": "pause-work-queue", "work_queue_id": queue }),
            &of_queue,
            "/is_paused",
            json!(true),
        ),
        (
            json!({ "type": "resume-work-queue", "work_queue_id": queue }),
            &of_queue,
            "/is_paused",
            json!(false),
        ),
        (
            json!({ "type": "pause-automation", "automation_id": other }),
            &of_other,
            "/enabled",
            json!(false),
        ),
        (
            json!({ "type": "resume-automation", "automation_id": other }),
            &of_other,
            "/enabled",
            json!(true),
        ),
    ];
    for (action, path, field, value) in cases {
        let name = action["type"].as_str().unwrap();
        let id = on(&http, name, &json!([action]));
        tell(&http, &event(name, "x"));
        told_up_to(&http, &id, EXECUTED);
        assert_eq!(
            http.get(path).expect(200).pointer(field),
            Some(&value),
            "{name}"
        );
    }
    for (action, name, expected) in [
        // One that nothing runs yet is Cancelled instead, at once. As on the reference that is told
        // as a failure: it is not the state that was proposed.
        (json!({ "type": "cancel-flow-run" }), FAILED, "CANCELLED"),
        (
            json!({ "type": "change-flow-run-state", "state": "FAILED", "name": "Odd", "message": "m", "force": true }),
            EXECUTED,
            "FAILED",
        ),
        (json!({ "type": "suspend-flow-run" }), FAILED, "SCHEDULED"),
        (json!({ "type": "resume-flow-run" }), FAILED, "SCHEDULED"),
    ] {
        let run = run();
        let word = action["type"].as_str().unwrap();
        let id = on(&http, word, &json!([action]));
        tell(&http, &event(word, &format!("prefect.flow-run.{run}")));
        let told = told_up_to(&http, &id, name);
        let shown = http.get(&format!("/v3/flow_runs/{run}")).expect(200);
        assert_eq!(shown["state"]["type"], expected, "{word}: {told:?}");
    }
    let (gone, word) = (run(), "delete-flow-run");
    let id = on(&http, word, &json!([{ "type": word }]));
    tell(&http, &event(word, &format!("prefect.flow-run.{gone}")));
    told_up_to(&http, &id, EXECUTED);
    http.get(&format!("/v3/flow_runs/{gone}")).expect(404);
    // What cannot be done is told with the reason.
    let id = on(&http, "blind", &json!([{ "type": "cancel-flow-run" }]));
    tell(&http, &event("blind", "x"));
    let told = told_up_to(&http, &id, FAILED);
    let failed = told.iter().find(|one| one["event"] == FAILED).unwrap();
    assert!(
        failed["payload"]["reason"]
            .as_str()
            .unwrap()
            .contains("flow run"),
        "{failed}"
    );
}
