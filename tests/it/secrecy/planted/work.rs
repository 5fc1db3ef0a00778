//! Secrets in what today's clients deploy with: a pool, its queue, a variable, events, and a
//! deployment's own fields.

use serde_json::json;

use super::{id, secrets, text};
use crate::support::Http;

/// What was planted of that.
pub struct Work {
    pub queue: String,
    pub variable: String,
    pub limit: String,
    pub tag_limit: String,
}

impl Work {
    /// The name of whatever has one.
    pub const NAME: &str = "planted";

    pub fn plant(http: &Http, deployment: &str) -> Self {
        let name = Self::NAME;
        let template = json!({
            "job_configuration": { "env": secrets(), "command": "{{ command }}" },
            "variables": { "properties": {
                "command": { "default": text() },
                "env": { "default": secrets() },
                "password": { "default": super::CANARY },
            } },
        });
        let pool = json!({ "name": name, "type": "other", "base_job_template": template,
            "description": text(),
            "storage_configuration": { "bundle_upload_step": { "keep": secrets() } } });
        http.post("/v3/work_pools/", &pool).expect(201);
        let queues = format!("/v3/work_pools/{name}/queues");
        let queue = json!({ "name": name, "description": text() });
        let queue = id(&http.post(&queues, &queue).expect(201));
        let beat = json!({ "name": name });
        let beats = format!("/v3/work_pools/{name}/workers/heartbeat");
        http.post(&beats, &beat).expect(204);
        let variable = json!({ "name": name, "value": secrets(), "tags": [] });
        let variable = id(&http.post("/v3/variables/", &variable).expect(201));
        let limit = json!({ "name": name, "limit": 1 });
        let limit = id(&http.post("/v3/v2/concurrency_limits/", &limit).expect(201));
        let tagged = json!({ "tag": name, "concurrency_limit": 1 });
        let tag_limit = id(&http.post("/v3/concurrency_limits/", &tagged).expect(201));
        Self::deploy(http, deployment);
        let event = json!([{
            "id": "018f0000-0000-7000-8000-0000000000ed", "event": name,
            "occurred": chrono::Utc::now(),
            "resource": { "prefect.resource.id": name, "token": super::CANARY },
            "related": [{ "prefect.resource.id": "other", "prefect.resource.role": "x",
                          "api_key": super::CANARY }],
            "payload": secrets() }]);
        http.post("/v3/events", &event).expect(204);
        Self {
            queue,
            variable,
            limit,
            tag_limit,
        }
    }

    /// What a deployment of today has beside that of old.
    fn deploy(http: &Http, deployment: &str) {
        let schedule = json!({ "schedule": { "cron": "0 0 1 1 *" }, "active": false,
            "parameters": secrets() });
        let more = json!({
            "job_variables": { "env": secrets(), "command": text() },
            "pull_steps": [{ "prefect.deployments.steps.git_clone": secrets() }],
            "description": text(),
            "schedules": [schedule],
        });
        let path = format!("/v3/deployments/{deployment}");
        let changed = http.patch(&path, &more);
        assert_eq!(changed.status, 204, "{}", changed.body);
    }
}
