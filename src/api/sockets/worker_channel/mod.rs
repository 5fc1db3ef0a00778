//! `/work_pools/{name}/workers/connect`: keeps a worker in touch with its pool. The worker's heart
//! beats here, and it is told when its pool changes.
//!
//! The protocol, the reasons for its end and their codes are those of the 3.9 server.

mod frames;

use std::time::Duration;

use serde::Serialize;

use super::Talk;
use super::listening::asked;
use super::reader::Heard;
use super::socket::{Closing, Ending, Next, code};
use crate::api::v3::wire::WorkPool;
use crate::app::{ConnectedWorker, Listener};
use crate::domain::error::{Error, Kind};
use crate::domain::work;
use frames::{CleanUp, Heartbeat, Hello, VERSION};

const BROKEN: Closing = Closing::fixed(code::PROTOCOL, "protocol_error");
const UNSUPPORTED: Closing = Closing::fixed(code::POLICY, "unsupported_version");
const NOT_PERMITTED: Closing = Closing::fixed(code::POLICY, "authorization_failed");
const NO_HEARTBEAT: Closing = Closing::fixed(code::TROUBLE, "heartbeat_persistence_failed");
const TROUBLE: Closing = Closing::fixed(code::TROUBLE, "transient_server_error");

/// Changes that come so close to each other are told as one.
const TOGETHER: Duration = Duration::from_millis(50);

/// Keeps in touch until the end.
pub(super) async fn talk(mut talk: Talk) {
    let ending = match begin(&mut talk).await {
        Ok(channel) => keep(&mut talk, channel).await,
        Err(ending) => ending,
    };
    talk.socket.finish(ending).await;
}

/// A worker that is in touch.
struct Channel {
    pool: work::WorkPool,
    hello: Hello,
    /// Rung when a pool may have changed.
    bell: Listener,
    /// How many snapshots of the pool were told.
    told: u64,
}

async fn begin(talk: &mut Talk) -> Result<Channel, Ending> {
    let text = asked(talk).await?;
    let hello: Option<Hello> = frames::said(&text, "worker.hello.v1");
    let hello = hello.filter(Hello::is_sound);
    let hello = hello.ok_or(Ending::Close(BROKEN))?;
    if !hello
        .supported_channel_versions
        .iter()
        .any(|one| one == VERSION)
    {
        return Err(Ending::Close(UNSUPPORTED));
    }
    // Before the pool is read, so that no change is missed.
    let bell = talk.ctx.app.agent_bell().listen();
    let pool = talk.visitor.part_of_path(2);
    let connected = talk.ctx.app.connect_worker(&pool, hello.meaning()).await;
    let connected: ConnectedWorker = connected.map_err(|error| Ending::Close(refusal(&error)))?;
    let snapshot = snapshot(talk, connected.pool.clone()).await?;
    say(talk, &frames::ready(&hello, &connected, snapshot)).await?;
    Ok(Channel {
        pool: connected.pool,
        hello,
        bell,
        told: 1,
    })
}

/// How a worker is refused.
fn refusal(error: &Error) -> Closing {
    match error.kind() {
        Kind::NotFound | Kind::Forbidden => NOT_PERMITTED,
        Kind::Invalid | Kind::Conflict => BROKEN,
        _ => {
            tracing::warn!(%error, "a worker's channel is closed");
            TROUBLE
        }
    }
}

async fn keep(talk: &mut Talk, mut channel: Channel) -> Ending {
    let mut may_have_changed = false;
    loop {
        let heard = tokio::select! {
            heard = talk.socket.next() => Some(heard),
            () = channel.bell.rung(), if !may_have_changed => {
                may_have_changed = true;
                continue;
            }
            () = tokio::time::sleep(TOGETHER), if may_have_changed => None,
        };
        let done = match heard {
            None => {
                may_have_changed = false;
                tell_change(talk, &mut channel).await
            }
            Some(Next::Heard(Heard::Text(message))) => hear(talk, &channel, &message.text).await,
            Some(Next::Heard(Heard::Ping(bytes))) => {
                talk.socket.pong(bytes).await;
                Ok(())
            }
            Some(Next::Heard(Heard::Close(asked))) => Err(Ending::Asked(asked)),
            Some(Next::Heard(Heard::Broken(closing))) => Err(Ending::Close(closing)),
            Some(Next::Stop) => Err(Ending::Close(Closing::stopping())),
        };
        if let Err(ending) = done {
            return ending;
        }
        if talk.socket.is_over() {
            return Ending::Gone;
        }
    }
}

/// Hears what a worker says.
async fn hear(talk: &mut Talk, channel: &Channel, text: &str) -> Result<(), Ending> {
    match CleanUp::of(text) {
        Some(of_nothing) => say(talk, &of_nothing.refused()).await,
        None => beat(talk, channel, text).await,
    }
}

/// Notes a heartbeat.
async fn beat(talk: &mut Talk, channel: &Channel, text: &str) -> Result<(), Ending> {
    let beat: Option<Heartbeat> = frames::said(text, "worker.heartbeat.v1");
    let is_its_own = |beat: &Heartbeat| {
        beat.consumer_id == channel.hello.consumer_id
            && beat.worker_name == channel.hello.worker_name
    };
    let beat = beat.filter(is_its_own).ok_or(Ending::Close(BROKEN))?;
    let secs = Some(beat.heartbeat_interval_seconds);
    let (pool, name) = (&channel.pool.name, &beat.worker_name);
    let noted = talk.ctx.app.worker_heartbeat(pool, name, secs).await;
    noted.map_err(|error| {
        tracing::warn!(%error, worker = name, "a worker's heartbeat could not be noted");
        Ending::Close(match error.kind() {
            Kind::Invalid => BROKEN,
            _ => NO_HEARTBEAT,
        })
    })
}

/// Tells what the pool is like, if that has changed.
async fn tell_change(talk: &mut Talk, channel: &mut Channel) -> Result<(), Ending> {
    let pool = match talk.ctx.app.work_pool(&channel.pool.name).await {
        Ok(pool) => pool,
        // There is nothing left to work for.
        Err(error) => return Err(Ending::Close(refusal(&error))),
    };
    let told = |pool: &work::WorkPool| {
        let work::WorkPool {
            base_job_template,
            is_paused,
            concurrency_limit,
            storage,
            ..
        } = pool;
        (
            base_job_template.clone(),
            *is_paused,
            *concurrency_limit,
            storage.clone(),
        )
    };
    let has_changed = told(&pool) != told(&channel.pool);
    channel.pool = pool;
    if has_changed {
        channel.told += 1;
        let pool = snapshot(talk, channel.pool.clone()).await?;
        say(talk, &frames::changed(channel.told, pool)).await?;
    }
    Ok(())
}

/// The pool as the worker may see it.
async fn snapshot(talk: &mut Talk, pool: work::WorkPool) -> Result<WorkPool, Ending> {
    let pool = WorkPool::new(pool, talk.ctx.app.service());
    let masked = async { talk.visitor.requester()?.masked(pool).await };
    let masked = masked.await;
    masked.map_err(|error: Error| Ending::Close(refusal(&error)))
}

async fn say<T: Serialize>(talk: &mut Talk, message: &T) -> Result<(), Ending> {
    talk.socket.say(message).await;
    match talk.socket.is_over() {
        true => Err(Ending::Gone),
        false => Ok(()),
    }
}
