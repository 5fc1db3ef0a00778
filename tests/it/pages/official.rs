//! Prefect's own UI beside the pages.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::browser::Plain;
use crate::support::{Options, TestDaemon};

const BASE: &str = "/PREFECT_UI_SERVE_BASE_REPLACE_PLACEHOLDER";
const METADATA: (&str, &str) = (
    "prefect-3.9.9.dist-info/METADATA",
    "Metadata-Version: 2.4\nName: prefect\nVersion: 3.9.9\n\n",
);

/// A wheel with these files.
fn wheel(dir: &Path, files: &[(&str, &str)]) -> PathBuf {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default();
        match content.strip_prefix("link:") {
            Some(to) => archive.add_symlink(*name, to, options).unwrap(),
            None => {
                archive.start_file(*name, options).unwrap();
                archive.write_all(content.as_bytes()).unwrap();
            }
        }
    }
    let path = dir.join("prefect-3.9.9-py3-none-any.whl");
    std::fs::write(&path, archive.finish().unwrap().into_inner()).unwrap();
    path
}

fn good(dir: &Path) -> PathBuf {
    let page = format!("<html><script src=\"{BASE}/assets/a-1.js\"></script>v1</html>");
    let second = format!("<html><script src=\"{BASE}/assets/b-1.js\"></script>v2</html>");
    wheel(
        dir,
        &[
            METADATA,
            ("prefect/__init__.py", "raise SystemExit"),
            ("prefect/server/ui/index.html", &page),
            (
                "prefect/server/ui/assets/a-1.js",
                &format!("base = '{BASE}'"),
            ),
            ("prefect/server/ui-v2/index.html", &second),
            ("prefect/server/ui-v2/assets/b-1.js", "1"),
        ],
    )
}

fn install(daemon: &TestDaemon, wheel: &Path) -> (bool, String) {
    let output = daemon
        .ctl()
        .args(["ui", "install", "--wheel"])
        .arg(wheel)
        .arg("--state-dir")
        .arg(daemon.state_dir())
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&told).into_owned(),
    )
}

fn remove(daemon: &TestDaemon) -> bool {
    let mut ctl = daemon.ctl();
    ctl.args(["ui", "remove", "--state-dir"])
        .arg(daemon.state_dir());
    ctl.output().unwrap().status.success()
}

fn settings(browser: &Plain, path: &str) -> Value {
    serde_json::from_str(&browser.get(path).html).unwrap()
}

#[test]
fn it_is_served_beside_the_pages_once_it_is_installed() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = TestDaemon::without_agent();
    let browser = Plain::at(&daemon.url());
    let none = browser.get("/ui/");
    assert_eq!(none.status, 404);
    none.holds("prefectctl ui install");
    assert!(!remove(&daemon));
    let (is_done, told) = install(&daemon, &good(dir.path()));
    assert!(is_done && told.contains("3.9.9"), "{told}");
    for (path, holds) in [
        ("/ui/", "src=\"/ui/assets/a-1.js\""),
        ("/ui/runs/flow-run/1", "src=\"/ui/assets/a-1.js\""),
        ("/ui/assets/a-1.js", "base = '/ui'"),
        ("/ui/v2/", "src=\"/ui/v2/assets/b-1.js\""),
        ("/ui/v2/dashboard", "v2"),
        ("/", "prefectd"),
        ("/daemon", "href=\"/ui/\""),
    ] {
        let page = browser.get(path);
        assert_eq!(page.status, 200, "{path}");
        page.holds(holds);
    }
    for path in [
        "/ui/assets/none.js",
        "/ui/assets/..%2f..%2findex.html",
        "/ui/assets/../../../prefectd.db",
    ] {
        let gone = browser.get(path);
        assert!(
            gone.status == 404 || gone.html.contains("v1"),
            "{path}: {}",
            gone.html
        );
    }
    for path in ["/ui-settings", "/ui/ui-settings"] {
        let told = settings(&browser, path);
        assert_eq!(
            (
                &told["api_url"],
                &told["v1_base_url"],
                &told["v2_base_url"],
                &told["auth"]
            ),
            (
                &json!("/api"),
                &json!("/ui"),
                &json!("/ui/v2"),
                &Value::Null
            )
        );
    }
    assert!(remove(&daemon));
    assert_eq!(browser.get("/ui/").status, 404);
    assert!(!remove(&daemon));
}

#[test]
fn at_the_root_it_has_the_addresses_and_pages_are_below() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: vec![("PREFECTD_UI__ROOT", "prefect".to_owned())],
        ..Options::default()
    });
    let browser = Plain::at(&daemon.url());
    browser.get("/").holds("prefectctl ui install");
    assert!(install(&daemon, &good(dir.path())).0);
    for (path, holds) in [
        ("/", "src=\"/assets/a-1.js\""),
        ("/runs/flow-run/1", "src=\"/assets/a-1.js\""),
        ("/assets/a-1.js", "base = ''"),
        ("/v2/", "src=\"/v2/assets/b-1.js\""),
        ("/prefectd", "href=\"/prefectd/runs\""),
        ("/prefectd/runs", "action=\"/prefectd/runs\""),
    ] {
        let page = browser.get(path);
        assert_eq!(page.status, 200, "{path}");
        page.holds(holds);
    }
    let told = settings(&browser, "/ui-settings");
    assert_eq!(
        (&told["v1_base_url"], &told["v2_base_url"]),
        (&json!("/"), &json!("/v2"))
    );
    let moved = browser.get("/prefectd/flow-runs/flow-run/018f0000-0000-7000-8000-000000000001");
    let to = "/prefectd/runs/flow-run/018f0000-0000-7000-8000-000000000001";
    assert_eq!(moved.location.as_deref(), Some(to));
    assert_eq!(browser.get("/api/health").html, "true");
}

#[test]
fn what_is_no_wheel_of_prefect_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = TestDaemon::without_agent();
    assert!(install(&daemon, &good(dir.path())).0);
    let large = "0".repeat(33 * 1024 * 1024);
    let deep = format!("prefect/server/ui/{}x", "a/".repeat(200));
    let page = ("prefect/server/ui/index.html", "evil");
    for (what, files) in [
        ("no version", vec![page]),
        ("no page", vec![METADATA]),
        (
            "upwards",
            vec![METADATA, page, ("prefect/server/ui/../../../../x", "x")],
        ),
        (
            "absolute",
            vec![METADATA, page, ("prefect/server/ui//etc/x", "x")],
        ),
        (
            "hidden",
            vec![METADATA, page, ("prefect/server/ui/.x", "x")],
        ),
        (
            "backslash",
            vec![METADATA, page, ("prefect/server/ui/..\\x", "x")],
        ),
        (
            "link",
            vec![METADATA, page, ("prefect/server/ui/x", "link:/etc/passwd")],
        ),
        (
            "file and folder",
            vec![
                METADATA,
                page,
                ("prefect/server/ui/a", "x"),
                ("prefect/server/ui/a/b", "x"),
            ],
        ),
        (
            "large",
            vec![METADATA, page, ("prefect/server/ui/x", &*large)],
        ),
        ("deep", vec![METADATA, page, (&*deep, "x")]),
    ] {
        let (is_done, told) = install(&daemon, &wheel(dir.path(), &files));
        assert!(!is_done, "{what}: {told}");
        assert!(!told.contains("panicked"), "{what}: {told}");
    }
    let text = dir.path().join("text.whl");
    std::fs::write(&text, "PK\u{3}\u{4}no archive").unwrap();
    assert!(!install(&daemon, &text).0);
    Plain::at(&daemon.url()).get("/ui/").holds("v1");
    let left = std::fs::read_dir(daemon.state_dir()).unwrap();
    let left = left.filter_map(|it| it.unwrap().file_name().into_string().ok());
    let mut left: Vec<_> = left.filter(|name| name.starts_with("ui")).collect();
    left.sort();
    assert_eq!(left, ["ui", "ui.lock"]);
}
