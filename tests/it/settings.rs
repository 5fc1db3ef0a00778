//! What operators write: how wrong settings are refused, and how those in force are told.

use std::process::{Command, Output};

use serde_json::Value;

use super::support::{Options, TestDaemon};

fn prefectd() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prefectd"));
    command
        .env("STATE_DIRECTORY", "/nowhere")
        .env("RUNTIME_DIRECTORY", "/nowhere");
    command
}

/// It ends with that code and a line that has all of the words.
#[track_caller]
fn refused(output: &Output, code: i32, words: &[&str]) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert_eq!(told.trim_end().lines().count(), 1, "{told}");
    for word in words {
        assert!(told.contains(word), "{word}: {told}");
    }
}

#[test]
fn a_level_that_is_none_is_wrong_usage() {
    for program in [
        env!("CARGO_BIN_EXE_prefectd"),
        env!("CARGO_BIN_EXE_prefectctl"),
    ] {
        for level in ["inof", "", "prefectd", "info;debug"] {
            let mut command = Command::new(program);
            if program.ends_with("prefectctl") {
                command.args(["agent", "start"]);
            }
            let output = command.args(["--log-level", level]).output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{level}: {told}");
        }
    }
    let output = prefectd()
        .env("PREFECTD_LOG__LEVEL", "inof")
        .output()
        .unwrap();
    refused(&output, 2, &["log.level", "inof", "info"]);
}

#[test]
fn the_environment_is_read_and_refused_by_its_names() {
    for (name, value, words) in [
        (
            "PREFECTD_AGENT__SLOTZ",
            "3",
            &["PREFECTD_AGENT__SLOTZ", "did you mean agent.slots?"][..],
        ),
        (
            "PREFECTD_AGENT__SLOTS",
            "many",
            &["PREFECTD_AGENT__SLOTS", "whole number"],
        ),
        (
            "PREFECTD_SERVER__LISTEN",
            "here",
            &["PREFECTD_SERVER__LISTEN", "ADDRESS:PORT"],
        ),
        (
            "PREFECTD_AGENT__ENABLED",
            "perhaps",
            &["PREFECTD_AGENT__ENABLED", "true or false"],
        ),
    ] {
        let output = prefectd()
            .arg("check-config")
            .env(name, value)
            .output()
            .unwrap();
        refused(&output, 2, words);
    }
    for (name, value, told) in [
        (
            "PREFECTD_SERVER__LISTEN",
            "localhost:4200",
            r#"server.listen = ["localhost:4200"]"#,
        ),
        (
            "PREFECTD_SERVER__LISTEN",
            "127.0.0.1:1, [::1]:2",
            r#"["127.0.0.1:1","[::1]:2"]"#,
        ),
        (
            "PREFECTD_SERVER__LISTEN",
            r#"["127.0.0.1:1"]"#,
            r#"["127.0.0.1:1"]"#,
        ),
        (
            "PREFECTD_AUTH__VIEWERS",
            "root,daemon",
            r#"auth.viewers = ["root","daemon"]"#,
        ),
        (
            "PREFECTD_DOCKER__DEFAULTS__USER",
            "1000",
            r#"docker.defaults.user = "1000""#,
        ),
    ] {
        let output = prefectd()
            .arg("check-config")
            .env(name, value)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        assert!(said.contains(told) && said.contains(name), "{said}");
    }
}

#[test]
fn a_configuration_is_checked_without_a_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("p.toml");
    let check = |text: &str, flag: &str| {
        std::fs::write(&file, text).unwrap();
        let mut command = prefectd();
        command
            .arg("--config")
            .arg(&file)
            .arg(flag)
            .output()
            .unwrap()
    };
    let good = check("[agent]\nslots = 2\n", "check-config");
    let said = String::from_utf8_lossy(&good.stdout);
    assert!(good.status.success() && good.stderr.is_empty(), "{good:?}");
    assert!(
        said.contains("in order") && said.contains("agent.slots = 2"),
        "{said}"
    );
    let path = file.display().to_string();
    refused(
        &check("[agent]\nslotz = 2\n", "--check"),
        2,
        &[&path, "agent.slots?"],
    );
    refused(&check("[agent\n", "check-config"), 2, &[&path, "line 1"]);
    refused(
        &check("[auth]\napi_key_file = \"/nowhere/key\"\n", "check-config"),
        2,
        &["/nowhere/key"],
    );
    let doubtful = check(
        "[docker.defaults]\nmemory = \"2g\"\n[docker.maxima]\nmemory = \"1g\"\n",
        "check-config",
    );
    let said = String::from_utf8_lossy(&doubtful.stdout);
    assert!(said.contains("docker.maxima"), "{said}");
    let groups = check("[auth]\nviewers = [\"no-such-group\"]\n", "check-config");
    let said = String::from_utf8_lossy(&groups.stdout);
    assert!(said.contains("no-such-group"), "{said}");
    let several = check(
        "[auth]\nviewers = [\"no-such-group\"]\n[docker.defaults]\nmemory = \"2g\"\ncpus = 2\n\
         [docker.maxima]\nmemory = \"1g\"\ncpus = 1\n",
        "check-config",
    );
    let said = String::from_utf8_lossy(&several.stdout);
    let doubts: Vec<_> = said.lines().filter(|it| it.starts_with("but ")).collect();
    let [group, cpus, memory] = doubts.as_slice() else {
        panic!("{said}");
    };
    assert!(group.contains("no-such-group"), "{said}");
    assert!(cpus.contains("docker.maxima.cpus"), "{said}");
    assert!(memory.contains("docker.maxima.memory"), "{said}");
    assert!(!prefectd().arg("bogus").output().unwrap().status.success());
}

#[test]
fn settings_in_force_are_shown_with_their_source() {
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: vec![("PREFECTD_AGENT__SLOTS", "7".to_owned())],
        ..Options::default()
    });
    let show = |words: &[&str]| {
        let output = daemon
            .ctl()
            .args(["config", "show"])
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let table = show(&[]);
    assert!(
        table.contains("agent.slots") && table.contains("PREFECTD_AGENT__SLOTS"),
        "{table}"
    );
    assert!(
        table.contains("--no-agent") && !table.contains("docker.pull"),
        "{table}"
    );
    let all: Value = serde_json::from_str(&show(&["--all", "-o", "json"])).unwrap();
    let all = all.as_array().unwrap();
    let of = |key: &str| all.iter().find(|one| one["key"] == key).unwrap();
    assert_eq!(of("agent.slots")["value"], 7);
    assert_eq!(of("docker.pull")["value"], "if-missing");
    assert_eq!(of("docker.pull")["source"], "default");
    assert_eq!(of("agent.enabled")["source"], "--no-agent");
}

#[test]
fn no_secret_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("p.toml");
    std::fs::write(
        &file,
        "[auth]\napi_key_hash = \"$argon2id$v=19$secretpart\"\nbasic = \"$argon2id$v=19$other\"\n",
    )
    .unwrap();
    let output = prefectd()
        .arg("--config")
        .arg(&file)
        .arg("check-config")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("auth.basic") && said.contains("auth.api_key"),
        "{output:?}"
    );
    assert!(
        !said.contains("secretpart") && !said.contains("other"),
        "{said}"
    );
}

#[test]
fn a_database_that_cannot_be_opened_is_told_with_what_helps() {
    let start = |dir: &std::path::Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prefectd"));
        command
            .arg("--state-dir")
            .arg(dir)
            .arg("--socket")
            .arg(dir.join("p.sock"));
        command.args([
            "--listen",
            "127.0.0.1:0",
            "--no-agent",
            "--no-docker-bridge",
        ]);
        command
            .args(["--log-level", "error", "--log-format", "text"])
            .output()
            .unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("prefectd.db");
    std::fs::write(
        &database,
        "this is no database at all, and long enough to be looked at",
    )
    .unwrap();
    refused(
        &start(dir.path()),
        1,
        &["damaged", "prefectctl restore --force"],
    );

    let made = TestDaemon::without_agent();
    let mut bytes = std::fs::read(made.database()).unwrap();
    drop(made);
    // The page that lists the tables.
    bytes[100..3000].fill(0x5a);
    std::fs::write(&database, &bytes).unwrap();
    refused(&start(dir.path()), 1, &["damaged", "restore --force"]);

    let newer = TestDaemon::without_agent();
    let state = newer.state_dir();
    let db = rusqlite::Connection::open(newer.database()).unwrap();
    db.execute("UPDATE refinery_schema_history SET version = 9000 WHERE version = (SELECT max(version) FROM refinery_schema_history)", []).unwrap();
    drop(db);
    std::fs::copy(newer.database(), &database).unwrap();
    for end in ["prefectd.db-wal", "prefectd.db-shm"] {
        let _ = std::fs::copy(state.join(end), dir.path().join(end));
    }
    drop(newer);
    let output = start(dir.path());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    refused(&output, 1, &["newer version", "prefectctl restore --force"]);
    assert!(!told.contains("Internal Server Error"), "{told}");
}

#[test]
fn descriptions_and_heads_are_where_people_look() {
    let daemon = TestDaemon::without_agent();
    let http = |path: &str| {
        let url = format!("{}{path}", daemon.url());
        ureq::get(&url).call().unwrap().status().as_u16()
    };
    for path in [
        "/docs",
        "/redoc",
        "/openapi.json",
        "/api/docs",
        "/api/redoc",
        "/api/openapi.json",
        "/api/orion/docs",
        "/api/v3/openapi.json",
    ] {
        assert_eq!(http(path), 200, "{path}");
    }
    for path in [
        "/",
        "/docs",
        "/metrics",
        "/api/health",
        "/api/ready",
        "/api/version",
    ] {
        let url = format!("{}{path}", daemon.url());
        let mut answer = ureq::head(&url).call().unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        assert!(
            answer.body_mut().read_to_string().unwrap().is_empty(),
            "{path}"
        );
    }
}
