//! An answer of HTTP/1.1, read from its connection. Compressed bodies stay so until somebody looks
//! at them.

use std::borrow::Cow;
use std::io::Read;
use std::str;

use anyhow::{Context, bail};
use flate2::read::GzDecoder;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// The last answer of a connection. Its memory is used again for the next one.
#[derive(Default)]
pub struct Answer {
    received: Vec<u8>,
    body_at: usize,
    /// The body that came in chunks, put together.
    joined: Vec<u8>,
    is_chunked: bool,
    is_gzipped: bool,
    is_last: bool,
}

/// What a head says of its answer.
#[derive(Default)]
struct Head {
    status: u16,
    length: usize,
    is_chunked: bool,
    is_gzipped: bool,
    is_last: bool,
}

impl Answer {
    /// Reads the next answer as a whole, and tells its status.
    pub async fn receive(&mut self, stream: &mut TcpStream) -> anyhow::Result<u16> {
        self.received.clear();
        self.joined.clear();
        let end = self.find(stream, 0, b"\r\n\r\n").await?;
        let head = Head::of(self.received.get(..end).unwrap_or_default())?;
        self.body_at = end + 4;
        (self.is_chunked, self.is_gzipped) = (head.is_chunked, head.is_gzipped);
        self.is_last = head.is_last;
        match head.is_chunked {
            true => self.join(stream).await?,
            false => self.await_bytes(stream, self.body_at + head.length).await?,
        }
        Ok(head.status)
    }

    /// Whether nothing follows it on its connection: the server said so, or told of a fault of its own,
    /// after which the real ones close without a word.
    pub const fn is_last(&self) -> bool {
        self.is_last
    }

    /// The body as text; empty where it is none.
    pub fn text(&self) -> Cow<'_, str> {
        let body = match self.is_chunked {
            true => self.joined.as_slice(),
            false => self.received.get(self.body_at..).unwrap_or_default(),
        };
        if !self.is_gzipped {
            return Cow::Borrowed(str::from_utf8(body).unwrap_or_default());
        }
        let mut text = String::new();
        match GzDecoder::new(body).read_to_string(&mut text) {
            Ok(_) => Cow::Owned(text),
            Err(_) => Cow::Borrowed(""),
        }
    }

    /// Puts the chunks of a body together.
    async fn join(&mut self, stream: &mut TcpStream) -> anyhow::Result<()> {
        let mut at = self.body_at;
        loop {
            let end = self.find(stream, at, b"\r\n").await?;
            let line = str::from_utf8(self.received.get(at..end).unwrap_or_default())?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(digits, 16).context("a chunk without a size")?;
            let data = end + 2;
            at = data + size + 2;
            self.await_bytes(stream, at).await?;
            if size == 0 {
                return Ok(());
            }
            let chunk = self.received.get(data..data + size).unwrap_or_default();
            self.joined.extend_from_slice(chunk);
        }
    }

    /// Where the next `mark` begins, from `at` on.
    async fn find(
        &mut self,
        stream: &mut TcpStream,
        at: usize,
        mark: &[u8],
    ) -> anyhow::Result<usize> {
        loop {
            let rest = self.received.get(at..).unwrap_or_default();
            if let Some(found) = rest.windows(mark.len()).position(|one| one == mark) {
                return Ok(at + found);
            }
            self.more(stream).await?;
        }
    }

    /// Waits until so many bytes have come in all.
    async fn await_bytes(&mut self, stream: &mut TcpStream, bytes: usize) -> anyhow::Result<()> {
        while self.received.len() < bytes {
            self.more(stream).await?;
        }
        Ok(())
    }

    async fn more(&mut self, stream: &mut TcpStream) -> anyhow::Result<()> {
        match stream.read_buf(&mut self.received).await? {
            0 => bail!("the server closed the connection"),
            _ => Ok(()),
        }
    }
}

impl Head {
    fn of(head: &[u8]) -> anyhow::Result<Self> {
        let head = str::from_utf8(head)?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        let mut told = Self {
            status,
            is_last: status >= 500,
            ..Self::default()
        };
        for line in head.lines() {
            let (name, value) = line.split_once(':').unwrap_or_default();
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                told.length = value.parse()?;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                told.is_chunked = value.eq_ignore_ascii_case("chunked");
            } else if name.eq_ignore_ascii_case("content-encoding") {
                told.is_gzipped = value.eq_ignore_ascii_case("gzip");
            } else if name.eq_ignore_ascii_case("connection") {
                told.is_last |= value.eq_ignore_ascii_case("close");
            }
        }
        Ok(told)
    }
}
