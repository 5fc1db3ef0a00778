//! Requests as the 2.0a7 client sends them.

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Request;

/// Sends requests to one API.
#[derive(Clone)]
pub struct Http {
    agent: Agent,
    base: String,
    key: Option<String>,
    authorization: Option<String>,
    api_version: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body as JSON; null when there is none.
    pub body: Value,
    /// The `Location` header.
    pub location: Option<String>,
}

impl Answer {
    /// The body, when the status is the expected one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

impl Http {
    /// To the API at `base`, such as `http://127.0.0.1:4200`.
    pub fn new(base: &str) -> Self {
        Self::named(base, "python-httpx/0.22.0")
    }

    /// The same, as the modern client names itself, so that it is answered in its dialect.
    pub fn modern(base: &str) -> Self {
        Self::named(base, "prefect/3.9.1 (API 0.8.4)")
    }

    /// The same, under any name.
    pub fn named(base: &str, name: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(name)
            .build();
        Self {
            agent: config.into(),
            base: base.to_owned(),
            key: None,
            authorization: None,
            api_version: None,
        }
    }

    /// The same, with an `Authorization` on every request.
    pub fn authorized(&self, authorization: &str) -> Self {
        Self {
            authorization: Some(authorization.to_owned()),
            ..self.clone()
        }
    }

    /// The same, saying which version of the API it speaks.
    pub fn speaking(&self, version: &str) -> Self {
        Self {
            api_version: Some(version.to_owned()),
            ..self.clone()
        }
    }

    /// The same, with an `Idempotency-Key` on every request.
    pub fn keyed(&self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self.clone()
        }
    }

    /// Reads a page outside of the API.
    #[track_caller]
    pub fn text(&self, path: &str) -> String {
        let url = format!("{}{path}", self.base);
        let mut response = self.agent.get(&url).call().unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.body_mut().read_to_string().unwrap()
    }

    /// Reads something below `/api`.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    /// Sends JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body.to_string()))
    }

    /// Sends whatever text.
    pub fn post_text(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, Some(body.to_owned()))
    }

    /// Puts something.
    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(body.to_string()))
    }

    /// Changes something.
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(body.to_string()))
    }

    /// Posts something to a daemon that may die of it before it has answered.
    pub fn post_to_the_dying(&self, path: &str, body: &Value) {
        let asked = self.agent.post(format!("{}/api{path}", self.base));
        let _ = asked
            .content_type("application/json")
            .send(body.to_string());
    }

    /// Deletes something.
    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    fn send(&self, method: &str, path: &str, body: Option<String>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/api{path}", self.base))
            .header("content-type", "application/json");
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(version) = &self.api_version {
            request = request.header("x-prefect-api-version", version);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let response = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut response = response.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let text = response.body_mut().read_to_string().unwrap();
        let location = response.headers().get("location");
        Answer {
            status: response.status().as_u16(),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            location: location.map(|value| value.to_str().unwrap().to_owned()),
        }
    }

    /// Registers a flow and answers its id.
    pub fn flow(&self, name: &str) -> String {
        let flow = self.post("/flows/", &json!({ "name": name }));
        id(&flow.body)
    }

    /// Creates a flow run without a deployment and answers its id.
    pub fn flow_run(&self, flow: &str) -> String {
        let run = self.post("/flow_runs/", &json!({ "flow_id": flow }));
        id(&run.body)
    }

    /// Creates a deployment on a flow runner and answers its id.
    pub fn deployment(&self, flow: &str, name: &str, runner: &Value) -> String {
        let body = json!({
            "flow_id": flow,
            "name": name,
            "flow_data": { "encoding": "x", "blob": "y" },
            "flow_runner": runner,
        });
        id(&self.post("/deployments/", &body).expect(201))
    }

    /// Runs a deployment now and answers the run.
    pub fn run_deployment(&self, id: &str) -> Value {
        let now = json!({ "state": { "type": "SCHEDULED" } });
        self.post(&format!("/deployments/{id}/create_flow_run"), &now)
            .expect(201)
    }

    /// A flow run in the modern dialect.
    #[cfg(feature = "client")]
    pub fn run(&self, id: &str) -> Value {
        self.get(&format!("/v3/flow_runs/{id}")).expect(200)
    }

    /// Waits until a run has ended and answers it, in the modern dialect.
    #[track_caller]
    #[cfg(feature = "client")]
    pub fn ended(&self, id: &str) -> Value {
        super::wait_for(&format!("the end of run {id}"), || {
            let run = self.run(id);
            let kind = run["state_type"].as_str().unwrap_or_default();
            ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"]
                .contains(&kind)
                .then_some(run)
        })
    }

    /// The names of a flow run's states, oldest first.
    pub fn states(&self, id: &str) -> Vec<String> {
        let states = self.get(&format!("/flow_run_states/?flow_run_id={id}"));
        let states = states.expect(200);
        let names = states.as_array().unwrap().iter();
        names
            .map(|state| state["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The messages in a flow run's log.
    #[cfg(feature = "client")]
    pub fn lines(&self, id: &str) -> Vec<String> {
        let asked = json!({ "logs": { "flow_run_id": { "any_": [id] } } });
        let lines = self.post("/logs/filter", &asked).expect(200);
        let lines = lines.as_array().unwrap().iter();
        lines
            .map(|line| line["message"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn id(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}
