//! What is sent to somebody elsewhere.

use std::time::Duration;

/// Something that is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A request over HTTP.
    Call(Call),
    /// A mail.
    Mail(Mail),
}

/// A request over HTTP. Answers that lead elsewhere are not followed.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The method.
    pub method: String,
    /// Where to.
    pub url: String,
    /// Headers, some of which may come more than once.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long it may take at most.
    pub timeout: Duration,
    /// Where it may lead.
    pub reach: Reach,
    /// Whether the certificate of whom it is for is looked at.
    pub is_verified: bool,
}

/// Where a message may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere.
    Anywhere,
    /// To no address of this machine or of a private network, by whatever name.
    Public,
}

/// A mail to one recipient.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    /// The machine that takes it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How what is said to it is kept from others.
    pub privacy: Privacy,
    /// Name and password of whom it is sent by.
    pub credentials: Option<(String, String)>,
    /// Whom it is from: a name for people, and an address.
    pub from: (Option<String>, String),
    /// Whom it is for.
    pub to: String,
    /// Who else gets it.
    pub cc: Vec<String>,
    /// Who gets it beside, unseen.
    pub bcc: Vec<String>,
    /// Whom to answer.
    pub reply_to: Option<String>,
    /// What it is about.
    pub subject: String,
    /// What it says, as text.
    pub text: String,
    /// The same for those who show pages.
    pub html: Option<String>,
}

/// How mail is kept from others on its way to the next machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// Under TLS where the machine offers that.
    IfOffered,
    /// Under TLS, for which it asks in plain words first.
    StartTls,
    /// Under TLS from the first byte on.
    Tls,
}

impl Reach {
    /// By the field of a block that says whether addresses of private networks are allowed.
    pub(super) const fn of(allows_private: bool) -> Self {
        match allows_private {
            true => Self::Anywhere,
            false => Self::Public,
        }
    }
}
