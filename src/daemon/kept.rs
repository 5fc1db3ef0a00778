//! What is kept of the relay, for the next one: see [`crate::relay`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use tokio::sync::Notify;

use super::sockets;
use crate::relay::Came;
use crate::relay::channel::{Channel, Listening, Note};

/// More than any relay has.
const MOST: usize = 4096;

/// Duplicates of a relay's sockets and of its clients' requests; clones share them.
#[derive(Clone, Default)]
pub(super) struct Kept {
    items: Arc<Mutex<Items>>,
    /// Told when a relay is gone.
    gone: Arc<Notify>,
}

#[derive(Default)]
struct Items {
    listeners: BTreeMap<SocketAddr, [OwnedFd; 2]>,
    connections: BTreeMap<u64, Connection>,
    stage: Option<[OwnedFd; 3]>,
}

struct Connection {
    came: Came,
    socket: OwnedFd,
    journal: OwnedFd,
}

impl Kept {
    /// Serves relays, one after the other, at that path until this is dropped by the runtime.
    pub fn serve(&self, path: &Path) -> anyhow::Result<()> {
        sockets::clear(path)?;
        let listening =
            Listening::bind(path).with_context(|| format!("cannot bind {}", path.display()))?;
        let kept = self.clone();
        tokio::spawn(async move {
            loop {
                match listening.accept().await {
                    Ok(channel) => {
                        // One that speaks wrongly is gone, too.
                        if let Err(error) = kept.talk(&channel).await {
                            tracing::debug!(%error, "the relay's channel broke");
                        }
                        kept.gone.notify_one();
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the relay's channel cannot be accepted");
                        tokio::time::sleep(super::relay::LEAVING).await;
                    }
                }
            }
        });
        Ok(())
    }

    /// Waits until a relay is gone; at once when one went since the last time.
    pub async fn relay_gone(&self) {
        self.gone.notified().await;
    }

    fn items(&self) -> MutexGuard<'_, Items> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn talk(&self, channel: &Channel) -> anyhow::Result<()> {
        while let Some((note, fds)) = channel.receive().await? {
            match note {
                Note::Hello { fresh: true } => self.hand_over(channel).await?,
                Note::Hello { fresh: false } => *self.items() = Items::default(),
                note => self.items().take(note, fds)?,
            }
        }
        Ok(())
    }

    async fn hand_over(&self, channel: &Channel) -> anyhow::Result<()> {
        for (note, fds) in self.all()? {
            let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
            channel.send_all(&note, &fds).await?;
        }
        channel.send_all(&Note::End, &[]).await?;
        Ok(())
    }

    fn all(&self) -> std::io::Result<Vec<(Note, Vec<OwnedFd>)>> {
        let items = self.items();
        let listeners = items.listeners.iter().map(|(address, [tcp, door])| {
            let note = Note::Listener { address: *address };
            Ok((note, vec![tcp.try_clone()?, door.try_clone()?]))
        });
        let connections = items.connections.iter().map(|(id, one)| {
            let (id, came) = (*id, one.came);
            let fds = vec![one.socket.try_clone()?, one.journal.try_clone()?];
            Ok((Note::Connection { id, came }, fds))
        });
        let stage = items.stage.iter().map(|fds| {
            let fds = fds.iter().map(OwnedFd::try_clone);
            Ok((Note::Stage, fds.collect::<std::io::Result<_>>()?))
        });
        listeners.chain(connections).chain(stage).collect()
    }
}

impl Items {
    fn take(&mut self, note: Note, fds: Vec<OwnedFd>) -> anyhow::Result<()> {
        let mut fds = fds.into_iter();
        let mut next = || fds.next().context("a descriptor is missing");
        match note {
            Note::Listener { address } => {
                let pair = [next()?, next()?];
                self.listeners.insert(address, pair);
            }
            Note::Stage => self.stage = Some([next()?, next()?, next()?]),
            Note::Connection { id, came } if self.connections.len() < MOST => {
                let connection = Connection {
                    came,
                    socket: next()?,
                    journal: next()?,
                };
                self.connections.insert(id, connection);
            }
            Note::Journal { id } => {
                let journal = next()?;
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.journal = journal;
                }
            }
            Note::Over { id } => drop(self.connections.remove(&id)),
            Note::Left { address } => drop(self.listeners.remove(&address)),
            Note::Connection { .. } | Note::Hello { .. } | Note::End | Note::Unknown => {}
        }
        Ok(())
    }
}
