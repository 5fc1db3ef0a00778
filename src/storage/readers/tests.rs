use super::*;

fn readers() -> (tempfile::TempDir, Readers) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let _writer = connection::open_writer(&path).unwrap();
    let readers = Readers::start(&path, LookUps::open(&path).unwrap()).unwrap();
    (dir, readers)
}

fn one(db: &Connection) -> Result<i64> {
    Ok(db.query_row("SELECT 1", [], |row| row.get(0))?)
}

/// Counts for ever.
fn endless(db: &Connection) -> Result<i64> {
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
               SELECT count(*) FROM n";
    Ok(db.query_row(sql, [], |row| row.get(0))?)
}

#[tokio::test]
async fn a_panic_in_a_read_is_an_error_of_that_read_alone() {
    let (_dir, readers) = readers();
    for _ in 0..8 {
        let panicked = readers.run(|_| -> Result<()> { panic!("on purpose") });
        assert!(panicked.await.is_err());
        let panicked = readers.scan(|_| -> Result<()> { panic!("on purpose") });
        assert!(panicked.await.is_err());
        let panicked = readers.by_key(|_| -> Result<()> { panic!("on purpose") });
        assert!(panicked.await.is_err());
    }
    assert_eq!(readers.run(one).await.unwrap(), 1);
    assert_eq!(readers.scan(one).await.unwrap(), 1);
    assert_eq!(readers.by_key(one).await.unwrap(), 1);
}

#[tokio::test]
async fn a_scan_has_its_time_and_no_more() {
    let (_dir, mut readers) = readers();
    readers.slice = Duration::from_millis(20);
    readers.longest = Duration::from_millis(50);
    for _ in 0..2 * SLOW {
        let refusal = readers.scan(endless).await.unwrap_err();
        assert_eq!(refusal.kind(), Kind::TooSlow, "{refusal}");
    }
    assert_eq!(readers.scan(one).await.unwrap(), 1);
}

#[tokio::test]
async fn a_scan_of_a_few_steps_needs_no_thread() {
    let (_dir, readers) = readers();
    let asked_by = thread::current().id();
    let found = readers.find(|db| one(db).map(|_| thread::current().id()));
    assert_eq!(found.await.unwrap(), asked_by);
    let many = |db: &Connection| {
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000)
                   SELECT count(*) FROM n";
        let count: i64 = db.query_row(sql, [], |row| row.get(0))?;
        Ok((count, thread::current().id()))
    };
    let (count, by) = readers.find(many).await.unwrap();
    assert_eq!(count, 10_000);
    assert_ne!(by, asked_by);
}

#[tokio::test]
async fn scans_that_nobody_waits_for_end_and_hold_up_nothing_short() {
    let (_dir, readers) = readers();
    {
        let many: Vec<_> = (0..3 * SLOW).map(|_| readers.scan(endless)).collect();
        let all = futures_util::future::join_all(many);
        let mut all = std::pin::pin!(all);
        let short = async {
            for _ in 0..20 {
                assert_eq!(readers.run(one).await.unwrap(), 1);
                assert_eq!(readers.by_key(one).await.unwrap(), 1);
            }
        };
        tokio::select! {
            _ = &mut all => panic!("they do not end"),
            () = short => {}
        }
    }
    // All of them have been left; the lane is free again well before their time is up.
    let free = tokio::time::timeout(LONGEST / 2, readers.scan(one));
    assert_eq!(free.await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn a_list_that_is_found_at_once_does_not_wait_for_scans_that_take_long() {
    let (_dir, mut readers) = readers();
    readers.slice = Duration::from_millis(50);
    readers.longest = Duration::from_secs(5);
    let many = (0..8).map(|_| Box::pin(readers.scan(endless)));
    let mut first = futures_util::future::select_all(many);
    tokio::select! {
        biased;
        _ = &mut first => panic!("one that takes long was first"),
        one = async { readers.find(one).await } => assert_eq!(one.unwrap(), 1),
    }
    let (refusal, _, _) = first.await;
    assert_eq!(refusal.unwrap_err().kind(), Kind::TooSlow);
}
