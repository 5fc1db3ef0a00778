//! What somebody does who has only the daemon and a browser.

use serde_json::{Value, json};

use super::driver::Driver;
use super::force;
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

/// Labels, one heading, nothing wider than the window, nothing that moves, and text that stands out
/// from what is behind it as WCAG AA has it.
const CHECKS: &str = r#"
const wrong = [];
const named = (it) => it.labels?.length || it.getAttribute('aria-label') || it.textContent.trim();
for (const it of document.querySelectorAll('input:not([type=hidden]),select,textarea,button,a[href]'))
    if (!named(it) && !it.closest('svg')) wrong.push('no name: ' + it.outerHTML.slice(0, 120));
if (document.querySelectorAll('h1').length !== 1) wrong.push('headings');
const ids = [...document.querySelectorAll('[id]')].map((it) => it.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push('twice: ' + id);
if (document.documentElement.scrollWidth > innerWidth) {
    const wide = [...document.querySelectorAll('main *')].filter((it) => it.getBoundingClientRect().right > innerWidth + 1);
    wrong.push('too wide: ' + wide.slice(0, 3).map((it) => it.outerHTML.slice(0, 100)).join(' | '));
}
const moving = document.getAnimations().filter((it) => it.playState === 'running');
if (moving.length) wrong.push('moves');
const parsed = (text) => {
    const numbers = text.match(/-?[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    const scale = text.startsWith('color(') ? 1 : 255;
    return [...numbers.slice(0, 3).map((it) => it / scale), numbers[3] ?? 1];
};
const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3])).concat(1);
const behind = (it) => {
    const layers = [];
    for (let part = it; part; part = part.parentElement) {
        const colour = parsed(getComputedStyle(part).backgroundColor);
        if (colour[3] > 0) layers.push(colour);
        if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [1, 1, 1, 1]);
};
const light = (colour) => {
    const [r, g, b] = colour.map((it) => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const seen = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const it = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(it) || !it.checkVisibility({ checkOpacity: true })) continue;
    seen.add(it);
    if (it.closest('.vh, script, style, title, option, datalist')) continue;
    const style = getComputedStyle(it);
    const ground = behind(it);
    const ink = over(parsed(it.closest('svg') ? style.fill : style.color), ground);
    const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)}: ` + it.outerHTML.slice(0, 100));
}
return wrong;"#;

fn check(browser: &Driver, place: &str) {
    assert_eq!(browser.run(CHECKS), json!([]), "{place}");
}

#[test]
fn a_run_is_seen_followed_and_stopped_with_only_a_browser() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = daemon(dir.path());
    let deployment = deployed(&daemon);
    let browser = Driver::start(true);
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
    force(&daemon, &first, "RUNNING");
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

/// What there is of every kind, for its page.
fn filled(daemon: &TestDaemon, run: &str) -> Vec<(&'static str, String)> {
    let http = daemon.modern();
    let id = |answer: Value| answer["id"].as_str().unwrap().to_owned();
    let text = "# Report\n\n**438** duplicates, [more](https://bi.example/q)\n\n| a | b |\n|---|---|\n| 1 | 2 |";
    let artifact =
        json!({ "key": "quality", "type": "markdown", "data": text, "flow_run_id": run });
    let artifact = id(http.post("/artifacts/", &artifact).expect(201));
    let rows: Vec<_> = (0..12)
        .map(|n| json!({ "region": "eu", "orders": n * 1000, "a-rather-long-name": n }))
        .collect();
    let table = json!({ "key": "orders", "type": "table", "data": json!(rows).to_string(), "flow_run_id": run });
    http.post("/artifacts/", &table).expect(201);
    let progress = json!({ "key": "load", "type": "progress", "data": 71.0, "flow_run_id": run });
    http.post("/artifacts/", &progress).expect(201);
    let variable = json!({ "name": "region", "value": { "eu": ["de", "fr"] }, "tags": ["a"] });
    let variable = id(http.post("/variables/", &variable).expect(201));
    let limit = json!({ "name": "gpu", "limit": 2 });
    let limit = id(http.post("/v2/concurrency_limits/", &limit).expect(201));
    let automation = json!({ "name": "tell", "actions": [{ "type": "do-nothing" }], "description": "of what went wrong",
        "trigger": { "type": "event", "posture": "Reactive", "expect": ["prefect.flow-run.Failed"] } });
    let automation = id(http.post("/automations/", &automation).expect(201));
    http.post(
        "/work_pools/",
        &json!({ "name": "mine", "type": "kubernetes", "concurrency_limit": 12 }),
    )
    .expect(201);
    let page = crate::support::wait_for("an event", || {
        let page = super::browser::Plain::at(&daemon.url()).get("/events").html;
        let event = page.split("href=\"/events/event/").nth(1)?;
        Some(event.split('"').next()?.to_owned())
    });
    vec![
        ("artifact", format!("/artifacts/artifact/{artifact}")),
        ("variable", format!("/variables/variable/{variable}")),
        (
            "limit",
            format!("/concurrency-limits/concurrency-limit/{limit}"),
        ),
        (
            "automation",
            format!("/automations/automation/{automation}"),
        ),
        ("event", format!("/events/event/{page}")),
    ]
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
    let lists = [
        ("dashboard", "/"),
        ("runs", "/runs"),
        ("flows", "/flows"),
        ("deployments", "/deployments"),
        ("pools", "/work-pools"),
        ("events", "/events"),
        ("automations", "/automations"),
        ("artifacts", "/artifacts"),
        ("variables", "/variables"),
        ("limits", "/concurrency-limits"),
        ("blocks", "/blocks"),
        ("daemon", "/daemon?doctor=1"),
        ("lost", "/nowhere"),
        ("no-ui", "/ui/"),
    ];
    let mut pages = filled(&daemon, id);
    pages.extend(lists.map(|(name, path)| (name, path.to_owned())));
    pages.push(("run", format!("/runs/flow-run/{id}")));
    pages.push((
        "deployment",
        format!("/deployments/deployment/{deployment}"),
    ));
    let browser = Driver::start(true);
    let looked_at = |of: &TestDaemon, name: &str, path: &str| {
        browser.go(&format!("{}{path}", of.url()));
        // One page is looked at in all ways.
        for scheme in ["light", "dark"] {
            browser.scheme(scheme);
            for (width, height) in [(1280, 900), (390, 844)] {
                browser.size(width, height);
                check(&browser, &format!("{path}, {scheme}, {width}"));
                browser.keep(&format!("{name}-{width}-{scheme}"));
            }
        }
    };
    for (name, path) in &pages {
        looked_at(&daemon, name, path);
    }
    for (name, path) in lists {
        looked_at(&empty, &format!("{name}-empty"), path);
    }
    let missing = |it: &String| it.contains("404 (Not Found)");
    let complaints: Vec<_> = browser
        .complaints()
        .into_iter()
        .filter(|it| !missing(it))
        .collect();
    assert_eq!(complaints, Vec::<String>::new());
    drop(browser);
    let plain = Driver::start(false);
    plain.size(390, 844);
    for (name, path) in &pages {
        plain.go(&format!("{}{path}", daemon.url()));
        check(&plain, path);
        plain.keep(&format!("{name}-390-plain"));
    }
}
