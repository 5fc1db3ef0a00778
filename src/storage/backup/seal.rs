//! The checksum of a whole archive.
//!
//! It covers all bytes up to its own digits, with what the tar form puts between the entries;
//! after the digits there are only zeros.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::rc::Rc;

use sha2::{Digest, Sha256};

/// What has gone by so far; clones share it.
#[derive(Clone, Default)]
pub(super) struct Seal {
    inner: Rc<RefCell<Inner>>,
}

#[derive(Default)]
struct Inner {
    hash: Sha256,
    is_over: bool,
    is_stained: bool,
}

impl Seal {
    /// The digits for all that has gone by.
    pub fn digits(&self) -> String {
        hex(&self.inner.borrow().hash.clone().finalize())
    }

    /// From here on, only zeros may go by.
    pub fn is_over(&self) {
        self.inner.borrow_mut().is_over = true;
    }

    /// Whether something else did.
    pub fn is_stained(&self) -> bool {
        self.inner.borrow().is_stained
    }

    fn see(&self, bytes: &[u8]) {
        let mut inner = self.inner.borrow_mut();
        match inner.is_over {
            true => inner.is_stained |= bytes.iter().any(|byte| *byte != 0),
            false => inner.hash.update(bytes),
        }
    }

    /// The digits as the content of an entry: asked for once what is before it, its own header
    /// included, has been written.
    pub fn content(&self) -> impl Read {
        Digits {
            seal: self.clone(),
            left: None,
        }
    }
}

/// Hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How many digits there are.
pub(super) const DIGITS: u64 = 64;

struct Digits {
    seal: Seal,
    left: Option<io::Cursor<String>>,
}

impl Read for Digits {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let seal = &self.seal;
        let left = self
            .left
            .get_or_insert_with(|| io::Cursor::new(seal.digits()));
        left.read(into)
    }
}

/// Passes bytes on and shows them to the seal.
pub(super) struct Sealed<T> {
    pub inner: T,
    pub seal: Seal,
}

impl<W: Write> Write for Sealed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.seal.see(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Sealed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.seal.see(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}
