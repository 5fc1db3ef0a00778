use super::*;

struct Stored {
    dir: tempfile::TempDir,
    writer: Connection,
    look_ups: Arc<LookUps>,
}

fn stored() -> Stored {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let writer = connection::open_writer(&path).unwrap();
    writer
        .execute_batch("CREATE TABLE t (n); INSERT INTO t VALUES (1)")
        .unwrap();
    let look_ups = LookUps::open(&path).unwrap();
    Stored {
        dir,
        writer,
        look_ups,
    }
}

impl Stored {
    fn write(&self) {
        self.writer.execute("UPDATE t SET n = n + 1", []).unwrap();
        self.look_ups.committed();
    }

    fn read(&self) -> i64 {
        let free = self.look_ups.free().unwrap();
        free.query_row("SELECT n FROM t", [], |row| row.get(0))
            .unwrap()
    }

    fn kept(&self) -> usize {
        let each = self.look_ups.each.iter();
        each.filter(|it| it.lock().is_kept()).count()
    }

    /// How much of the log was not carried over.
    fn left(&self) -> i64 {
        let read = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
        let sql = "PRAGMA wal_checkpoint(PASSIVE)";
        self.writer.query_row(sql, [], read).unwrap()
    }
}

#[test]
fn whoever_looks_after_a_commit_sees_it() {
    let stored = stored();
    for n in 2..20 {
        stored.write();
        for _ in 0..n % 4 {
            assert_eq!(stored.read(), n);
        }
    }
}

#[test]
fn what_is_seen_is_kept_once_it_is_asked_for_again() {
    let stored = stored();
    stored.write();
    stored.read();
    assert_eq!(stored.kept(), 0);
    stored.read();
    assert_eq!(stored.kept(), 1);
    stored.write();
    stored.read();
    assert_eq!(stored.kept(), 0);
    // Both, where they are used at once.
    for _ in 0..2 {
        let (one, other) = (stored.look_ups.free(), stored.look_ups.free());
        assert!(one.is_some() && other.is_some());
        assert!(stored.look_ups.free().is_none());
    }
    assert_eq!(stored.kept(), 2);
}

#[test]
fn what_is_seen_holds_up_the_log_until_it_is_let_go() {
    let stored = stored();
    for _ in 0..3 {
        stored.read();
    }
    stored.write();
    assert_ne!(stored.left(), 0);
    stored.look_ups.let_go();
    assert_eq!((stored.kept(), stored.left()), (0, 0));
}

#[test]
fn the_log_begins_anew_once_it_was_carried_over() {
    let stored = stored();
    for _ in 0..20 {
        stored.write();
        stored.read();
        stored.read();
        stored.look_ups.let_go();
        assert_eq!(stored.left(), 0);
        stored.look_ups.let_go();
        stored.read();
        stored.read();
        assert_eq!(stored.kept(), 1);
    }
    let log = stored.dir.path().join("t.db-wal");
    assert!(log.metadata().unwrap().len() < 10 * 4096);
}

#[test]
fn a_look_up_that_is_broken_off_leaves_the_next_one_what_is_new() {
    let stored = stored();
    for n in 2..5 {
        for _ in 0..2 {
            let mut free = stored.look_ups.free().unwrap();
            free.progress_handler(1, Some(|| true)).unwrap();
            let broken = free.query_row("SELECT count(*) FROM t, t AS u", [], |_| Ok(()));
            assert!(broken.is_err());
            free.progress_handler(0, None::<fn() -> bool>).unwrap();
        }
        stored.write();
        assert_eq!(stored.read(), n);
    }
}

#[test]
fn nothing_is_kept_while_the_log_is_long() {
    let stored = stored();
    for _ in 0..3 {
        stored.read();
    }
    stored.look_ups.log_has(LONG);
    stored.read();
    assert_eq!(stored.kept(), 0);
    stored.look_ups.log_has(LONG - 1);
    stored.read();
    assert_eq!(stored.kept(), 1);
    // Nobody could look.
    stored.look_ups.log_has(-1);
    stored.read();
    assert_eq!(stored.kept(), 0);
    stored.look_ups.close();
    stored.look_ups.log_has(0);
    for _ in 0..3 {
        stored.read();
    }
    assert_eq!(stored.kept(), 0);
}
