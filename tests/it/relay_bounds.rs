//! What a relay does with a daemon that dies, is busy, or switches protocols, and with clients
//! that take more than their share. The daemon is played by the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::support::{PATIENCE, wait_for};

/// A request as the played daemon hears it.
struct Heard {
    head: String,
    body: Vec<u8>,
    stream: UnixStream,
}

impl Heard {
    fn key(&self) -> String {
        let key = self.head.split("idempotency-key: ").nth(1).unwrap();
        key.split("\r\n").next().unwrap().to_owned()
    }

    fn answer(mut self, head: &str, body: &str) {
        let length = body.len();
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}");
        self.stream.write_all(answer.as_bytes()).unwrap();
    }
}

/// A relay process and its played daemon.
struct Played {
    _dir: TempDir,
    relay: Child,
    address: (&'static str, u16),
    heard: mpsc::Receiver<Heard>,
    news: mpsc::Receiver<String>,
}

impl Drop for Played {
    fn drop(&mut self) {
        self.relay.kill().unwrap();
        self.relay.wait().unwrap();
    }
}

/// Ports that tests of this file take; nothing else listens on that loopback address.
static PORT: AtomicU16 = AtomicU16::new(24200);

fn play() -> Played {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("daemon.relay");
    let lock = dir.path().join("relay.lock");
    let port = PORT.fetch_add(1, Ordering::SeqCst);
    let address = ("127.0.0.77", port);
    let listener = UnixListener::bind(&socket).unwrap();
    let (heard_by, heard) = mpsc::channel();
    let (news_by, news) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Some(mut heard) = hear(stream.unwrap()) else {
                continue;
            };
            if !heard.head.starts_with("POST /relay/orders") {
                // The test may be over.
                let _ = heard_by.send(heard);
                continue;
            }
            let report = String::from_utf8(std::mem::take(&mut heard.body)).unwrap();
            let _ = news_by.send(report);
            let orders = format!(
                "{{\"listen\":[\"127.0.0.77:{port}\"],\"leave\":false,\"max_body\":50000000}}"
            );
            std::thread::sleep(Duration::from_millis(50));
            let head = "200 OK\r\ncontent-type: application/json";
            heard.answer(head, &orders);
        }
    });
    let relay = Command::new(env!("CARGO_BIN_EXE_prefectd"))
        .arg("--relay")
        .args([&socket, &lock])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let played = Played {
        _dir: dir,
        relay,
        address,
        heard,
        news,
    };
    wait_for("the relay to listen", || TcpStream::connect(address).ok());
    played
}

fn hear(stream: UnixStream) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head
        .to_lowercase()
        .replace("post /", "POST /")
        .replace("get /", "GET /");
    let length = head.split("content-length: ").nth(1);
    let length = length.map_or(0, |rest| {
        rest.split("\r\n").next().unwrap().parse().unwrap()
    });
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Heard {
        head,
        body,
        stream: reader.into_inner(),
    })
}

impl Played {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn send(&self, text: &str) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    fn heard(&self) -> Heard {
        self.heard.recv_timeout(PATIENCE).unwrap()
    }

    /// The resident memory of the relay, in kB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.relay.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

const POST: &str =
    "POST /api/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";

/// The final answer, without those that precede it.
fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.replace("HTTP/1.1 102 Processing\r\n\r\n", "")
}

#[test]
fn a_request_over_which_the_daemon_dies_twice_is_given_up() {
    let played = play();
    let stream = played.send(POST);
    let first = played.heard();
    let key = first.key();
    drop(first);
    let second = played.heard();
    assert_eq!(second.key(), key);
    drop(second);
    let text = answer(stream);
    assert!(text.starts_with("HTTP/1.1 502"), "{text}");
    assert!(text.contains("died over this request twice"), "{text}");
    wait_for("the daemon to hear of it", || {
        played.news.try_iter().find(|report| {
            report.contains("gave up on POST /api/x from 127.0.0.1")
                || report.contains("gave up on POST /api/x from 127.0.0.77")
        })
    });
    // Another request is none the worse for it.
    let stream = played.send(POST);
    played.heard().answer("200 OK", "well");
    assert!(answer(stream).ends_with("well"));
}

#[test]
fn what_was_only_near_when_the_daemon_died_is_sent_again_by_itself() {
    let played = play();
    let streams: Vec<_> = (0..3).map(|_| played.send(POST)).collect();
    let all: Vec<_> = (0..3).map(|_| played.heard()).collect();
    drop(all);
    for _ in &streams {
        let one = played.heard();
        let nobody = played.heard.recv_timeout(Duration::from_millis(300));
        assert!(nobody.is_err(), "two suspects at once");
        one.answer("200 OK", "well");
    }
    for stream in streams {
        assert!(answer(stream).ends_with("well"));
    }
}

#[test]
fn a_daemon_that_is_busy_or_full_is_asked_again_and_a_probe_is_not() {
    for status in [
        "429 Too Many Requests",
        "503 Service Unavailable",
        "507 Insufficient Storage",
    ] {
        let played = play();
        let stream = played.send(POST);
        let first = played.heard();
        let key = first.key();
        first.answer(status, "{}");
        let again = played.heard();
        assert_eq!(again.key(), key);
        assert_eq!(again.body, b"{}");
        again.answer("201 Created", "done");
        assert!(answer(stream).ends_with("done"));
        let stream = played.send("GET /api/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        played.heard().answer(status, "no");
        assert!(answer(stream).ends_with("no"));
    }
}

#[test]
fn a_connection_that_switches_protocols_passes_as_it_is() {
    let played = play();
    let mut stream = played.send(
        "GET /api/events HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n",
    );
    let mut heard = played.heard();
    assert!(heard.head.contains("upgrade: echo"), "{}", heard.head);
    let switched =
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    heard.stream.write_all(switched.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(String::from_utf8(head).unwrap().starts_with("HTTP/1.1 101"));
    for word in ["ping", "pong"] {
        stream.write_all(word.as_bytes()).unwrap();
        let mut bytes = [0; 4];
        heard.stream.read_exact(&mut bytes).unwrap();
        heard.stream.write_all(&bytes).unwrap();
        stream.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes, word.as_bytes());
    }
    drop(heard);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn large_bodies_pass_both_ways_without_being_held_in_memory() {
    let played = play();
    let size = 40_000_000;
    let before = played.memory();
    let mut stream = played.send(&format!(
        "POST /api/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n"
    ));
    stream.write_all(&vec![b'x'; size]).unwrap();
    let heard = played.heard();
    assert_eq!(heard.body.len(), size);
    let echo = String::from_utf8(heard.body.clone()).unwrap();
    heard.answer("200 OK", &echo);
    let text = answer(stream);
    assert!(text.len() > size && text.ends_with("xxxx"));
    let grown = played.memory().saturating_sub(before);
    assert!(grown < 8 * 1024, "{grown} kB");
}

#[test]
fn a_body_beyond_the_limit_is_refused_with_an_answer() {
    let played = play();
    let size = 50_000_001;
    let mut stream = played.send(&format!(
        "POST /api/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n"
    ));
    stream.write_all(&vec![b'x'; size]).unwrap();
    let text = answer(stream);
    assert!(text.starts_with("HTTP/1.1 413"), "{text}");
    assert!(text.contains("larger than 50000000 bytes"), "{text}");
}

#[test]
fn unfinished_bodies_cost_no_memory_and_one_address_leaves_places_to_others() {
    let played = play();
    let before = played.memory();
    let head = "POST /api/x HTTP/1.1\r\nhost: x\r\ncontent-length: 33554432\r\n\r\n";
    let piece = vec![b'x'; 30 * 1024 * 1024];
    let unfinished: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = played.send(head);
            stream.write_all(&piece).unwrap();
            stream
        })
        .collect();
    let grown = played.memory().saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} kB");
    drop(unfinished);
    // From this machine's address comes no more than half of all.
    let begun = Instant::now();
    let mut open = Vec::new();
    let refused = loop {
        let mut stream = played.connect();
        stream
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let mut bytes = [0; 12];
        match stream.read_exact(&mut bytes) {
            Ok(()) => break bytes,
            Err(_) => open.push(stream),
        }
        assert!(begun.elapsed() < PATIENCE, "{} connections", open.len());
    };
    assert_eq!(&refused, b"HTTP/1.1 429");
    assert!(open.len() <= 512, "{} connections", open.len());
}
