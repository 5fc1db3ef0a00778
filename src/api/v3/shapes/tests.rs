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
