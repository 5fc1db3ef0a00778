//! A relay of an earlier version, played by the test in the words and bytes that it used, and
//! the daemon that comes after an upgrade of the package.

use std::fs::File;
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use prefectd::relay::take_lock;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType,
};
use serde_json::{Value, json};

use super::support::{PATIENCE, TestDaemon, wait_for};

/// The relay's end of the channel by which the daemon keeps what it has.
struct Channel(OwnedFd);

impl Channel {
    fn connect(path: &Path) -> Self {
        let (family, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
        let fd = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None).unwrap();
        rustix::net::connect(&fd, &SocketAddrUnix::new(path).unwrap()).unwrap();
        Self(fd)
    }

    fn send(&self, note: &Value, fds: &[BorrowedFd<'_>]) {
        let text = note.to_string();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
        let mut extra = SendAncillaryBuffer::new(&mut space);
        assert!(fds.is_empty() || extra.push(SendAncillaryMessage::ScmRights(fds)));
        let parts = [IoSlice::new(text.as_bytes())];
        rustix::net::sendmsg(&self.0, &parts, &mut extra, SendFlags::empty()).unwrap();
    }
}

fn in_memory(bytes: &[u8]) -> File {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::memfd_create("old-relay", flags).unwrap());
    file.write_all(bytes).unwrap();
    file
}

/// The journal of a request of which so much has come: a head of 64 bytes, whose bytes 8 to 24
/// are the request's key, and what has come.
fn journal(came: &[u8]) -> File {
    let mut head = [0; 64];
    head[8..24].copy_from_slice(uuid::Uuid::now_v7().as_bytes());
    in_memory(&[head.as_slice(), came].concat())
}

fn beside(socket: &Path, what: &str) -> PathBuf {
    let mut path = socket.as_os_str().to_owned();
    path.push(what);
    path.into()
}

/// What the daemon orders a relay that reports so.
fn orders(socket: &Path, report: &Value) -> Value {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let report = report.to_string();
    write!(
        stream,
        "POST /relay/orders HTTP/1.1\r\nhost: prefectd\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{report}",
        report.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The parts of a request that creates a run, half of its bytes each.
fn halves(flow: &str) -> (Vec<u8>, Vec<u8>) {
    let body = json!({ "flow_id": flow }).to_string();
    let text = format!(
        "POST /api/flow_runs/ HTTP/1.1\r\nhost: x\r\nuser-agent: python-httpx/0\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (begin, rest) = text.as_bytes().split_at(text.len() / 2);
    (begin.to_vec(), rest.to_vec())
}

fn assert_created(mut stream: TcpStream) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let text = text.replace("HTTP/1.1 102 Processing\r\n\r\n", "");
    assert!(text.starts_with("HTTP/1.1 201"), "{text}");
}

#[test]
fn an_old_relay_gives_way_to_the_new_daemon_s_and_no_connection_is_dropped() {
    let mut daemon = TestDaemon::with_agent_without_bridge();
    let flow = daemon.http().flow("f");
    assert!(daemon.terminate().success());

    // The old relay at work, with a client that has sent half of its request.
    let path = daemon.state_dir().join("relay.lock");
    let lock = wait_for("the relay to be gone", || take_lock(&path).unwrap());
    let address = SocketAddr::from(([127, 0, 0, 2], daemon.port()));
    let listener = TcpListener::bind(address).unwrap();
    let name = format!("prefectd-relay:{address}");
    let name = std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap();
    let door = UnixListener::bind_addr(&name).unwrap();
    let (begin, rest) = halves(&flow);
    let mut client = connect(address);
    client.write_all(&begin).unwrap();
    let (mut accepted, from) = listener.accept().unwrap();
    let mut came = vec![0; begin.len()];
    accepted.read_exact(&mut came).unwrap();
    for set in [
        listener.set_nonblocking(true),
        door.set_nonblocking(true),
        accepted.set_nonblocking(true),
    ] {
        set.unwrap();
    }
    let flags = rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK;
    let (read, write) = rustix::pipe::pipe_with(flags).unwrap();
    let (whose, journal) = (in_memory(&[]), journal(&came));

    daemon.restart(Vec::new());
    let socket = beside(&daemon.socket(), ".relay");
    let channel = Channel::connect(&beside(&socket, ".kept"));
    channel.send(&json!({ "hello": { "fresh": false } }), &[]);
    channel.send(
        &json!("stage"),
        &[read.as_fd(), write.as_fd(), whose.as_fd()],
    );
    let fds = [listener.as_fd(), door.as_fd()];
    channel.send(&json!({ "listener": { "address": address } }), &fds);
    // What only that version says is no reason to lose the rest.
    channel.send(&json!({ "weather": { "is": "fine" } }), &[]);
    let micros = 1_700_000_000_000_000_u64;
    let came = json!({ "from": from, "to": address, "micros": micros });
    let fds = [accepted.as_fd(), journal.as_fd()];
    channel.send(&json!({ "connection": { "id": 1, "came": came } }), &fds);
    let report = json!({
        "pid": std::process::id(),
        "version": "0.0.9",
        "bound": [address],
        "trouble": [],
        "is_kept": true,
        "news": [],
    });
    let told = orders(&socket, &report);
    assert_eq!(told["leave"], true, "{told}");

    // It leaves; clients that come meanwhile wait.
    drop((channel, accepted, listener, door));
    let mut next = connect(address);
    drop(lock);
    client.write_all(&rest).unwrap();
    assert_created(client);
    let (begin, rest) = halves(&flow);
    next.write_all(&[begin, rest].concat()).unwrap();
    assert_created(next);
}
