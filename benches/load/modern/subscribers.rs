//! Many who listen to events, as each run's process does: what each costs in memory.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use chrono::{TimeDelta, Utc};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::bodies::instant;
use super::socket::Socket;
use crate::load::Outcome;
use crate::measuring::Measuring;
use crate::say;

/// How many there are.
const SUBSCRIBERS: usize = 1000;
/// How many files this process may need beside their sockets.
const OTHERS: u64 = 256;
/// How long one may wait to be let in.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the sockets, and enters how much more the server holds then. A server that lets one of them
/// wait, as the real one does with about the hundredth, lets all others wait as well.
pub async fn measure(m: &mut Measuring<'_>) -> anyhow::Result<()> {
    let what = format!("{SUBSCRIBERS} subscribers of /events/out");
    say(&what);
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = (SUBSCRIBERS as u64 + OTHERS).min(hard).max(soft);
    setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    let before = m.server.resident_mib()?;
    let mut listening = JoinSet::new();
    let mut outcome = Outcome::default();
    for number in 0..SUBSCRIBERS {
        let begun = Instant::now();
        match timeout(PATIENCE, subscribed(m)).await {
            Ok(Ok(socket)) => {
                listening.spawn(socket.listen());
                outcome.note(1, begun.elapsed());
            }
            failed => {
                let left = (SUBSCRIBERS - number) as u64;
                let why = match failed {
                    Ok(Err(error)) => error,
                    _ => anyhow!("one was not let in within {PATIENCE:?}"),
                };
                outcome.note_failed(left, why);
                break;
            }
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let grown = m.server.resident_mib()? - before;
    if outcome.failed == 0 {
        m.enter(&format!("{what}: resident growth"), "MiB", grown);
    }
    m.note_failures(&what, &outcome);
    listening.shutdown().await;
    Ok(())
}

/// One who waits for runs that are to be cancelled.
async fn subscribed(m: &Measuring<'_>) -> anyhow::Result<Socket> {
    let now = Utc::now();
    let since = instant(now - TimeDelta::minutes(1));
    let until = instant(now + TimeDelta::days(365));
    let filter = format!(
        r#"{{"type":"filter","filter":{{"occurred":{{"since":"{since}","until":"{until}"}},"event":{{"prefix":null,"exclude_prefix":null,"name":["prefect.flow-run.Cancelling"],"exclude_name":null}},"resource":null,"related":null,"any_resource":null,"id":{{"id":[]}},"text":null,"order":"DESC"}}}}"#
    );
    let mut socket = Socket::open(m.address(), "/events/out").await?;
    socket.say(&filter).await?;
    Ok(socket)
}
