//! Pages of single things, events as they come, what is lost, and how much there is to load.

use serde_json::{Value, json};

use super::browser::Plain;
use super::{HOSTILE, run};
use crate::support::TestDaemon;

#[test]
fn each_thing_has_a_page_of_its_own() {
    let daemon = TestDaemon::without_agent();
    let (browser, http) = (Plain::at(&daemon.url()), daemon.modern());
    let of = |answer: Value| answer["id"].as_str().unwrap().to_owned();
    let variable = http.post(
        "/variables/",
        &json!({ "name": "v", "value": { "a": HOSTILE } }),
    );
    let variable = of(variable.expect(201));
    let limit = json!({ "name": "gpu", "limit": 2 });
    let limit = of(http.post("/v2/concurrency_limits/", &limit).expect(201));
    let automation = json!({ "name": HOSTILE, "actions": [{ "type": "do-nothing" }],
        "trigger": { "type": "event", "posture": "Reactive", "expect": ["x.y"] } });
    let automation = of(http.post("/automations/", &automation).expect(201));
    let id = run(&daemon, "one", &json!({ "type": "RUNNING" }));
    let text = format!("# Title\n\n**bold** [out](javascript:alert(1)) {HOSTILE}");
    let markdown = json!({ "key": "report", "type": "markdown", "data": text, "flow_run_id": id });
    let markdown = of(http.post("/artifacts/", &markdown).expect(201));
    let table = json!({ "key": "t", "type": "table", "data": "[{\"n\": 1, \"m\": \"<i>\"}]", "flow_run_id": id });
    http.post("/artifacts/", &table).expect(201);
    let progress = json!({ "key": "p", "type": "progress", "data": 42.0, "flow_run_id": id });
    http.post("/artifacts/", &progress).expect(201);
    for (path, holds) in [
        (format!("/variables/variable/{variable}"), "&lt;script&gt;"),
        ("/variables/name/v".to_owned(), "&lt;script&gt;"),
        (
            format!("/concurrency-limits/concurrency-limit/{limit}"),
            "0 of 2 slots",
        ),
        (format!("/automations/automation/{automation}"), "x.y"),
        (format!("/artifacts/artifact/{markdown}"), "<h4>Title</h4>"),
        (format!("/runs/flow-run/{id}"), "<strong>bold</strong>"),
        (format!("/runs/flow-run/{id}"), "<td>&lt;i&gt;</td>"),
        (format!("/runs/flow-run/{id}"), "value=\"42.0\""),
        ("/artifacts".to_owned(), "report"),
    ] {
        let page = browser.get(&path);
        assert_eq!(page.status, 200, "{path}: {}", page.html);
        page.holds(holds);
        for wild in ["<script>alert", "javascript:", "\u{202e}", "\u{0007}"] {
            let html = page.html.replace("text/javascript", "");
            assert!(
                !html.contains(wild) || (wild == "javascript:" && path == "/artifacts"),
                "{path}: {html}"
            );
        }
    }
    let latest = browser.get("/artifacts/key/report");
    assert_eq!(
        latest.location.unwrap(),
        format!("/artifacts/artifact/{markdown}")
    );
    let event = browser.get("/events").html;
    let event = event.split("href=\"/events/event/").nth(1).unwrap();
    let event = event.split('"').next().unwrap().to_owned();
    browser
        .get(&format!("/events/event/{event}"))
        .holds("prefect.resource.id");
    browser
        .get(&format!("/events/event/2026-01-01/{event}"))
        .holds("prefect.resource.id");
    let none = "018f0000-0000-7000-8000-000000000001";
    for kind in [
        "events/event",
        "artifacts/artifact",
        "blocks/block",
        "variables/variable",
        "automations/automation",
        "concurrency-limits/concurrency-limit",
    ] {
        assert_eq!(
            browser.get(&format!("/{kind}/{none}")).status,
            404,
            "{kind}"
        );
    }
}

#[test]
fn a_browser_is_told_where_else_to_look_and_a_program_is_not() {
    let daemon = TestDaemon::without_agent();
    let browser = Plain::at(&daemon.url());
    let lost = browser.get("/nowhere/%3Cb%3Eabc");
    assert_eq!(lost.status, 404);
    lost.holds("There is no such page")
        .holds("action=\"/runs\"");
    assert!(!lost.html.contains("<b>abc"), "{}", lost.html);
    let api = browser.get("/api/nowhere");
    assert_eq!(
        (api.status, &*api.html),
        (404, "{\"detail\":\"Not Found\"}")
    );
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let program: ureq::Agent = config.build().into();
    let mut answer = program
        .get(format!("{}/nowhere", daemon.url()))
        .call()
        .unwrap();
    let told = answer.body_mut().read_to_string().unwrap();
    assert_eq!(
        (answer.status().as_u16(), &*told),
        (404, "{\"detail\":\"Not Found\"}")
    );
}

#[test]
fn events_come_as_they_are_told_and_none_is_left_out() {
    let mut daemon = TestDaemon::without_agent();
    let browser = Plain::at(&daemon.url());
    run(&daemon, "before", &json!({ "type": "RUNNING" }));
    let page = browser.get("/events?event=prefect.flow-run.");
    let newest = page.html.split("data-newest=\"").nth(1).unwrap();
    let newest = newest.split('"').next().unwrap().to_owned();
    // Between the page and its stream.
    run(&daemon, "between", &json!({ "type": "RUNNING" }));
    let address = format!("/live/events?event=prefect.flow-run.&after={newest}");
    let mut stream = browser.follow(&address, None);
    let first = stream.until("events", "between");
    assert!(!first.data.contains("payload"), "{}", first.data);
    run(&daemon, "after", &json!({ "type": "FAILED" }));
    let last = stream.until("events", "after");
    assert!(!last.data.contains("prefect.flow.created"), "{}", last.data);
    drop(stream);
    daemon.kill();
    daemon.restart(Vec::new());
    run(&daemon, "later", &json!({ "type": "RUNNING" }));
    let browser = Plain::at(&daemon.url());
    browser
        .follow(&address, Some(&last.id))
        .until("events", "later");
}

#[test]
fn a_first_look_is_small() {
    let daemon = TestDaemon::without_agent();
    for number in 0..120 {
        run(
            &daemon,
            &format!("run-{number}"),
            &json!({ "type": "FAILED", "message": "so it is" }),
        );
    }
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build();
    let agent: ureq::Agent = config.into();
    let weight = |path: &str| {
        let asked = agent.get(format!("{}{path}", daemon.url()));
        let asked = asked
            .header("accept-encoding", "gzip")
            .header("accept", "text/html");
        let mut answer = asked.call().unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let encoding = answer.headers().get("content-encoding");
        assert_eq!(
            encoding.map(|it| it.to_str().unwrap()),
            Some("gzip"),
            "{path}"
        );
        answer.body_mut().read_to_vec().unwrap().len()
    };
    let browser = Plain::at(&daemon.url());
    let of = |kind: &str, end: &str| {
        let html = browser.get("/").html;
        let found = html.split(&format!("/assets/{kind}-")).nth(1).unwrap();
        format!("/assets/{kind}-{}.{end}", found.split('.').next().unwrap())
    };
    let assets = weight(&of("style", "css")) + weight(&of("module", "js"));
    for path in ["/", "/runs", "/events", "/daemon"] {
        let all = weight(path) + assets;
        assert!(all <= 60 * 1024, "{path}: {all} bytes");
    }
    // Programs are answered as ever.
    let api = agent.get(format!("{}/api/health", daemon.url()));
    let api = api.header("accept-encoding", "gzip").call().unwrap();
    assert!(api.headers().get("content-encoding").is_none());
}
