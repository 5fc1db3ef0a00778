//! What the daemon tells the C library of memory, and whom it does not tell.

use serde_json::json;

use super::support::{Options, TestDaemon, interpreter, wait_for};

/// The variables of malloc in the environments of a daemon and of a run of it.
fn environments(more: Vec<(&'static str, String)>) -> (Vec<String>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let told = dir.path().join("told");
    let words = format!("env > {0}.part\nmv {0}.part {0}", told.display());
    let mut env = vec![("PREFECTD_RUNNERS__PYTHON", interpreter(dir.path(), &words))];
    env.extend(more);
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env,
        ..Options::default()
    });
    let http = daemon.http();
    let deployment = http.deployment(&http.flow("f"), "d", &json!({ "type": "subprocess" }));
    http.run_deployment(&deployment);
    let of_run = wait_for("the run to tell its environment", || {
        std::fs::read_to_string(&told).ok()
    });
    let of_daemon = std::fs::read(format!("/proc/{}/environ", daemon.pid())).unwrap();
    let of_daemon = String::from_utf8(of_daemon).unwrap().replace('\0', "\n");
    let of_malloc = |text: &str| {
        let lines = text.lines().filter(|line| line.starts_with("MALLOC_"));
        let mut lines: Vec<_> = lines.map(str::to_owned).collect();
        lines.sort();
        lines
    };
    (of_malloc(&of_daemon), of_malloc(&of_run))
}

#[test]
fn thresholds_are_the_daemon_s_own() {
    let (daemon, run) = environments(Vec::new());
    let set = [
        "MALLOC_MMAP_THRESHOLD_=1048576",
        "MALLOC_SET_BY=prefectd",
        "MALLOC_TRIM_THRESHOLD_=1048576",
    ];
    assert_eq!(daemon, set);
    assert!(run.is_empty(), "{run:?}");
}

#[test]
fn what_the_operator_says_of_malloc_stays() {
    let (daemon, run) = environments(vec![("MALLOC_ARENA_MAX", "3".to_owned())]);
    assert_eq!(daemon, ["MALLOC_ARENA_MAX=3"]);
    assert_eq!(run, daemon);
}
