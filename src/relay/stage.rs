//! The way of a client's bytes into its journal.
//!
//! A relay that is killed between two calls of the kernel must not have bytes that it has read
//! and not yet written. So it never has them: one call moves them from the connection into a
//! pipe, another from the pipe into the journal. What is in the pipe belongs to the connection
//! whose number stands beside it, and the next relay, which has the pipe, too, finds it there.
//! One pipe will do, since a relay works on one connection at a time and leaves the pipe empty.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, splice};

/// The pipe, and the number beside it.
pub(super) struct Stage {
    read: OwnedFd,
    write: OwnedFd,
    whose: File,
}

impl Stage {
    /// An empty one.
    pub fn new() -> io::Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        let whose = rustix::fs::memfd_create("prefectd-stage", flags)?.into();
        Ok(Self { read, write, whose })
    }

    /// The one that an earlier relay had.
    pub fn taken_over([read, write, whose]: [OwnedFd; 3]) -> Self {
        let whose = whose.into();
        Self { read, write, whose }
    }

    /// For whoever is to keep it.
    pub fn fds(&self) -> [BorrowedFd<'_>; 3] {
        [self.read.as_fd(), self.write.as_fd(), self.whose.as_fd()]
    }

    /// Moves up to `most` bytes of connection `id` into the pipe; none at its end.
    pub fn take(&self, id: u64, socket: BorrowedFd<'_>, most: usize) -> io::Result<usize> {
        self.whose.write_all_at(&id.to_le_bytes(), 0)?;
        Ok(splice(
            socket,
            None,
            &self.write,
            None,
            most,
            SpliceFlags::NONBLOCK,
        )?)
    }

    /// Moves up to `most` bytes from the pipe to a place in a file.
    pub fn put(&self, file: &File, mut at: u64, most: usize) -> io::Result<usize> {
        let flags = SpliceFlags::NONBLOCK;
        Ok(splice(&self.read, None, file, Some(&mut at), most, flags)?)
    }

    /// Reads what is in the pipe and cannot be put anywhere.
    pub fn empty(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.length()];
        File::from(self.read.try_clone()?).read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The connection whose bytes are in the pipe, and how many they are.
    pub fn left(&self) -> Option<(u64, usize)> {
        let mut id = [0; 8];
        self.whose.read_exact_at(&mut id, 0).ok()?;
        let length = self.length();
        (length > 0).then(|| (u64::from_le_bytes(id), length))
    }

    fn length(&self) -> usize {
        let length = rustix::io::ioctl_fionread(&self.read).unwrap_or(0);
        usize::try_from(length).unwrap_or(0)
    }
}
