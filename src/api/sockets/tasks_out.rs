//! `/task_runs/subscriptions/scheduled`: tells who serves background tasks of each that waits, one
//! after the other.
//!
//! The client says which tasks it serves, and answers each with `ack` before it hears of the next,
//! or with `quit`. Words and codes are those of the 3.9 server.

use serde_json::{Value, json};

use super::Talk;
use super::listening::{asked, next, trouble};
use super::reader::Heard;
use super::socket::{Closing, Ending, Next, code};
use crate::api::v3::wire::TaskRun;
use crate::app::TaskService;
use crate::domain::error::Result;
use crate::domain::task_run;

/// The most tasks that one serves.
const MOST_KEYS: usize = 1_000;
/// The most bytes of what a client calls itself, and of a task's key.
const MOST_BYTES: usize = 2_000;

const NO_SUBSCRIPTION: Closing = violation("Protocol violation: expected 'subscribe' message");
const NO_KEYS: Closing = violation("Protocol violation: expected 'keys' in subscribe message");
const NO_CLIENT: Closing =
    violation("Protocol violation: expected 'client_id' in subscribe message");
const NO_ANSWER: Closing = violation("Protocol violation: expected 'ack' message");
const TOO_MUCH: Closing = violation("Protocol violation: too many 'keys', or too long ones");

/// Serves a client until the end.
pub(super) async fn talk(mut talk: Talk) {
    let ending = match begin(&mut talk).await {
        Ok(service) => serve(&mut talk, service).await,
        Err(ending) => ending,
    };
    talk.socket.finish(ending).await;
}

async fn begin(talk: &mut Talk) -> std::result::Result<TaskService, Ending> {
    let text = asked(talk).await?;
    let (client, task_keys) = subscription(&text).map_err(Ending::Close)?;
    let service = talk.ctx.app.serve_tasks(client, task_keys).await;
    service.map_err(|error| trouble(&error))
}

/// What a client calls itself, and the tasks that it serves.
fn subscription(text: &str) -> std::result::Result<(String, Vec<String>), Closing> {
    let said: Value = serde_json::from_str(text).map_err(|_| NO_SUBSCRIPTION)?;
    if said.get("type") != Some(&json!("subscribe")) {
        return Err(NO_SUBSCRIPTION);
    }
    let keys = said.get("keys").and_then(Value::as_array).ok_or(NO_KEYS)?;
    let keys = keys.iter().map(|key| key.as_str().map(str::to_owned));
    let keys: Vec<_> = keys.collect::<Option<_>>().ok_or(NO_KEYS)?;
    if keys.is_empty() {
        return Err(NO_KEYS);
    }
    let client = said.get("client_id").and_then(Value::as_str);
    let client = client
        .filter(|client| !client.is_empty())
        .ok_or(NO_CLIENT)?;
    let is_long = |text: &str| text.len() > MOST_BYTES;
    if keys.len() > MOST_KEYS || keys.iter().any(|key| is_long(key)) || is_long(client) {
        return Err(TOO_MUCH);
    }
    Ok((client.to_owned(), keys))
}

async fn serve(talk: &mut Talk, mut service: TaskService) -> Ending {
    let ending = loop {
        if let Err(ending) = tell_of_one(talk, &mut service).await {
            break ending;
        }
    };
    // While the daemon ends, its clients go on.
    if ending != Ending::Close(Closing::stopping()) {
        service.end().await;
    }
    ending
}

/// Tells of the next task and hears the answer.
async fn tell_of_one(
    talk: &mut Talk,
    service: &mut TaskService,
) -> std::result::Result<(), Ending> {
    let run = next(talk, service.next()).await?;
    let id = run.id;
    say(talk, run).await.map_err(|error| trouble(&error))?;
    answered(talk).await?;
    let noted = service.acknowledge(id).await;
    noted.map_err(|error| trouble(&error))
}

async fn say(talk: &mut Talk, run: task_run::TaskRun) -> Result<()> {
    let run = TaskRun::new(run, talk.ctx.app.now());
    let run = talk.visitor.requester()?.masked(run).await?;
    talk.socket.say(&run).await;
    Ok(())
}

async fn answered(talk: &mut Talk) -> std::result::Result<(), Ending> {
    loop {
        if talk.socket.is_over() {
            return Err(Ending::Gone);
        }
        match talk.socket.next().await {
            Next::Heard(Heard::Text(message)) => return acknowledged(&message.text),
            Next::Heard(Heard::Ping(bytes)) => talk.socket.pong(bytes).await,
            Next::Heard(Heard::Close(asked)) => return Err(Ending::Asked(asked)),
            Next::Heard(Heard::Broken(closing)) => return Err(Ending::Close(closing)),
            Next::Stop => return Err(Ending::Close(Closing::stopping())),
        }
    }
}

fn acknowledged(text: &str) -> std::result::Result<(), Ending> {
    let said: Option<Value> = serde_json::from_str(text).ok();
    match said.as_ref().and_then(|said| said.get("type")?.as_str()) {
        Some("ack") => Ok(()),
        Some("quit") => Err(Ending::Close(Closing::fixed(code::NORMAL, ""))),
        _ => Err(Ending::Close(NO_ANSWER)),
    }
}

/// Of the protocol that is spoken here.
const fn violation(what: &'static str) -> Closing {
    Closing::fixed(code::VIOLATION, what)
}
