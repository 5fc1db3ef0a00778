//! Flows.

use serde_json::json;

use super::UNKNOWN;
use crate::oracle::pair::Pair;

pub fn send(pair: &mut Pair) {
    pair.make(
        "flow",
        "/flows/",
        &json!({ "name": "flow_1", "tags": ["b", "a"] }),
    );
    pair.post("/flows/", &json!({ "name": "flow_1" }));
    pair.post("/flows/", &json!({ "name": "flow_1", "tags": ["other"] }));
    pair.make(
        "flow_2",
        "/flows/",
        &json!({ "name": "Flow 2 ü", "tags": null }),
    );
    for body in [
        json!({ "name": 7 }),
        json!({ "name": 7.5 }),
        json!({ "name": true }),
        json!({ "name": null }),
        json!({ "name": "" }),
        json!({ "name": ["x"] }),
        json!({ "name": "a/b" }),
        json!({ "name": "a%b" }),
        json!({ "name": "a b&c<d>e" }),
        json!({ "name": "a", "tags": "x" }),
        json!({ "name": "a", "tags": {} }),
        json!({ "name": "number tags", "tags": [1, 2.5, true] }),
        json!({ "name": "a", "tags": [null] }),
        json!({ "name": "a", "tags": [["x"]] }),
        json!({ "name": "twice", "tags": ["x", "x"] }),
        json!({ "name": "a", "id": UNKNOWN }),
        json!({ "name": "a", "created": "2022-01-01" }),
        json!({ "nome": "a" }),
        json!({}),
        json!([]),
        json!("flow"),
        json!(7),
        json!(null),
    ] {
        pair.post("/flows/", &body);
    }
    pair.same("POST", "/flows/", None);
    pair.get("/flows/{flow}");
    pair.get("/flows/name/flow_1");
    pair.get("/flows/name/nothing");
    pair.get("/flows/name/Flow%202%20%C3%BC");
    pair.get(&format!("/flows/{UNKNOWN}"));
    pair.get("/flows/nothing");
    pair.patch("/flows/{flow}", &json!({ "tags": ["new"] }));
    pair.get("/flows/{flow}");
    pair.patch("/flows/{flow}", &json!({}));
    pair.patch("/flows/{flow}", &json!({ "tags": null }));
    pair.get("/flows/{flow}");
    pair.patch("/flows/{flow}", &json!({ "name": "x" }));
    pair.patch("/flows/nothing", &json!({ "name": "x" }));
    pair.patch(&format!("/flows/{UNKNOWN}"), &json!({ "tags": [] }));
    pair.delete("/flows/{flow_2}");
    pair.delete("/flows/{flow_2}");
    pair.get("/flows/{flow_2}");
    pair.post("/flows/filter", &json!({}));
    pair.post("/flows/count", &json!({}));
}
