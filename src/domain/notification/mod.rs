//! What notification blocks come to: the messages that are sent for a subject and a body.
//!
//! Prefect's own blocks send through the library Apprise, from within Python. Here each type of
//! them is a small function from its values to the same requests; `tests/notifications` holds what
//! the original sends.

mod accounts;
mod addressed;
mod chats;
mod custom;
mod fields;
mod incidents;
mod mail;
mod message;
mod teams;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::Value;

use crate::domain::JsonMap;
use crate::domain::time::Timestamp;
use fields::Fields;

pub use custom::webhook;
pub use message::{Call, Mail, Message, Privacy, Reach};

/// The name that messages are sent under.
const SENDER: &str = "Prefect Notifications";
/// How long a service may take at most that names no time itself.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Where the pictures are that go with messages.
const PICTURES: &str =
    "https://github.com/caronc/apprise/raw/master/apprise/assets/themes/default/apprise";

/// Gives an object a member.
fn set(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
}

/// What there is to tell.
#[derive(Clone, Copy)]
struct Note<'a> {
    /// The values of the block.
    fields: Fields<'a>,
    /// `info`, `success`, `warning` or `failure`.
    kind: &'static str,
    /// What it is about; may be empty.
    subject: &'a str,
    /// What it says.
    body: &'a str,
    /// When.
    now: Timestamp,
}

/// The messages of a notification by a block of a type, in order.
///
/// # Errors
/// What of the block is not as it must be; no secret stands in it.
pub fn composed(
    slug: &str,
    data: &JsonMap,
    subject: &str,
    body: &str,
    now: Timestamp,
) -> Result<Vec<Message>, String> {
    let fields = Fields(data);
    if slug == "custom-webhook" {
        return custom::composed(fields, subject, body).map(|call| vec![Message::Call(call)]);
    }
    let kinds = ["info", "success", "warning", "failure"];
    let note = Note {
        fields,
        kind: fields.one_of("notify_type", &kinds)?,
        subject: subject.trim(),
        body: body.trim_end(),
        now,
    };
    let one = |call: Call| vec![Message::Call(call)];
    let all = |calls: Vec<Call>| calls.into_iter().map(Message::Call).collect();
    match slug {
        "slack-webhook" => addressed::composed(&note),
        "ms-teams-webhook" => teams::composed(&note).map(one),
        "pager-duty-webhook" => incidents::pager_duty(&note).map(one),
        "opsgenie-webhook" => incidents::opsgenie(&note).map(all),
        "mattermost-webhook" => chats::mattermost(&note).map(all),
        "discord-webhook" => chats::discord(&note).map(one),
        "twilio-sms" => accounts::twilio(&note).map(all),
        "sendgrid-email" => accounts::sendgrid(&note).map(all),
        other => Err(format!(
            "this server sends nothing by blocks of the type {other:?}"
        )),
    }
}

impl Note<'_> {
    /// Subject and body, where there is no place for a subject of its own.
    fn whole(&self) -> String {
        match self.subject {
            "" => self.body.to_owned(),
            subject => format!("{subject}\r\n{}", self.body),
        }
    }

    /// The colour of its kind.
    fn colour(&self) -> &'static str {
        match self.kind {
            "success" => "#3AA337",
            "warning" => "#CACF29",
            "failure" => "#A32037",
            _ => "#3AA3E3",
        }
    }

    /// The picture of its kind, so many points wide and high.
    fn picture(&self, size: u32) -> String {
        format!("{PICTURES}-{}-{size}x{size}.png", self.kind)
    }
}

impl Call {
    /// A request that posts JSON.
    fn posting(url: String, body: &Value) -> Self {
        Self {
            method: "POST".to_owned(),
            url,
            headers: vec![
                ("user-agent".to_owned(), SENDER.to_owned()),
                ("content-type".to_owned(), "application/json".to_owned()),
            ],
            body: body.to_string().into_bytes(),
            timeout: TIMEOUT,
            reach: Reach::Anywhere,
            is_verified: true,
        }
    }

    /// The same with another header.
    #[must_use]
    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
