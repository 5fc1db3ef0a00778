//! One kept-alive connection that costs little: the generator shares its cores with the
//! server that it measures.

use anyhow::{Context, bail};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection to a server, and the last answer that came over it.
pub struct Client {
    stream: TcpStream,
    host: String,
    out: Vec<u8>,
    answer: Vec<u8>,
    body_at: usize,
}

impl Client {
    /// Connects.
    pub async fn connect(server: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            host: server.to_string(),
            out: Vec::new(),
            answer: Vec::new(),
            body_at: 0,
        })
    }

    /// Sends a request with the 2.0a7 client's headers and answers the status.
    pub async fn send(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<u16> {
        self.ask(method, " /api", path, body).await
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
            "\r\naccept: */*\r\naccept-encoding: gzip, deflate\r\nconnection: keep-alive\r\nuser-agent: python-httpx/0.22.0\r\n",
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
        self.stream.write_all(&self.out).await?;
        self.receive().await
    }

    async fn receive(&mut self) -> anyhow::Result<u16> {
        self.answer.clear();
        let (status, whole) = loop {
            self.more().await?;
            if let Some(end) = self.answer.windows(4).position(|w| w == b"\r\n\r\n") {
                let head = self.answer.get(..end).unwrap_or_default();
                self.body_at = end + 4;
                break understand(std::str::from_utf8(head)?, self.body_at)?;
            }
        };
        while self.answer.len() < whole {
            self.more().await?;
        }
        Ok(status)
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        match self.stream.read_buf(&mut self.answer).await? {
            0 => bail!("the server closed the connection"),
            _ => Ok(()),
        }
    }

    /// The value of a metric, with its labels if it has any; none while nothing was counted.
    pub async fn metric(&mut self, name: &str) -> anyhow::Result<Option<f64>> {
        self.page("/metrics").await?;
        let mut lines = self.body().lines().filter_map(|line| line.rsplit_once(' '));
        let value = lines.find_map(|(known, value)| (known == name).then_some(value));
        Ok(value.map(str::parse).transpose()?)
    }

    /// The last answer's body.
    pub fn body(&self) -> &str {
        let body = self.answer.get(self.body_at..).unwrap_or_default();
        std::str::from_utf8(body).unwrap_or_default()
    }

    /// The id of the one thing that the last answer tells of.
    pub fn id(&self) -> anyhow::Result<&str> {
        let after = self.body().split_once("\"id\":\"").context("no id")?.1;
        after.get(..36).context("no id")
    }
}

/// The status, and how long the answer is as a whole.
fn understand(head: &str, body_at: usize) -> anyhow::Result<(u16, usize)> {
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let mut length = 0;
    for line in head.lines() {
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
    Ok((status, body_at + length))
}
