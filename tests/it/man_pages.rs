//! The man pages: that they are written, whole, and as `man` takes them.

use std::path::Path;
use std::process::Command;

/// Writes them into a folder of their own, and answers it.
fn written() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_prefectctl"))
        .arg("man")
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    dir
}

fn pages(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut pages: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    pages
}

#[test]
fn there_is_a_page_for_each_program_and_command_that_says_what_the_environment_may_say() {
    let dir = written();
    let pages = pages(dir.path());
    assert!(pages.len() > 40, "{pages:?}");
    for name in [
        "prefectctl.1",
        "prefectctl-deployment-schedule-pause.1",
        "prefectd.8",
        "prefectd.toml.5",
    ] {
        assert!(dir.path().join(name).is_file(), "{name}");
    }
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let name = page.file_name().unwrap().to_str().unwrap();
        if name.ends_with(".1") {
            for variable in ["PREFECTD_SOCKET", "PREFECT_API_URL", "DOCKER_HOST"] {
                assert!(text.contains(variable), "{name}: {variable}");
            }
        }
        assert!(text.starts_with(".ie") || text.starts_with(".TH"), "{name}");
    }
    let daemon = std::fs::read_to_string(dir.path().join("prefectd.8")).unwrap();
    assert!(daemon.contains("DOCKER_TLS_VERIFY"), "{daemon}");
}

/// Where `tests/run` has seen to groff.
#[cfg(feature = "client")]
#[test]
fn groff_renders_every_page_without_a_warning() {
    let dir = written();
    for page in pages(dir.path()) {
        let output = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww", "-P-cbou"])
            .arg(&page)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && told.is_empty(),
            "{page:?}: {told}"
        );
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("NAME"), "{page:?}: {text}");
    }
}
