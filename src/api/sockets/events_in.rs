//! `/events/in`: events, one a message.
//!
//! Clients keep what they have sent until they have pinged and heard the answer, and send it again
//! when the connection breaks before that. So a ping is answered only when every event before it
//! is committed, and so is the client's own end. What is sent twice is known by its id.

use super::Talk;
use super::reader::{Heard, Message};
use super::refused::digest;
use super::socket::{Closing, Ending, Next, code};
use super::why;
use crate::api::aside::aside;
use crate::api::json::Location;
use crate::api::v3::events::wire::EventIn;
use crate::api::v3::extract::read_all;
use crate::domain::error::{Error, Kind};
use crate::domain::event::{Event, MOST_BYTES};

/// How many messages are dealt with at once, and about how many bytes of them.
const AT_ONCE: usize = 200;
/// See [`AT_ONCE`].
const BYTES_AT_ONCE: usize = 1024 * 1024;

/// Takes events until the end.
pub(super) async fn talk(mut talk: Talk) {
    let ending = take(&mut talk).await;
    talk.socket.finish(ending).await;
}

async fn take(talk: &mut Talk) -> Ending {
    loop {
        let next = talk.socket.next().await;
        let is_stopping = matches!(next, Next::Stop);
        let first = match next {
            Next::Heard(heard) => Some(heard),
            Next::Stop => talk.socket.at_once(),
        };
        let gathered = gather(first, talk);
        if let Err(closing) = keep(&gathered.messages, talk).await {
            return Ending::Close(closing);
        }
        match gathered.then {
            Some(Heard::Ping(bytes)) => talk.socket.pong(bytes).await,
            Some(Heard::Close(asked)) => return Ending::Asked(asked),
            Some(Heard::Broken(closing)) => return Ending::Close(closing),
            // All that has come by now is kept.
            None if is_stopping && gathered.is_all => return Ending::Close(Closing::stopping()),
            Some(Heard::Text(..)) | None => {}
        }
        if talk.socket.is_over() {
            return Ending::Gone;
        }
    }
}

/// Messages that are dealt with together.
struct Gathered {
    /// Each with its share of what may wait, which it has until it is committed.
    messages: Vec<Message>,
    /// What came after them.
    then: Option<Heard>,
    /// Whether nothing more had come.
    is_all: bool,
}

fn gather(mut next: Option<Heard>, talk: &mut Talk) -> Gathered {
    let mut gathered = Gathered {
        messages: Vec::new(),
        then: None,
        is_all: false,
    };
    let mut bytes = 0;
    while let Some(heard) = next {
        match heard {
            Heard::Text(message) => {
                bytes += message.text.len();
                gathered.messages.push(message);
            }
            then => {
                gathered.then = Some(then);
                return gathered;
            }
        }
        if gathered.messages.len() >= AT_ONCE || bytes >= BYTES_AT_ONCE {
            return gathered;
        }
        next = talk.socket.at_once();
    }
    gathered.is_all = true;
    gathered
}

/// Stores the events of some messages. Those before one that is no event are stored.
async fn keep(messages: &[Message], talk: &mut Talk) -> Result<(), Closing> {
    let (mut events, mut unknown, mut refused) = (Vec::new(), Vec::new(), None);
    for message in messages {
        match event(&message.text, talk) {
            Ok(Some((event, members))) => {
                events.push(event);
                unknown.extend((!members.is_empty()).then_some(members));
            }
            Ok(None) => {}
            Err(closing) => {
                refused = Some(closing);
                break;
            }
        }
    }
    if !events.is_empty() {
        let permitted = talk.visitor.authorise(events.as_slice(), &talk.ctx).await;
        permitted.map_err(|error| closing(&error))?;
        // Members that nobody knows are passed over, as in the reference.
        for members in &unknown {
            talk.visitor.sender().passes_over(members, &talk.ctx);
        }
        talk.ctx
            .app
            .store_events(events)
            .await
            .map_err(|error| closing(&error))?;
    }
    refused.map_or(Ok(()), Err)
}

/// The event of a message. A client that is told why one is refused sends it again with all that
/// came after it: then it is passed over.
fn event(text: &str, talk: &Talk) -> Result<Option<Read>, Closing> {
    let read = match text.len() > MOST_BYTES {
        true => Err(Closing::of(
            code::TOO_LARGE,
            &format!("an event must have at most {MOST_BYTES} bytes"),
        )),
        false => aside(text.len(), || parsed(text)),
    };
    let closing = match read {
        Ok(read) => return Ok(Some(read)),
        Err(closing) => closing,
    };
    match talk.ctx.sockets.refusals.is_known(digest(text)) {
        true => {
            tracing::warn!("an event that was refused came again and is passed over: {closing}");
            Ok(None)
        }
        false => Err(closing),
    }
}

/// An event, and what is not known of what was said of it.
type Read = (Event, Vec<Location>);

fn parsed(text: &str) -> Result<Read, Closing> {
    let told = read_all::<EventIn>(text.as_bytes()).map_err(|refusal| {
        let why = format!("Invalid event: {}", why(&refusal));
        Closing::of(code::NOT_TEXT, &why)
    })?;
    let (told, unknown) = told.with_unknown();
    let event = Event::try_from(told).map_err(|error| {
        let why = format!("Invalid event: {}", error.message());
        Closing::of(code::NOT_TEXT, &why)
    })?;
    Ok((event, unknown))
}

/// How a connection ends on which something cannot be kept. The client comes again with it.
fn closing(error: &Error) -> Closing {
    let code = match error.kind() {
        Kind::Forbidden => code::POLICY,
        Kind::Invalid | Kind::Refused | Kind::Conflict | Kind::NotFound => code::NOT_TEXT,
        Kind::TooLarge => code::TOO_LARGE,
        Kind::Unavailable | Kind::StorageFull | Kind::TooSlow => code::LATER,
        Kind::StorageLost | Kind::StorageDamaged | Kind::Internal => code::TROUBLE,
    };
    if code == code::TROUBLE {
        tracing::error!(%error, "events could not be kept");
    }
    Closing::of(code, error.message())
}
