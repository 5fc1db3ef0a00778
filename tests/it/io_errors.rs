//! A disk that answers with input/output errors, in the middle of statements too.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::support::shim::{FLUSHES, READS, Shim, WRITES};
use super::support::{Http, Options, TestDaemon, wait_for};

/// How many clients write.
const CLIENTS: usize = 6;
/// How many requests each of them sends while the disk fails now and then.
const REQUESTS: usize = 60;

fn on_a_bad_disk(shim: &Shim) -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: shim.env(),
        ..Options::default()
    })
}

/// The names of all flows that are there.
fn names(http: &Http) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        let page = json!({ "limit": 200, "offset": names.len() });
        let page = http.post("/flows/filter", &page).expect(200);
        let page: Vec<Value> = serde_json::from_value(page).unwrap();
        if page.is_empty() {
            return names;
        }
        names.extend(
            page.iter()
                .map(|it| it["name"].as_str().unwrap().to_owned()),
        );
    }
}

/// The statuses of requests, by the name of the flow that each was to make.
fn many_writes(http: &Http, label: &str) -> Vec<(String, u16)> {
    let answers = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (http, answers) = (http.clone(), &answers);
            scope.spawn(move || {
                for number in 0..REQUESTS {
                    let name = format!("{label} {client} {number}");
                    // Large enough that few have a page of the database in common.
                    let new = json!({ "name": name, "tags": ["t".repeat(3000)] });
                    let status = http.post("/flows/", &new).status;
                    answers.lock().unwrap().push((name, status));
                }
            });
        }
    });
    answers.into_inner().unwrap()
}

/// Has the disk fail for some milliseconds, and be well for some, as long as `work` takes.
fn with_a_disk_that_fails<T>(shim: &Shim, kinds: i64, work: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                shim.fail(kinds);
                std::thread::sleep(Duration::from_millis(15));
                shim.fail(0);
                std::thread::sleep(Duration::from_millis(40));
            }
        });
        let done = work();
        is_over.store(true, Ordering::Relaxed);
        done
    })
}

#[test]
fn what_was_answered_is_there_and_what_was_refused_is_not() {
    let shim = Shim::build();
    let mut daemon = on_a_bad_disk(&shim);
    let mut kept = Vec::new();
    for (label, kinds) in [
        ("reads", READS),
        ("writes", WRITES),
        ("flushes", FLUSHES),
        ("all", READS | WRITES | FLUSHES),
    ] {
        let before = shim.failed();
        // Nothing of the database is in its memory.
        assert!(daemon.terminate().success());
        daemon.restart(shim.env());
        let http = daemon.http();
        let answers = with_a_disk_that_fails(&shim, kinds, || many_writes(&http, label));
        assert!(shim.failed() > before, "no access failed: {label}");
        wait_for("the daemon to write again", || {
            (http.get("/v3/ready").status == 200).then_some(())
        });
        let there = names(&http);
        for (name, status) in answers {
            match status {
                201 => assert!(there.contains(&name), "{name} is lost"),
                _ => {
                    assert!(status >= 500, "{name}: {status}");
                    assert!(!there.contains(&name), "{name} was refused: {status}");
                }
            }
        }
        kept = there;
    }
    // What the daemon says is what lasts.
    daemon.kill();
    daemon.restart(Vec::new());
    let mut there = names(&daemon.http());
    there.sort();
    kept.sort();
    assert_eq!(there, kept);
    assert!(daemon.terminate().success());
    daemon.check_database();
}
