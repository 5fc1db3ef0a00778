//! The other end of a websocket, as Prefect's clients speak on it.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Error, Message, WebSocket};

use super::{PATIENCE, TestDaemon};

/// An open websocket.
pub struct Socket(WebSocket<TcpStream>);

impl Socket {
    /// Opens one below `/api` without saying anything. The headers are added to the request.
    pub fn open(
        daemon: &TestDaemon,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Box<Error>> {
        Self::at(daemon.port(), path, headers)
    }

    /// The same at a server's port.
    pub fn at(port: u16, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, Box<Error>> {
        Self::opened(port, &format!("/api{path}"), headers)
    }

    /// The same, at any path.
    pub fn open_at(
        daemon: &TestDaemon,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Box<Error>> {
        Self::opened(daemon.port(), path, headers)
    }

    fn opened(port: u16, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, Box<Error>> {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let url = format!("ws://127.0.0.1:{port}{path}");
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).unwrap();
            request.headers_mut().insert(*name, value);
        }
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::HandshakeError::Failure(error)) => Err(Box::new(error)),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens one as a client does, which pings and then says who it is.
    #[track_caller]
    pub fn greeted(daemon: &TestDaemon, path: &str, token: Option<&str>) -> Self {
        Self::greeted_at(daemon, &format!("/api{path}"), token)
    }

    /// The same, at any path.
    #[track_caller]
    pub fn greeted_at(daemon: &TestDaemon, path: &str, token: Option<&str>) -> Self {
        let prefect = [("sec-websocket-protocol", "prefect")];
        let mut socket = Self::open_at(daemon, path, &prefect).unwrap();
        socket.checkpoint();
        socket.say(&json!({ "type": "auth", "token": token }));
        assert_eq!(socket.hear(), json!({ "type": "auth_success" }));
        socket
    }

    /// Says something in JSON.
    pub fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    /// Says whatever text; it may not be heard any more.
    pub fn say_text(&mut self, text: String) {
        let _ = self.0.send(Message::text(text));
    }

    /// Pings, and waits for the answer.
    #[track_caller]
    pub fn checkpoint(&mut self) {
        assert!(self.try_checkpoint(), "the connection ended");
    }

    /// The same; false where the connection ends before that.
    pub fn try_checkpoint(&mut self) -> bool {
        if self.0.send(Message::Ping("here".into())).is_err() {
            return false;
        }
        loop {
            match self.0.read() {
                Ok(Message::Pong(bytes)) if bytes == "here" => return true,
                Ok(Message::Close(_)) | Err(_) => return false,
                Ok(_) => {}
            }
        }
    }

    /// The next message.
    #[track_caller]
    pub fn hear(&mut self) -> Value {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(frame) => panic!("the connection ended: {frame:?}"),
                _ => {}
            }
        }
    }

    /// What comes next within a time: a message, how the connection is closed, or that nothing does.
    pub fn next_within(&mut self, time: Duration) -> Value {
        self.0.get_ref().set_read_timeout(Some(time)).unwrap();
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => {
                    return serde_json::from_str(&text).unwrap_or(Value::from(text.as_str()));
                }
                Ok(Message::Close(frame)) => {
                    let _ = self.0.flush();
                    let told = frame.map(|it| (u16::from(it.code), it.reason.to_string()));
                    return json!({ "closes": told });
                }
                Ok(_) => {}
                Err(Error::Io(error)) if is_slow(&error) => return json!("nothing"),
                Err(_) => return json!("ends"),
            }
        }
    }

    /// How the daemon closes the connection: code and reason.
    #[track_caller]
    pub fn closing(&mut self) -> (u16, String) {
        loop {
            match self.0.read() {
                Ok(Message::Close(Some(CloseFrame { code, reason }))) => {
                    // The answer to it.
                    let _ = self.0.flush();
                    return (code.into(), reason.to_string());
                }
                Ok(_) => {}
                Err(error) => panic!("without a reason: {error}"),
            }
        }
    }

    /// Closes the connection, and waits until the daemon has, too.
    pub fn close(mut self) {
        self.0.close(None).unwrap();
        while self.0.read().is_ok() {}
    }
}

fn is_slow(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
