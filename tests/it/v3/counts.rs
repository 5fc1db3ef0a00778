//! What was seen of states and events, and what is kept of searches.

use serde_json::{Value, json};

use super::glances::{flow, id, run, task};
use crate::support::TestDaemon;

#[test]
fn states_that_were_seen_are_told() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let flow = flow(&http, "f");
    let run = run(&http, &flow, &json!({ "type": "PENDING" }));
    let state = json!({ "state": { "type": "RUNNING", "name": "Busy" } });
    http.post(&format!("/flow_runs/{run}/set_state"), &state)
        .expect(201);
    task(&http, &run, "t", "COMPLETED", &json!({}));
    let names = |query: &str| -> Vec<String> {
        let found = http.get(&format!("/observed-states{query}")).expect(200);
        let found = found.as_array().unwrap().iter();
        found
            .map(|it| it["state_name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(""), ["Completed", "Busy", "Pending"]);
    assert_eq!(
        names("?order_by=NAME_ASC"),
        ["Completed", "Pending", "Busy"]
    );
    assert_eq!(names("?query=run"), ["Busy"]);
    assert_eq!(names("?query=PEN&limit=1"), ["Pending"]);
    for odd in ["?limit=0", "?limit=201", "?order_by=X"] {
        assert_eq!(
            http.get(&format!("/observed-states{odd}")).status,
            422,
            "{odd}"
        );
    }
}

#[test]
fn events_are_counted_by_what_they_are_and_over_time() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let event = |n: usize, name: &str, resource: &str, at: &str| {
        json!({ "id": format!("018f0000-0000-7000-8000-{n:012}"), "event": name, "occurred": at,
                "resource": { "prefect.resource.id": resource, "prefect.resource.name": "named" } })
    };
    let events = json!([
        event(1, "a", "r.1", "2024-05-01T00:30:00Z"),
        event(2, "a", "r.2", "2024-05-01T10:00:00Z"),
        event(3, "b", "r.1", "2024-05-03T00:00:00Z"),
    ]);
    http.post("/events", &events).expect(204);
    let filter =
        json!({ "occurred": { "since": "2024-05-01T00:00:00Z", "until": "2024-05-03T12:00:00Z" } });
    let count = |by: &str, more: Value| {
        let mut asked = json!({ "filter": filter });
        asked
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        http.post(&format!("/events/count-by/{by}"), &asked)
    };
    let by_name = count("event", json!({})).expect(200);
    assert_eq!(
        (&by_name[0]["value"], &by_name[0]["count"]),
        (&json!("a"), &json!(2))
    );
    assert_eq!(by_name[0]["end_time"], "2024-05-01T10:00:00.000000Z");
    let by_resource = count("resource", json!({})).expect(200);
    assert_eq!(
        (&by_resource[0]["value"], &by_resource[0]["label"]),
        (&json!("r.1"), &json!("named"))
    );
    let by_day = count("day", json!({})).expect(200);
    let counts: Vec<_> = by_day
        .as_array()
        .unwrap()
        .iter()
        .map(|day| &day["count"])
        .collect();
    assert_eq!(counts, [&json!(2), &json!(0), &json!(1)]);
    assert_eq!(by_day[0]["label"], "2024-05-01T00:00:00+00:00");
    assert_eq!(by_day[0]["end_time"], "2024-05-01T23:59:59.999999Z");
    let by_time = count("time", json!({ "time_unit": "hour", "time_interval": 12 })).expect(200);
    assert_eq!(by_time.as_array().unwrap().len(), 5);
    assert_eq!(count("time", json!({ "time_unit": "second" })).status, 422);
    assert_eq!(count("colour", json!({})).status, 422);
}

#[test]
fn searches_are_saved_under_their_names() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let filter = |value: i64| {
        json!([{ "object": "flow_run", "property": "tags", "type": "array",
                                       "operation": "all", "value": value }])
    };
    let save = |name: &str, filters: Value| {
        http.put(
            "/saved_searches/",
            &json!({ "name": name, "filters": filters }),
        )
    };
    let made = save("b", filter(1)).expect(201);
    let again = save("b", filter(2)).expect(200);
    assert_eq!((&again["id"], &again["filters"]), (&made["id"], &filter(2)));
    save("a", json!([])).expect(201);
    assert_eq!(save("c", json!([{ "object": "x" }])).status, 422);
    let found = http.post("/saved_searches/filter", &json!({})).expect(200);
    let names: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["a", "b"]);
    let path = format!("/saved_searches/{}", id(&made));
    assert_eq!(http.get(&path).expect(200), again);
    // The older generation has objects, and no word for lists.
    let old = daemon.http().get(&format!("/orion{path}")).expect(200);
    assert_eq!(old["filters"], json!({}));
    http.delete(&path).expect(204);
    assert_eq!(
        http.get(&path).expect(404)["detail"],
        "Saved search not found"
    );
    assert_eq!(http.delete(&path).status, 404);
}

#[test]
fn the_logs_of_a_run_go_with_it() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    let flow = id(&http.post("/flows/", &json!({ "name": "f" })).expect(201));
    let run = id(&http
        .post("/flow_runs/", &json!({ "flow_id": flow }))
        .expect(201));
    let task = json!({ "flow_run_id": run, "task_key": "k", "dynamic_key": "0" });
    let task = id(&http.post("/task_runs/", &task).expect(201));
    let log = |of: Value, message: &str| {
        let mut log = json!({ "name": "l", "level": 20, "message": message,
            "timestamp": "2026-01-01T00:00:00Z" });
        log.as_object_mut()
            .unwrap()
            .extend(of.as_object().unwrap().clone());
        log
    };
    let logs = json!([
        log(json!({}), "of none"),
        log(json!({ "flow_run_id": run }), "of the run"),
        log(
            json!({ "flow_run_id": run, "task_run_id": task }),
            "of the task"
        ),
    ]);
    http.post("/logs/", &logs).expect(201);
    let left = || {
        let found = http.post("/logs/filter", &json!({})).expect(200);
        let found = found.as_array().unwrap().iter();
        found
            .map(|log| log["message"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(left().len(), 3);
    http.delete(&format!("/task_runs/{task}")).expect(204);
    assert_eq!(left(), ["\"of none\"", "\"of the run\""]);
    http.delete(&format!("/flow_runs/{run}")).expect(204);
    assert_eq!(left(), ["\"of none\""]);
}
