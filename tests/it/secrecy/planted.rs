//! What is asked in the matrix, and what it finds.

mod work;

use prefectd::api::{Declared, Need};
use serde_json::{Value, json};

use super::{CANARY, filled};
use crate::support::Http;
use work::Work;

/// A request to a declared operation.
pub struct Asked {
    pub need: Need,
    pub method: String,
    pub path: String,
    pub body: String,
    /// Whether it names the runs of the [`Targets`].
    pub names_runs: bool,
}

/// The runs that requests name which change something.
pub struct Targets {
    pub run: String,
    pub task: String,
    pub artifact: String,
}

/// What was planted.
pub struct Planted {
    pub flow: String,
    pub deployment: String,
    pub run: String,
    pub task: String,
    run_state: String,
    task_state: String,
    artifact: String,
    block: Block,
    work: Work,
    search: String,
    automation: String,
    document: Value,
}

/// Something with a secret at every place at which one can be told.
fn secrets() -> Value {
    json!({
        "api_key": CANARY,
        "deep": [[{ "PASSWORD": { "a": [CANARY] }, "n": 1 }]],
        "url": format!("postgres://user:{CANARY}@host/db"),
        "words": ["--token=zz-canary-zz", format!("X_SECRET={CANARY}")],
        "text": json!({ "auth": CANARY }).to_string(),
    })
}

fn text() -> String {
    format!("cannot reach pg://u:{CANARY}@host with token={CANARY} and {{'api_key': '{CANARY}'}}")
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

/// A block with its type and its schema.
struct Block {
    kind: String,
    schema: String,
    document: String,
}

impl Block {
    fn plant(http: &Http) -> Self {
        let kind = json!({ "name": "p", "slug": "planted", "description": text() });
        let kind = id(&http.post("/v3/block_types/", &kind).expect(201));
        let fields = json!({ "secret_fields": ["hidden"], "block_type_slug": "planted",
            "properties": { "password": { "title": "Password", "default": CANARY } } });
        let schema = json!({ "fields": fields, "block_type_id": kind });
        let schema = id(&http.post("/v3/block_schemas/", &schema).expect(201));
        let document = json!({ "name": "planted", "block_type_id": kind, "block_schema_id": schema,
            "data": { "hidden": CANARY, "open": secrets() } });
        let document = id(&http.post("/v3/block_documents/", &document).expect(201));
        Self {
            kind,
            schema,
            document,
        }
    }
}

impl Planted {
    pub fn plant(http: &Http) -> Self {
        let flow = http.flow("f");
        let runner = json!({ "type": "docker", "config": {
            "env": { "API_KEY": CANARY, "DB": format!("pg://u:{CANARY}@h"), "HOME": "/h" } } });
        let deployment = json!({
            "name": "d", "flow_id": flow, "parameters": secrets(), "flow_runner": runner,
            "flow_data": { "encoding": "cloudpickle", "blob": CANARY },
        });
        let deployment = id(&http.post("/orion/deployments/", &deployment).expect(201));
        let data = |blob: String| json!({ "encoding": "json", "blob": blob });
        let run = json!({
            "flow_id": flow, "deployment_id": deployment, "parameters": secrets(),
            "context": secrets(), "flow_runner": runner,
            "state": { "type": "FAILED", "message": text(), "data": data(secrets().to_string()) },
        });
        let run = http.post("/orion/flow_runs/", &run).expect(201);
        let task = json!({
            "flow_run_id": run["id"], "task_key": "k", "dynamic_key": "0",
            "state": { "type": "COMPLETED", "message": text(),
                       "data": { "encoding": "cloudpickle", "blob": CANARY } },
        });
        let task = http.post("/orion/task_runs/", &task).expect(201);
        let lines = json!([{ "flow_run_id": run["id"], "task_run_id": task["id"], "name": "n",
                             "level": 20, "message": text(),
                             "timestamp": "2024-01-01T00:00:00+00:00" }]);
        http.post("/orion/logs/", &lines).expect(201);
        let input = json!({ "key": "planted", "value": text() });
        let inputs = format!("/v3/flow_runs/{}/input", id(&run));
        http.post(&inputs, &input).expect(201);
        let automation = json!({
            "name": "a", "description": text(),
            "trigger": { "type": "event", "posture": "Reactive", "expect": ["never"] },
            "actions": [{ "type": "run-deployment", "deployment_id": deployment,
                          "parameters": secrets() }],
        });
        let automation = http.post("/v3/automations/", &automation).expect(201);
        let artifact = json!({
            "key": "planted", "flow_run_id": run["id"], "type": "table", "data": secrets(),
            "description": text(), "metadata_": { "token": CANARY },
        });
        let artifact = http.post("/v3/artifacts/", &artifact).expect(201);
        let search = json!({ "name": "s", "filters": { "flow_runs": secrets() } });
        let search = http.put("/orion/saved_searches/", &search);
        let document = http.post("/orion/data/persist", &secrets()).expect(201);
        let work = Work::plant(http, &deployment);
        Self {
            flow,
            deployment,
            work,
            run_state: run["state_id"].as_str().unwrap().to_owned(),
            task_state: task["state_id"].as_str().unwrap().to_owned(),
            run: id(&run),
            task: id(&task),
            artifact: id(&artifact),
            block: Block::plant(http),
            search: id(&search.expect(201)),
            automation: id(&automation),
            document,
        }
    }

    /// The runs that were planted.
    pub fn targets(&self) -> Targets {
        Targets {
            run: self.run.clone(),
            task: self.task.clone(),
            artifact: self.artifact.clone(),
        }
    }

    /// The document of a block.
    pub fn block(&self) -> String {
        self.block.document.clone()
    }

    /// The automation.
    pub fn automation(&self) -> String {
        self.automation.clone()
    }

    /// A request to every declared operation. Those that need an operator name what is not
    /// there.
    pub fn requests(&self, targets: &Targets) -> Vec<Asked> {
        let declared = prefectd::api::declared();
        assert!(declared.len() > 90, "{}", declared.len());
        // What is said on a websocket is authorised as it is said.
        let is_socket = |it: &Declared| it.method == "GET" && it.need == Need::Aim;
        let declared = declared.into_iter().filter(|it| !is_socket(it));
        let asked = declared.map(|it| self.request(it, targets));
        asked.collect()
    }

    fn request(&self, declared: Declared, targets: &Targets) -> Asked {
        let Declared { method, path, need } = declared;
        let whole = filled(&path, |name| match need {
            Need::Operate => "018f0000-0000-7000-8000-00000000dead".to_owned(),
            // What is planted is still asked for.
            Need::Set if method == "DELETE" => "018f0000-0000-7000-8000-00000000dead".to_owned(),
            _ => self.parameter(&path, name, need, targets),
        });
        let whole = match path.rsplit('/').nth(1) {
            Some("flow_run_states") if path.ends_with('/') => {
                format!("{whole}?flow_run_id={}", self.run)
            }
            Some("task_run_states") if path.ends_with('/') => {
                format!("{whole}?task_run_id={}", self.task)
            }
            _ => whole,
        };
        let body = match need {
            Need::Aim => self.aimed(method.as_str(), &path, targets),
            _ => self.body(&path),
        };
        Asked {
            need,
            method: method.to_string(),
            path: whole,
            body: body.to_string(),
            // That dialect's request has no word for a parent.
            names_runs: path != "/api/orion/deployments/{id}/create_flow_run",
        }
    }

    fn parameter(&self, path: &str, name: &str, need: Need, targets: &Targets) -> String {
        let noun = path.split('/').nth(3).unwrap_or_default();
        let one = match (name, noun, need) {
            ("id", "flow_runs", Need::Aim) => &targets.run,
            ("id", "task_runs", Need::Aim) => &targets.task,
            ("id", "artifacts", Need::Aim) => &targets.artifact,
            ("id", "artifacts", _) if path.ends_with("/latest") => return "planted".to_owned(),
            ("id", "artifacts", _) => &self.artifact,
            ("id", "flows", _) => &self.flow,
            ("id", "deployments", _) => &self.deployment,
            ("id", "flow_runs" | "prefectd", _) => &self.run,
            ("id", "task_runs", _) => &self.task,
            ("id", "flow_run_states", _) => &self.run_state,
            ("id", "task_run_states", _) => &self.task_state,
            ("id", "saved_searches", _) => &self.search,
            ("id", "automations", _) => &self.automation,
            ("resource_id", ..) => "prefect.deployment.d",
            ("id", "ui", _) => &self.task,
            ("countable", ..) => "event",
            ("name", "block_types", _) => "planted",
            ("slug", ..) => "planted",
            ("checksum", ..) => "sha256:none",
            ("id", "block_types", _) => &self.block.kind,
            ("id", "block_schemas", _) => &self.block.schema,
            ("id", "block_documents", _) => &self.block.document,
            ("name", "work_pools" | "work_queues" | "variables", _) => Work::NAME,
            ("name" | "flow_name", ..) => "f",
            ("deployment_name", ..) => "d",
            ("noun", ..) => "flow_runs",
            ("beginning", ..) => "0a",
            ("key", _, Need::Aim) => "other",
            ("key", ..) => "planted",
            ("queue", ..) => Work::NAME,
            ("view", ..) => "aggregate-worker-metadata",
            ("id", "work_queues", _) => &self.work.queue,
            ("id", "variables", _) => &self.work.variable,
            ("id", "concurrency_limits", _) => &self.work.tag_limit,
            ("id", "v2", _) => &self.work.limit,
            ("tag", ..) => Work::NAME,
            _ => panic!("what is {name} in {path}?"),
        };
        one.to_owned()
    }

    fn body(&self, path: &str) -> Value {
        let last = path.rsplit('/').next().unwrap_or_default();
        match last {
            "retrieve" => self.document.clone(),
            "page" => json!({ "flow_run_id": self.run, "backwards": false }),
            "around" => json!({ "ids": [self.deployment] }),
            "lengths" => json!({ "ids": [self.run] }),
            "history" => json!({
                "history_start": "2020-01-01T00:00:00Z", "history_end": "2020-01-02T00:00:00Z",
                "history_interval_seconds": 3600 }),
            "filter" if path.contains("/input/") => json!({ "prefix": "p" }),
            "doctor" => json!({ "part": "machine" }),
            "validate" => json!("text"),
            // None, since what is planted is still asked for.
            "bulk_delete" | "bulk_set_state" => json!({ "limit": 0 }),
            _ => json!({}),
        }
    }

    /// The body of an operation that aims at something.
    fn aimed(&self, method: &str, path: &str, targets: &Targets) -> Value {
        let is_modern = path.starts_with("/api/v3/");
        match (
            method,
            path.split_once("/api/").map_or("", |(_, rest)| rest),
        ) {
            (_, path) if path.ends_with("/set_state") => json!({ "state": { "type": "RUNNING" } }),
            ("PATCH" | "DELETE", _) => json!({}),
            (_, path) if path.ends_with("/resume") => json!({}),
            (_, path) if path.ends_with("/input") => json!({ "key": "other", "value": "v" }),
            (_, path) if path.ends_with("/flow_runs/") => {
                json!({ "flow_id": self.flow, "parent_task_run_id": targets.task })
            }
            (_, path) if path.ends_with("/artifacts/") => {
                json!({ "flow_run_id": targets.run, "task_run_id": targets.task })
            }
            (_, path) if path.ends_with("/task_runs/") => {
                json!({ "flow_run_id": targets.run, "task_key": "k", "dynamic_key": path })
            }
            (_, path) if path.ends_with("/create_flow_run") && is_modern => {
                json!({ "parent_task_run_id": targets.task, "state": { "type": "PENDING" } })
            }
            (_, path) if path.ends_with("/create_flow_run") => json!({}),
            (_, path) if path.ends_with("/events") => json!([{
                "id": "018f0000-0000-7000-8000-0000000000ee", "event": "prefect.task-run.Running",
                "occurred": "2024-01-01T00:00:00Z",
                "resource": { "prefect.resource.id": format!("prefect.task-run.{}", targets.task),
                              "prefect.orchestration": "client" },
                "related": [{ "prefect.resource.id": format!("prefect.flow-run.{}", targets.run),
                              "prefect.resource.role": "flow-run" }],
                "payload": { "validated_state": { "type": "RUNNING" },
                             "task_run": { "task_key": "k", "dynamic_key": "d" } } }]),
            (_, path) if path.ends_with("/logs/") => json!([{
                "flow_run_id": targets.run, "name": "n", "level": 20, "message": "half \u{fffd}",
                "timestamp": "2024-01-01T00:00:00+00:00" }]),
            _ => panic!("what does {method} {path} aim at?"),
        }
    }
}
