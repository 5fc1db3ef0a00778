//! The verbs of what the generation of 2.0 did not know.

use std::sync::atomic::AtomicU32;

use serde_json::{Value, json};

use super::{Client, id, insist};

/// What is made, by a request that would be refused, or make another, if it were carried out twice.
pub fn replay(http: &Client, deaths: &AtomicU32) {
    let client = Newer { http, deaths };
    client.work();
    client.variables();
    client.automations();
    client.blocks();
    client.limits();
    client.artifacts();
}

struct Newer<'a> {
    http: &'a Client,
    deaths: &'a AtomicU32,
}

impl Newer<'_> {
    fn post(&self, path: &str, body: &Value) -> Value {
        self.http.post(&format!("/v3{path}"), body).body
    }

    /// Posts one body after the other, and answers what came of each.
    fn make(&self, path: &str, body: impl Fn(usize) -> Value) -> Vec<Value> {
        let mut made = Vec::new();
        insist(self.deaths, |n| made.push(self.post(path, &body(n))));
        made
    }

    fn change(&self, path: &str, body: impl Fn(usize) -> Value) {
        insist(self.deaths, |n| {
            let path = format!("/v3{path}");
            drop(self.http.send("PATCH", &path, &body(n).to_string()));
        });
    }

    /// Deletes what is at those paths; there may be fewer than it takes for a daemon to die.
    fn delete(&self, noun: &str, paths: impl IntoIterator<Item = String>) {
        let mut paths = paths.into_iter();
        let delete = |path: String| drop(self.http.send("DELETE", &format!("/v3{path}"), ""));
        insist(self.deaths, |n| match paths.next() {
            Some(path) => delete(path),
            None => drop(self.http.flow(&format!("beside {noun} {n}"))),
        });
        paths.for_each(delete);
    }

    fn delete_all(&self, noun: &str, made: &[Value]) {
        self.delete(noun, made.iter().map(|one| format!("/{noun}/{}", id(one))));
    }

    fn count(&self, noun: &str) -> usize {
        let count = self.post(&format!("/{noun}/count"), &json!({}));
        count.as_u64().unwrap() as usize
    }

    fn work(&self) {
        let before = self.count("work_pools");
        let pool = |n| json!({ "name": format!("pool-{n}"), "type": "process" });
        let pools = self.make("/work_pools/", pool);
        assert_eq!(self.count("work_pools"), before + pools.len());
        self.change("/work_pools/pool-0", |n| json!({ "concurrency_limit": n }));
        let queue = |n| json!({ "name": format!("queue-{n}") });
        let queues = self.make("/work_pools/pool-0/queues", queue);
        let found = self.post("/work_pools/pool-0/queues/filter", &json!({ "limit": 200 }));
        assert_eq!(found.as_array().unwrap().len(), queues.len() + 1);
        let priority = |n| json!({ "priority": n + 1 });
        self.change("/work_pools/pool-0/queues/queue-0", priority);
        self.delete_all("work_queues", &queues);
        let names = pools.iter().map(|pool| pool["name"].as_str().unwrap());
        self.delete(
            "work_pools",
            names.map(|name| format!("/work_pools/{name}")),
        );
        assert_eq!(self.count("work_pools"), before);
    }

    fn variables(&self) {
        let variable = |n| json!({ "name": format!("variable_{n}"), "value": n });
        let made = self.make("/variables/", variable);
        assert_eq!(self.count("variables"), made.len());
        self.change("/variables/name/variable_0", |n| json!({ "value": n }));
        self.delete_all("variables", &made);
        assert_eq!(self.count("variables"), 0);
    }

    fn automations(&self) {
        let automation = |n| {
            json!({
                "name": format!("automation {n}"), "actions": [{ "type": "do-nothing" }],
                "trigger": { "type": "event", "posture": "Reactive", "expect": ["never"] },
            })
        };
        let made = self.make("/automations/", automation);
        assert_eq!(self.count("automations"), made.len());
        let path = format!("/automations/{}", id(&made[0]));
        self.change(&path, |n| json!({ "enabled": n % 2 == 0 }));
        self.delete_all("automations", &made);
        assert_eq!(self.count("automations"), 0);
    }

    fn blocks(&self) {
        let kind = |n| json!({ "name": format!("kind-{n}"), "slug": format!("kind-{n}") });
        let kinds = self.make("/block_types/", kind);
        let kind = id(&kinds[0]);
        let schema = |n| {
            let fields = json!({ "title": format!("Kind{n}"), "type": "object",
                "block_type_slug": "kind-0", "properties": {}, "secret_fields": [],
                "block_schema_references": {} });
            json!({ "fields": fields, "block_type_id": kind, "capabilities": [] })
        };
        let schemas = self.make("/block_schemas/", schema);
        let schema = id(&schemas[0]);
        let document = |n| {
            json!({ "name": format!("document-{n}"), "data": { "n": n },
                "block_type_id": kind, "block_schema_id": schema })
        };
        let documents = self.make("/block_documents/", document);
        assert_eq!(self.count("block_documents"), documents.len());
        let path = format!("/block_documents/{}", id(&documents[0]));
        self.change(&path, |n| json!({ "data": { "n": n } }));
        self.delete_all("block_documents", &documents);
        assert_eq!(self.count("block_documents"), 0);
        self.delete_all("block_schemas", &schemas);
        self.delete_all("block_types", &kinds);
    }

    fn limits(&self) {
        let limit = |n| json!({ "name": format!("limit-{n}"), "limit": 1000 });
        let made = self.make("/v2/concurrency_limits/", limit);
        let taken = |number: usize| {
            let path = format!("/v3/v2/concurrency_limits/{}", id(&made[number]));
            let active = &self.http.send("GET", &path, "").body["active_slots"];
            active.as_u64().unwrap() as usize
        };
        let of = |number: usize| json!({ "names": [format!("limit-{number}")], "slots": 1, "mode": "concurrency" });
        let slots = self
            .make("/v2/concurrency_limits/increment", |_| of(0))
            .len();
        assert_eq!(taken(0), slots);
        let path = "/v2/concurrency_limits/increment-with-lease";
        let leases = self.make(path, |_| of(1));
        assert_eq!(taken(1), leases.len());
        // A lease that is given back twice is gone.
        let give_back = |lease: &Value| {
            let lease = json!({ "lease_id": lease["lease_id"] });
            drop(self.post("/v2/concurrency_limits/decrement-with-lease", &lease));
        };
        let mut back = leases.iter();
        insist(self.deaths, |_| match back.next() {
            Some(lease) => give_back(lease),
            None => drop(self.post("/v2/concurrency_limits/increment", &of(2))),
        });
        back.for_each(give_back);
        assert_eq!(taken(1), 0);
        let path = format!("/v2/concurrency_limits/{}", id(&made[0]));
        self.change(&path, |n| json!({ "limit": 1000 + n }));
        self.delete_all("v2/concurrency_limits", &made);
    }

    fn artifacts(&self) {
        let artifact = |n| json!({ "key": "kept", "type": "markdown", "data": format!("# {n}") });
        let made = self.make("/artifacts/", artifact);
        assert_eq!(self.count("artifacts"), made.len());
        let path = format!("/artifacts/{}", id(&made[0]));
        self.change(&path, |n| json!({ "description": n.to_string() }));
        self.delete_all("artifacts", &made);
        assert_eq!(self.count("artifacts"), 0);
    }
}
