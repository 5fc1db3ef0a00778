//! How a conversation with a Prefect client begins, and who is at its other end.
//!
//! The client's first message is `{"type": "auth", "token": …}`; the token is the credential that
//! requests carry in a header. Words and codes are the reference's.

use std::time::Duration;

use axum::http::Method;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;

use super::reader::Heard;
use super::socket::{Closing, Next, Socket, code};
use crate::api::Ctx;
use crate::api::access::{Refused, Requester};
use crate::api::caller::Caller;
use crate::api::v3::extract::Sender;
use crate::domain::access::{Aims, Need, Who};
use crate::domain::error::{Error, Kind, Result};

/// How long a client may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who is at the other end of a socket.
pub struct Visitor {
    requester: Option<Requester>,
    caller: Caller,
    need: Need,
    request: Parts,
    sender: Sender,
}

impl Visitor {
    /// Who made that request; nobody yet where a key is to come.
    pub(super) fn new(
        requester: Option<Requester>,
        caller: Caller,
        need: Need,
        request: Parts,
    ) -> Self {
        Self {
            requester,
            caller,
            need,
            sender: Sender::of(&request),
            request,
        }
    }

    /// The part of the path that comes so many parts before the last one.
    pub(super) fn part_of_path(&self, before_last: usize) -> String {
        let path = self.request.uri.path();
        let part = path.rsplit('/').nth(before_last).unwrap_or_default();
        percent_decode_str(part).decode_utf8_lossy().into_owned()
    }

    /// What sends its messages.
    pub(super) fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Who it is.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] while it is nobody.
    pub fn requester(&self) -> Result<&Requester> {
        let nobody = || Error::new(Kind::Forbidden, "Nobody has asked who you are.");
        self.requester.as_ref().ok_or_else(nobody)
    }

    /// Lets what was said pass if this one may say it, now: a run that was alive when it came may
    /// have ended.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] otherwise.
    pub async fn authorise<T: Aims + ?Sized>(&mut self, said: &T, ctx: &Ctx) -> Result<()> {
        if let Some(Who::Run(_)) = self.requester.as_ref().map(Requester::who) {
            let admitted = ctx
                .gate
                .admit(&self.caller, &self.request.headers, self.need);
            let who = admitted.await.map_err(Refused::into_error)?;
            let caller = self.caller.clone();
            self.requester = Some(Requester::new(who, caller, ctx.gate.clone()));
        }
        let place = (&Method::GET, &self.request.uri);
        self.requester()?.authorise(said, (), place).await
    }
}

#[derive(Deserialize)]
struct Auth {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    token: Option<String>,
}

/// Makes the handshake; false when the client was sent away.
pub(super) async fn shake(socket: &mut Socket, visitor: &mut Visitor, ctx: &Ctx) -> bool {
    let told = match tokio::time::timeout(PATIENCE, first(socket)).await {
        Ok(told) => told,
        Err(_) => Err(Some(Closing::fixed(
            code::POLICY,
            "Expected 'auth' message",
        ))),
    };
    let admitted = match told {
        Ok(auth) => admit(visitor, auth, ctx).await.map_err(Some),
        Err(closing) => Err(closing),
    };
    match admitted {
        Ok(()) => socket.say(&json!({ "type": "auth_success" })).await,
        Err(Some(closing)) => socket.close(&closing).await,
        // It has closed the connection itself.
        Err(None) => {}
    }
    !socket.is_over()
}

/// The client's first message, pings answered meanwhile: clients ping before they speak.
async fn first(socket: &mut Socket) -> std::result::Result<Auth, Option<Closing>> {
    loop {
        match socket.next().await {
            Next::Heard(Heard::Ping(bytes)) => socket.pong(bytes).await,
            Next::Heard(Heard::Text(message)) => {
                let auth = serde_json::from_str::<Auth>(&message.text).ok();
                let auth = auth.filter(|auth| auth.kind == "auth");
                let expected = Closing::fixed(code::POLICY, "Expected 'auth' message");
                return auth.ok_or(Some(expected));
            }
            Next::Heard(Heard::Close(asked)) => {
                socket.close_as_asked(asked).await;
                return Err(None);
            }
            Next::Heard(Heard::Broken(closing)) => return Err(Some(closing)),
            Next::Stop => return Err(Some(Closing::stopping())),
        }
    }
}

/// Finds out who it is by the token, where that is not known already.
async fn admit(visitor: &mut Visitor, auth: Auth, ctx: &Ctx) -> std::result::Result<(), Closing> {
    if visitor.requester.is_some() {
        return Ok(());
    }
    let refused = |reason| Closing::fixed(code::POLICY, reason);
    let token = auth.token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| refused("Auth required but no token provided"))?;
    if !ctx.gate.lets_in(&token).await {
        Refused::Keyless.log(&visitor.caller, &Method::GET, visitor.request.uri.path());
        return Err(refused("Invalid token"));
    }
    let caller = visitor.caller.clone();
    visitor.requester = Some(Requester::new(Who::Operator, caller, ctx.gate.clone()));
    Ok(())
}
