//! Somebody elsewhere who takes what the daemon sends: requests over HTTP, plain or, as a proxy,
//! under TLS for any name.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::support::{PATIENCE, wait_for};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// The value of a header; empty for none.
    pub fn header(&self, name: &str) -> &str {
        let mut all = self.headers.iter();
        let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
struct State {
    came: Vec<Request>,
    /// What is answered to the next ones; then 200.
    answers: VecDeque<&'static str>,
    /// Whether it keeps everybody waiting.
    holds: bool,
}

/// Takes requests.
pub struct Receiver {
    port: u16,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Receiver {
    /// One that knows no TLS.
    pub fn new() -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap(), None)
    }

    /// One on that port.
    pub fn on(port: u16) -> Self {
        Self::at(TcpListener::bind(("127.0.0.1", port)).unwrap(), None)
    }

    /// One that is every name that is asked of it as a proxy; with the certificate of whoever
    /// vouches for it.
    pub fn of_names(names: &[&str]) -> (Self, String) {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(made.cert.der().to_vec())], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        (Self::at(listener, Some(Arc::new(config))), made.cert.pem())
    }

    /// A port on which nobody is.
    pub fn new_port() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    }

    fn at(listener: TcpListener, tls: Option<Arc<ServerConfig>>) -> Self {
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::<(Mutex<State>, Condvar)>::default();
        let state = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, tls) = (Arc::clone(&state), tls.clone());
                // Whoever breaks off has done so on purpose.
                std::thread::spawn(move || drop(serve(stream, &state, tls)));
            }
        });
        Self { port, shared }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Has it answer the next requests so.
    pub fn answer(&self, answers: &[&'static str]) {
        self.shared.0.lock().unwrap().answers.extend(answers);
    }

    /// Has it keep everybody waiting, or no longer.
    pub fn hold(&self, holds: bool) {
        self.shared.0.lock().unwrap().holds = holds;
        self.shared.1.notify_all();
    }

    /// All that came so far.
    pub fn came(&self) -> Vec<Request> {
        self.shared.0.lock().unwrap().came.clone()
    }

    /// All that came, once it is so many.
    #[track_caller]
    pub fn after(&self, count: usize) -> Vec<Request> {
        wait_for("requests", || {
            let came = self.came();
            (came.len() >= count).then_some(came)
        })
    }
}

fn serve(
    stream: TcpStream,
    shared: &(Mutex<State>, Condvar),
    tls: Option<Arc<ServerConfig>>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let Some(tls) = tls else {
        return answer(stream, shared);
    };
    let mut plain = stream;
    // Byte for byte, so that nothing of what follows is read.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        plain.read_exact(&mut byte)?;
        head.extend(byte);
    }
    assert!(head.starts_with(b"CONNECT "), "{head:?}");
    plain.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let connection = ServerConnection::new(tls).unwrap();
    answer(StreamOwned::new(connection, plain), shared)
}

fn answer(stream: impl Read + Write, shared: &(Mutex<State>, Condvar)) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let request = read(&mut reader)?;
    let (state, changed) = shared;
    let answer = {
        let mut state = state.lock().unwrap();
        state.came.push(request);
        let mut state = changed
            .wait_timeout_while(state, PATIENCE, |state| state.holds)
            .unwrap()
            .0;
        state.answers.pop_front().unwrap_or("200 OK")
    };
    let body = "{\"ok\": true}";
    let length = body.len();
    let stream = reader.get_mut();
    write!(
        stream,
        "HTTP/1.1 {answer}\r\nContent-Length: {length}\r\nX-Said: so\r\nVia: secret\r\n\
         Connection: close\r\n\r\n{body}"
    )?;
    stream.flush()?;
    std::thread::sleep(Duration::from_millis(1));
    Ok(())
}

fn read(from: &mut impl BufRead) -> std::io::Result<Request> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    let request = Request {
        method,
        target,
        headers,
        body: String::new(),
    };
    let length = request.header("content-length").parse().unwrap_or(0);
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Request {
        body: String::from_utf8_lossy(&body).into_owned(),
        ..request
    })
}
