//! Prefect's own UI: a bundle of static files that the `prefect` package brings, copied into the
//! state directory for the daemon to serve. It is no part of this program.

mod fresh;
mod source;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::deploy::default_python;
use crate::cli::args::{Output, Ui};
use crate::cli::failure::{Failure, Result};
use crate::cli::render;
use crate::config;
use crate::state_dir;
use fresh::Fresh;

/// Carries a command out.
pub async fn carry_out(output: Output, command: Ui) -> Result<()> {
    match command {
        Ui::Install {
            python,
            wheel,
            state_dir,
        } => {
            let state_dir = place(state_dir)?;
            let mut fresh = Fresh::within(&state_dir)?;
            let version = match wheel {
                Some(wheel) => source::wheel(&wheel, &mut fresh)?,
                None => source::python(&python.unwrap_or_else(default_python), &mut fresh).await?,
            };
            install(output, fresh, &version, &state_dir)
        }
        Ui::Remove { state_dir } => {
            let folder = state_dir::ui(&place(state_dir)?);
            Fresh::remove(&folder)?;
            let told = json!({ "removed": folder });
            render::print(output, &told, |_| format!("removed {}", folder.display()))
        }
    }
}

fn place(named: Option<PathBuf>) -> Result<PathBuf> {
    let found = match named {
        Some(dir) => dir,
        None => config::state_dir().map_err(|error| Failure::new(error.to_string()))?,
    };
    match found.is_dir() {
        true => Ok(found),
        false => Err(Failure::usage(format!(
            "there is no state directory {}; --state-dir names the daemon's",
            found.display()
        ))),
    }
}

fn install(output: Output, fresh: Fresh, version: &str, state_dir: &Path) -> Result<()> {
    let installed = fresh.install(version)?;
    let told = json!({
        "prefect": version,
        "files": installed.files,
        "bytes": installed.bytes,
        "folder": state_dir::ui(state_dir),
    });
    render::print(output, &told, |_| {
        format!(
            "installed the UI of prefect {version}: {} files, {}; the daemon serves it under /ui/",
            installed.files,
            render::bytes(installed.bytes)
        )
    })
}
