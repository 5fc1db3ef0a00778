//! Pages as browsers ask for them.

#[cfg(test)]
mod browser;
#[cfg(all(test, feature = "browser"))]
mod driver;
#[cfg(all(test, feature = "browser"))]
mod live;
#[cfg(test)]
mod official;
#[cfg(all(test, feature = "browser", feature = "client"))]
mod official_seen;
#[cfg(all(test, feature = "browser"))]
mod seen;
#[cfg(test)]
mod things;

use serde_json::{Value, json};

use crate::support::{KEY, KeyFile, Options, TestDaemon, ask_as, user, with_groups};
use browser::Plain;

/// A name that breaks a page which does not look after itself.
const HOSTILE: &str = "<script>alert(1)</script>\u{202e}\u{0007}\"'&";

fn run(daemon: &TestDaemon, name: &str, state: &Value) -> String {
    let http = daemon.modern();
    let flow = http.post("/flows/", &json!({ "name": "etl" })).body;
    let new = json!({ "flow_id": flow["id"], "name": name, "state": state, "tags": [name],
        "parameters": { "api_key": "s3cret", "day": HOSTILE } });
    let run = http.post("/flow_runs/", &new).expect(201);
    run["id"].as_str().unwrap().to_owned()
}

/// Has a run be in a state, whatever the rules say.
fn force(daemon: &TestDaemon, run: &str, state: &str) {
    let state = json!({ "state": { "type": state }, "force": true });
    let path = format!("/flow_runs/{run}/set_state");
    daemon.modern().post(&path, &state).expect(201);
}

fn say(daemon: &TestDaemon, run: &str, level: u64, message: &str) {
    let line = json!([{ "name": "prefect.flow_runs", "level": level, "message": message,
        "timestamp": "2026-01-01T00:00:00Z", "flow_run_id": run }]);
    assert_eq!(daemon.modern().post("/logs/", &line).status, 201);
}

#[test]
fn pages_are_whole_and_run_nothing_of_anybody_elses() {
    let daemon = TestDaemon::without_agent();
    let browser = Plain::at(&daemon.url());
    let dashboard = browser.get("/");
    assert_eq!(dashboard.status, 200);
    dashboard
        .holds("Nothing has run here yet")
        .holds("All well");
    assert!(
        dashboard.policy.contains("default-src 'none'") && !dashboard.policy.contains("unsafe")
    );
    let style = dashboard.html.split("/assets/style-").nth(1).unwrap();
    let style = format!("/assets/style-{}", style.split('"').next().unwrap());
    assert!(browser.get(&style).html.contains("color-scheme"));
    browser.get("/runs").holds("No run yet");

    let long = "x".repeat(10_000);
    let id = run(
        &daemon,
        HOSTILE,
        &json!({ "type": "FAILED", "message": HOSTILE }),
    );
    run(&daemon, &long, &json!({ "type": "RUNNING" }));
    say(
        &daemon,
        &id,
        40,
        &format!("\u{1b}[31mred\u{1b}[0m {HOSTILE}"),
    );
    for path in [
        "/",
        "/runs",
        &format!("/runs/flow-run/{id}"),
        "/runs?state=failed",
        "/runs?q=%3Cscript%3E",
        "/runs?sort=name&last=24h&tag=%3Cscript%3E&pool=%22",
    ] {
        let page = browser.get(path);
        assert_eq!(page.status, 200, "{path}: {}", page.html);
        for wild in ["<script>alert", "\u{202e}", "\u{0007}"] {
            assert!(!page.html.contains(wild), "{path}: {}", page.html);
        }
        assert!(!page.html.contains(&long), "{path}");
    }
    let page = browser.get(&format!("/runs/flow-run/{id}"));
    page.holds("The flow failed")
        .holds("&lt;script&gt;alert(1)&lt;/script&gt;⟨202E⟩␇");
    page.holds("<span class=\"a31\">red</span>").holds("s3cret");
    assert_eq!(browser.get("/runs/flow-run/x").status, 404);
    let gone = "/runs/flow-run/018f0000-0000-7000-8000-000000000001";
    browser.get(gone).holds("Flow run not found");
    let moved = browser.get(&format!("/flow-runs/flow-run/{id}"));
    assert_eq!(moved.status, 308);
    assert_eq!(moved.location.unwrap(), format!("/runs/flow-run/{id}"));
}

#[test]
fn a_list_of_runs_is_its_address() {
    let daemon = TestDaemon::without_agent();
    let browser = Plain::at(&daemon.url());
    for (name, kind) in [
        ("good", "COMPLETED"),
        ("bad", "FAILED"),
        ("ugly", "CRASHED"),
    ] {
        run(&daemon, name, &json!({ "type": kind }));
    }
    for (query, expected) in [
        ("", &["good", "bad", "ugly"][..]),
        ("state=failed,crashed", &["bad", "ugly"]),
        ("state=failed&state=crashed", &["bad", "ugly"]),
        ("q=goo", &["good"]),
        ("tag=ugly", &["ugly"]),
        ("state=late", &[]),
        ("last=1h&state=completed", &["good"]),
    ] {
        let page = browser.get(&format!("/runs?{query}"));
        for name in ["good", "bad", "ugly"] {
            let is_there = page.html.contains(&format!("<bdi>{name}</bdi></a></span>"));
            assert_eq!(is_there, expected.contains(&name), "{query}: {name}");
        }
    }
}

#[test]
fn what_is_pressed_is_done_once_it_is_known_who_presses() {
    let daemon = TestDaemon::without_agent();
    let browser = Plain::at(&daemon.url());
    let id = run(&daemon, "one", &json!({ "type": "RUNNING" }));
    let page = browser.get(&format!("/runs/flow-run/{id}"));
    let (cancel, token) = (format!("/runs/flow-run/{id}/cancel"), page.token());
    for wrong in ["", "x", &token[1..]] {
        let refused = browser.post(&cancel, &[("token", wrong)]);
        assert_eq!(refused.status, 422, "{wrong}");
    }
    for headers in [
        [("origin", "http://evil.example")],
        [("sec-fetch-site", "cross-site")],
    ] {
        let refused = browser.post_as(&cancel, &[("token", &token)], &headers);
        assert_eq!(refused.status, 403, "{headers:?}");
    }
    let state = || {
        let run = daemon.modern().get(&format!("/flow_runs/{id}")).body;
        run["state_type"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(), "RUNNING");
    let done = browser.post(&cancel, &[("token", &token)]);
    assert_eq!(
        (done.status, done.location.unwrap()),
        (303, format!("/runs/flow-run/{id}"))
    );
    assert_eq!(state(), "CANCELLED");
    let asked = [("token", &*token), ("id", &id), ("do", "delete")];
    browser.post("/runs/bulk", &asked).holds("Delete 1 run?");
    let done = browser.post(
        "/runs/bulk",
        &[("token", &token), ("id", &id), ("do", "delete-now")],
    );
    assert_eq!(done.status, 303);
    assert_eq!(browser.get(&format!("/runs/flow-run/{id}")).status, 404);
}

#[test]
fn with_a_key_nothing_is_shown_without_it() {
    let key = KeyFile::new();
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: key.env(),
        ..Options::default()
    });
    let mut browser = Plain::at(&daemon.url());
    let led = browser.get("/runs?state=failed");
    assert_eq!((led.status, &*led.html), (303, ""));
    let login = led.location.unwrap();
    assert_eq!(login, "/login?next=%2Fruns%3Fstate%3Dfailed");
    let asks = browser.get(&login);
    asks.holds("API key").holds("value=\"/runs?state=failed\"");
    let token = asks.token();
    let wrong = browser.post("/login", &[("token", &token), ("key", "wrong")]);
    assert_eq!((wrong.status, wrong.cookie.is_none()), (401, true));
    let fields = [("token", &*token), ("key", KEY), ("next", "//evil.example")];
    let right = browser.post("/login", &fields);
    assert_eq!((right.status, &*right.location.unwrap()), (303, "/"));
    let cookie = right.cookie.unwrap();
    for word in ["HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(!cookie.contains(KEY));
    let sent = cookie.split(';').next().unwrap();
    browser.cookie = Some(format!("{sent}x"));
    assert_eq!(browser.get("/").status, 303);
    browser.cookie = Some(sent.to_owned());
    let page = browser.get("/");
    assert_eq!(page.status, 200);
    // A form that was served to nobody in particular is not one of theirs.
    assert_eq!(browser.post("/logout", &[("token", &token)]).status, 422);
    let left = browser.post("/logout", &[("token", &page.token())]);
    assert!(left.cookie.unwrap().contains("Max-Age=0"));
}

#[test]
fn lines_and_states_arrive_as_they_come_and_none_twice() {
    let mut daemon = TestDaemon::without_agent();
    let id = run(&daemon, "one", &json!({ "type": "RUNNING" }));
    say(&daemon, &id, 20, "before");
    let browser = Plain::at(&daemon.url());
    let page = browser.get(&format!("/runs/flow-run/{id}"));
    let after = page
        .holds("before")
        .html
        .split("data-after=\"")
        .nth(1)
        .unwrap();
    let after = after.split('"').next().unwrap();
    let address = format!("/live/run/{id}?after={after}");
    let mut stream = browser.follow(&address, None);
    stream.until("parts", "Running");
    say(&daemon, &id, 20, "first");
    let first = stream.next("log");
    assert!(first.data.contains("first") && !first.data.contains("before"));
    force(&daemon, &id, "COMPLETED");
    stream.until("parts", "Completed");
    say(&daemon, &id, 20, "second");
    drop(stream);
    daemon.kill();
    daemon.restart(Vec::new());
    say(&daemon, &id, 20, "third");
    let browser = Plain::at(&daemon.url());
    let mut stream = browser.follow(&address, Some(&first.id));
    let mut told = String::new();
    while !told.contains("third") {
        told += &stream.next("log").data;
    }
    assert!(told.contains("second") && !told.contains("first"), "{told}");
}

#[test]
fn who_only_looks_sees_no_secret_and_has_nothing_to_press() {
    let daemon = with_groups();
    let id = run(
        &daemon,
        "one",
        &json!({ "type": "FAILED", "message": "at pg://u:s3cret@h" }),
    );
    say(&daemon, &id, 20, "password=s3cret");
    let (page, socket) = (format!("/runs/flow-run/{id}"), daemon.socket());
    for (path, is_open) in [
        (&*page, true),
        ("/", false),
        ("/runs", false),
        ("/daemon", false),
    ] {
        let (status, seen) = ask_as(user::VIEWER, &socket, "GET", path, "");
        assert_eq!(status, 200, "{path}: {seen}");
        assert!(!seen.contains("s3cret") && !seen.contains("method=\"post\" action=\"/runs/flow"));
        let (status, seen) = ask_as(user::OPERATOR, &socket, "GET", path, "");
        assert_eq!(status, 200, "{path}: {seen}");
        assert!(seen.contains("s3cret") || !is_open, "{seen}");
        assert_eq!(ask_as(user::STRANGER, &socket, "GET", path, "").0, 403);
    }
    let (status, _) = ask_as(
        user::VIEWER,
        &socket,
        "POST",
        &format!("{page}/cancel"),
        "token=x",
    );
    assert_eq!(status, 403);
}

#[test]
fn every_list_teaches_where_there_is_nothing_and_shows_what_there_is() {
    let daemon = TestDaemon::without_agent();
    let (browser, http) = (Plain::at(&daemon.url()), daemon.modern());
    for (path, taught) in [
        ("/flows", "No flow yet"),
        ("/deployments", "No deployment yet"),
        ("/automations", "No automation yet"),
        ("/artifacts", "No artifact yet"),
        ("/variables", "No variable yet"),
        ("/concurrency-limits", "No limit yet"),
        ("/blocks", "No block yet"),
        ("/daemon?doctor=1", "Settings in force"),
    ] {
        let page = browser.get(path);
        assert_eq!(page.status, 200, "{path}");
        page.holds(taught);
    }
    let hostile = json!({ "name": "region", "value": { "a": HOSTILE, "api_key": "s3cret" } });
    http.post("/variables/", &hostile).expect(201);
    http.post(
        "/v2/concurrency_limits/",
        &json!({ "name": "gpu", "limit": 2 }),
    )
    .expect(201);
    let pool = json!({ "name": "mine & <others>", "type": "kubernetes" });
    http.post("/work_pools/", &pool);
    http.post(
        "/work_pools/",
        &json!({ "name": "mine", "type": "kubernetes" }),
    )
    .expect(201);
    browser.get("/variables").holds("&lt;script&gt;");
    browser.get("/concurrency-limits").holds("0 of 2");
    browser
        .get("/work-pools/work-pool/mine")
        .holds("prefect worker start --pool mine");
    assert_eq!(browser.get("/work-pools/work-pool/none").status, 404);
    browser.get("/events").holds("class=\"ev\"");
}

#[test]
fn a_deployment_is_run_with_what_its_form_says() {
    let daemon = TestDaemon::without_agent();
    let (browser, http) = (Plain::at(&daemon.url()), daemon.modern());
    let flow = http.post("/orion/flows/", &json!({ "name": HOSTILE })).body;
    let schema = json!({ "type": "object", "required": ["n"], "properties": {
        "n": { "type": "integer" }, "day": { "type": "string" }, "full": { "type": "boolean" } } });
    let new = json!({ "flow_id": flow["id"], "name": "d", "parameters": { "day": HOSTILE },
        "enforce_parameter_schema": true, "parameter_openapi_schema": schema,
        "schedules": [{ "schedule": { "cron": "0 14 * * *" } }] });
    let id = http.post("/deployments/", &new).expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let address = format!("/deployments/deployment/{id}");
    browser.get("/deployments").holds("0 14 * * *");
    let page = browser.get(&address);
    assert!(!page.html.contains("<script>alert"), "{}", page.html);
    let (token, run) = (page.token(), format!("{address}/run"));
    let wrong = [("token", &*token), ("p:n", "x"), ("p:day", "kept")];
    let refused = browser.post(&run, &wrong);
    assert_eq!(refused.status, 422);
    refused
        .holds("n is not a whole number.")
        .holds("value=\"kept\"");
    let right = [
        ("token", &*token),
        ("p:n", "7"),
        ("p:day", "<x>"),
        ("p:full", "true"),
        ("name", "mine"),
    ];
    let begun = browser.post(&run, &right);
    assert_eq!(begun.status, 303, "{}", begun.html);
    let run = begun
        .location
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let run = http.get(&format!("/flow_runs/{run}")).expect(200);
    assert_eq!(
        run["parameters"],
        json!({ "n": 7, "day": "<x>", "full": true })
    );
    assert_eq!(
        (&run["name"], &run["state_type"]),
        (&json!("mine"), &json!("SCHEDULED"))
    );
    let off = [("token", &*token), ("on", "false")];
    assert_eq!(
        browser.post(&format!("{address}/schedule"), &off).status,
        303
    );
    let known = http.get(&format!("/deployments/{id}")).expect(200);
    assert_eq!(known["paused"], true, "{known}");
}
