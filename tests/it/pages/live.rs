//! What a page does by itself while somebody uses it, and while nobody looks.

use serde_json::json;

use super::browser::Plain;
use super::driver::Driver;
use super::{force, run, say};
use crate::support::{TestDaemon, wait_for};

/// A browser at the page of a run that is Running, once that is kept up to date.
fn at_its_page(daemon: &TestDaemon) -> (String, Driver) {
    let id = run(daemon, "one", &json!({ "type": "RUNNING" }));
    let browser = Driver::start(true);
    browser.size(1280, 900);
    browser.go(&format!("{}/runs/flow-run/{id}", daemon.url()));
    browser.says("#live-state", "Live");
    browser.says("#state", "Running");
    (id, browser)
}

/// What is shown beside the heading.
fn badge(browser: &Driver) -> String {
    let text = browser.run("return document.querySelector('#state').textContent");
    text.as_str().unwrap().trim().to_owned()
}

#[test]
fn what_is_in_use_is_replaced_once_it_is_let_go() {
    let daemon = TestDaemon::without_agent();
    let (id, browser) = at_its_page(&daemon);

    // A button has the focus.
    let focused = "const button = document.querySelector('#head form[action$=\"/cancel\"] button');
        button.focus(); return document.activeElement === button";
    assert_eq!(browser.run(focused), true);
    force(&daemon, &id, "FAILED");
    browser.says("#states", "Failed");
    let in_use = "return document.activeElement.form?.action ?? 'nothing'";
    let in_use = browser.run(in_use);
    assert!(in_use.as_str().unwrap().ends_with("/cancel"), "{in_use}");
    assert_eq!(badge(&browser), "Running");
    // Without another word of the daemon's.
    hide(&browser, true);
    browser.run("document.activeElement.blur()");
    browser.says("#state", "Failed");
    hide(&browser, false);

    // A pointer is down on it.
    let down = "document.querySelector('#head h1')
        .dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }))";
    browser.run(down);
    force(&daemon, &id, "COMPLETED");
    browser.says("#states", "Completed");
    assert_eq!(badge(&browser), "Failed");
    hide(&browser, true);
    browser.run("document.dispatchEvent(new PointerEvent('pointerup', { bubbles: true }))");
    browser.says("#state", "Completed");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// How many connections there are to the daemon.
fn connections(daemon: &TestDaemon) -> usize {
    let port = format!(":{:04X}", daemon.port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let is_one = |line: &&str| {
        let mut words = line.split_whitespace().skip(1);
        let here = words.next().is_some_and(|it| it.ends_with(&port));
        here && words.nth(1) == Some("01")
    };
    table.lines().filter(is_one).count()
}

/// Has the page believe that another tab is looked at, or this one again.
fn hide(browser: &Driver, is_hidden: bool) {
    browser.run(&format!(
        "Object.defineProperty(document, 'hidden', {{ value: {is_hidden}, configurable: true }});
        document.dispatchEvent(new Event('visibilitychange'))"
    ));
}

#[test]
fn a_tab_that_nobody_looks_at_costs_nothing_and_misses_nothing() {
    let daemon = TestDaemon::without_agent();
    let (id, browser) = at_its_page(&daemon);
    say(&daemon, &id, 20, "while looked at");
    browser.says("#lines", "while looked at");
    let has = |words: &str| {
        let lines = browser
            .run("return [...document.querySelectorAll('#lines li')].map(it => it.textContent)");
        let lines = lines.as_array().unwrap().iter();
        lines
            .filter(|it| it.as_str().unwrap().contains(words))
            .count()
    };

    // Those on which nothing is asked any more are closed after a while.
    let has_connections = |most: usize| {
        let open = connections(&daemon);
        (open == most).then_some(())
    };
    wait_for("nothing but its stream to be left", || has_connections(1));
    hide(&browser, true);
    wait_for("its stream to go", || has_connections(0));
    let after = browser.run("return document.querySelector('#lines').dataset.after");
    let path = format!("/live/run/{id}?after={}", after.as_str().unwrap());
    let mut other = Plain::at(&daemon.url()).follow(&path, None);
    force(&daemon, &id, "COMPLETED");
    other.until("parts", "Completed");
    say(&daemon, &id, 20, "while hidden");
    other.until("log", "while hidden");
    assert_eq!(has("while hidden"), 0);
    assert_eq!(badge(&browser), "Running");

    hide(&browser, false);
    browser.says("#lines", "while hidden");
    browser.says("#state", "Completed");
    assert_eq!([has("while looked at"), has("while hidden")], [1, 1]);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
