//! Who looks at a page, and the frame that every page has around it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};

use super::assets;
use super::show::{Html, text, times::length};
use crate::api::Ctx;
use crate::api::access::{Requester, cookie};
use crate::api::caller::{Caller, End};
use crate::api::redaction::Redact;
use crate::app::TokenUse;
use crate::domain::access::Who;
use crate::domain::error::Result;
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Span;

/// For how long a form may lie open.
const FORM_TIME: Span = Span::from_micros(24 * 3600 * 1_000_000);

/// Whoever asks for a page.
#[derive(Clone)]
pub struct Visitor {
    who: Requester,
    /// The connection.
    pub caller: Caller,
    /// What was asked for.
    pub uri: Uri,
    cookie: Option<String>,
    needs_key: bool,
    is_one_of_many: bool,
}

impl FromRequestParts<Ctx> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, ctx: &Ctx) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>().cloned();
        Ok(Self {
            who: Requester::of(parts, ctx),
            caller: caller.unwrap_or_else(Caller::nobody),
            uri: parts.uri.clone(),
            cookie: cookie(&parts.headers).map(str::to_owned),
            needs_key: ctx.gate.needs_key(),
            is_one_of_many: false,
        })
    }
}

impl Visitor {
    /// What this one is shown of something.
    ///
    /// # Errors
    /// Where it cannot be found out what is a run's own.
    pub async fn masked<T: Redact>(&self, body: T) -> Result<T> {
        self.who.masked(body).await
    }

    /// Whether there is anything to press.
    pub fn may_act(&self) -> bool {
        *self.who.who() == Who::Operator
    }

    /// The local user, where one forwards the socket.
    pub fn user(&self) -> Option<&str> {
        match self.caller.end() {
            End::Socket(peer) => Some(&peer.user),
            _ => None,
        }
    }

    /// Whether this one needs to send no key.
    pub fn is_known(&self, ctx: &Ctx) -> bool {
        self.user().is_some()
            || self
                .cookie
                .as_deref()
                .is_some_and(|it| ctx.gate.knows_session(it))
    }

    /// A proposal that says that it was made here.
    pub fn propose(&self, kind: StateType, words: &str) -> ProposedState {
        self.caller.signed(ProposedState::new(kind).because(words))
    }

    /// Whoever is of the same kind is shown the same.
    pub fn kind(&self) -> String {
        format!("{:?}", self.who.who())
    }

    /// The same for what is shown to all of this one's kind, whose forms have no token: each page
    /// puts in its own.
    #[must_use]
    pub fn as_one_of_many(&self) -> Self {
        Self {
            is_one_of_many: true,
            ..self.clone()
        }
    }

    /// The token of this one's forms.
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub fn form_token(&self, ctx: &Ctx) -> Result<String> {
        if self.is_one_of_many {
            return Ok(String::new());
        }
        ctx.app
            .make_token(TokenUse::Form, &self.binding(), FORM_TIME)
    }

    /// Whether a form with that token was served to this one.
    pub fn has_form(&self, ctx: &Ctx, token: &str) -> bool {
        ctx.app
            .is_good_token(TokenUse::Form, &self.binding(), token)
    }

    /// What ties a form to whom it was served to.
    fn binding(&self) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update(self.user().unwrap_or_default());
        hash.update([0]);
        hash.update(self.cookie.as_deref().unwrap_or_default());
        hash.finalize().to_vec()
    }

    /// The first value of that name in the query.
    pub fn asked(&self, name: &str) -> Option<String> {
        self.asked_all(name).into_iter().next()
    }

    /// All values of that name in the query that say anything.
    pub fn asked_all(&self, name: &str) -> Vec<String> {
        let query = self.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        let named = pairs.filter(|(key, value)| key == name && !value.is_empty());
        named
            .map(|(_, value)| value.into_owned())
            .take(MOST_VALUES)
            .collect()
    }

    /// What is around the page of that title, in that part of the navigation.
    ///
    /// # Errors
    /// Where things cannot be counted.
    pub async fn frame(&self, ctx: &Ctx, part: &'static str, title: &str) -> Result<Frame> {
        let vitals = ctx.app.vitals().await?;
        let is_under_way = |kind: StateType| {
            matches!(
                kind,
                StateType::Running | StateType::Pending | StateType::Cancelling
            )
        };
        let counts = vitals.runs.iter();
        let under_way = counts
            .filter(|(kind, _)| is_under_way(*kind))
            .map(|(_, count)| count);
        let role = match self.may_act() {
            true => "operator",
            false => "viewer",
        };
        Ok(Frame {
            title: text(title),
            part,
            host: text(&host()),
            user: text(self.user().unwrap_or("you")),
            role,
            version: ctx.about.version(),
            up: length(ctx.app.now() - ctx.about.started()),
            style: assets::style(),
            module: assets::module(),
            token: self.form_token(ctx)?,
            under_way: under_way.sum(),
            may_act: self.may_act(),
            has_session: self.needs_key && self.cookie.is_some() && self.user().is_none(),
            stream: None,
        })
    }
}

/// The most values of one name in a query.
const MOST_VALUES: usize = 200;

/// The machine's name, as far as it matters to people.
fn host() -> String {
    let name = nix::unistd::gethostname().unwrap_or_default();
    let name = name.to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// What every page has around it.
pub struct Frame {
    /// The page's title.
    pub title: Html,
    /// The part of the navigation that the page is in.
    pub part: &'static str,
    /// The machine.
    pub host: Html,
    /// Who looks.
    pub user: Html,
    /// As what.
    pub role: &'static str,
    /// The daemon's version.
    pub version: &'static str,
    /// For how long it runs.
    pub up: String,
    /// The style sheet's address.
    pub style: &'static str,
    /// The module's.
    pub module: &'static str,
    /// What forms bring back.
    pub token: String,
    /// How many runs are under way.
    pub under_way: u64,
    /// Whether there is anything to press.
    pub may_act: bool,
    /// Whether there is a session to end.
    pub has_session: bool,
    /// Where the page hears what changes.
    pub stream: Option<String>,
}

impl Frame {
    /// The same for a page that hears there what changes.
    #[must_use]
    pub fn live(mut self, stream: impl Into<String>) -> Self {
        self.stream = Some(stream.into());
        self
    }

    /// `aria-current` of a link of the navigation.
    pub fn current(&self, part: &str) -> Html {
        Html::fixed(match self.part == part {
            true => " aria-current=\"page\"",
            false => "",
        })
    }
}
