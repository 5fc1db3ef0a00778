//! A disk that fills up: nothing is written by halves, and all goes on when there is room.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::support::TestDaemon;

/// A small disk for a daemon's state. Declared before the daemon, so that it goes after it.
#[derive(Default)]
pub struct Disk {
    mounted: Option<PathBuf>,
}

impl Disk {
    pub fn mount(&mut self, at: &std::path::Path) {
        std::fs::create_dir_all(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=8m", "prefectd-test"]);
        assert!(mount.arg(at).status().unwrap().success());
        self.mounted = Some(at.to_owned());
    }

    fn filler(&self) -> PathBuf {
        self.mounted.as_ref().unwrap().join("filler")
    }

    /// Leaves not a byte.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        for size in [65536, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    pub fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(at) = &self.mounted {
            let unmounted = Command::new("umount").arg(at).status();
            assert!(unmounted.is_ok_and(|status| status.success()));
            // The daemon's folder stayed because the disk was in it.
            let _ = std::fs::remove_dir_all(at.parent().unwrap());
        }
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_is_half_written() {
    let mut disk = Disk::default();
    let mut daemon = TestDaemon::restored(|state| disk.mount(state));
    let http = daemon.http();
    let flow = http.flow("f");
    let run = http.flow_run(&flow);
    disk.fill();
    let line = json!({
        "name": "n", "level": 20, "message": "m".repeat(4000),
        "timestamp": "2022-01-01T00:00:00+00:00", "flow_run_id": run,
    });
    let set_state = format!("/flow_runs/{run}/set_state");
    let document = json!("d".repeat(4000));
    for (path, body) in [
        ("/logs/", json!(vec![line; 200])),
        ("/flow_runs/", json!({ "flow_id": flow })),
        (
            set_state.as_str(),
            json!({ "state": { "type": "RUNNING" } }),
        ),
        ("/data/persist", document),
    ] {
        let answer = http.post(path, &body);
        assert!([503, 507].contains(&answer.status), "{path}: {answer:?}");
        assert!(
            answer.body.to_string().contains("disk is full"),
            "{answer:?}"
        );
    }
    assert_eq!(http.states(&run), ["Pending"]);
    let count = |what: &str| http.post(&format!("/{what}/count"), &json!({})).body;
    assert_eq!(count("flow_runs"), 1);
    disk.make_room();
    http.post(&set_state, &json!({ "state": { "type": "RUNNING" } }))
        .expect(201);
    http.flow_run(&flow);
    assert_eq!(http.states(&run), ["Pending", "Running"]);
    assert_eq!(count("flow_runs"), 2);
    assert!(daemon.terminate().success());
    daemon.check_database();
}
