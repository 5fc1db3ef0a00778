//! Writes backups.

use std::fs::{self, File, OpenOptions};
use std::io::{IsTerminal, Write, stdout};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{NaiveDateTime, Utc};
use serde_json::json;

use super::Ctl;
use crate::cli::failure::{Failure, Result};
use crate::cli::render;
use crate::state_dir::NO_LINKS;

/// How a backup in a directory is named after its time.
const DATED: &str = "prefectd-%Y%m%dT%H%M%SZ.tar";

/// Writes a backup to a file, into a directory, or to standard output.
pub async fn backup(ctl: &Ctl, to: &Path, force: bool, keep: Option<u64>) -> Result<()> {
    let is_folder = to.is_dir();
    if !is_folder && to.as_os_str().as_encoded_bytes().ends_with(b"/") {
        let shown = to.display();
        return Err(Failure::new(format!(
            "there is no directory {shown}; create it"
        )));
    }
    if keep.is_some() && !is_folder {
        let shown = to.display();
        return Err(Failure::usage(format!(
            "--keep needs a directory, and {shown} is none; create it, or leave --keep out"
        )));
    }
    if to == Path::new("-") {
        return to_stdout(ctl).await;
    }
    let file = if is_folder {
        to.join(Utc::now().format(DATED).to_string())
    } else {
        to.to_owned()
    };
    if file.exists() && !force {
        let shown = file.display();
        return Err(Failure::new(format!(
            "{shown} is there already; give another name, or --force to replace it"
        )));
    }
    let mut draft = Draft::beside(&file)?;
    let bytes = tokio::select! {
        written = receive(ctl, &mut draft.file) => written?,
        _ = tokio::signal::ctrl_c() => return Err(Failure::new("interrupted; nothing was written")),
    };
    draft.settle()?;
    let removed = match keep {
        Some(keep) => thin_out(to, keep)?,
        None => Vec::new(),
    };
    let told = json!({ "file": file, "bytes": bytes, "removed": removed });
    render::print(ctl.output, &told, |_| {
        let size = render::bytes(bytes);
        let mut lines = vec![format!("{} ({size})", file.display())];
        lines.extend(
            removed
                .iter()
                .map(|old| format!("removed {}", old.display())),
        );
        lines.join("\n")
    })
}

/// The archive is all that standard output gets.
async fn to_stdout(ctl: &Ctl) -> Result<()> {
    if stdout().is_terminal() {
        let words = "a backup is no text for a terminal; give a file, or send it into a pipe";
        return Err(Failure::usage(words));
    }
    let mut out = stdout().lock();
    receive(ctl, &mut out).await.map(drop)
}

/// Writes the archive to `out`, flushed, and answers its size.
async fn receive(ctl: &Ctl, out: &mut impl Write) -> Result<u64> {
    let mut progress = render::Progress::new();
    progress.tell("copying the database");
    let mut bytes = 0;
    ctl.client
        .download("/prefectd/backup", |piece| {
            out.write_all(piece)?;
            bytes += piece.len() as u64;
            progress.tell_often(|| format!("{} received", render::bytes(bytes)));
            Ok(())
        })
        .await?;
    out.flush()?;
    Ok(bytes)
}

/// Removes all but the newest `keep` backups that are named after their time.
fn thin_out(folder: &Path, keep: u64) -> Result<Vec<PathBuf>> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let names = names.collect::<std::io::Result<Vec<_>>>()?;
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    let mut dated: Vec<_> = names.filter(|name| is_dated(name)).collect();
    // The names sort by time.
    dated.sort_unstable_by(|one, other| other.cmp(one));
    let keep = usize::try_from(keep).unwrap_or(usize::MAX);
    let old: Vec<_> = dated
        .iter()
        .skip(keep)
        .map(|name| folder.join(name))
        .collect();
    for path in &old {
        fs::remove_file(path)?;
    }
    Ok(old)
}

fn is_dated(name: &str) -> bool {
    NaiveDateTime::parse_from_str(name, DATED).is_ok()
}

/// A file beside its final place; it is removed unless it is settled there.
struct Draft {
    file: File,
    path: PathBuf,
    place: PathBuf,
}

impl Draft {
    fn beside(place: &Path) -> Result<Self> {
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let path = place.with_file_name(format!(".{name}.{}", std::process::id()));
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            // It holds all that the runs were given, secrets included.
            .mode(0o600)
            .custom_flags(NO_LINKS)
            .open(&path);
        let file = opened
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))?;
        let place = place.to_owned();
        Ok(Self { file, path, place })
    }

    /// Once this answers, the file is there whole and survives power loss.
    fn settle(self) -> Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.place)?;
        let folder = self
            .place
            .parent()
            .filter(|folder| *folder != Path::new(""));
        Ok(File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Once it is settled, nothing has this name.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_backups_named_after_their_time_are_thinned_out() {
        let dir = tempfile::tempdir().unwrap();
        let names = [
            "prefectd-20240101T030000Z.tar",
            "prefectd-20240102T030000Z.tar",
            "prefectd-20240103T030000Z.tar",
            "prefectd-mine.tar",
            "prefectd-20230101T030000Z.tar.gz",
        ];
        for name in names {
            File::create(dir.path().join(name)).unwrap();
        }
        let removed = thin_out(dir.path(), 2).unwrap();
        assert_eq!(removed, [dir.path().join("prefectd-20240101T030000Z.tar")]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
        assert!(is_dated(&Utc::now().format(DATED).to_string()));
    }
}
