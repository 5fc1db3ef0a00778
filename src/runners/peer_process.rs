//! Which subprocess run holds one end of a loopback connection.
//!
//! Real 2.0a7 clients cannot send a key, so a run that is a process of the daemon's own user is
//! known by its socket: the kernel names the socket's owner and number, and the process that
//! holds it carries its run and its daemon in its environment. A process of another user is
//! never believed; one of the same user could read the database anyway.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;

use nix::unistd::geteuid;

use super::subprocess::{marks_of, processes};
use crate::domain::ids::FlowRunId;

/// The run of this daemon (`instance`), or of its standalone agents here, whose process holds the socket that is bound to `from`
/// and connected to `to`. Reads `/proc`, which takes some milliseconds: not for the async
/// threads.
pub fn run_behind(from: SocketAddr, to: SocketAddr, instance: &str) -> Option<FlowRunId> {
    let own = geteuid().as_raw();
    let inode = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| socket_of(&table, from, to, own))?;
    let link = format!("socket:[{inode}]");
    processes().find_map(|pid| {
        let folder = format!("/proc/{pid}");
        if fs::metadata(&folder).ok()?.uid() != own {
            return None;
        }
        let mut files = fs::read_dir(format!("{folder}/fd")).ok()?.flatten();
        let holds = files.any(|file| {
            fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == link.as_str())
        });
        holds
            .then(|| marks_of(pid, |mark| is_of(mark, instance)))
            .flatten()
    })
}

/// Whether a process was started by that daemon or by one of its standalone agents.
fn is_of(mark: &str, instance: &str) -> bool {
    let rest = mark.strip_prefix(instance);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The number of a user's socket in one of the kernel's tables.
fn socket_of(table: &str, from: SocketAddr, to: SocketAddr, uid: u32) -> Option<u64> {
    let mut rows = table.lines().skip(1);
    rows.find_map(|row| {
        let mut columns = row.split_whitespace();
        let local = address(columns.nth(1)?)?;
        let remote = address(columns.next()?)?;
        let owner: u32 = columns.nth(4)?.parse().ok()?;
        let inode = columns.nth(1)?.parse().ok()?;
        (same(local, from) && same(remote, to) && owner == uid).then_some(inode)
    })
}

fn same(one: SocketAddr, other: SocketAddr) -> bool {
    one.ip().to_canonical() == other.ip().to_canonical() && one.port() == other.port()
}

/// Reads `0100007F:1068`: words of four bytes in the machine's order, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let mut bytes = Vec::new();
    for at in (0..ip.len()).step_by(8) {
        let word = u32::from_str_radix(ip.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let ip: IpAddr = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => four.into(),
        Err(_) => <[u8; 16]>::try_from(bytes.as_slice()).ok()?.into(),
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_tables_are_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
   0: 0100007F:1068 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 x\n\
   1: 0100007F:BEEF 0100007F:1068 01 00000000:00000000 02:00000000 00000000  1000        0 222 2 x\n";
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(socket_of(table, at(0xBEEF), at(0x1068), 1000), Some(222));
        assert_eq!(socket_of(table, at(0xBEEF), at(0x1068), 1001), None);
        assert_eq!(socket_of(table, at(0x1068), at(0xBEEF), 1000), None);
        let mapped = address("0000000000000000FFFF00000100007F:1068").unwrap();
        assert!(same(mapped, at(0x1068)));
        assert_eq!(address("0100007F"), None);
        assert_eq!(address("01:1"), None);
    }

    #[test]
    fn a_daemon_and_its_standalone_agents_are_believed() {
        assert!(is_of("3f2a", "3f2a"));
        assert!(is_of("3f2a/blue", "3f2a"));
        assert!(!is_of("3f2ab", "3f2a"));
        assert!(!is_of("blue", "3f2a"));
    }

    #[test]
    fn a_socket_of_a_process_that_is_no_run_is_nobody_s() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let stream = std::net::TcpStream::connect(to).unwrap();
        let from = stream.local_addr().unwrap();
        let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
        assert!(socket_of(&table, from, to, geteuid().as_raw()).is_some());
        assert_eq!(run_behind(from, to, "some-instance"), None);
    }
}
