//! A database that cannot be written, is slow, or is not there any more, seen from outside.

use std::time::{Duration, Instant};

use serde_json::json;

use super::disk::Disk;
use super::support::{Options, TestDaemon, wait_for};

/// Without an agent, failing as `fault` says.
fn failing(fault: &str) -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: vec![("PREFECTD_FAULT", fault.to_owned())],
        ..Options::default()
    })
}

fn printed(daemon: &TestDaemon, args: &[&str]) -> String {
    let output = daemon.ctl().args(args).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_full_disk_is_told_everywhere_and_logged_once() {
    let mut disk = Disk::default();
    let mut daemon = TestDaemon::restored(|state| disk.mount(state));
    let http = daemon.http();
    let flow = http.flow("f");
    http.get("/v3/ready").expect(200);
    disk.fill();
    for path in ["/ready", "/v3/ready"] {
        assert_eq!(http.get(path).status, 507, "{path}");
    }
    for _ in 0..10 {
        http.post("/data/persist", &json!("d".repeat(4000)));
    }
    let told = daemon.log().matches("the disk is full").count();
    assert_eq!(told, 1, "{}", daemon.log());
    assert!(printed(&daemon, &["status"]).contains("disk is full"));
    assert!(printed(&daemon, &["doctor"]).contains("disk is full"));
    disk.make_room();
    wait_for("the daemon to be ready", || {
        (http.get("/v3/ready").status == 200).then_some(())
    });
    wait_for("the log to tell it", || {
        daemon.log().contains("takes writes again").then_some(())
    });
    http.flow_run(&flow);
    assert!(!printed(&daemon, &["status"]).contains("disk is full"));
    assert!(daemon.terminate().success());
    daemon.check_database();
}

#[test]
fn a_daemon_that_starts_on_a_full_disk_reads_and_then_writes() {
    let mut disk = Disk::default();
    let mut daemon = TestDaemon::restored(|state| disk.mount(state));
    let flow = daemon.http().flow("f");
    let run = daemon.http().flow_run(&flow);
    daemon.kill();
    // Without it the database cannot be shared, and there is no room to make it.
    std::fs::remove_file(daemon.state_dir().join("prefectd.db-shm")).unwrap();
    disk.fill();
    daemon.restart(Vec::new());
    let http = daemon.http();
    assert_eq!(http.states(&run), ["Pending"]);
    assert_eq!(http.get("/v3/ready").status, 507);
    let refused = http.post("/flow_runs/", &json!({ "flow_id": flow }));
    assert_eq!(refused.status, 507, "{refused:?}");
    assert!(daemon.log().contains("only reads"), "{}", daemon.log());
    disk.make_room();
    wait_for("the daemon to be ready", || {
        (http.get("/v3/ready").status == 200).then_some(())
    });
    http.flow_run(&flow);
    assert_eq!(http.states(&run), ["Pending"]);
    assert!(daemon.terminate().success());
    daemon.check_database();
}

#[test]
fn a_disk_that_stalls_fails_no_writer() {
    let daemon = failing("stall@before-commit:20");
    let http = daemon.http();
    let flow = http.flow("f");
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                while began.elapsed() < Duration::from_secs(6) {
                    let new = json!({ "flow_id": flow });
                    daemon.http().post("/flow_runs/", &new).expect(201);
                }
            });
        }
    });
}

#[test]
fn a_client_that_leaves_in_mid_write_takes_nothing_along() {
    use std::io::Write;
    let daemon = failing("stall@before-commit:2");
    let http = daemon.http();
    let flow = http.flow("f");
    let body = json!({ "flow_id": flow, "name": "left" }).to_string();
    let address = daemon.url().replace("http://", "");
    let mut client = std::net::TcpStream::connect(address).unwrap();
    write!(
        client,
        "POST /api/flow_runs/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    drop(client);
    wait_for("its run to be there", || {
        let found = http.post("/flow_runs/count", &json!({})).body;
        (found == 1).then_some(())
    });
}

#[test]
fn a_database_that_goes_from_under_the_daemon_is_missed() {
    let mut daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("f");
    let (database, aside) = (daemon.database(), daemon.state_dir().join("aside"));
    std::fs::rename(&database, &aside).unwrap();
    let refused = http.post("/flow_runs/", &json!({ "flow_id": flow }));
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.body.to_string().contains("removed or replaced"));
    assert_eq!(http.get("/v3/ready").status, 503);
    assert!(printed(&daemon, &["status"]).contains("removed or replaced"));
    // A service that writes as it starts may tell of it as well.
    let told = daemon.log().matches("ERROR The database's file").count();
    assert_eq!(told, 1, "{}", daemon.log());
    daemon.terminate();
    // No empty one takes its place without a word.
    let began = std::process::Command::new(env!("CARGO_BIN_EXE_prefectd"))
        .arg("--state-dir")
        .arg(daemon.state_dir())
        .arg("--socket")
        .arg(daemon.socket())
        .args([
            "--listen",
            "127.0.0.1:0",
            "--no-agent",
            "--no-docker-bridge",
        ])
        .output()
        .unwrap();
    assert!(!began.status.success());
    let why = String::from_utf8_lossy(&began.stderr).into_owned();
    assert!(why.contains("is gone"), "{why}");
    std::fs::rename(&aside, &database).unwrap();
    daemon.restart(Vec::new());
    daemon.http().flow_run(&flow);
}
