//! The client's end of a websocket, as the 3.9.1 client speaks on it, but that it does not offer to
//! compress.

use anyhow::{Context, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocket};
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::answer::Answer;
use crate::http::Address;

/// How many bytes of what is said may wait to leave together.
const WAITING: usize = 32 * 1024;
/// The code of a connection that ends well.
const NORMAL: u16 = 1000;

/// An open websocket on which the client has said who it is.
pub struct Socket(WebSocket<BufWriter<TcpStream>>);

impl Socket {
    /// Opens one below `/api`: pings, and then says who it is.
    pub async fn open(server: Address, path: &str) -> anyhow::Result<Self> {
        let stream = upgraded(server, path).await?;
        let stream = BufWriter::with_capacity(WAITING, stream);
        let mut socket = WebSocket::after_handshake(stream, Role::Client);
        socket.set_auto_pong(false);
        let mut socket = Self(socket);
        socket.checkpoint().await?;
        socket.say(r#"{"type":"auth","token":null}"#).await?;
        let answer = socket.hear(OpCode::Text).await?;
        let answer = String::from_utf8_lossy(&answer.payload);
        ensure!(answer.contains("auth_success"), "not let in: {answer}");
        Ok(socket)
    }

    /// Says something; it may leave only with what comes next.
    pub async fn feed(&mut self, text: &str) -> anyhow::Result<()> {
        let frame = Frame::text(Payload::Owned(text.as_bytes().to_vec()));
        Ok(self.0.write_frame(frame).await?)
    }

    /// Says something at once.
    pub async fn say(&mut self, text: &str) -> anyhow::Result<()> {
        self.feed(text).await?;
        Ok(self.0.flush().await?)
    }

    /// Pings, and waits for the answer.
    pub async fn checkpoint(&mut self) -> anyhow::Result<()> {
        let ping = Payload::Owned(b"here".to_vec());
        let frame = Frame::new(true, OpCode::Ping, None, ping);
        self.0.write_frame(frame).await?;
        self.0.flush().await?;
        self.hear(OpCode::Pong).await?;
        Ok(())
    }

    /// The next frame of a kind. Pings are answered meanwhile.
    async fn hear(&mut self, wanted: OpCode) -> anyhow::Result<Frame<'static>> {
        loop {
            let frame = self.0.read_frame().await?;
            let payload = Payload::Owned(frame.payload.to_vec());
            match frame.opcode {
                opcode if opcode == wanted => {
                    return Ok(Frame::new(true, opcode, None, payload));
                }
                OpCode::Ping => {
                    self.0.write_frame(Frame::pong(payload)).await?;
                    self.0.flush().await?;
                }
                OpCode::Close => bail!("closed: {}", String::from_utf8_lossy(&payload)),
                _ => {}
            }
        }
    }

    /// Listens until the connection ends.
    pub async fn listen(mut self) {
        while self.hear(OpCode::Text).await.is_ok() {}
    }

    /// Closes the connection, and waits until the server has, too.
    pub async fn close(mut self) -> anyhow::Result<()> {
        self.0.write_frame(Frame::close(NORMAL, b"")).await?;
        self.0.flush().await?;
        // It ends with the server's own closing, or without.
        let _ = self.hear(OpCode::Close).await;
        Ok(())
    }
}

/// A connection on which websocket frames follow.
async fn upgraded(server: Address, path: &str) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(server.socket).await?;
    stream.set_nodelay(true)?;
    let host = server.socket;
    let key = STANDARD.encode(Uuid::new_v4().as_bytes());
    let request = format!(
        "GET /api{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: prefect\r\n\
         User-Agent: prefect/3.9.1 (API 0.8.4)\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    // The server says nothing more before it is spoken to.
    let status = Answer::default().receive(&mut stream).await;
    let status = status.with_context(|| format!("upgrading {path}"))?;
    ensure!(status == 101, "{path} answered {status}");
    Ok(stream)
}
