//! What somebody does who has only the daemon and a browser.

use serde_json::{Value, json};

use super::driver::Driver;
use crate::support::{Options, TestDaemon, interpreter, wait_for};

/// Says something until it is stopped.
const WORDS: &str =
    "i=0; while [ $i -lt 3000 ]; do echo \"line $i <b>of</b> it\"; i=$((i+1)); sleep 0.2; done";

fn daemon(dir: &std::path::Path) -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env: vec![
            ("PREFECTD_RUNNERS__PYTHON", interpreter(dir, WORDS)),
            ("PREFECTD_AGENT__SLOTS", "1".to_owned()),
            ("PREFECTD_AGENT__STOP_GRACE_SECS", "1".to_owned()),
        ],
        ..Options::default()
    })
}

/// A deployment with parameters of each kind and a schedule.
fn deployed(daemon: &TestDaemon) -> String {
    let http = daemon.http();
    let id = http.deployment(
        &http.flow("etl-sales"),
        "daily",
        &json!({ "type": "subprocess" }),
    );
    let schema = json!({ "type": "object", "required": ["n"], "properties": {
        "n": { "type": "integer", "position": 0 },
        "day": { "type": "string", "position": 1, "description": "of which day" },
        "full": { "type": "boolean", "position": 2 },
        "mode": { "enum": ["fast", "safe"], "position": 3 },
        "share": { "type": "number", "position": 4 },
        "options": { "type": "object", "position": 5 } } });
    let change = json!({ "parameter_openapi_schema": schema, "parameters": { "mode": "safe" },
        "schedules": [{ "schedule": { "cron": "0 14 * * *", "timezone": "Europe/Berlin" } }] });
    let changed = daemon
        .modern()
        .patch(&format!("/deployments/{id}"), &change);
    assert_eq!(changed.status, 204, "{}", changed.body);
    id
}

fn state(daemon: &TestDaemon, run: &str) -> String {
    let run = daemon
        .modern()
        .get(&format!("/flow_runs/{run}"))
        .expect(200);
    run["state_type"].as_str().unwrap().to_owned()
}

fn id_in(url: &str) -> String {
    url.rsplit('/').next().unwrap().to_owned()
}

/// Labels, contrast of nothing but what a script can tell, one heading, nothing wider than the
/// window.
fn check(browser: &Driver, place: &str) {
    let wrong = browser.run(
        "const wrong = [];
         const named = (it) => it.labels?.length || it.getAttribute('aria-label') || it.textContent.trim();
         for (const it of document.querySelectorAll('input:not([type=hidden]),select,textarea,button,a[href]'))
             if (!named(it) && !it.closest('svg')) wrong.push(it.outerHTML.slice(0, 120));
         if (document.querySelectorAll('h1').length !== 1) wrong.push('headings');
         const ids = [...document.querySelectorAll('[id]')].map((it) => it.id);
         for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push('twice: ' + id);
         if (document.documentElement.scrollWidth > innerWidth) wrong.push('too wide');
         return wrong;",
    );
    assert_eq!(wrong, json!([]), "{place}");
}

#[test]
fn a_run_is_seen_followed_and_stopped_with_only_a_browser() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = daemon(dir.path());
    let deployment = deployed(&daemon);
    let browser = Driver::start(false, true);
    browser.size(1280, 900);
    let url = |path: &str| format!("{}{path}", daemon.url());

    // A deployment is started with parameters.
    browser.go(&url("/deployments"));
    browser.press("td a.fd");
    browser.write("[name='p:n']", "7");
    browser.write("[name='p:day']", "<today>");
    browser.write("[name='p:options']", "{\"a\": [1]}");
    browser.press("#run form.form > button.go");
    browser.says("h1", "-");
    let first = id_in(&browser.url());
    let run = daemon
        .modern()
        .get(&format!("/flow_runs/{first}"))
        .expect(200);
    let parameters = json!({ "n": 7, "day": "<today>", "mode": "safe", "options": { "a": [1] } });
    assert_eq!(run["parameters"], parameters);

    // Its log is followed.
    browser.says("#lines", "line 3 <b>of</b> it");
    browser.says("#live-state", "Live");
    let running = json!({ "state": { "type": "RUNNING" }, "force": true });
    daemon
        .modern()
        .post(&format!("/flow_runs/{first}/set_state"), &running);
    browser.says("#state", "Running");
    browser.keep("run-live");

    // A second one waits, and the page says why.
    browser.go(&url(&format!("/deployments/deployment/{deployment}")));
    browser.write("[name='p:n']", "8");
    browser.press("#run form.form > button.go");
    browser.says("#h-why", "Every slot is in use");
    let second = id_in(&browser.url());
    browser.keep("run-waiting");
    browser.go(&url("/"));
    browser.says("#running", "daily");
    browser.keep("dashboard-live");

    // The first is cancelled, and the second begins.
    browser.go(&url(&format!("/runs/flow-run/{first}")));
    browser.press("form[action$='/cancel'] button");
    browser.says("#state", "Cancelled");
    assert_eq!(state(&daemon, &first), "CANCELLED");
    browser.go(&url(&format!("/runs/flow-run/{second}")));
    browser.says("#lines", "line 1");

    // A schedule is paused.
    browser.go(&url(&format!("/deployments/deployment/{deployment}")));
    browser.press("form[action*='/schedules/'] button");
    browser.find("form[action*='/schedules/'] button[aria-checked=false]");
    let known = daemon
        .modern()
        .get(&format!("/deployments/{deployment}"))
        .expect(200);
    assert_eq!(known["schedules"][0]["active"], false);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn every_page_is_readable_in_light_and_dark_on_a_desk_and_on_a_phone() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = daemon(dir.path());
    let empty = TestDaemon::without_agent();
    let deployment = deployed(&daemon);
    let run = daemon.http().run_deployment(&deployment);
    let id = run["id"].as_str().unwrap();
    wait_for("a line", || {
        let asked = json!({ "logs": { "flow_run_id": { "any_": [id] } } });
        let lines: Value = daemon.modern().post("/logs/filter", &asked).body;
        (lines.as_array()?.len() > 3).then_some(())
    });
    let (of_run, of_deployment) = (
        format!("/runs/flow-run/{id}"),
        format!("/deployments/deployment/{deployment}"),
    );
    let pages = [
        ("dashboard", "/"),
        ("runs", "/runs"),
        ("run", &of_run),
        ("flows", "/flows"),
        ("deployments", "/deployments"),
        ("deployment", &of_deployment),
        ("pools", "/work-pools"),
        ("events", "/events"),
        ("automations", "/automations"),
        ("artifacts", "/artifacts"),
        ("variables", "/variables"),
        ("limits", "/concurrency-limits"),
        ("blocks", "/blocks"),
        ("daemon", "/daemon?doctor=1"),
    ];
    for (scheme, is_dark, has_scripts) in [
        ("light", false, true),
        ("dark", true, true),
        ("plain", false, false),
    ] {
        let browser = Driver::start(is_dark, has_scripts);
        for (width, height) in [(1280, 900), (390, 844)] {
            browser.size(width, height);
            for (name, path) in &pages {
                browser.go(&format!("{}{path}", daemon.url()));
                check(&browser, path);
                browser.keep(&format!("{name}-{width}-{scheme}"));
                if !path.contains("/deployment/") && !path.contains("/flow-run/") {
                    browser.go(&format!("{}{path}", empty.url()));
                    check(&browser, path);
                }
            }
        }
        assert_eq!(browser.complaints(), Vec::<String>::new(), "{scheme}");
    }
}
