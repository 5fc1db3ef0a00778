//! The way out and back, and what is not believed on the way back.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::domain::error::{Kind, Result};
use crate::domain::flow::NewFlow;
use crate::domain::time::Timestamp;
use crate::state_dir;
use crate::storage::blobs::Blobs;
use crate::storage::{Connection, Store, flows};

/// An archive of a store with one flow and one document, and the document's name.
async fn archive() -> (Vec<u8>, String) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&state_dir::database(dir.path())).unwrap();
    let blobs = Blobs::open(&state_dir::blobs(dir.path())).unwrap();
    let now = Timestamp::from_micros(1_700_000_000_000_000);
    store
        .write(move |db| put_flow(db, "kept", now))
        .await
        .unwrap();
    let document = blobs.put(b"flow code".to_vec()).await.unwrap();
    let copy = store.copy().await.unwrap();
    let mut archive = Vec::new();
    let manifest = pack(copy, &blobs, now, &mut archive).unwrap();
    assert_eq!((manifest.documents, manifest.flow_runs), (1, 0));
    assert_eq!(manifest.created, "2023-11-14T22:13:20Z");
    let left = fs::read_dir(dir.path()).unwrap().flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().starts_with('.')),
        "{left:?}"
    );
    (archive, document.to_string())
}

fn put_flow(db: &Connection, name: &str, now: Timestamp) -> Result<()> {
    let new = NewFlow::named(name);
    flows::upsert(db, &new, now).map(drop)
}

/// The archive with each entry as `change` wants it.
fn altered(archive: &[u8], change: impl Fn(&str, Vec<u8>) -> Option<(String, Vec<u8>)>) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        if let Some((name, bytes)) = change(&name, bytes) {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            // As it stands: a name that leads elsewhere is what is to be refused.
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            out.append(&header, bytes.as_slice()).unwrap();
        }
    }
    out.into_inner().unwrap()
}

fn new_dir() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    drop(state_dir::take(&state).unwrap());
    (dir, state)
}

async fn flow_names(state: &Path) -> Vec<String> {
    let store = Store::open(&state_dir::database(state)).unwrap();
    let found = store.read(|db| flows::by_name(db, "kept")).await.unwrap();
    found.into_iter().map(|flow| flow.name).collect()
}

#[tokio::test]
async fn what_was_packed_is_restored() {
    let (archive, document) = archive().await;
    let (_dir, state) = new_dir();
    let restored = restore(archive.as_slice(), &state, false).unwrap();
    assert_eq!(restored.replaced, None);
    assert_eq!(flow_names(&state).await, ["kept"]);
    let blobs = Blobs::open(&state_dir::blobs(&state)).unwrap();
    assert_eq!(
        std::fs::read(blobs.path(document.parse().unwrap())).unwrap(),
        b"flow code"
    );
}

#[tokio::test]
async fn a_database_that_is_there_is_refused_or_kept_aside() {
    let (archive, _) = archive().await;
    let (_dir, state) = new_dir();
    let store = Store::open(&state_dir::database(&state)).unwrap();
    let now = Timestamp::from_micros(1);
    store
        .write(move |db| put_flow(db, "earlier", now))
        .await
        .unwrap();
    store.close();
    let refusal = restore(archive.as_slice(), &state, false).unwrap_err();
    assert_eq!(refusal.kind(), Kind::Conflict);
    let kept = restore(archive.as_slice(), &state, true).unwrap().replaced;
    assert_eq!(flow_names(&state).await, ["kept"]);
    let earlier = Store::open(&kept.unwrap()).unwrap();
    let found = earlier.read(|db| flows::by_name(db, "earlier")).await;
    assert!(found.unwrap().is_some());
}

#[tokio::test]
async fn a_database_that_is_no_database_is_replaced_with_its_log() {
    let (archive, _) = archive().await;
    let (_dir, state) = new_dir();
    fs::write(state_dir::database(&state), "scrambled").unwrap();
    fs::write(state.join("prefectd.db-wal"), "scrambled, too").unwrap();
    let kept = restore(archive.as_slice(), &state, true).unwrap().replaced;
    assert_eq!(fs::read_to_string(kept.unwrap()).unwrap(), "scrambled");
    assert_eq!(flow_names(&state).await, ["kept"]);
}

#[tokio::test]
async fn a_damaged_or_foreign_archive_changes_nothing() {
    let (archive, document) = archive().await;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("no backup", b"hello".repeat(500)),
        ("no backup", Vec::new()),
        ("damaged", archive[..archive.len() / 2].to_vec()),
        (
            "not complete",
            altered(&archive, |name, bytes| {
                (!name.starts_with("blobs/")).then(|| (name.to_owned(), bytes))
            }),
        ),
        (
            &document,
            altered(&archive, |name, mut bytes| {
                if name.starts_with("blobs/") {
                    bytes[0] ^= 1;
                }
                Some((name.to_owned(), bytes))
            }),
        ),
        (
            "damaged",
            altered(&archive, |name, mut bytes| {
                if name == DATABASE {
                    bytes[4096..].fill(7);
                }
                Some((name.to_owned(), bytes))
            }),
        ),
        (
            "no backup",
            altered(&archive, |name, bytes| {
                let name = name.replace("blobs/", "blobs/../../");
                Some((name, bytes))
            }),
        ),
        (
            "use that version",
            altered(&archive, |name, bytes| {
                let text =
                    String::from_utf8_lossy(&bytes).replace("\"format\": 2", "\"format\": 3");
                let is_manifest = name == MANIFEST;
                Some((
                    name.to_owned(),
                    if is_manifest { text.into() } else { bytes },
                ))
            }),
        ),
    ];
    for (word, bad) in cases {
        let (dir, state) = new_dir();
        let refusal = restore(bad.as_slice(), &state, true).unwrap_err();
        assert!(refusal.message().contains(word), "{word}: {refusal}");
        let left = fs::read_dir(&state).unwrap().count();
        assert_eq!(left, 1, "only the lock");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn a_database_with_rows_that_refer_to_nothing_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let database = state_dir::database(dir.path());
    let now = Timestamp::from_micros(1);
    let run = "INSERT INTO flow_runs (id, created, updated, name, flow_id, run_count)
        SELECT randomblob(16), 0, 0, 'r', id, 0 FROM flows";
    let store = Store::open(&database).unwrap();
    let written = store.write(move |db| {
        put_flow(db, "gone", now)?;
        Ok(db.execute(run, [])?)
    });
    assert_eq!(written.await.unwrap(), 1);
    let blobs = Blobs::open(&state_dir::blobs(dir.path())).unwrap();
    let packed = async |store: &Store| {
        let mut archive = Vec::new();
        let copy = store.copy().await.unwrap();
        pack(copy, &blobs, now, &mut archive).unwrap();
        archive
    };
    let sound = packed(&store).await;
    // No statement of the daemon's own could do it.
    let stranger = rusqlite::Connection::open(&database).unwrap();
    stranger.pragma_update(None, "foreign_keys", false).unwrap();
    stranger.execute("DELETE FROM flows", []).unwrap();
    let dangling = packed(&store).await;
    let (_dir, state) = new_dir();
    let refusal = restore(dangling.as_slice(), &state, false).unwrap_err();
    let words = "1 rows refer to nothing";
    assert!(refusal.message().contains(words), "{refusal}");
    assert!(!state_dir::database(&state).exists());
    restore(sound.as_slice(), &state, false).unwrap();
}

#[tokio::test]
async fn a_second_copy_at_the_same_time_is_refused() {
    let (_dir, state) = new_dir();
    let store = Store::open(&state_dir::database(&state)).unwrap();
    let turn = store.inner.copying.clone().try_lock_owned().unwrap();
    assert_eq!(store.copy().await.unwrap_err().kind(), Kind::Conflict);
    drop(turn);
    assert_eq!(store.copy().await.unwrap().summary.flow_runs, 0);
}

#[tokio::test]
async fn a_flipped_bit_anywhere_is_found() {
    let (archive, _) = archive().await;
    let (_dir, state) = new_dir();
    // Every byte of what is small, a bit here and there in the database.
    let database = archive.len() / 2;
    let few = (0..archive.len()).step_by(1999);
    let ends = (0..1536)
        .step_by(7)
        .chain(archive.len() - 4096..archive.len());
    for at in few.chain(ends.step_by(5)).chain([database]) {
        let mut bad = archive.clone();
        bad[at] ^= 1 << (at % 8);
        let refusal = restore(bad.as_slice(), &state, true);
        assert!(refusal.is_err(), "byte {at} of {}", archive.len());
    }
    assert!(restore(archive.as_slice(), &state, true).is_ok());
}

#[tokio::test]
async fn a_backup_of_the_form_before_is_restored() {
    let (archive, _) = archive().await;
    let old = altered(&archive, |name, bytes| {
        let text = String::from_utf8_lossy(&bytes).replace("\"format\": 2", "\"format\": 1");
        let lines = text
            .lines()
            .filter(|line| !line.contains("database_sha256"));
        let old = lines.collect::<Vec<_>>().join("\n");
        match name {
            MANIFEST => Some((name.to_owned(), old.into())),
            SEAL => None,
            _ => Some((name.to_owned(), bytes)),
        }
    });
    let (_dir, state) = new_dir();
    let restored = restore(old.as_slice(), &state, false).unwrap();
    assert!(!restored.manifest.is_sealed());
    assert_eq!(flow_names(&state).await, ["kept"]);
}
