//! What a newcomer meets: the scripts, the image, and what the daemon says first.

use std::process::{Command, Output};

use super::support::TestDaemon;

/// Every script that README names.
const SCRIPTS: [&str; 9] = [
    "examples/quickstart",
    "examples/setup-client",
    "examples/build-image",
    "examples/bench",
    "examples/bench-dispatch",
    "systemd/build-deb",
    "tests/run",
    "tests/readme",
    ".ci/run",
];

fn script(name: &str, words: &[&str]) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut command = Command::new(format!("{root}/{name}"));
    command.args(words).current_dir(root).output().unwrap()
}

#[test]
fn scripts_explain_themselves_and_refuse_what_they_do_not_know() {
    for name in SCRIPTS {
        for flag in ["--help", "-h"] {
            let helped = script(name, &[flag]);
            let text = String::from_utf8_lossy(&helped.stdout);
            assert_eq!(helped.status.code(), Some(0), "{name} {flag}");
            assert!(text.contains("\nUsage: "), "{name} {flag}: {text}");
        }
        for words in [&["--bogus"][..], &["--bogus=1"], &["-x", "--help"]] {
            let refused = script(name, words);
            let told = String::from_utf8_lossy(&refused.stderr);
            assert_eq!(refused.status.code(), Some(2), "{name} {words:?}: {told}");
            assert_eq!(told.lines().count(), 1, "{name}: {told}");
            assert!(
                told.contains("--help") && refused.stdout.is_empty(),
                "{told}"
            );
        }
    }
}

#[test]
fn the_benchmark_s_script_knows_each_of_its_options() {
    let help = script("examples/bench", &["--help"]).stdout;
    let help = String::from_utf8(help).unwrap();
    let source = include_str!("../../benches/load/args.rs");
    let (_, args) = source.split_once("struct Args {").unwrap();
    let (args, _) = args.split_once("\n}").unwrap();
    let lines = args
        .lines()
        .map(|line| line.trim().trim_start_matches("pub "));
    let fields = lines.filter_map(|line| line.split_once(": "));
    let names = fields.map(|(name, _)| name).filter(|name| *name != "bench");
    let names: Vec<_> = names.filter(|name| !name.contains(' ')).collect();
    assert!(names.len() > 9, "{names:?}");
    for name in names {
        assert!(help.contains(&format!("\n  --{name} ")), "{name}: {help}");
    }
}

#[test]
fn the_daemon_says_first_what_clients_must_export() {
    let daemon = TestDaemon::without_agent();
    let export = format!("export PREFECT_ORION_HOST={}/api/", daemon.url());
    let log = daemon.log();
    let first: Vec<_> = log.lines().take(5).collect();
    assert!(first.iter().any(|line| line.contains(&export)), "{log}");
    let status = daemon.ctl().arg("status").output().unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains(&export), "{status}");
}

#[test]
fn a_python_that_a_client_does_not_run_on_is_refused_before_anything_begins() {
    for (words, python) in [
        (&["--client", "3", "3.9"][..], "3.9"),
        (&["--client", "2.0a7", "3.13"], "3.13"),
        (&["--client", "4"], "--client is"),
    ] {
        let refused = script("examples/build-image", words);
        let told = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{words:?}: {told}");
        assert!(told.contains(python) && told.lines().count() == 1, "{told}");
    }
}

/// What a program prints that must succeed.
#[cfg(feature = "client")]
#[track_caller]
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[cfg(feature = "client")]
#[test]
fn today_s_client_is_set_up() {
    let setup = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/setup-client");
    let venv = printed(Command::new(setup).args(["--client", "3"]));
    let python = std::path::Path::new(&venv).join("bin/python");
    let words = ["-c", "import prefect; print(prefect.__version__)"];
    assert_eq!(printed(Command::new(python).args(words)), "3.9.1");
}

#[cfg(feature = "docker")]
#[test]
fn the_image_of_today_s_client_runs_it() {
    let build = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/build-image");
    let image = printed(Command::new(build).args(["--client", "3"]));
    assert!(
        image.starts_with("prefecthq/prefect:3.9.1-python3."),
        "{image}"
    );
    let mut command = Command::new("docker");
    command.args(["run", "--rm", "--label", "io.prefectd.test=image", &image]);
    let words = ["python", "-c", "import prefect; print(prefect.__version__)"];
    let told = printed(command.args(words));
    assert_eq!(told.lines().last(), Some("3.9.1"), "{told}");
}

#[cfg(feature = "docker")]
mod image {
    use serde_json::{Value, json};

    use crate::docker::{await_bridge, docker, image};
    use crate::support::flows::{deploy, run};
    use crate::support::{Options, TestDaemon, wait_for};

    #[test]
    fn nothing_of_its_build_is_left_in_the_image() {
        let format = "{{json .Config.Env}}";
        let env = docker(&["image", "inspect", &image(), "--format", format]);
        let env: Vec<String> = serde_json::from_str(&env).unwrap();
        let names = env.iter().filter_map(|one| one.split('=').next());
        for name in names {
            let is_expected = ["PATH", "LC_ALL", "LANG", "PYTHONUNBUFFERED"].contains(&name);
            assert!(is_expected, "{env:?}");
        }
        let script =
            "find / -xdev -size 0 -name '*.crt'; ls -A /tmp /root/.cache 2>/dev/null; true";
        let label = "io.prefectd.test=image";
        let left = docker(&[
            "run",
            "--rm",
            "--label",
            label,
            "--entrypoint",
            "sh",
            &image(),
            "-c",
            script,
        ]);
        assert!(!left.contains(".crt") && !left.contains("pip"), "{left}");
    }

    /// Where the network's index needs the certificates of this machine, the deployment says so.
    fn runner() -> Value {
        let certificates = "/etc/ssl/certs";
        json!({ "type": "docker", "config": {
            "image": image(),
            "volumes": [format!("{certificates}:{certificates}:ro")],
            "env": {
                "EXTRA_PIP_PACKAGES": "humanize",
                "PIP_CERT": format!("{certificates}/ca-certificates.crt"),
            },
        } })
    }

    #[test]
    fn a_package_of_the_index_is_installed_and_pins_are_quiet() {
        let daemon = TestDaemon::with(Options {
            env: vec![(
                "PREFECTD_DOCKER__ALLOW__HOST_VOLUMES",
                r#"["/etc/ssl/certs"]"#.to_owned(),
            )],
            ..Options::default()
        });
        await_bridge(&daemon);
        deploy(&daemon, "humanized.py", &runner());
        let id = run(&daemon, "humanized", &json!({}));
        let ended = daemon.http().ended(&id);
        let lines = daemon.http().lines(&id);
        assert_eq!(ended["state_name"], "Completed", "{lines:?}");
        // What it printed last is stored after its end.
        let lines = wait_for("what the flow printed", || {
            let lines = daemon.http().lines(&id);
            lines.iter().any(|line| line == "4.2 kB").then_some(lines)
        });
        assert!(
            !lines.iter().any(|line| line.contains("DeprecationWarning")),
            "{lines:?}"
        );
    }

    #[test]
    fn a_flow_s_own_warnings_are_shown() {
        let words = "import warnings; import prefect; warnings.warn('mine', DeprecationWarning)";
        let told = std::process::Command::new("docker")
            .args(["run", "--rm", "--label", "io.prefectd.test=image", &image()])
            .args(["python", "-c", words])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(told.contains("DeprecationWarning: mine"), "{told}");
    }
}
