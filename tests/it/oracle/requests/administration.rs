//! Administration, documents and saved searches.

use serde_json::json;

use super::UNKNOWN;
use crate::oracle::pair::Pair;

pub fn send(pair: &mut Pair) {
    pair.get("/admin/hello");
    pair.get("/admin/version");
    for path in [
        "/admin/database/clear",
        "/admin/database/drop",
        "/admin/database/create",
    ] {
        pair.post(path, &json!({}));
        pair.same("POST", path, None);
        pair.post(path, &json!({ "confirm": false }));
        pair.post(path, &json!({ "confirm": "no" }));
        pair.post(path, &json!({ "confirm": null }));
        pair.post(path, &json!({ "confirm": "perhaps" }));
        pair.post(path, &json!([]));
    }
    pair.post("/admin/database/create", &json!({ "confirm": true }));
    documents(pair);
    searches(pair);
}

/// Empties both.
pub fn clear(pair: &mut Pair) {
    pair.post("/admin/database/clear", &json!({ "confirm": true }));
    for noun in ["flows", "deployments", "flow_runs", "task_runs"] {
        pair.post(&format!("/{noun}/count"), &json!({}));
    }
}

fn documents(pair: &mut Pair) {
    let persisted = pair.send_raw("POST", "/data/persist", Some("some text"));
    for answer in &persisted {
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.text("/encoding"), "orion");
    }
    pair.keep("blob", &persisted, "/blob");
    pair.post(
        "/data/retrieve",
        &json!({ "encoding": "orion", "blob": "{blob}" }),
    );
    pair.post("/data/retrieve", &json!({ "encoding": "orion" }));
    pair.post("/data/retrieve", &json!({ "blob": "x" }));
    pair.post(
        "/data/retrieve",
        &json!({ "encoding": "orion", "blob": "x", "more": 1 }),
    );
    pair.post("/data/retrieve", &json!({}));
    pair.same("POST", "/data/retrieve", None);
}

fn searches(pair: &mut Pair) {
    let filter = json!({ "object": "flow_run", "property": "tags", "type": "string", "operation": "eq", "value": "a" });
    let search = json!({ "name": "search_1", "filters": [filter] });
    let made = pair.same("PUT", "/saved_searches/", Some(&search.to_string()));
    pair.keep("search", &made, "/id");
    pair.put("/saved_searches/", &search);
    pair.put(
        "/saved_searches/",
        &json!({ "name": "search_1", "filters": [] }),
    );
    pair.put("/saved_searches/", &json!({ "name": "search_2" }));
    pair.put(
        "/saved_searches/",
        &json!({ "name": "search_3", "filters": null }),
    );
    pair.put(
        "/saved_searches/",
        &json!({ "name": "search_4", "filters": [{}] }),
    );
    pair.put(
        "/saved_searches/",
        &json!({ "name": "search_5", "filters": [{ "object": 1, "more": 2 }] }),
    );
    pair.put("/saved_searches/", &json!({ "filters": [] }));
    pair.put("/saved_searches/", &json!({ "name": "a/b" }));
    pair.put("/saved_searches/", &json!({ "name": "x", "id": UNKNOWN }));
    pair.get("/saved_searches/{search}");
    pair.get(&format!("/saved_searches/{UNKNOWN}"));
    pair.get("/saved_searches/nothing");
    pair.post("/saved_searches/filter", &json!({}));
    pair.post(
        "/saved_searches/filter",
        &json!({ "limit": 1, "offset": 1 }),
    );
    pair.post("/saved_searches/filter", &json!({ "limit": 201 }));
    pair.same("POST", "/saved_searches/filter", None);
    pair.delete("/saved_searches/{search}");
    pair.delete("/saved_searches/{search}");
    pair.get("/saved_searches/{search}");
}
