//! What forms ask.

use serde_json::{Value, json};

use crate::support::TestDaemon;

/// Of some properties, the required ones among them.
fn schema(properties: &Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required })
}

#[test]
fn values_are_checked_against_schemas_as_the_reference_does() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    for (name, value) in [("n", json!(3)), ("api-token", json!("zz-secret"))] {
        http.post("/variables/", &json!({ "name": name, "value": value }))
            .expect(201);
    }
    let n = || schema(&json!({ "a": { "type": "integer" } }), &[]);
    let made = |how: Value| json!({ "a": how });
    let of = |property: &str, words: &str| json!([{ "property": property, "errors": [words] }]);
    let kind = "__prefect_kind";
    let cases: [(Value, Value, Value); 17] = [
        (n(), made(json!(1)), json!([])),
        (n(), json!({}), json!([])),
        (n(), made(json!({ kind: "json", "value": "7" })), json!([])),
        (
            n(),
            made(json!({ kind: "jinja", "template": "{{ x }}" })),
            json!([]),
        ),
        (
            n(),
            made(json!({ kind: "jinja" })),
            of("a", "Missing 'template' key in __prefect object"),
        ),
        (
            n(),
            made(json!({ kind: "none" })),
            of("a", "Missing 'value' key in __prefect object"),
        ),
        (
            n(),
            made(json!({ kind: "workspace_variable", "variable_name": "n" })),
            json!([]),
        ),
        (
            n(),
            made(json!({ kind: "workspace_variable", "variable_name": "nope" })),
            of("a", "Variable 'nope' not found in workspace."),
        ),
        // Whose value is nobody's business is not looked at.
        (
            n(),
            made(json!({ kind: "workspace_variable", "variable_name": "api-token" })),
            json!([]),
        ),
        (
            n(),
            made(json!({ kind: "json", "value": "\"x\"" })),
            of("a", "'x' is not valid under any of the given schemas"),
        ),
        (
            schema(&json!({ "a": {} }), &["a"]),
            made(json!({ kind: "json" })),
            of("a", "'a' is a required property"),
        ),
        (
            json!({ "type": "object", "minProperties": 2 }),
            json!({}),
            json!(["{} does not have enough properties"]),
        ),
        (
            json!({ "type": "object", "additionalProperties": false }),
            json!({ "a": null }),
            json!(["Additional properties are not allowed ('a' was unexpected)"]),
        ),
        (
            schema(
                &json!({ "a": { "type": "string", "minLength": 3 } }),
                &["a"],
            ),
            json!({ "a": "y" }),
            of("a", "'y' is too short"),
        ),
        (
            schema(
                &json!({ "a": { "type": "array", "items": { "type": "array", "items":
                { "type": "integer" } } } }),
                &["a"],
            ),
            json!({ "a": [[1, "x"], ["y", 2]] }),
            json!([{ "property": "a", "errors": [
                { "index": 0, "errors": [{ "index": 1, "errors": ["'x' is not of type 'integer'"] }] },
                { "index": 1, "errors": [{ "index": 0, "errors": ["'y' is not of type 'integer'"] }] },
            ] }]),
        ),
        (
            schema(
                &json!({ "a": { "type": "integer" }, "b": { "type": "array", "items": {
                "type": "object", "properties": { "c": { "type": "string" } }, "required": ["c"] } } }),
                &["a", "b"],
            ),
            json!({ "a": 1, "b": [{ "c": 1 }, {}, { "c": "k" }] }),
            json!([{ "property": "b", "errors": [
                { "index": 0, "errors": [{ "property": "c", "errors": ["1 is not of type 'string'"] }] },
                { "index": 1, "errors": [{ "property": "c", "errors": ["'c' is a required property"] }] },
            ] }]),
        ),
        // A block may be given by its id.
        (
            json!({ "type": "object", "properties": { "a": { "$ref": "#/definitions/B" } },
                "definitions": { "B": { "title": "B", "block_type_slug": "b", "type": "object",
                    "properties": { "x": { "type": "string" } }, "required": ["x"] } } }),
            json!({ "a": { "$ref": "6a3b8a5c-5e64-4c0e-8c1c-0b2a4f6f8f10" } }),
            json!([]),
        ),
    ];
    for (schema, values, errors) in cases {
        let asked = json!({ "schema": schema, "values": values });
        let found = http.post("/ui/schemas/validate", &asked).expect(200);
        let expected = json!({ "errors": errors, "valid": errors == json!([]) });
        assert_eq!(found, expected, "{asked}");
    }
    for schema in [
        json!({ "type": "nope" }),
        json!({ "type": "object", "properties": { "a": { "$ref": "#/properties/a" } } }),
    ] {
        let asked = json!({ "schema": schema, "values": { "a": 1 } });
        let refused = http.post("/ui/schemas/validate", &asked).expect(422);
        let words = refused["detail"].as_str().unwrap();
        assert!(words.starts_with("Invalid schema: "), "{words}");
    }
    assert_eq!(
        http.post("/ui/schemas/validate", &json!({ "values": {} }))
            .status,
        422
    );
}

#[test]
fn queues_that_would_take_a_deployment_are_found() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let flow = http.post("/flows/", &json!({ "name": "f" })).expect(201);
    let new = json!({ "name": "d", "flow_id": flow["id"], "tags": ["a", "b"] });
    let deployment = http.post("/deployments/", &new).expect(201);
    let id = deployment["id"].as_str().unwrap();
    for (name, filter) in [
        ("all", Value::Null),
        ("tagged", json!({ "tags": ["a"] })),
        ("other-tags", json!({ "tags": ["a", "c"] })),
        ("named", json!({ "deployment_ids": [id] })),
        ("others", json!({ "deployment_ids": [flow["id"]] })),
    ] {
        let new = json!({ "name": name, "filter": filter });
        http.post("/work_queues/", &new).expect(201);
    }
    let path = format!("/deployments/{id}/work_queue_check");
    let found = http.get(&path).expect(200);
    let mut names: Vec<_> = { found.as_array().unwrap().iter() }
        .map(|queue| queue["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["all", "default", "named", "tagged"]);
    assert_eq!(found[0].as_object().unwrap().len(), 11);
    let gone = flow["id"].as_str().unwrap();
    http.get(&format!("/deployments/{gone}/work_queue_check"))
        .expect(404);
}
