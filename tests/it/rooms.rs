//! Who may import whom. The arrows go inward and stop at `domain`.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it may import.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("fault", &[]),
    ("clock", &["domain"]),
    ("config", &["domain"]),
    ("logging", &["config"]),
    ("metrics", &[]),
    ("relay", &[]),
    ("state_dir", &["domain"]),
    ("storage", &["domain", "fault", "metrics", "state_dir"]),
    ("runners", &["domain", "clock"]),
    ("outgoing", &["domain"]),
    ("app", &["storage", "domain", "clock", "outgoing"]),
    (
        "services",
        &["app", "runners", "domain", "fault", "metrics"],
    ),
    ("api", &["app", "domain", "metrics"]),
    ("pages", &["api", "app", "domain"]),
    (
        "cli",
        &[
            "api::v3::wire",
            "clock",
            "config",
            "domain",
            "logging",
            "runners",
            "services",
            // A backup is restored where no daemon runs.
            "state_dir",
            "storage::backup",
        ],
    ),
    (
        "daemon",
        &[
            "api",
            "app",
            "clock",
            "config",
            "domain",
            "fault",
            "logging",
            "pages",
            "relay",
            "runners",
            "services",
            "state_dir",
            "storage",
        ],
    ),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

/// The paths after `crate::` in a source file.
fn imports(text: &str) -> Vec<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    let paths = code.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        rest.get(..end.unwrap_or(rest.len())).unwrap().to_owned()
    });
    paths.collect()
}

fn room_of(path: &Path) -> String {
    let inside = path.strip_prefix("src").unwrap();
    let first = inside.components().next().unwrap();
    let name = first.as_os_str().to_str().unwrap();
    name.trim_end_matches(".rs").to_owned()
}

/// The imports that no arrow allows, each with its file.
fn offenders(path: &Path, text: &str) -> Vec<String> {
    let room = room_of(path);
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
        return Vec::new();
    };
    let may = |import: &String| {
        // The room itself is named by what is visible within it only.
        let own = *import == room || import.starts_with(&format!("{room}::"));
        own || allowed.iter().any(|room| {
            import
                .strip_prefix(room)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    };
    let bad = imports(text).into_iter().filter(|import| !may(import));
    bad.map(|import| format!("{} imports crate::{import}", path.display()))
        .collect()
}

#[test]
fn every_import_follows_an_arrow() {
    let mut bad = Vec::new();
    let mut seen = Vec::new();
    for path in sources(Path::new("src")) {
        seen.push(room_of(&path));
        bad.extend(offenders(&path, &fs::read_to_string(&path).unwrap()));
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    for (room, _) in ARROWS {
        assert!(
            seen.iter().any(|name| name == room),
            "there is no room {room}"
        );
    }
}

#[test]
fn the_dialects_never_see_each_other() {
    for (ours, theirs) in [("src/api/orion", "v3"), ("src/api/v3", "orion")] {
        for path in sources(Path::new(ours)) {
            let text = fs::read_to_string(&path).unwrap();
            let sees = [format!("api::{theirs}"), format!("super::{theirs}::")];
            let sees = sees.iter().any(|import| text.contains(import.as_str()));
            assert!(!sees, "{} sees {theirs}", path.display());
        }
    }
}

#[test]
fn routes_are_made_of_declarations_and_of_nothing_else() {
    for path in sources(Path::new("src/api")) {
        let text = fs::read_to_string(&path).unwrap();
        let makes_routes = [".route(", "route_service(", "nest(", "axum::routing"];
        let makes_routes = makes_routes.iter().any(|call| text.contains(call));
        let is_home = path.ends_with("api/operation.rs");
        assert_eq!(makes_routes, is_home, "{}", path.display());
    }
}

#[test]
fn foreign_crates_stay_in_their_rooms() {
    for (name, homes) in [
        ("rusqlite", &["storage"][..]),
        ("sea_query", &["storage"]),
        ("bollard", &["runners"]),
        ("axum", &["api", "pages", "daemon"]),
        ("askama", &["pages"]),
        ("clap", &["cli", "config", "bin"]),
        ("prometheus", &["metrics"]),
    ] {
        for path in sources(Path::new("src")) {
            let text = fs::read_to_string(&path).unwrap();
            let used = text.contains(&format!("use {name}")) || text.contains(&format!("{name}::"));
            let room = room_of(&path);
            assert!(
                !used || homes.contains(&room.as_str()),
                "{} uses {name}",
                path.display()
            );
        }
    }
}

#[test]
fn an_offender_would_be_named() {
    let path = Path::new("src/domain/state.rs");
    let found = offenders(
        path,
        "use crate::storage::Store;\nuse crate::domain::ids::FlowId;",
    );
    assert_eq!(found, ["src/domain/state.rs imports crate::storage::Store"]);
}
