//! One kept-alive connection that costs little: the generator shares its cores with the server that
//! it measures.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::answer::Answer;

/// As whom a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The 2.0a7 client.
    Orion,
    /// The 3.9.1 client.
    Modern,
    /// A browser.
    Browser,
}

impl Speaker {
    /// The headers that each of its requests has.
    const fn headers(self) -> &'static str {
        match self {
            Self::Orion => {
                "accept: */*\r\naccept-encoding: gzip, deflate\r\nconnection: keep-alive\r\nuser-agent: python-httpx/0.22.0\r\n"
            }
            Self::Modern => {
                "accept: */*\r\naccept-encoding: gzip, deflate\r\nconnection: keep-alive\r\nuser-agent: prefect/3.9.1 (API 0.8.4)\r\nx-prefect-api-version: 0.8.4\r\n"
            }
            Self::Browser => {
                "accept: */*\r\naccept-encoding: gzip, deflate, br\r\nconnection: keep-alive\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
            }
        }
    }
}

/// Where a server listens, and as whom it is spoken to.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    /// Where.
    pub socket: SocketAddr,
    /// As whom.
    pub speaker: Speaker,
}

impl Address {
    /// The same server, spoken to as somebody else.
    pub const fn as_spoken_by(self, speaker: Speaker) -> Self {
        Self { speaker, ..self }
    }
}

/// A connection on which nothing was said for so long is not used again: clients give it up after
/// five seconds, and so do servers.
const STALE: Duration = Duration::from_secs(4);

/// A connection to a server, and the last answer that came over it.
pub struct Client {
    stream: TcpStream,
    /// When something was last said on it.
    used: Instant,
    /// Whether that was answered.
    is_open: bool,
    address: Address,
    host: String,
    out: Vec<u8>,
    answer: Answer,
}

impl Client {
    /// Connects.
    pub async fn connect(address: Address) -> anyhow::Result<Self> {
        Ok(Self {
            stream: connected(address).await?,
            used: Instant::now(),
            is_open: true,
            address,
            host: address.socket.to_string(),
            out: Vec::new(),
            answer: Answer::default(),
        })
    }

    /// The server at the other end.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Sends a request below `/api` and answers the status.
    pub async fn send(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<u16> {
        self.ask(method, " /api", path, body).await
    }

    /// Sends a request below `/api` whose answer must have that status.
    pub async fn expect(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
        status: u16,
    ) -> anyhow::Result<()> {
        let answered = self.send(method, path, body).await?;
        ensure!(
            answered == status,
            "{method} {path} answered {answered}: {}",
            self.body()
        );
        Ok(())
    }

    /// Reads a page outside of the API and answers the status.
    pub async fn page(&mut self, path: &str) -> anyhow::Result<u16> {
        self.ask("GET", " ", path, "").await
    }

    async fn ask(
        &mut self,
        method: &str,
        before: &str,
        path: &str,
        body: &str,
    ) -> anyhow::Result<u16> {
        self.out.clear();
        for part in [
            method,
            before,
            path,
            " HTTP/1.1\r\nhost: ",
            &self.host,
            "\r\n",
            self.address.speaker.headers(),
        ] {
            self.out.extend_from_slice(part.as_bytes());
        }
        if method != "GET" {
            let head = format!(
                "content-length: {}\r\ncontent-type: application/json\r\n",
                body.len()
            );
            self.out.extend_from_slice(head.as_bytes());
        }
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(body.as_bytes());
        let is_kept = self.is_open && !self.answer.is_last() && self.used.elapsed() < STALE;
        if !is_kept {
            self.stream = connected(self.address).await?;
        }
        let answered = self.answered().await;
        self.is_open = answered.is_ok();
        self.used = Instant::now();
        answered.with_context(|| format!("{method} {path}"))
    }

    async fn answered(&mut self) -> anyhow::Result<u16> {
        self.stream.write_all(&self.out).await?;
        self.answer.receive(&mut self.stream).await
    }

    /// The value of a metric, with its labels if it has any; none while nothing was counted.
    pub async fn metric(&mut self, name: &str) -> anyhow::Result<Option<f64>> {
        self.page("/metrics").await?;
        let body = self.body();
        let mut lines = body.lines().filter_map(|line| line.rsplit_once(' '));
        let value = lines.find_map(|(known, value)| (known == name).then_some(value));
        Ok(value.map(str::parse).transpose()?)
    }

    /// The last answer's body.
    pub fn body(&self) -> Cow<'_, str> {
        self.answer.text()
    }

    /// The id of the first thing that the last answer tells of.
    pub fn id(&self) -> anyhow::Result<String> {
        self.field("id")
    }

    /// The first text of that name in the last answer.
    pub fn field(&self, name: &str) -> anyhow::Result<String> {
        let body = self.body();
        let mark = format!("\"{name}\":\"");
        let after = body.split_once(&mark).with_context(|| format!("no {name}"));
        let (value, _) = after?.1.split_once('"').context("no end")?;
        Ok(value.to_owned())
    }
}

async fn connected(address: Address) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address.socket).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
