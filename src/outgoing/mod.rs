//! Messages to services elsewhere: calls over HTTP, and mail.
//!
//! Nothing is decided here, and nothing is stored: a [`Message`] goes out, bounded in time and in
//! what is read of the answer, and the caller learns what came of it. Proxies are those that the
//! environment names (`HTTPS_PROXY`, `NO_PROXY` …), certificates those that the machine trusts
//! (`SSL_CERT_FILE`).

mod addresses;
mod http;
mod mail;

use std::time::Duration;

pub use http::{Http, Reply};

use crate::domain::notification::Message;

/// How long a message takes at most, whatever it says itself.
pub const LONGEST: Duration = Duration::from_secs(60);

/// Sends messages.
#[derive(Default)]
pub struct Outgoing {
    /// What calls go by.
    pub http: Http,
}

/// Why a message did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In words, in which no address and no secret stands.
    pub why: String,
    /// Whether it may arrive later.
    pub is_temporary: bool,
}

impl Outgoing {
    /// Sends a message. A key tells apart what is sent, so that who gets it twice can know.
    ///
    /// # Errors
    /// Where it was not taken; an answer over HTTP that is no success is none.
    pub async fn send(&self, message: &Message, key: &str) -> Result<(), Failure> {
        match message {
            Message::Call(call) => self.http.call(call, key).await?.check(),
            Message::Mail(mail) => mail::send(mail, key).await,
        }
    }
}

/// An error with all that it is because of, in one line.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !words.contains(&more) {
            words.push_str(": ");
            words.push_str(&more);
        }
        source = inner.source();
    }
    words
}
