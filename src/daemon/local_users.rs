//! The local users behind the Unix socket.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use tokio::net::unix::UCred;

use crate::domain::access::LocalUser;

/// How long what the system said of a user is believed: whoever leaves a group is out after it.
const BELIEVED: Duration = Duration::from_secs(10);
/// How many users are remembered.
const REMEMBERED: usize = 1024;

/// Knows users by their ids; clones share what was looked up.
#[derive(Clone, Default)]
pub(super) struct LocalUsers(Arc<Mutex<Remembered>>);

/// By user and group, with the moment of the look.
type Remembered = HashMap<(u32, u32), (Instant, Known)>;

#[derive(Clone)]
struct Known {
    user: String,
    groups: Vec<String>,
}

impl LocalUsers {
    /// The user at the other end of a connection, by the kernel's word.
    pub async fn peer(&self, credentials: UCred) -> LocalUser {
        let (uid, gid) = (credentials.uid(), credentials.gid());
        let known = match self.remembered(uid, gid) {
            Some(known) => known,
            // Names may come from a directory elsewhere, which takes its time.
            None => {
                let looked = tokio::task::spawn_blocking(move || look_up(uid, gid)).await;
                let known = looked.unwrap_or_else(|_| nameless(uid));
                self.remember(uid, gid, known.clone());
                known
            }
        };
        LocalUser {
            uid,
            pid: credentials.pid(),
            user: known.user,
            groups: known.groups,
        }
    }

    fn remembered(&self, uid: u32, gid: u32) -> Option<Known> {
        let known = self.lock();
        let (at, known) = known.get(&(uid, gid))?;
        (at.elapsed() < BELIEVED).then(|| known.clone())
    }

    fn remember(&self, uid: u32, gid: u32, known: Known) {
        let mut users = self.lock();
        if users.len() >= REMEMBERED {
            users.clear();
        }
        users.insert((uid, gid), (Instant::now(), known));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The user's name and groups: those that the system lists, and the one the process has.
fn look_up(uid: u32, gid: u32) -> Known {
    let Ok(Some(user)) = User::from_uid(Uid::from_raw(uid)) else {
        let groups = group_names(&[Gid::from_raw(gid)]);
        return Known {
            groups,
            ..nameless(uid)
        };
    };
    let name = CString::new(user.name.as_str()).unwrap_or_default();
    let mut gids = getgrouplist(&name, user.gid).unwrap_or_default();
    gids.push(Gid::from_raw(gid));
    gids.sort_unstable_by_key(|gid| gid.as_raw());
    gids.dedup();
    Known {
        user: user.name,
        groups: group_names(&gids),
    }
}

fn group_names(gids: &[Gid]) -> Vec<String> {
    let named = gids.iter().filter_map(|gid| Group::from_gid(*gid).ok()?);
    named.map(|group| group.name).collect()
}

fn nameless(uid: u32) -> Known {
    Known {
        user: uid.to_string(),
        groups: Vec::new(),
    }
}
