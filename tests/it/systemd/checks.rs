//! What is checked on the machine, in this order.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::Value;

use super::load::Load;
use super::machine::{Machine, text};
use super::package::{NEXT, Packages};
use super::runs::{ENGINE, await_completion, begin_run, hold_runs, let_runs_end, state};
use crate::support::wait_for;

/// The daemon's socket.
pub const SOCKET: &str = "/run/prefectd/prefectd.sock";
/// The API by TCP.
pub const API: &str = "http://127.0.0.1:4200/api";
const DROP_IN: &str = "/run/systemd/system/prefectd.service.d/50-test.conf";
const CONFIG: &str = "/etc/prefectd/prefectd.toml.d/50-test.toml";
const UNITS: &[&str] = &[
    "prefectd.service",
    "prefectd.socket",
    "prefectd-http.socket",
    "prefectd-agent@.service",
    "prefectd-backup.service",
    "prefectd-backup.timer",
    "prefect-runs.slice",
];

fn install(machine: &Machine, package: &std::path::Path) {
    std::fs::copy(package, machine.path("/root/prefectd.deb")).unwrap();
    machine.shell("dpkg --install /root/prefectd.deb");
}

/// Errors are refusals; warnings are not.
pub fn lintian_is_content(_: &Machine, packages: &Packages) {
    let mut lintian = std::process::Command::new("lintian");
    let output = lintian
        .args(["--fail-on", "error"])
        .arg(packages.this())
        .output();
    let output = output.expect("tests/run installs lintian");
    assert!(output.status.success(), "{}", text(&output.stdout));
}

pub fn installs(machine: &Machine, packages: &Packages) {
    // So that subprocess runs have something to run.
    machine.write("/usr/local/bin/engine", ENGINE);
    machine.write(CONFIG, "[runners]\npython = \"/usr/local/bin/engine\"\n");
    machine.shell(&format!(
        "chmod +x /usr/local/bin/engine; chmod -R a+rX {}",
        "/etc/prefectd"
    ));
    machine.shell("groupadd others; useradd -m -G others stranger");
    install(machine, &packages.this());
    machine.shell("useradd -m -G prefect member");
    for (unit, active) in [
        ("prefectd.socket", "active"),
        ("prefectd-http.socket", "active"),
        ("prefectd.service", "active"),
        ("prefectd-backup.timer", "active"),
    ] {
        assert_eq!(machine.property(unit, "ActiveState"), active, "{unit}");
        assert_eq!(machine.property(unit, "UnitFileState"), "enabled", "{unit}");
    }
    for file in [
        "/usr/share/man/man8/prefectd.8.gz",
        "/usr/share/man/man5/prefectd.toml.5.gz",
        "/usr/share/man/man1/prefectctl.1.gz",
        "/usr/share/man/man1/prefectctl-flow-run-logs.1.gz",
        "/usr/share/bash-completion/completions/prefectctl",
        "/etc/prefectd/prefectd.toml",
    ] {
        assert!(machine.path(file).exists(), "{file}");
    }
    assert_eq!(owner(machine, "/var/lib/prefectd"), "prefectd prefectd 700");
}

fn owner(machine: &Machine, path: &str) -> String {
    let told = machine.ok(&["stat", "--format", "%U %G %a", path]);
    told.trim().to_owned()
}

pub fn units_are_in_order(machine: &Machine, _: &Packages) {
    let path = |unit: &str| format!("/usr/lib/systemd/system/{unit}");
    for unit in UNITS {
        // There is no man in the machine.
        let verify = [
            "systemd-analyze",
            "verify",
            "--man=no",
            "--recursive-errors=no",
        ];
        let output = machine.run(&[&verify[..], &[&path(unit)]].concat());
        let told = text(&output.stderr);
        assert!(output.status.success() && told.is_empty(), "{unit}: {told}");
    }
    for unit in UNITS.iter().filter(|unit| unit.ends_with(".service")) {
        let rate = [
            "systemd-analyze",
            "security",
            "--no-pager",
            "--offline=true",
        ];
        let rated = machine.run(&[&rate[..], &["--threshold=15", &path(unit)]].concat());
        let told = text(&rated.stdout);
        assert!(rated.status.success(), "{unit}: {told}");
        eprintln!("       {}", told.trim().lines().last().unwrap());
    }
}

pub fn what_goes_wrong_has_bounds(machine: &Machine, _: &Packages) {
    for unit in UNITS.iter().filter(|unit| unit.ends_with(".service")) {
        // A template has settings only as one of its units.
        let unit = unit.replace("@.", "@one.");
        let most = machine.property(&unit, "MemoryMax");
        assert!(most.parse::<u64>().is_ok(), "{unit}: MemoryMax={most}");
        assert_eq!(machine.property(&unit, "LimitCORE"), "0", "{unit}");
    }
}

pub fn a_connection_starts_it(machine: &Machine, _: &Packages) {
    machine.ok(&["systemctl", "stop", "prefectd.service"]);
    assert_eq!(
        machine.property("prefectd.service", "ActiveState"),
        "inactive"
    );
    assert!(machine.path(SOCKET).exists());
    machine.ok(&["curl", "-fsS", "--max-time", "20", &format!("{API}/ready")]);
    assert_eq!(
        machine.property("prefectd.service", "ActiveState"),
        "active"
    );
    machine.ok(&["systemctl", "stop", "prefectd.service"]);
    let status = status(machine);
    assert_eq!(status["socket"], SOCKET);
    assert_eq!(status["listeners"][0], "http://127.0.0.1:4200");
    wait_for("a status line", || {
        let line = machine.property("prefectd.service", "StatusText");
        line.starts_with("0 running, 0 starting, 0 scheduled")
            .then_some(())
    });
}

fn status(machine: &Machine) -> Value {
    let told = machine.ok(&["prefectctl", "status", "--output", "json"]);
    serde_json::from_str(&told).unwrap()
}

fn as_user(machine: &Machine, user: &str) -> std::process::Output {
    machine.run(&["runuser", "-u", user, "--", "prefectctl", "status"])
}

pub fn the_socket_is_for_its_group(machine: &Machine, _: &Packages) {
    assert_eq!(owner(machine, SOCKET), "root prefect 660");
    let member = as_user(machine, "member");
    assert!(member.status.success(), "{}", text(&member.stderr));
    let stranger = as_user(machine, "stranger");
    assert_eq!(stranger.status.code(), Some(1));
    let told = text(&stranger.stderr);
    assert!(told.contains("permission denied"), "{told}");
}

fn slots(machine: &Machine) -> Value {
    status(machine)["agent"]["slots"].take()
}

pub fn reload_takes_good_settings(machine: &Machine, _: &Packages) {
    let pid = machine.property("prefectd.service", "MainPID");
    let more = "[runners]\npython = \"/usr/local/bin/engine\"\n\
                [agent]\nslots = 7\n[server]\nlisten = [\"127.0.0.1:4300\"]\n";
    machine.write(CONFIG, more);
    machine.ok(&["systemctl", "reload", "prefectd.service"]);
    wait_for("the new number of slots", || {
        (slots(machine) == 7).then_some(())
    });
    assert_eq!(machine.property("prefectd.service", "MainPID"), pid);
    let line = machine.property("prefectd.service", "StatusText");
    assert!(line.ends_with("; needs a restart: server.listen"), "{line}");
}

pub fn reload_refuses_bad_settings(machine: &Machine, _: &Packages) {
    let pid = machine.property("prefectd.service", "MainPID");
    machine.write(CONFIG, "[agent]\nslotz = 1\n");
    // The reload is over, and the daemon lives by what it had.
    machine.ok(&["systemctl", "reload", "prefectd.service"]);
    assert_eq!(machine.property("prefectd.service", "MainPID"), pid);
    let line = machine.property("prefectd.service", "StatusText");
    assert!(
        line.contains("settings refused") && line.contains("slotz"),
        "{line}"
    );
    let refused = entries(machine, "MESSAGE_ID=bbde2c1e28e54ff5b3d81224bb7527e5");
    assert_eq!(refused.len(), 1);
    assert_eq!(slots(machine), 7);
    machine.write(CONFIG, "[runners]\npython = \"/usr/local/bin/engine\"\n");
    machine.ok(&["systemctl", "reload", "prefectd.service"]);
    let line = machine.property("prefectd.service", "StatusText");
    assert!(!line.contains("refused"), "{line}");
}

/// The journal's entries with that field.
pub fn entries(machine: &Machine, field: &str) -> Vec<Value> {
    machine.ok(&["journalctl", "--sync"]);
    let told = machine.run(&["journalctl", "--output=json", "--no-pager", field]);
    let told = text(&told.stdout);
    told.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub fn restarts_go_unnoticed(machine: &Machine, _: &Packages) {
    static OVER: AtomicBool = AtomicBool::new(false);
    let load = Load::start(machine, "http://127.0.0.1:4200", 3, &OVER);
    let before = machine.property("prefectd.service", "MainPID");
    for _ in 0..3 {
        load.wait_for(250);
        machine.ok(&["systemctl", "restart", "prefectd.service"]);
    }
    load.wait_for(250);
    let failures = load.stop();
    assert_ne!(machine.property("prefectd.service", "MainPID"), before);
    assert!(failures.is_empty(), "{failures:?}");
}

pub fn a_hanging_daemon_is_replaced(machine: &Machine, _: &Packages) {
    // It will hang some commits after its start, and its successor will not.
    let hangs = "[Service]\nWatchdogSec=2s\nEnvironment=PREFECTD_FAULT=hang@before-commit:40\n";
    machine.write(DROP_IN, hangs);
    machine.ok(&["systemctl", "daemon-reload"]);
    machine.ok(&["systemctl", "restart", "prefectd.service"]);
    let pid = machine.property("prefectd.service", "MainPID");
    machine.write(DROP_IN, "[Service]\nWatchdogSec=2s\n");
    machine.ok(&["systemctl", "daemon-reload"]);
    let write = || {
        let ready = format!("{API}/ready");
        machine
            .run(&["curl", "-fsS", "--max-time", "1", &ready])
            .status
            .success()
    };
    wait_for("the writer to hang", || (!write()).then_some(()));
    wait_for("a successor", || {
        let now = machine.property("prefectd.service", "MainPID");
        (now != pid && now != "0" && write()).then_some(())
    });
    let told = machine.ok(&["journalctl", "--no-pager", "--unit=prefectd.service"]);
    assert!(told.contains("Watchdog timeout"), "{told}");
    // What is healthy is left alone: it lives for several intervals.
    let successor = machine.property("prefectd.service", "MainPID");
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(machine.property("prefectd.service", "MainPID"), successor);
    machine.shell(&format!("rm {DROP_IN}; systemctl daemon-reload"));
    machine.ok(&["systemctl", "restart", "prefectd.service"]);
}

pub fn backs_up(machine: &Machine, _: &Packages) {
    machine.ok(&["systemctl", "start", "prefectd-backup.service"]);
    let kept = machine.shell("ls /var/backups/prefectd/prefectd-*.tar");
    assert_eq!(kept.lines().count(), 1);
    assert_eq!(owner(machine, kept.trim()), "prefectd prefectd 600");
}

pub fn an_upgrade_loses_no_run(machine: &Machine, packages: &Packages) {
    hold_runs(machine);
    let run = begin_run(machine);
    let before = machine.property("prefectd.service", "MainPID");
    let socket_since = machine.property("prefectd.socket", "ActiveEnterTimestampMonotonic");
    install(machine, &packages.next());
    assert_ne!(machine.property("prefectd.service", "MainPID"), before);
    let still = machine.property("prefectd.socket", "ActiveEnterTimestampMonotonic");
    assert_eq!(still, socket_since, "the socket was closed meanwhile");
    let version = machine.ok(&[
        "dpkg-query",
        "--show",
        "--showformat=${Version}",
        "prefectd",
    ]);
    assert!(version.starts_with(NEXT), "{version}");
    assert_eq!(state(machine, &run), "RUNNING");
    let_runs_end(machine);
    await_completion(machine, &run);
}

pub fn removal_leaves_nothing(machine: &Machine, _: &Packages) {
    hold_runs(machine);
    begin_run(machine);
    machine.shell("dpkg --remove prefectd");
    let left = machine.run(&["pgrep", "--list-full", "--uid", "prefectd"]);
    assert_eq!(text(&left.stdout), "");
    let units = machine.shell("systemctl list-units --all --plain --no-legend 'prefect*' || true");
    assert_eq!(units, "");
    let files = "ls -d /etc/systemd/system/*/prefect* /etc/systemd/system/prefect* \
                 /usr/lib/systemd/system/prefect* /usr/bin/prefect* 2>/dev/null || true";
    assert_eq!(machine.shell(files), "");
    assert!(machine.path("/var/lib/prefectd/prefectd.db").exists());
    // What an administrator wrote is not the package's to remove.
    machine.shell(&format!("rm {CONFIG}; dpkg --purge prefectd"));
    let left = "ls -d /var/lib/prefectd* /etc/prefectd 2>/dev/null || true";
    assert_eq!(machine.shell(left), "");
    // Backups are what one needs after a mistake.
    let backups = machine.shell("ls /var/backups/prefectd");
    assert!(backups.contains(".tar"), "{backups}");
}
