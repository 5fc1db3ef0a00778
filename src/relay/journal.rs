//! What a client has sent of the request that is under way, byte by byte.
//!
//! The bytes lie in a file without a name, in memory while they are few. Another process that
//! has the file and the connection can go on where a relay that was killed has stopped: it
//! reads the request again and asks the daemon again, under the same key.
//!
//! The file begins with a head of 64 bytes: how often something of the answer was written,
//! how often the daemon died over the request, how many relays have taken it up again, and its
//! key.
//!
//! Nobody can tell whether the first write of an answer came about when a relay is killed at
//! that moment. So the request is answered again, unless the client has sent more by then: a
//! client sends no other request before it has its answer, and one that has its answer lets go
//! of a connection on which more comes.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

/// Where the request begins.
const HEAD: u64 = 64;
/// Where the parts of the head are.
const ANSWERING: u64 = 0;
const DEATHS: u64 = 1;
const TAKEN_UP: u64 = 2;
const KEY: u64 = 8;
/// Up to so many bytes a request is in memory, beyond that in the state directory.
const IN_MEMORY: u64 = 64 * 1024;
/// How many relays take up the same request: one that dies of it must not do so for ever.
const MOST_TAKEN_UP: u8 = 3;

/// The journal of one connection.
pub struct Journal {
    folder: PathBuf,
    written: Mutex<Written>,
    /// Whether the next byte that is read belongs to another request.
    answered: AtomicBool,
    /// Whether the client may have its answer already: one of the constants below.
    doubt: AtomicU8,
    /// Whether nothing is kept any more: the connection speaks something else.
    is_off: AtomicBool,
}

/// It has none yet.
const UNANSWERED: u8 = 0;
/// That is to be seen once there is something to write.
const DOUBTFUL: u8 = 1;
/// It has, so it gets no other.
const ANSWERED: u8 = 2;

struct Written {
    file: Arc<File>,
    /// How many bytes of the request.
    length: u64,
    /// How often something of the answer was written, up to 2; and what the head says of it.
    writes: u8,
    noted: u8,
    is_on_disk: bool,
    key: Uuid,
}

/// What becomes of a connection whose relay was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing was under way.
    Idle,
    /// That many bytes of a request are there.
    Request(u64),
    /// An answer was partly written, or the request was taken up too often.
    Lost,
}

impl Journal {
    /// An empty one. Large requests go to files in `folder`.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        let file = rustix::fs::memfd_create("prefectd-request", flags)?;
        Ok(Self::over(folder, file.into(), 0))
    }

    /// The one that an earlier relay has begun.
    pub fn taken_up(folder: &Path, file: File) -> io::Result<(Self, Left)> {
        let length = file.metadata()?.len().saturating_sub(HEAD);
        let mut head = [0; HEAD as usize];
        let journal = Self::over(folder, file, length);
        if length == 0 {
            return Ok((journal, Left::Idle));
        }
        let left = {
            let mut written = journal.written();
            written.file.read_exact_at(&mut head, 0)?;
            let part = |at: u64| head.get(at as usize).copied().unwrap_or_default();
            let key = head.get(KEY as usize..KEY as usize + 16);
            written.key = key
                .and_then(|key| Uuid::from_slice(key).ok())
                .unwrap_or_default();
            let taken_up = part(TAKEN_UP).saturating_add(1);
            written.file.write_all_at(&[taken_up], TAKEN_UP)?;
            written.noted = part(ANSWERING);
            if written.noted == 1 {
                journal.doubt.store(DOUBTFUL, Ordering::Relaxed);
            }
            if written.noted > 1 || taken_up > MOST_TAKEN_UP {
                Left::Lost
            } else {
                Left::Request(length)
            }
        };
        Ok((journal, left))
    }

    fn over(folder: &Path, file: File, length: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            written: Mutex::new(Written {
                file: Arc::new(file),
                length,
                writes: 0,
                noted: 0,
                is_on_disk: length > IN_MEMORY,
                key: Uuid::nil(),
            }),
            answered: AtomicBool::new(false),
            doubt: AtomicU8::new(UNANSWERED),
            is_off: AtomicBool::new(false),
        }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file, for whoever is to keep it.
    pub fn file(&self) -> Arc<File> {
        Arc::clone(&self.written().file)
    }

    /// Makes room for so many bytes. Answers the file when it is another one from here on.
    pub fn make_room(&self, bytes: usize) -> io::Result<Option<Arc<File>>> {
        if self.answered.swap(false, Ordering::Relaxed) {
            self.reset()?;
        }
        let mut written = self.written();
        if written.length + (bytes as u64) <= IN_MEMORY || written.is_on_disk {
            return Ok(None);
        }
        let file = Arc::new(self.to_disk(&written)?);
        written.file = Arc::clone(&file);
        written.is_on_disk = true;
        Ok(Some(file))
    }

    /// Appends so many bytes, which `put` moves to a place in a file, some at a time. Answers
    /// where in the request they are.
    pub fn fill(
        &self,
        bytes: usize,
        put: impl Fn(&File, u64, usize) -> io::Result<usize>,
    ) -> io::Result<Range<u64>> {
        let mut written = self.written();
        if written.length == 0 {
            written.key = Uuid::now_v7();
            let mut head = [0; HEAD as usize];
            if let Some(place) = head.get_mut(KEY as usize..KEY as usize + 16) {
                place.copy_from_slice(written.key.as_bytes());
            }
            written.file.write_all_at(&head, 0)?;
        }
        let begin = written.length;
        let end = begin + bytes as u64;
        while written.length < end {
            let left = usize::try_from(end - written.length).unwrap_or(bytes);
            match put(&written.file, HEAD + written.length, left)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                put => written.length += put as u64,
            }
        }
        Ok(begin..end)
    }

    /// How many bytes of the request are there.
    pub fn length(&self) -> u64 {
        self.written().length
    }

    fn to_disk(&self, written: &Written) -> io::Result<File> {
        let file = nameless(&self.folder)?;
        let mut all = vec![0; (HEAD + written.length) as usize];
        written.file.read_exact_at(&mut all, 0)?;
        file.write_all_at(&all, 0)?;
        Ok(file)
    }

    /// The file, and where in it the last `length` bytes of the request begin, when the
    /// request's head ends there. None when they are not all here.
    pub fn body(&self, length: u64) -> Option<(Arc<File>, u64)> {
        let written = self.written();
        let begin = written.length.checked_sub(length)?;
        let mut end = [0; 4];
        let before = HEAD + begin.checked_sub(end.len() as u64)?;
        written.file.read_exact_at(&mut end, before).ok()?;
        (&end == b"\r\n\r\n").then(|| (Arc::clone(&written.file), HEAD + begin))
    }

    /// Whether requests are kept.
    pub fn is_on(&self) -> bool {
        !self.is_off.load(Ordering::Relaxed)
    }

    /// Reads from the request's byte `at` on.
    pub fn read(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        self.written().file.read_at(into, HEAD + at)
    }

    /// The name of the request that is under way.
    pub fn key(&self) -> Uuid {
        self.written().key
    }

    /// How often the daemon died over it.
    pub fn deaths(&self) -> u8 {
        let mut deaths = [0];
        match self.written().file.read_at(&mut deaths, DEATHS) {
            Ok(1) => deaths[0],
            _ => 0,
        }
    }

    /// Notes that so many daemons have died over it.
    pub fn note_deaths(&self, deaths: u8) {
        // Where this cannot be kept, another relay begins to count anew.
        let _ = self.written().file.write_at(&[deaths], DEATHS);
    }

    /// Notes that more of the answer is about to be written.
    pub fn before_write(&self) -> io::Result<()> {
        let mut written = self.written();
        let next = (written.writes + 1).min(2);
        if written.noted < next && written.length > 0 {
            written.file.write_all_at(&[next], ANSWERING)?;
            written.noted = next;
        }
        Ok(())
    }

    /// Notes that it was written.
    pub fn after_write(&self) {
        let mut written = self.written();
        written.writes = (written.writes + 1).min(2);
    }

    /// Whether the client has its answer already, so that it gets no other. `has_sent_more`
    /// tells whether it has sent more than the request, and is asked once.
    pub fn is_answered(&self, has_sent_more: impl FnOnce() -> bool) -> bool {
        if self.doubt.load(Ordering::Relaxed) == DOUBTFUL {
            let settled = if has_sent_more() {
                ANSWERED
            } else {
                UNANSWERED
            };
            self.doubt.store(settled, Ordering::Relaxed);
        }
        self.doubt.load(Ordering::Relaxed) == ANSWERED
    }

    /// Notes that the client has sent more than the request that was taken up.
    pub fn note_more(&self) {
        // Only a doubt is settled by that.
        let _ = self.is_answered(|| true);
    }

    /// The answer has been handed over whole; once it is written, the request is over.
    pub fn end_answer(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// What was to be written is written. `is_read` tells whether all that is here has been
    /// read: what has not been belongs to another request. Answers whether the client has its
    /// answer whole.
    pub fn flushed(&self, is_read: bool) -> io::Result<bool> {
        if !self.answered.load(Ordering::Relaxed) {
            return Ok(false);
        }
        if !is_read {
            self.written().key = Uuid::now_v7();
            return Ok(true);
        }
        self.answered.store(false, Ordering::Relaxed);
        self.reset()?;
        Ok(true)
    }

    fn reset(&self) -> io::Result<()> {
        if !self.is_on() {
            // The next relay is to find that it cannot go on here.
            return Ok(());
        }
        let mut written = self.written();
        written.file.set_len(0)?;
        written.length = 0;
        (written.writes, written.noted) = (0, 0);
        // What has been read already of the next request is not appended any more.
        written.key = Uuid::now_v7();
        self.doubt.store(UNANSWERED, Ordering::Relaxed);
        Ok(())
    }

    /// Keeps nothing from here on, so that the connection ends with this relay.
    pub fn turn_off(&self) {
        self.is_off.store(true, Ordering::Relaxed);
        // The worst is that a relay takes up what was over.
        self.after_write();
        let _ = self.before_write();
    }
}

/// A file in `folder` that has no name any more.
pub fn nameless(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!(".relay-{}", Uuid::now_v7()));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
