//! Flows, in the modern dialect.

use serde_json::{Value, json};

use super::support::TestDaemon;

#[test]
fn a_flow_s_tags_are_replaced_or_stay() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let made = json!({ "name": "f", "tags": ["old"] });
    let id = http.post("/v3/flows/", &made).expect(201)["id"].clone();
    let path = format!("/v3/flows/{}", id.as_str().unwrap());
    for (update, tags) in [
        (json!({ "tags": ["a", "b"] }), json!(["a", "b"])),
        (json!({}), json!(["a", "b"])),
        (json!({ "tags": null }), json!(["a", "b"])),
        (json!({ "tags": [] }), json!([])),
    ] {
        http.patch(&path, &update).expect(204);
        assert_eq!(http.get(&path).expect(200)["tags"], tags, "{update}");
    }
    assert_eq!(http.patch(&path, &json!({ "name": "g" })).status, 422);
    assert_eq!(http.patch(&path, &Value::Null).status, 422);
    let none = "/v3/flows/018f0000-0000-7000-8000-00000000dead";
    assert_eq!(http.patch(none, &json!({})).status, 404);
}
