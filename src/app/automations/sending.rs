//! Actions that send something elsewhere: notifications, and calls of webhooks.
//!
//! They go out beside the others, so that nobody waits for who does not answer. What does not
//! arrive is sent again for a while. A daemon that dies between the sending and the note of it
//! sends a message a second time, under the same key; one that was noted never.

use serde_json::json;
use uuid::Uuid;

use super::acting::{Acting, failed, refused};
use super::context;
use crate::domain::JsonMap;
use crate::domain::automation::action::{CallWebhook, SendNotification};
use crate::domain::automation::told::Outcome;
use crate::domain::block::BlockDocument;
use crate::domain::error::Result;
use crate::domain::event::{Event, ID, NAME, Resource};
use crate::domain::ids::{BlockDocumentId, EventId};
use crate::domain::notification::{self, Message};
use crate::domain::time::Timestamp;
use crate::outgoing::{Failure, Reply};

/// The most characters of an answer that are told.
const MOST_TOLD: usize = 1000;
/// The type of the blocks that webhooks are.
const WEBHOOK: &str = "webhook";
/// What blocks can do that notifications are sent by.
const NOTIFY: &str = "notify";
/// Beginnings of the names of headers that are not told.
const UNTOLD: [&str; 8] = [
    "authorization",
    "traceparent",
    "via",
    "x-forwarded",
    "x-b3",
    "x-cloud-trace",
    "x-envoy",
    "x-prefect",
];

/// What came of an attempt at an action.
pub(super) enum Attempt {
    /// It is done, or has failed for good.
    Over(Outcome),
    /// It may succeed later; what it is if it does not, and how many of its messages arrived.
    Again(Outcome, i64),
}

impl Acting<'_> {
    /// Sends a notification.
    ///
    /// # Errors
    /// Those that it is tried again for.
    pub async fn notify(&self, send: &SendNotification) -> Result<Attempt> {
        let block = match self.block(send.block_document_id).await? {
            Ok(block) => block,
            Err(failed) => return Ok(Attempt::Over(failed)),
        };
        let abilities = &block.schema.new.capabilities;
        if !abilities.iter().any(|ability| ability == NOTIFY) {
            let words = "The referenced block was not a notification block";
            return Ok(Attempt::Over(failed(words)));
        }
        let about = self.about(&block);
        let texts = vec![send.subject.clone(), send.body.clone()];
        let texts = context::rendered(self.app, self.work, self.because, texts).await?;
        let (subject, body) = match texts.as_deref() {
            Ok([subject, body]) => (subject, body),
            Ok(_) => return Ok(Attempt::Over(about)),
            Err(unmade) => return Ok(Attempt::Over(unmade.told(about))),
        };
        let data = block.data(true);
        match notification::composed(&block.kind.new.slug, &data, subject, body, self.app.now()) {
            Ok(messages) => Ok(self.send(&messages, about).await),
            Err(why) => {
                let words = format!("The notification block was invalid: {why}");
                Ok(Attempt::Over(because(about, words)))
            }
        }
    }

    /// Calls a webhook. Whatever it answers is no failure, as on the reference.
    ///
    /// # Errors
    /// Those that it is tried again for.
    pub async fn call(&self, call: &CallWebhook) -> Result<Attempt> {
        let block = match self.block(call.block_document_id).await? {
            Ok(block) => block,
            Err(failed) => return Ok(Attempt::Over(failed)),
        };
        if block.kind.new.slug != WEBHOOK {
            let words = "The referenced block was not a webhook block";
            return Ok(Attempt::Over(failed(words)));
        }
        let about = self.about(&block);
        let texts = vec![call.payload.clone()];
        let texts = context::rendered(self.app, self.work, self.because, texts).await?;
        let payload = match texts {
            Ok(texts) => texts.concat(),
            Err(unmade) => return Ok(Attempt::Over(unmade.told(about))),
        };
        let call = match notification::webhook(&block.data(true), payload) {
            Ok(call) => call,
            Err(why) => {
                let words = format!("The webhook block was invalid: {why}");
                return Ok(Attempt::Over(because(about, words)));
            }
        };
        let done = self.app.outgoing().http.call(&call, &self.key(0)).await;
        Ok(match done {
            Ok(reply) if reply.is_temporary() => Attempt::Again(answered(about, &reply), 0),
            Ok(reply) => Attempt::Over(answered(about, &reply)),
            Err(Failure { why, is_temporary }) => {
                let outcome = because(about, format!("Webhook call failed: {why}"));
                match is_temporary {
                    true => Attempt::Again(outcome, 0),
                    false => Attempt::Over(outcome),
                }
            }
        })
    }

    /// Sends those messages that did not arrive before.
    async fn send(&self, messages: &[Message], about: Outcome) -> Attempt {
        let mut log = Vec::new();
        for (place, message) in (0..)
            .zip(messages)
            .skip_while(|(at, _)| *at < self.work.sent)
        {
            let sent = self.app.outgoing().send(message, &self.key(place)).await;
            let Err(Failure { why, is_temporary }) = sent else {
                continue;
            };
            let is_only = log.is_empty();
            log.push(format!(
                "Message {} of {}: {why}",
                place + 1,
                messages.len()
            ));
            // What follows one that never arrives is sent all the same, and then it is over.
            if is_temporary && is_only {
                return Attempt::Again(unsent(about, &log), place);
            }
        }
        Attempt::Over(match log.is_empty() {
            true => about,
            false => unsent(about, &log),
        })
    }

    /// Names one message among all.
    fn key(&self, place: i64) -> String {
        match place {
            0 => self.work.id.to_string(),
            place => format!("{}-{place}", self.work.id),
        }
    }

    async fn block(&self, id: Uuid) -> Result<std::result::Result<BlockDocument, Outcome>> {
        let found = self
            .app
            .block_document(BlockDocumentId::from_uuid(id))
            .await;
        refused(found, self.action.word())
    }

    /// What is told of an action that uses a block, before anything went wrong.
    fn about(&self, block: &BlockDocument) -> Outcome {
        let of_type = || format!("prefect.block-type.{}", block.kind.new.slug);
        let id = format!("prefect.block-document.{}", block.stored.id);
        let name = &block.stored.name;
        let of_block = Resource::in_role("block", id).with(NAME, name.clone());
        Outcome {
            related: vec![of_block, Resource::in_role("block-type", of_type())],
            also: vec![loaded(block, self.app.now())],
            ..Outcome::default()
        }
    }
}

/// That a block was loaded, as clients of the reference tell it.
fn loaded(block: &BlockDocument, now: Timestamp) -> Event {
    let slug = &block.kind.new.slug;
    let id = format!("prefect.block-document.{}", block.stored.id);
    let of_type = format!("prefect.block-type.{slug}");
    Event {
        id: EventId::new(),
        occurred: now,
        name: format!("prefect.block.{slug}.loaded"),
        resource: Resource::of([(ID, id), (NAME, block.stored.name.clone())]),
        related: vec![Resource::in_role("block-type", of_type)],
        payload: JsonMap::new(),
        follows: None,
    }
}

fn because(about: Outcome, why: String) -> Outcome {
    Outcome {
        failure: Some(why),
        ..about
    }
}

fn unsent(about: Outcome, log: &[String]) -> Outcome {
    let mut outcome = because(about, "Notification failed".to_owned());
    let log = log.join("\n");
    outcome
        .details
        .insert("notification_log".to_owned(), log.into());
    outcome
}

fn answered(about: Outcome, reply: &Reply) -> Outcome {
    let is_told = |name: &str| !UNTOLD.iter().any(|untold| name.starts_with(untold));
    let headers = reply.headers.iter().filter(|(name, _)| is_told(name));
    let headers: JsonMap = { headers.cloned() }
        .map(|(name, value)| (name, value.into()))
        .collect();
    let mut outcome = about;
    outcome.details.extend([
        ("status_code".to_owned(), reply.status.into()),
        ("response_body".to_owned(), shortened(&reply.body).into()),
        ("response_headers".to_owned(), json!(headers)),
    ]);
    outcome
}

/// Beginning and end of a text that is too long.
fn shortened(text: &str) -> String {
    let letters: Vec<_> = text.chars().collect();
    if letters.len() <= MOST_TOLD {
        return text.to_owned();
    }
    let (first, rest) = letters.split_at(MOST_TOLD / 2);
    let (omitted, last) = rest.split_at(rest.len() - MOST_TOLD / 2);
    let put_together = |letters: &[char]| letters.iter().collect::<String>();
    format!(
        "{}...{} additional characters...{}",
        put_together(first),
        omitted.len(),
        put_together(last)
    )
}
