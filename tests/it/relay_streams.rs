//! What passes through a relay without being held: large bodies, and connections that switch to
//! another protocol. The daemon is played by the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::support::{PATIENCE, wait_for};

/// The size of a large body, in bytes, and of its pieces.
const LARGE: usize = 100_000_000;
const PIECE: usize = 100_000;
/// By how much the relay's memory may grow for it, in kB.
const GROWTH: u64 = 2048;
/// How many pieces pass before that is measured, so that pages of the program itself, which are
/// read when they are first needed, do not count.
const WARM_UP: usize = 10;

/// A request's head and the rest of its connection.
struct Asked {
    head: String,
    stream: BufReader<UnixStream>,
}

impl Asked {
    fn of(stream: UnixStream) -> Option<Self> {
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        Some(Self { head, stream })
    }

    fn length(&self) -> usize {
        let head = self.head.to_lowercase();
        let length = head.split("content-length: ").nth(1);
        length.map_or(0, |rest| {
            rest.split("\r\n").next().unwrap().parse().unwrap()
        })
    }

    /// Reads the body and answers its digest.
    fn digest(&mut self) -> String {
        let length = self.length() as u64;
        digest(&mut (&mut self.stream).take(length))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    fn answer(&mut self, body: &str) {
        let length = body.len();
        self.write(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").as_bytes());
    }
}

/// A piece of a large body: its number, and the same bytes as in every other.
fn piece(number: usize) -> Vec<u8> {
    let number = (number as u64).to_be_bytes().into_iter();
    number
        .chain((8..PIECE).map(|at| (at % 251) as u8))
        .collect()
}

/// A body of that size.
fn pieces(size: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..size / PIECE).map(piece)
}

fn digest(from: &mut impl Read) -> String {
    let (mut hash, mut bytes) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match from.read(&mut bytes).unwrap() {
            0 => break,
            read => hash.update(&bytes[..read]),
        }
    }
    hex(hash)
}

fn hex(hash: Sha256) -> String {
    let bytes = hash.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digest of a body of that size.
fn digest_of(size: usize) -> String {
    let mut hash = Sha256::new();
    pieces(size).for_each(|piece| hash.update(piece));
    hex(hash)
}

/// A relay process that listens at an address, and its played daemon.
struct Relay {
    _dir: TempDir,
    process: Child,
    address: SocketAddr,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Relay {
    /// Listens at a free port of that address; `upstream` answers each request on a thread.
    fn at(ip: IpAddr, upstream: impl Fn(Asked) + Send + Sync + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("daemon.relay");
        let lock = dir.path().join("relay.lock");
        let free = TcpListener::bind((ip, 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let listener = UnixListener::bind(&socket).unwrap();
        let upstream = Arc::new(upstream);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let upstream = Arc::clone(&upstream);
                std::thread::spawn(move || match Asked::of(stream.unwrap()) {
                    Some(asked) if asked.head.starts_with("POST /relay/orders") => {
                        order(asked, address);
                    }
                    Some(asked) => upstream(asked),
                    None => {}
                });
            }
        });
        let process = Command::new(env!("CARGO_BIN_EXE_prefectd"))
            .arg("--relay")
            .args([&socket, &lock])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let relay = Self {
            _dir: dir,
            process,
            address,
        };
        wait_for("the relay to listen", || TcpStream::connect(address).ok());
        relay
    }

    fn here(upstream: impl Fn(Asked) + Send + Sync + 'static) -> Self {
        Self::at([127, 0, 0, 78].into(), upstream)
    }

    fn send(&self, head: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!("{head}\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    /// Has a body of that size pass each way.
    fn passes(&self, size: usize) {
        let mut up = self.send(&format!("POST /up HTTP/1.1\r\ncontent-length: {size}"));
        pieces(size).for_each(|piece| up.write_all(&piece).unwrap());
        let mut told = String::new();
        body_of(up).read_to_string(&mut told).unwrap();
        assert_eq!(told, digest_of(size));
        let mut down = body_of(self.send(&format!("GET /down/{size} HTTP/1.1")));
        assert_eq!(digest(&mut down), digest_of(size));
    }

    /// A line of what the kernel says of the process's memory, in kB.
    fn memory(&self, what: &str) -> u64 {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

fn order(mut asked: Asked, address: SocketAddr) {
    asked.digest();
    std::thread::sleep(Duration::from_millis(50));
    let orders = format!("{{\"listen\":[\"{address}\"],\"leave\":false,\"max_body\":200000000}}");
    asked.answer(&orders);
}

/// The daemon of the tests below: takes a large body, gives one, and echoes a websocket's texts.
fn upstream(mut asked: Asked) {
    if asked.head.starts_with("POST /up") {
        let digest = asked.digest();
        asked.answer(&digest);
    } else if let Some(rest) = asked.head.strip_prefix("GET /down/") {
        let size: usize = rest.split(' ').next().unwrap().parse().unwrap();
        asked.write(format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n").as_bytes());
        pieces(size).for_each(|piece| asked.write(&piece));
    } else {
        assert!(asked.head.to_lowercase().contains("upgrade: websocket"));
        asked.write(
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        );
        while let Some(text) = read_text(&mut asked.stream) {
            asked.write(&[0x81, u8::try_from(text.len()).unwrap()]);
            asked.write(&text);
        }
    }
}

/// The text of a client's next short frame, as RFC 6455 lays it out; none at its end.
fn read_text(stream: &mut impl Read) -> Option<Vec<u8>> {
    let mut head = [0; 6];
    stream.read_exact(&mut head).ok()?;
    let [0x81, length, mask @ ..] = head else {
        return None;
    };
    let mut text = vec![0; usize::from(length & 0x7f)];
    stream.read_exact(&mut text).ok()?;
    for (byte, mask) in text.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Some(text)
}

/// Reads an answer's head, those that precede it left out, and leaves the body.
fn body_of(stream: TcpStream) -> BufReader<TcpStream> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") || head.ends_with("102 Processing\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).unwrap(), 0, "{head}");
    }
    let head = head.replace("HTTP/1.1 102 Processing\r\n\r\n", "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    stream
}

#[test]
fn a_hundred_megabytes_pass_each_way_and_the_relay_s_memory_does_not_grow() {
    let relay = Relay::here(upstream);
    relay.passes(WARM_UP * PIECE);
    let before = relay.memory("VmRSS");
    relay.passes(LARGE);
    let grown = relay.memory("VmHWM") - before;
    assert!(grown < GROWTH, "{grown} kB");
}

#[test]
fn an_answer_reaches_the_client_while_it_is_made() {
    let (go_on, may_go_on) = std::sync::mpsc::channel();
    let may_go_on = std::sync::Mutex::new(may_go_on);
    let relay = Relay::here(move |mut asked| {
        asked.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        let may_go_on = may_go_on.lock().unwrap();
        may_go_on.recv_timeout(PATIENCE).unwrap();
        asked.write(b"4\r\nlast\r\n0\r\n\r\n");
    });
    let mut stream = relay.send("GET /lines HTTP/1.1");
    let mut text = String::new();
    while !text.contains("first") {
        let mut bytes = [0; 1024];
        let read = stream.read(&mut bytes).unwrap();
        assert_ne!(read, 0, "{text}");
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    go_on.send(()).unwrap();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.contains("last"), "{text}");
}

#[test]
fn a_client_that_does_not_read_keeps_no_connection_of_the_daemon_s() {
    let (done, is_done) = std::sync::mpsc::channel();
    let relay = Relay::here(move |asked| {
        upstream(asked);
        done.send(()).unwrap();
    });
    let unread = relay.send(&format!("GET /down/{LARGE} HTTP/1.1"));
    is_done.recv_timeout(PATIENCE).unwrap();
    assert_eq!(digest(&mut body_of(unread)), digest_of(LARGE));
}

#[test]
fn a_large_answer_over_which_the_daemon_dies_breaks_off() {
    let relay = Relay::here(|mut asked| {
        asked.write(format!("HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n").as_bytes());
        asked.write(&piece(0));
    });
    let mut body = body_of(relay.send("GET /down HTTP/1.1"));
    let mut bytes = Vec::new();
    // A reset or an early end: either tells a client that this was not all.
    let _ = body.read_to_end(&mut bytes);
    assert!(piece(0).starts_with(&bytes), "{} bytes", bytes.len());
}

#[test]
fn who_asks_for_another_protocol_hears_nothing_before_the_answer() {
    let relay = Relay::here(|asked| {
        // Longer than a client that waits for an answer is left without a word.
        std::thread::sleep(Duration::from_secs(3));
        upstream(asked);
    });
    let mut stream = TcpStream::connect(relay.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = "GET /echo HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 101");
}

/// The address of Docker's default bridge on this machine.
#[cfg(feature = "docker")]
fn docker0() -> IpAddr {
    let words = ["-4", "-oneline", "address", "show", "docker0"];
    let shown = Command::new("ip").args(words).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let address = shown.split_whitespace().nth(3).unwrap();
    address.split('/').next().unwrap().parse().unwrap()
}

#[cfg(feature = "docker")]
#[test]
fn a_container_s_websocket_and_large_bodies_pass_through_a_relay() {
    use super::docker::{docker, image};
    let gateway = docker0();
    let relay = Relay::at(gateway, upstream);
    relay.passes(WARM_UP * PIECE);
    let before = relay.memory("VmRSS");
    let port = relay.address.port().to_string();
    let script = include_str!("docker/streams.py");
    let size = LARGE.to_string();
    let told = docker(&[
        "run",
        "--rm",
        "--entrypoint",
        "python",
        &image(),
        "-c",
        script,
        &gateway.to_string(),
        &port,
        &size,
    ]);
    let grown = relay.memory("VmHWM") - before;
    let large = digest_of(LARGE);
    let expected = format!("echo: hello through the relay\nup: {large}\ndown: {large}");
    assert_eq!(told, expected);
    assert!(grown < GROWTH, "{grown} kB");
}
