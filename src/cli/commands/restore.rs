//! Restores backups, where no daemon runs.

use std::fs::File;
use std::io::{BufReader, Read, stdin};
use std::path::{Path, PathBuf};

use chrono::DateTime;
use serde_json::json;

use crate::cli::args::Output;
use crate::cli::failure::{Failure, Result};
use crate::cli::render;
use crate::config;
use crate::state_dir;
use crate::storage::backup;

/// Restores a backup into a state directory.
pub fn restore(output: Output, file: &Path, dir: Option<PathBuf>, force: bool) -> Result<()> {
    let dir = match dir {
        Some(dir) => dir,
        None => config::state_dir().map_err(|error| Failure::new(error.to_string()))?,
    };
    let archive = open(file)?;
    let _lock = state_dir::take(&dir).map_err(|error| Failure::new(format!("{error:#}")))?;
    let restored = backup::restore(archive, &dir, force)?;
    let told = json!({
        "state_dir": dir,
        "replaced": restored.replaced,
        "backup": restored.manifest,
    });
    if !restored.manifest.is_sealed() {
        eprintln!(
            "warning: the backup is of an older form without checksums: that it is sound is \
             checked, that it is unchanged cannot be"
        );
    }
    render::print(output, &told, |_| {
        let backup = &restored.manifest;
        let replaced = restored
            .replaced
            .as_ref()
            .map(|path| path.display().to_string());
        render::pairs(
            [
                ("restored", dir.display().to_string()),
                ("backup of", when(&backup.created)),
                ("flow runs", backup.flow_runs.to_string()),
                ("documents", backup.documents.to_string()),
                (
                    "kept aside",
                    replaced.unwrap_or_else(|| "nothing".to_owned()),
                ),
            ]
            .into_iter(),
        )
    })
}

/// When a backup was made, for people; as it is written where it is no time.
fn when(created: &str) -> String {
    let read = DateTime::parse_from_rfc3339(created);
    read.map_or_else(
        |_| created.to_owned(),
        |at| render::instant(at.to_utc().into()),
    )
}

fn open(file: &Path) -> Result<Watched<Box<dyn Read>>> {
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(stdin().lock())
    } else {
        let opened = File::open(file)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", file.display())))?;
        Box::new(BufReader::new(opened))
    };
    Ok(Watched {
        source,
        bytes: 0,
        progress: render::Progress::new(),
    })
}

/// Tells how much of it was read.
struct Watched<R> {
    source: R,
    bytes: u64,
    progress: render::Progress,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.bytes += count as u64;
        let bytes = self.bytes;
        match count {
            0 => self.progress.tell("checking what was restored"),
            _ => self
                .progress
                .tell_often(|| format!("{} unpacked", render::bytes(bytes))),
        }
        Ok(count)
    }
}
