//! `/logs/out`: the log lines that a filter asks for, as they come.

use serde::{Deserialize, Serialize};

use super::Talk;
use super::listening::{EXPECTED, asked, invalid, next, trouble};
use super::socket::Ending;
use crate::api::v3::extract::read;
use crate::api::v3::wire::{Log, LogFilter};
use crate::app::LogSubscription;
use crate::domain::error::Error;
use crate::domain::log;

/// What a client wants to hear.
#[derive(Deserialize)]
struct Wanted {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    filter: LogFilter,
}

/// What it is told.
#[derive(Serialize)]
struct LogMessage {
    #[serde(rename = "type")]
    kind: &'static str,
    log: Log,
}

/// Tells of lines until the end.
pub(super) async fn talk(mut talk: Talk) {
    let ending = match wanted(&mut talk).await {
        Ok(subscription) => tell(&mut talk, subscription).await,
        Err(ending) => ending,
    };
    talk.socket.finish(ending).await;
}

/// Listens for what the client asks.
async fn wanted(talk: &mut Talk) -> Result<LogSubscription, Ending> {
    let text = asked(talk).await?;
    let read = || {
        let bytes = text.as_bytes();
        read::<Wanted>(bytes)?.accepted(talk.visitor.sender(), bytes, &talk.ctx)
    };
    let wanted = read().map_err(|refusal| invalid(&refusal))?;
    if wanted.kind != "filter" {
        return Err(Ending::Close(EXPECTED));
    }
    let filter = wanted.filter.heard();
    let filter = filter.map_err(|error| invalid(&error.into()))?;
    let subscription = talk.ctx.app.hear_logs(filter).await;
    subscription.map_err(|error| Ending::Close(trouble(&error)))
}

async fn tell(talk: &mut Talk, mut subscription: LogSubscription) -> Ending {
    loop {
        let lines = match next(talk, subscription.next()).await {
            Ok(lines) => lines,
            Err(ending) => return ending,
        };
        if let Err(error) = tell_of(talk, lines).await {
            return Ending::Close(trouble(&error));
        }
    }
}

async fn tell_of(talk: &mut Talk, lines: Vec<log::Log>) -> Result<(), Error> {
    for line in lines {
        let log = talk.visitor.requester()?.masked(Log::from(line)).await?;
        talk.socket.say(&LogMessage { kind: "log", log }).await;
    }
    Ok(())
}
