use serde_json::{Value, json};

use super::check::{self, Given};
use super::faults::Faults;
use super::table::TABLE;

fn faults(method: &str, path: &str, body: Option<Value>) -> Vec<Value> {
    let method = method.parse().unwrap();
    let (operation, in_path) = TABLE.operation(&method, path).unwrap();
    let given = Given {
        path: in_path,
        query: Vec::new(),
        body: body.as_ref(),
    };
    let mut faults = Faults::new();
    check::operation(operation, &given, &mut faults);
    faults.told()
}

fn kinds(method: &str, path: &str, body: Value) -> Vec<(Value, String)> {
    let found = faults(method, path, Some(body)).into_iter();
    let kind = |it: &Value| it["type"].as_str().unwrap().to_owned();
    found.map(|it| (it["loc"].clone(), kind(&it))).collect()
}

#[test]
fn all_faults_are_told_in_order() {
    let body = json!({ "tags": [1], "labels": { "a": [] }, "more": 1 });
    let found = kinds("POST", "/flows/", body);
    let places: Vec<_> = found.iter().map(|(place, _)| place.clone()).collect();
    assert_eq!(places.first().unwrap(), &json!(["body", "name"]));
    assert_eq!(places.get(1).unwrap(), &json!(["body", "tags", 0]));
    assert_eq!(
        places.get(2).unwrap(),
        &json!(["body", "labels", "a", "bool"])
    );
    assert_eq!(places.last().unwrap(), &json!(["body", "more"]));
    assert_eq!(found.len(), 7);
}

#[test]
fn a_body_of_parameters_is_looked_at_parameter_by_parameter() {
    let found = kinds(
        "POST",
        "/flows/filter",
        json!({ "limit": "x", "offset": -1 }),
    );
    let limit = (json!(["body", "limit"]), "int_parsing".to_owned());
    let offset = (json!(["body", "offset"]), "greater_than_equal".to_owned());
    assert_eq!(found, [limit, offset]);
    // What is null is not there.
    assert!(kinds("POST", "/flows/filter", json!({ "limit": null })).is_empty());
    let found = kinds("POST", "/v2/concurrency_limits/increment", json!([]));
    assert_eq!(found.len(), 4);
    let none = faults("POST", "/flows/", None);
    assert_eq!(none.first().unwrap()["loc"], json!(["body"]));
}

#[test]
fn what_goes_beyond_a_bound_is_told_with_the_bound() {
    let event = |more: Value| {
        let mut event = json!({
            "occurred": "2026-01-01T00:00:00Z", "event": "e", "id": uuid::Uuid::nil(),
            "resource": { "prefect.resource.id": "r" },
        });
        let more = more.as_object().unwrap().clone();
        event.as_object_mut().unwrap().extend(more);
        json!([event])
    };
    let related = json!({ "prefect.resource.id": "r", "prefect.resource.role": "x" });
    let labels = (0..500).map(|label| (label.to_string(), "x".into()));
    let mut labels: serde_json::Map<_, _> = labels.collect();
    labels.insert("prefect.resource.id".to_owned(), "r".into());
    let task_run = |name: &str, value: Value| {
        let mut run = json!({ "task_key": "t", "dynamic_key": "0" });
        run.as_object_mut().unwrap().insert(name.to_owned(), value);
        run
    };
    let delays = json!({ "retry_delay": vec![1; 51] });
    let action = json!({ "type": "run-deployment", "schedule_after": -1 });
    let trigger = json!({ "type": "event", "posture": "Reactive", "within": 0 });
    let inferred = json!({ "type": "run-deployment", "source": "inferred" });
    let on_each_run = json!({
        "type": "event", "posture": "Reactive", "within": 0,
        "expect": ["prefect.flow-run.Running"],
    });
    for (path, body, said) in [
        (
            "/variables/",
            json!({ "name": "v", "value": "x".repeat(4999) }),
            "Variable value must be less than 5000 characters",
        ),
        (
            "/task_runs/",
            task_run("empirical_policy", delays),
            "Can not configure more than 50 retry delays per task.",
        ),
        (
            "/task_runs/",
            task_run("cache_key", "x".repeat(2001).into()),
            "Cache key exceeded maximum allowed length of 2000 characters.",
        ),
        (
            "/events",
            event(json!({ "event": "x".repeat(1025) })),
            "Event name must be at most 1024 characters",
        ),
        (
            "/events",
            event(json!({ "resource": labels })),
            "The maximum number of labels per resource is 500",
        ),
        (
            "/events",
            event(json!({ "related": vec![related; 101] })),
            "The maximum number of related resources is 100",
        ),
        (
            "/automations/",
            json!({ "name": "a", "trigger": trigger, "actions": [action] }),
            "schedule_after must be non-negative",
        ),
        (
            "/automations/",
            json!({ "name": "a", "trigger": on_each_run, "actions": [inferred] }),
            "Running an inferred deployment on states that every flow run enters has each run \
             begin another.",
        ),
    ] {
        let found = faults("POST", path, Some(body)).into_iter();
        let told: Vec<_> = found.map(|fault| fault["msg"].clone()).collect();
        let said = json!(format!("Value error, {said}"));
        assert!(told.contains(&said), "{path}: {told:?}");
    }
}

#[test]
fn faults_are_bounded() {
    let many: Vec<_> = (0..1000).map(|_| json!(1)).collect();
    let body = json!({ "name": "x", "tags": many });
    assert_eq!(faults("POST", "/flows/", Some(body)).len(), 100);
}

#[test]
fn forms_within_forms_cost_no_more_than_they_may() {
    let mut trigger = json!({ "type": "event" });
    for _ in 0..40 {
        trigger = json!({ "type": "compound", "triggers": [trigger] });
    }
    let body = json!({ "name": "x", "actions": [], "trigger": trigger });
    assert_eq!(
        faults("POST", "/automations/", Some(body)),
        Vec::<Value>::new()
    );
}

#[test]
fn what_fits_has_no_faults() {
    for (method, path, body) in [
        ("POST", "/flows/", json!({ "name": "x", "labels": null })),
        (
            "POST",
            "/flow_runs/",
            json!({ "flow_id": uuid::Uuid::nil(), "name": "" }),
        ),
        (
            "POST",
            "/variables/",
            json!({ "name": "a_b", "value": { "a": 1 } }),
        ),
        ("POST", "/flows/paginate", json!({ "page": "2" })),
    ] {
        assert!(kinds(method, path, body).is_empty(), "{path}");
    }
}
