use super::*;

fn append(journal: &Journal, bytes: &[u8]) -> bool {
    let moved = journal.make_room(bytes.len()).unwrap().is_some();
    let from = journal.length();
    let put = |file: &File, at: u64, most: usize| {
        let done = bytes.len() - most;
        file.write_at(&bytes[done..], at)
    };
    let filled = journal.fill(bytes.len(), put).unwrap();
    assert_eq!(filled, from..from + bytes.len() as u64);
    moved
}

fn again(folder: &Path, journal: &Journal) -> (Journal, Left) {
    let file = journal.file().try_clone().unwrap();
    Journal::taken_up(folder, file).unwrap()
}

#[test]
fn a_request_is_taken_up_under_its_key_until_it_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path()).unwrap();
    assert_eq!(again(dir.path(), &journal).1, Left::Idle);
    append(&journal, b"GET / HT");
    append(&journal, b"TP/1.1\r\n\r\n");
    journal.note_deaths(1);
    let (next, left) = again(dir.path(), &journal);
    assert_eq!(left, Left::Request(18));
    assert_eq!((next.key(), next.deaths()), (journal.key(), 1));
    let mut bytes = [0; 64];
    assert_eq!(next.read(4, &mut bytes).unwrap(), 14);
    assert!(bytes.starts_with(b"/ HTTP/1.1\r\n\r\n"));
    next.before_write().unwrap();
    let (doubtful, left) = again(dir.path(), &next);
    assert_eq!(left, Left::Request(18));
    assert!(doubtful.is_answered(|| true));
    assert!(!again(dir.path(), &next).0.is_answered(|| false));
    next.after_write();
    next.before_write().unwrap();
    assert_eq!(again(dir.path(), &next).1, Left::Lost);
    next.end_answer();
    next.flushed(true).unwrap();
    assert_eq!(again(dir.path(), &next).1, Left::Idle);
    let first = journal.key();
    append(&next, b"x");
    assert_ne!(next.key(), first);
    assert_eq!(next.deaths(), 0);
}

#[test]
fn a_large_request_goes_to_disk_whole() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path()).unwrap();
    let piece = vec![7; 40_000];
    assert!(!append(&journal, &piece));
    assert!(append(&journal, &piece));
    assert!(!append(&journal, &piece));
    let (next, left) = again(dir.path(), &journal);
    assert_eq!(left, Left::Request(120_000));
    assert_eq!(next.key(), journal.key());
    let mut all = vec![0; 120_000];
    assert_eq!(next.read(0, &mut all).unwrap(), 120_000);
    assert!(all.iter().all(|byte| *byte == 7));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_request_that_kills_relays_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path()).unwrap();
    append(&journal, b"x");
    for _ in 0..MOST_TAKEN_UP {
        assert_eq!(again(dir.path(), &journal).1, Left::Request(1));
    }
    assert_eq!(again(dir.path(), &journal).1, Left::Lost);
}
