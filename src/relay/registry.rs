//! What the daemon keeps duplicates of: the listening sockets and the connections of clients.
//!
//! They outlive a relay that is killed. The next one takes them over, so that clients neither
//! are refused nor lose what they have asked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::channel::{Channel, Note};
use super::journal::{Journal, Left};
use super::stage::Stage;
use super::{Came, RETRY};

/// How long a new relay waits for what it is to take over.
const HANDED_OVER: Duration = Duration::from_secs(2);

/// A connection of a client.
pub(super) struct Kept {
    /// Names it between relay and daemon.
    pub id: u64,
    /// Where it comes from.
    pub came: Came,
    pub socket: TcpStream,
    pub journal: Journal,
    registry: Arc<Registry>,
}

impl Kept {
    /// Takes up to `most` bytes of what the client has sent into the journal.
    pub fn take(&self, most: usize) -> io::Result<Taken> {
        let Some(stage) = self.registry.stage.get().filter(|_| self.journal.is_on()) else {
            let mut bytes = vec![0; most];
            let read = self.socket.try_read(&mut bytes)?;
            bytes.truncate(read);
            return Ok(Taken::Loose(bytes));
        };
        let take = || stage.take(self.id, self.socket.as_fd(), most);
        let taken = match self.socket.try_io(Interest::READABLE, take)? {
            0 => return Ok(Taken::Kept(0..0)),
            taken => taken,
        };
        self.journal.note_more();
        let begin = self.journal.length();
        match self.fill(stage, taken) {
            Ok(range) => Ok(Taken::Kept(range)),
            // The disk is full. The request goes on, and would not outlive this relay.
            Err(_) => {
                self.journal.turn_off();
                let mut bytes = vec![0; (self.journal.length() - begin) as usize];
                self.journal.read(begin, &mut bytes)?;
                bytes.extend(stage.empty()?);
                Ok(Taken::Loose(bytes))
            }
        }
    }

    fn fill(&self, stage: &Stage, bytes: usize) -> io::Result<Range<u64>> {
        if let Some(file) = self.journal.make_room(bytes)? {
            let note = Note::Journal { id: self.id };
            self.registry.tell(&note, &[file.as_fd()]);
        }
        let put = |file: &File, at: u64, most: usize| stage.put(file, at, most);
        self.journal.fill(bytes, put)
    }

    /// Whether the client has hung up, which is not heard while what it has sent is not read.
    pub fn has_hung_up(&self) -> bool {
        let mut hung_up = [PollFd::new(&self.socket, PollFlags::RDHUP)];
        let at_once = Timespec::default();
        poll(&mut hung_up, Some(&at_once)).is_ok_and(|found| found > 0)
    }

    /// The connection is over. Others have the socket, too, so it is shut explicitly.
    pub fn end(&self) {
        // One that the client has closed is shut already.
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
        let mut state = self.registry.state();
        state.connections.remove(&self.id);
        drop(state);
        self.registry.tell(&Note::Over { id: self.id }, &[]);
    }
}

/// What a client has sent.
pub(super) enum Taken {
    /// It is in the journal, there; nothing at the end.
    Kept(Range<u64>),
    /// It is nowhere else; nothing at the end.
    Loose(Vec<u8>),
}

/// What a new relay takes over.
#[derive(Default)]
pub(super) struct TakenOver {
    /// The listening sockets.
    pub listeners: Vec<(SocketAddr, TcpListener, UnixListener)>,
    /// The connections, with what is in their journals.
    pub connections: Vec<Arc<Kept>>,
}

/// All of them.
pub(super) struct Registry {
    folder: PathBuf,
    channel_path: PathBuf,
    state: Mutex<State>,
    /// The way into the journals; absent where the kernel does not permit it.
    stage: OnceLock<Stage>,
    /// Told when the channel is given up.
    broken: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    channel: Option<Arc<Channel>>,
    /// Whether the daemon has been told all.
    is_told: bool,
    listeners: BTreeMap<SocketAddr, [OwnedFd; 2]>,
    connections: BTreeMap<u64, Arc<Kept>>,
}

impl Registry {
    /// Empty; the daemon that keeps the duplicates listens at `channel`.
    pub fn new(folder: &Path, channel: &Path) -> Arc<Self> {
        Arc::new(Self {
            folder: folder.to_owned(),
            channel_path: channel.to_owned(),
            state: Mutex::default(),
            stage: OnceLock::new(),
            broken: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a daemon keeps all this at the moment.
    pub fn is_kept(&self) -> bool {
        let state = self.state();
        state.channel.is_some() && state.is_told
    }

    /// A connection that was just accepted.
    pub fn connection(self: &Arc<Self>, socket: TcpStream, came: Came) -> io::Result<Arc<Kept>> {
        let journal = Journal::new(&self.folder)?;
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        let kept = self.keep(&mut state, id, came, socket, journal);
        drop(state);
        let file = kept.journal.file();
        let fds = [kept.socket.as_fd(), file.as_fd()];
        self.tell(&Note::Connection { id, came }, &fds);
        Ok(kept)
    }

    fn keep(
        self: &Arc<Self>,
        state: &mut State,
        id: u64,
        came: Came,
        socket: TcpStream,
        journal: Journal,
    ) -> Arc<Kept> {
        let registry = Arc::clone(self);
        let kept = Arc::new(Kept {
            id,
            came,
            socket,
            journal,
            registry,
        });
        state.connections.insert(id, Arc::clone(&kept));
        kept
    }

    /// Listening sockets that were just bound.
    pub fn listener(&self, address: SocketAddr, fds: [BorrowedFd<'_>; 2]) -> io::Result<()> {
        let [tcp, door] = fds;
        let own = [tcp.try_clone_to_owned()?, door.try_clone_to_owned()?];
        self.state().listeners.insert(address, own);
        self.tell(&Note::Listener { address }, &fds);
        Ok(())
    }

    /// Listening sockets that are given up.
    pub fn left(&self, address: SocketAddr) {
        self.state().listeners.remove(&address);
        self.tell(&Note::Left { address }, &[]);
    }

    /// Tells the daemon. Where it cannot be told at once, it is told all another time.
    fn tell(&self, note: &Note, fds: &[BorrowedFd<'_>]) {
        let mut state = self.state();
        let told = state
            .channel
            .as_ref()
            .map(|channel| channel.send(note, fds));
        if told.is_some_and(|told| told.is_err()) {
            state.channel = None;
            self.broken.notify_one();
        }
    }

    /// Takes over what the daemon keeps of an earlier relay. Nothing where it keeps nothing.
    pub async fn take_over(self: &Arc<Self>) -> TakenOver {
        let mut taken = TakenOver::default();
        let Ok(channel) = Channel::connect(&self.channel_path) else {
            self.begin_stage();
            return taken;
        };
        let all = async {
            channel.send_all(&Note::Hello { fresh: true }, &[]).await?;
            while let Some((note, fds)) = channel.receive().await? {
                if note == Note::End {
                    break;
                }
                // What cannot be taken over is closed.
                let _ = self.take(note, fds, &mut taken);
            }
            io::Result::Ok(())
        };
        if let Ok(Ok(())) = tokio::time::timeout(HANDED_OVER, all).await {
            let mut state = self.state();
            state.channel = Some(Arc::new(channel));
            state.is_told = true;
        }
        self.begin_stage();
        self.clear_stage();
        taken
    }

    /// Makes the way into the journals, unless there is one.
    fn begin_stage(&self) {
        if self.stage.get().is_none()
            && let Ok(stage) = Stage::new()
        {
            let stage = self.stage.get_or_init(|| stage);
            self.tell(&Note::Stage, &stage.fds());
        }
    }

    /// Has what was on its way when a relay was killed go on.
    fn clear_stage(&self) {
        let Some(stage) = self.stage.get() else {
            return;
        };
        let Some((id, bytes)) = stage.left() else {
            return;
        };
        let kept = self.state().connections.get(&id).cloned();
        let filled = kept.map(|kept| {
            kept.journal.note_more();
            kept.fill(stage, bytes)
        });
        if !matches!(filled, Some(Ok(_))) {
            // Its connection is over, or is so now; nobody else must get it.
            let _ = stage.empty();
            if let Some(kept) = self.state().connections.get(&id).cloned() {
                kept.journal.turn_off();
            }
        }
    }

    fn take(
        self: &Arc<Self>,
        note: Note,
        fds: Vec<OwnedFd>,
        taken: &mut TakenOver,
    ) -> io::Result<()> {
        if note == Note::Stage {
            let fds = <[OwnedFd; 3]>::try_from(fds);
            let fds = fds.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
            self.stage.get_or_init(|| Stage::taken_over(fds));
            return Ok(());
        }
        let Ok([first, second]) = <[OwnedFd; 2]>::try_from(fds) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        match note {
            Note::Listener { address } => {
                let own = [first.try_clone()?, second.try_clone()?];
                self.state().listeners.insert(address, own);
                let listener = (address, first.into(), second.into());
                taken.listeners.push(listener);
            }
            Note::Connection { id, came } => {
                let socket: std::net::TcpStream = first.into();
                let (journal, left) = Journal::taken_up(&self.folder, File::from(second))?;
                let mut state = self.state();
                state.next = state.next.max(id);
                let socket = TcpStream::from_std(socket)?;
                let kept = self.keep(&mut state, id, came, socket, journal);
                drop(state);
                match left {
                    Left::Idle | Left::Request(_) => taken.connections.push(kept),
                    Left::Lost => kept.end(),
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Keeps a daemon informed, whichever process that is, for ever.
    pub async fn keep_told(self: Arc<Self>) {
        loop {
            let current = self.state().channel.clone();
            match current {
                Some(channel) => {
                    tokio::select! {
                        // The daemon says nothing here: what comes is its end.
                        _ = channel.receive() => {}
                        () = self.broken.notified() => {}
                    }
                    let mut state = self.state();
                    if state
                        .channel
                        .as_ref()
                        .is_some_and(|known| Arc::ptr_eq(known, &channel))
                    {
                        state.channel = None;
                    }
                }
                None if self.tell_all().await.is_ok() => {}
                None => tokio::time::sleep(RETRY).await,
            }
        }
    }

    async fn tell_all(&self) -> io::Result<()> {
        let channel = Arc::new(Channel::connect(&self.channel_path)?);
        channel.send_all(&Note::Hello { fresh: false }, &[]).await?;
        let (listeners, connections) = {
            let mut state = self.state();
            let listeners: Vec<_> = state
                .listeners
                .iter()
                .map(|(address, [tcp, door])| Ok((*address, [tcp.try_clone()?, door.try_clone()?])))
                .collect::<io::Result<_>>()?;
            let connections: Vec<_> = state.connections.values().cloned().collect();
            // From here on it hears what is new; what is told twice is the same.
            state.is_told = false;
            state.channel = Some(Arc::clone(&channel));
            (listeners, connections)
        };
        if let Some(stage) = self.stage.get() {
            channel.send_all(&Note::Stage, &stage.fds()).await?;
        }
        for (address, [tcp, door]) in &listeners {
            let note = Note::Listener { address: *address };
            channel
                .send_all(&note, &[tcp.as_fd(), door.as_fd()])
                .await?;
        }
        for kept in connections {
            let note = Note::Connection {
                id: kept.id,
                came: kept.came,
            };
            let file = kept.journal.file();
            let fds = [kept.socket.as_fd(), file.as_fd()];
            channel.send_all(&note, &fds).await?;
            // It may have ended meanwhile.
            if !self.state().connections.contains_key(&kept.id) {
                channel.send_all(&Note::Over { id: kept.id }, &[]).await?;
            }
        }
        self.state().is_told = true;
        Ok(())
    }
}
