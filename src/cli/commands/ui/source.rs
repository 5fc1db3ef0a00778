//! Where Prefect's own UI comes from: a wheel, or the packages of a Python.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;
use zip::ZipArchive;

use super::fresh::{Fresh, folder_of};
use crate::cli::failure::{Failure, Result};

/// The most entries of a wheel, and of a package's UI.
const MOST_ENTRIES: usize = 20_000;
/// The largest wheel, in bytes.
const LARGEST_WHEEL: u64 = 256 * 1024 * 1024;
/// The most of a wheel's description that is read, in bytes.
const MOST_METADATA: u64 = 1024 * 1024;
/// How deep folders lie in folders.
const DEEPEST: usize = 8;
/// The package, as a wheel has it.
const PACKAGE: &str = "prefect/";

/// Tells where a Python has Prefect, and which. Nothing of Prefect is run.
const ASK: &str = "\
import importlib.util, importlib.metadata, json
found = importlib.util.find_spec('prefect')
places = list(found.submodule_search_locations or []) if found else []
print(json.dumps({'places': places, 'version': importlib.metadata.version('prefect') if places else ''}))
";

/// Takes the UI out of a wheel; answers the version of Prefect.
pub fn wheel(path: &Path, fresh: &mut Fresh) -> Result<String> {
    let shown = path.display();
    let told =
        |error: &dyn std::fmt::Display| Failure::new(format!("cannot read {shown}: {error}"));
    let file = File::open(path).map_err(|error| told(&error))?;
    let size = file.metadata().map_err(|error| told(&error))?.len();
    if size > LARGEST_WHEEL {
        return Err(Failure::new(format!(
            "{shown} is larger than a wheel of prefect"
        )));
    }
    let mut archive = ZipArchive::new(file).map_err(|error| told(&error))?;
    if archive.len() > MOST_ENTRIES {
        return Err(Failure::new(format!(
            "{shown} has more files than a wheel of prefect"
        )));
    }
    let mut version = None;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| told(&error))?;
        let entry_of = entry.entry();
        let (is_dir, is_link) = (entry_of.is_dir(), entry_of.is_symlink());
        let name = entry_of.name().map_err(|error| told(&error))?.into_owned();
        if is_dir {
            continue;
        }
        if is_metadata(&name) {
            version = version_in(&mut entry).map_err(|error| told(&error))?;
        }
        let Some(inside) = name.strip_prefix(PACKAGE) else {
            continue;
        };
        if folder_of(inside).is_some() && is_link {
            return Err(Failure::new(format!(
                "{shown} has a symbolic link at {name}"
            )));
        }
        fresh.take(inside, &mut entry)?;
    }
    version.ok_or_else(|| Failure::new(format!("{shown} is no wheel of prefect")))
}

fn is_metadata(name: &str) -> bool {
    name.split_once('/').is_some_and(|(folder, file)| {
        file == "METADATA" && folder.starts_with("prefect-") && folder.ends_with(".dist-info")
    })
}

/// What a wheel's description says of its version, where that looks like one.
fn version_in(description: &mut impl Read) -> std::io::Result<Option<String>> {
    let mut text = Vec::new();
    description.take(MOST_METADATA).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().take_while(|line| !line.is_empty());
    let told = lines.find_map(|line| line.strip_prefix("Version:"));
    Ok(told
        .map(str::trim)
        .filter(|it| is_version(it))
        .map(str::to_owned))
}

fn is_version(text: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '_');
    (1..=64).contains(&text.len()) && text.chars().all(is_fit)
}

#[derive(Deserialize)]
struct Found {
    places: Vec<PathBuf>,
    version: String,
}

/// Takes the UI out of the packages of a Python; answers the version of Prefect.
pub async fn python(python: &Path, fresh: &mut Fresh) -> Result<String> {
    let shown = python.display();
    let asked = Command::new(python)
        .args(["-I", "-c", ASK])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let answer = asked
        .await
        .map_err(|error| Failure::new(format!("cannot run {shown}: {error}")))?;
    let found: Option<Found> = serde_json::from_slice(&answer.stdout).ok();
    let found = found.filter(|it| answer.status.success() && is_version(&it.version));
    let Some(Found { places, version }) = found else {
        return Err(Failure::new(format!(
            "{shown} has no prefect; name another with --python, or a wheel with --wheel"
        )));
    };
    for place in &places {
        for inside in ["server/ui", "server/ui-v2"] {
            let folder = place.join(inside);
            if folder.is_dir() {
                walk(&folder, inside, DEEPEST, fresh)?;
            }
        }
    }
    Ok(version)
}

/// Takes all files of a folder.
fn walk(folder: &Path, inside: &str, depth: usize, fresh: &mut Fresh) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let inside = format!("{inside}/{}", name.to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 0 {
            walk(&entry.path(), &inside, depth - 1, fresh)?;
        } else if kind.is_file() {
            fresh.take(&inside, &mut File::open(entry.path())?)?;
        } else {
            let shown = entry.path();
            let words = format!("{} is no plain file", shown.display());
            return Err(Failure::new(words));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_says_its_version() {
        for (text, version) in [
            (
                "Metadata-Version: 2.4\nName: prefect\nVersion: 3.9.1\n\nVersion: 0\n",
                Some("3.9.1"),
            ),
            ("Version: 2.20.26+dev-1\n", Some("2.20.26+dev-1")),
            ("Version: <b>\n", None),
            ("Name: prefect\n\nVersion: 3\n", None),
            ("", None),
        ] {
            let found = version_in(&mut text.as_bytes()).unwrap();
            assert_eq!(found.as_deref(), version, "{text}");
        }
        assert!(is_metadata("prefect-3.9.1.dist-info/METADATA"));
        assert!(!is_metadata("prefect/x-3.dist-info/METADATA"));
    }
}
