//! Every page, by somebody who only looks: what is planted is on none.

use serde_json::json;

use super::planted::Planted;
use super::{CANARY, filled};
use crate::support::{Http, ask_as, user, with_groups};

/// What pages are of beside what is planted for the API.
struct More {
    limit: String,
    variable: String,
    event: &'static str,
}

impl More {
    fn plant(http: &Http) -> Self {
        let id = |answer: serde_json::Value| answer["id"].as_str().unwrap().to_owned();
        let value = json!({ "token": CANARY, "url": format!("pg://u:{CANARY}@h") });
        let variable = json!({ "name": "planted_too", "value": value });
        let limit = json!({ "name": format!("token={CANARY}"), "limit": 1 });
        let flow = json!({ "name": format!("at pg://u:{CANARY}@h") });
        http.post("/orion/flows/", &flow).expect(201);
        let event = "018f0000-0000-7000-8000-0000000000ee";
        let told = json!([{ "id": event, "event": "planted", "occurred": "2024-01-01T00:00:00Z",
            "resource": { "prefect.resource.id": "a.b", "api_key": CANARY },
            "payload": { "password": CANARY, "text": format!("token={CANARY}") } }]);
        http.post("/v3/events", &told).expect(204);
        Self {
            limit: id(http.post("/v3/v2/concurrency_limits/", &limit).expect(201)),
            variable: id(http.post("/v3/variables/", &variable).expect(201)),
            event,
        }
    }
}

/// The addresses of all pages that are only looked at.
fn addresses(planted: &Planted, more: &More) -> Vec<String> {
    let declared = prefectd::pages::declared();
    let pages = declared.iter().filter(|it| {
        let others = ["/live/", "/assets/", "/ui", "/favicon", "/login"];
        it.method == "GET" && !others.iter().any(|other| it.path.starts_with(other))
    });
    let each = pages.map(|it| {
        filled(&it.path, |name| match (name, &*it.path) {
            ("id", path) if path.contains("/task-run/") => planted.task.clone(),
            ("id", path) if path.contains("/flow-run/") => planted.run.clone(),
            ("id", path) if path.contains("/deployment") => planted.deployment.clone(),
            ("id", path) if path.contains("/flow/") => planted.flow.clone(),
            ("id", path) if path.contains("/artifact/") => planted.targets().artifact,
            ("id", path) if path.contains("/block/") => planted.block(),
            ("id", path) if path.contains("/automation/") => planted.automation(),
            ("id", path) if path.contains("/concurrency-limit/") => more.limit.clone(),
            ("id", path) if path.contains("/variable/") => more.variable.clone(),
            ("id", path) if path.contains("/event/") => more.event.to_owned(),
            ("name", _) => "planted".to_owned(),
            ("queue", _) => "default".to_owned(),
            ("day", _) => "2024-01-01".to_owned(),
            (name, path) => panic!("what is {name} in {path}?"),
        })
    });
    let all: Vec<_> = each.collect();
    assert!(all.len() > 30, "{all:?}");
    all
}

#[test]
fn what_is_planted_is_on_no_page_for_those_who_only_look() {
    let daemon = with_groups();
    let http = daemon.http();
    let planted = Planted::plant(&http);
    let more = More::plant(&http);
    let mut seen = 0;
    for address in addresses(&planted, &more) {
        let ask = |uid| ask_as(uid, &daemon.socket(), "GET", &address, "");
        let (status, page) = ask(user::VIEWER);
        assert!(
            matches!(status, 200 | 303 | 308),
            "{address}: {status} {page}"
        );
        assert!(!page.contains(CANARY), "{address}: {page}");
        assert!(
            !page.contains("<button class=\"btn bad"),
            "{address}: {page}"
        );
        let (status, _) = ask(user::STRANGER);
        assert_eq!(status, 403, "{address}");
        let (_, page) = ask(user::OPERATOR);
        seen += usize::from(page.contains(CANARY));
    }
    // It was there to be seen.
    assert!(seen > 5, "{seen}");
}
