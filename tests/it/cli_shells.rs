//! Completion of names, in the shells themselves.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::support::{Http, TestDaemon, wait_for};

/// The flow `etl` with the deployment `nightly`, and two runs.
fn with_names() -> TestDaemon {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let runner = json!({ "type": "subprocess", "config": {} });
    let deployment = http.deployment(&http.flow("etl"), "nightly", &runner);
    for name in ["brave-owl", "bold-cat"] {
        let body = json!({ "name": name, "state": { "type": "SCHEDULED" } });
        let path = format!("/deployments/{deployment}/create_flow_run");
        http.post(&path, &body).expect(201);
    }
    daemon
}

/// A task run, a work pool, an automation, and a deployment with two schedules.
fn with_more_names(http: &Http) {
    let flow = http.flow("modern");
    let run = json!({ "flow_id": flow, "name": "of-modern" });
    let run = http.post("/flow_runs/", &run).expect(201);
    let task = json!({
        "flow_run_id": run["id"], "task_key": "load", "dynamic_key": "0",
        "name": "load-0",
    });
    http.post("/task_runs/", &task).expect(201);
    let pool = json!({ "name": "mine", "type": "process" });
    http.post("/v3/work_pools/", &pool).expect(201);
    let automation = json!({
        "name": "watch",
        "trigger": { "type": "event", "posture": "Reactive", "threshold": 1, "within": 0 },
        "actions": [{ "type": "do-nothing" }],
    });
    http.post("/v3/automations/", &automation).expect(201);
    let scheduled = |slug: &str, cron: &str| json!({ "slug": slug, "active": true, "schedule": { "cron": cron, "timezone": "UTC" } });
    let deployment = json!({
        "name": "d", "flow_id": flow, "paused": true,
        "schedules": [scheduled("nightly", "0 3 * * *"), scheduled("weekly", "0 3 * * 1")],
    });
    http.post("/v3/deployments/", &deployment).expect(201);
}

/// A folder with the script for a shell, and `prefectctl` where a shell finds it.
struct Shell<'a> {
    daemon: &'a TestDaemon,
    dir: TempDir,
}

impl<'a> Shell<'a> {
    fn new(daemon: &'a TestDaemon, name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        symlink(
            env!("CARGO_BIN_EXE_prefectctl"),
            dir.path().join("prefectctl"),
        )
        .unwrap();
        let script = daemon.ctl().args(["completions", name]).output().unwrap();
        assert!(script.status.success());
        std::fs::write(dir.path().join("_prefectctl"), script.stdout).unwrap();
        Self { daemon, dir }
    }

    fn script(&self) -> PathBuf {
        self.dir.path().join("_prefectctl")
    }

    /// What a shell prints; it has a minute, and no settings of whoever tests.
    #[track_caller]
    fn says(&self, program: &str, words: &[&str]) -> String {
        let path = std::env::var("PATH").unwrap();
        let output = Command::new("timeout")
            .args(["60", program])
            .args(words)
            .env("PATH", format!("{}:{path}", self.dir.path().display()))
            .env("PREFECTD_SOCKET", self.daemon.socket())
            .env("HOME", self.dir.path())
            .env("XDG_CONFIG_HOME", self.dir.path())
            .env("XDG_DATA_HOME", self.dir.path())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{program}: {text}{told}");
        text
    }
}

#[test]
fn shells_are_told_names() {
    let daemon = with_names();
    with_more_names(&daemon.http());
    let socket = daemon.socket();
    let complete = |words: &[&str]| {
        let mut all = vec!["__complete", "--socket", socket.to_str().unwrap()];
        all.extend(words);
        let output = Command::new(env!("CARGO_BIN_EXE_prefectctl"))
            .args(all)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    };
    // Nothing is said where the daemon takes longer than somebody who types would wait.
    let found = |words: &[&str]| {
        wait_for("names", || {
            Some(complete(words)).filter(|names| !names.is_empty())
        })
    };
    assert_eq!(found(&["flow-run", "logs", "br"]), "brave-owl\n");
    assert_eq!(found(&["flow-run", "cancel", "a", "b"]).lines().count(), 2);
    assert_eq!(found(&["deployment", "run", "e"]), "etl/nightly\n");
    assert_eq!(found(&["flow", "inspect", "e"]), "etl\n");
    assert_eq!(complete(&["flow-run", "lo"]), "");
    assert_eq!(found(&["task-run", "inspect", "lo"]), "load-0\n");
    assert_eq!(found(&["work-pool", "pause", "mi"]), "mine\n");
    assert_eq!(found(&["automation", "inspect", ""]), "watch\n");
    let schedule = ["deployment", "schedule", "pause"];
    let of = |more: &[&str]| found(&[&schedule[..], more].concat());
    assert_eq!(of(&["modern"]), "modern/d\n");
    let both = of(&["modern/d", ""]);
    let mut both: Vec<_> = both.lines().collect();
    both.sort_unstable();
    assert_eq!(both, ["nightly", "weekly"]);
    assert_eq!(of(&["modern/d", "n"]), "nightly\n");
}

#[test]
fn bash_completes_names() {
    let daemon = with_names();
    let shell = Shell::new(&daemon, "bash");
    let test = format!(
        "source {}\n\
         COMP_WORDS=(prefectctl flow-run logs br); COMP_CWORD=3; _prefectctl_names; \
         echo \"${{COMPREPLY[*]}}\"\n\
         COMP_WORDS=(prefectctl flow-run lo); COMP_CWORD=2; \
         _prefectctl_names prefectctl lo flow-run; echo \"${{COMPREPLY[*]}}\"",
        shell.script().display()
    );
    let told = shell.says("bash", &["--norc", "-c", &test]);
    assert_eq!(told, "brave-owl\nlogs\n");
}

/// Types into a zsh of its own, presses Tab, and prints the line that became of it.
#[cfg(feature = "client")]
const ZSH: &str = r#"
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner "PROMPT='>'; $1"
zpty -w inner 'unsetopt zle_bracketed_paste; zle -N told; bindkey "^X" told; print rea\dy'
zpty -r -m inner out '*ready*'
shift
for typed; do
    zpty -w -n inner "$typed"$'\t\x18'
    zpty -r -m inner out '*<*>*'
    print -r -- "${${out##*<}%%>*}"
    zpty -w -n inner $'\x15'
done
zpty -d inner
"#;

#[cfg(feature = "client")]
#[test]
fn zsh_completes_names_from_the_first_time_on() {
    let daemon = with_names();
    let shell = Shell::new(&daemon, "zsh");
    let folder = shell.dir.path().display();
    // The widget prints the line as it stands.
    let told = "told() { print -rn -- \"<$BUFFER>\" }";
    for begin in [
        format!("fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; {told}"),
        format!("autoload -U compinit; compinit -u -D; source {folder}/_prefectctl; {told}"),
    ] {
        let typed = [
            "prefectctl flow-run logs br",
            "prefectctl flow-run logs bo",
            "prefectctl deployment run e",
            "prefectctl flow-run lo",
        ];
        let words = [&["-f", "-c", ZSH, "test", &begin][..], &typed].concat();
        let told = shell.says("zsh", &words);
        let lines: Vec<_> = told.lines().map(str::trim_end).collect();
        let expected = [
            "prefectctl flow-run logs brave-owl",
            "prefectctl flow-run logs bold-cat",
            "prefectctl deployment run etl/nightly",
            "prefectctl flow-run logs",
        ];
        assert_eq!(lines, expected, "{begin}");
    }
}

#[cfg(feature = "client")]
#[test]
fn fish_completes_names_and_files() {
    let daemon = with_names();
    let shell = Shell::new(&daemon, "fish");
    let script = shell.script();
    let script = script.display();
    let file = format!("deployment create {}/_pref", shell.dir.path().display());
    for (line, expected) in [
        ("flow-run logs br", "brave-owl"),
        ("deployment run ", "etl/nightly"),
        ("flow-run lo", "logs"),
        (&file, "_prefectctl"),
    ] {
        let test = format!("source {script}; complete -C 'prefectctl {line}'");
        let told = shell.says("fish", &["-c", &test]);
        let first = told.lines().next().unwrap_or_default();
        let word = first.split('\t').next().unwrap_or_default();
        assert!(word.ends_with(expected), "{line}: {told}");
    }
}
