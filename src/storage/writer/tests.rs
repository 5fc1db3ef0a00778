//! What callers hear, and what is stored.

use std::path::{Path, PathBuf};

use super::*;
use crate::storage::connection;
use crate::storage::lanes::{BYTES, MOST, SMALL};

fn writer() -> (tempfile::TempDir, Writer, PathBuf) {
    writer_of(usize::MAX)
}

/// On a file that grows to so many pages.
fn writer_of(pages: usize) -> (tempfile::TempDir, Writer, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let mut connection = connection::open_writer(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t (n INTEGER NOT NULL UNIQUE, filler BLOB) STRICT;
             CREATE TABLE other (n INTEGER) STRICT",
        )
        .unwrap();
    let pages = i64::try_from(pages).unwrap_or(i64::from(u32::MAX - 1));
    connection
        .pragma_update(None, "max_page_count", pages)
        .unwrap();
    let open = Open {
        checkpoints: Checkpoints::start(&path, &mut connection, LookUps::none()).unwrap(),
        connection,
        look_ups: LookUps::none(),
        files: DatabaseFiles::of(&path),
    };
    let folder = dir.path().to_owned();
    let writer = Writer::start(folder, Beginning::Open(Box::new(open)), Trouble::default());
    (dir, writer.unwrap(), path)
}

impl Writer {
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run(Job::prompt(0), work, |_| ()).await
    }
}

fn insert(n: i64) -> impl FnOnce(&Connection) -> Result<()> + Send {
    move |db| {
        db.execute("INSERT INTO t (n) VALUES (?1)", [n])?;
        Ok(())
    }
}

/// A row that takes many pages.
fn insert_large(n: i64, bytes: usize) -> impl FnOnce(&Connection) -> Result<()> + Send {
    move |db| {
        db.execute(
            "INSERT INTO t (n, filler) VALUES (?1, zeroblob(?2))",
            (n, bytes as i64),
        )?;
        Ok(())
    }
}

fn stored(path: &Path) -> Vec<i64> {
    let db = Connection::open(path).unwrap();
    let mut all = db.prepare("SELECT n FROM t ORDER BY n").unwrap();
    let rows = all.query_map([], |row| row.get(0)).unwrap();
    rows.map(|row| row.unwrap()).collect()
}

/// Holds the writer until it is released, so that what comes meanwhile shares a batch.
async fn held(writer: &Writer) -> std::sync::mpsc::Sender<()> {
    let (begun, has_begun) = oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let write = Written::new(
        move |_: &Connection| {
            begun.send(()).unwrap();
            let _ = released.recv();
            Ok(())
        },
        |_: &()| (),
        oneshot::channel().0,
    );
    writer.enqueue(Box::new(write), Job::prompt(0)).unwrap();
    has_begun.await.unwrap();
    release
}

#[tokio::test]
async fn one_failure_in_a_batch_undoes_only_itself() {
    let (_dir, writer, path) = writer();
    let outcomes = tokio::join!(
        writer.write(insert(1)),
        writer.write(|db: &Connection| {
            insert(2)(db)?;
            insert(1)(db)
        }),
        writer.write(insert(3)),
    );
    assert!(outcomes.0.is_ok() && outcomes.1.is_err() && outcomes.2.is_ok());
    assert_eq!(stored(&path), [1, 3]);
}

#[tokio::test]
async fn a_panic_in_a_write_is_an_error_of_that_write_alone() {
    let (_dir, writer, path) = writer();
    let panicked = writer.write(|db: &Connection| -> Result<()> {
        insert(7)(db)?;
        panic!("on purpose")
    });
    assert!(panicked.await.is_err());
    writer.write(insert(8)).await.unwrap();
    assert_eq!(stored(&path), [8]);
}

#[tokio::test]
async fn closing_keeps_what_was_queued_and_refuses_the_rest() {
    let (_dir, writer, path) = writer();
    writer.write(insert(1)).await.unwrap();
    writer.close();
    let refusal = writer.write(insert(2)).await.unwrap_err();
    assert_eq!(refusal.kind(), Kind::Unavailable);
    assert_eq!(stored(&path), [1]);
}

#[tokio::test]
async fn a_writer_that_is_slow_keeps_others_waiting_and_refuses_none() {
    let (_dir, writer, path) = writer();
    let release = held(&writer).await;
    let others = futures_util::future::join_all((1..=20).map(|n| writer.write(insert(n))));
    let slow = async {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        drop(release);
    };
    let (others, ()) = tokio::join!(others, slow);
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    assert_eq!(stored(&path).len(), 20);
}

#[tokio::test]
async fn what_waits_is_bounded_by_count_and_by_bytes() {
    let (_dir, writer, _path) = writer();
    let release = held(&writer).await;
    // One of any size is taken while nothing waits; another has no room beside it.
    let waiting = |bytes| {
        let write = Written::new(|_: &Connection| Ok(()), |_: &()| (), oneshot::channel().0);
        writer.enqueue(Box::new(write), Job::prompt(bytes))
    };
    waiting(2 * BYTES).unwrap();
    assert_eq!(waiting(SMALL + 1).unwrap_err().kind(), Kind::Unavailable);
    drop(release);
    writer.write(|_| Ok(())).await.unwrap();
    let release = held(&writer).await;
    for _ in 0..MOST {
        waiting(0).unwrap();
    }
    assert_eq!(waiting(0).unwrap_err().kind(), Kind::Unavailable);
    drop(release);
}

#[tokio::test]
async fn what_a_write_entails_is_done_though_its_caller_has_left() {
    let (_dir, writer, path) = writer();
    let (told, tells) = std::sync::mpsc::channel();
    let release = held(&writer).await;
    let leaves = writer.run(Job::prompt(0), insert(1), move |()| told.send(()).unwrap());
    let leaves = tokio::time::timeout(Duration::from_millis(10), leaves).await;
    assert!(leaves.is_err());
    drop(release);
    tells.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(stored(&path), [1]);
}

#[tokio::test]
async fn what_a_failed_write_would_entail_is_not_done() {
    let (_dir, writer, _path) = writer();
    writer.write(insert(1)).await.unwrap();
    let again = writer.run(Job::prompt(0), insert(1), |()| {
        panic!("nothing was written")
    });
    assert!(again.await.is_err());
    writer.write(insert(2)).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_inside_a_statement_fails_exactly_what_is_lost() {
    // Every order of small writes and one that does not fit, within a batch.
    for large_at in 0..5 {
        let (_dir, writer, path) = writer_of(40);
        let release = held(&writer).await;
        let writes = (0..5).map(|n| {
            let bytes = if n == large_at { 4096 * 100 } else { 10 };
            writer.write(insert_large(n, bytes))
        });
        let release = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            drop(release);
        };
        let (outcomes, ()) = tokio::join!(futures_util::future::join_all(writes), release);
        let kept: Vec<i64> = (0..5).filter(|n| outcomes[*n as usize].is_ok()).collect();
        assert_eq!(stored(&path), kept, "{outcomes:?}");
        for failed in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(failed.kind(), Kind::StorageFull, "{failed}");
        }
        assert!(outcomes[large_at as usize].is_err());
        let after = usize::try_from(4 - large_at).unwrap();
        assert!(
            kept.len() >= after,
            "what came later is stored: {outcomes:?}"
        );
    }
}

#[tokio::test]
async fn a_write_that_hides_a_lost_transaction_is_told_of_it() {
    let (_dir, writer, path) = writer_of(40);
    let hidden = writer.write(|db: &Connection| {
        insert(1)(db)?;
        let _ = insert_large(2, 4096 * 100)(db);
        Ok(())
    });
    assert!(hidden.await.is_err());
    assert_eq!(stored(&path), Vec::<i64>::new());
    writer.write(insert(3)).await.unwrap();
    assert_eq!(stored(&path), [3]);
}

#[tokio::test]
async fn nothing_is_written_into_a_file_that_is_not_in_its_place() {
    let (dir, writer, path) = writer();
    writer.write(insert(1)).await.unwrap();
    let aside = dir.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    let refusal = writer.write(insert(2)).await.unwrap_err();
    assert_eq!(refusal.kind(), Kind::StorageLost);
    std::fs::rename(&aside, &path).unwrap();
    writer.write(insert(3)).await.unwrap();
    assert_eq!(stored(&path), [1, 3]);
}
