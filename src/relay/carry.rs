//! Carrying a request to the daemon, as often as it takes.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, UPGRADE};
use hyper::http::request::Parts;
use hyper::upgrade::Upgraded;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::events::Common;
use super::heads::{addressed, announced, handed_on, told};
use super::once::{Sent, once};
use super::patience::{Asker, Patience};
use super::refusal::{plain, refusal};
use super::registry::Kept;
use super::spool::{IN_MEMORY, Refused, Spool, Spools, Whole};
use super::switch::switch;
use super::{ANSWER, DAEMON_TIMEOUT, LEAST_BODY, ORDERS, Orders, RETRY, Report};

/// How long a client hears nothing at most.
const STILL_THERE: Duration = Duration::from_secs(2);
/// An answer that precedes the answer, as HTTP permits.
const PROCESSING: &[u8] = b"HTTP/1.1 102 Processing\r\n\r\n";
/// How many daemons may die over one request.
const MOST_DEATHS: u8 = 2;
/// How soon to ask a daemon again that could not do it now; longer each time, up to a second.
const BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);
/// The same where the disk is full, which lasts.
const LONGEST_BACKOFF_FULL: Duration = Duration::from_secs(5);

/// Speaks to one daemon, whichever process that is at the moment.
pub(super) struct Carrier {
    daemon: PathBuf,
    spools: Spools,
    /// The largest body that is carried, in bytes.
    most: AtomicU64,
    /// Held while a request is sent over which a daemon has died: which of several it was is
    /// seen when each is sent alone.
    suspect: tokio::sync::Mutex<()>,
    /// What all have in common who tell events.
    common: Common,
}

impl Carrier {
    /// To the daemon that listens there; what is large is held in files in `folder`.
    pub fn new(daemon: &Path, folder: &Path) -> Self {
        Self {
            daemon: daemon.to_owned(),
            spools: Spools::new(folder),
            most: AtomicU64::new(LEAST_BODY),
            suspect: tokio::sync::Mutex::default(),
            common: Common::default(),
        }
    }

    /// What the daemon wants of a relay that stands so; nothing when no daemon answers. An
    /// answer takes as long as there is nothing new.
    pub async fn ask(&self, mut report: Report) -> Option<Orders> {
        report.news = self.common.news.take();
        let orders = self.ask_once(&report).await;
        match &orders {
            Some(orders) => {
                let most = orders.max_body.unwrap_or(LEAST_BODY).max(LEAST_BODY);
                self.most.store(most, Ordering::Relaxed);
            }
            None => self.common.news.put_back(report.news),
        }
        orders
    }

    async fn ask_once(&self, report: &Report) -> Option<Orders> {
        let body = Spool::text(serde_json::to_string(report).ok()?);
        let request = Request::builder()
            .method(Method::POST)
            .uri(ORDERS)
            .header(hyper::header::HOST, "prefectd")
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, body.length())
            .body(body.body())
            .ok()?;
        let asked = once(&self.daemon, &self.spools, request);
        let Sent::Answer(answer) = tokio::time::timeout(ANSWER, asked).await.ok()? else {
            return None;
        };
        let body = answer.into_body().collect().await.ok()?;
        serde_json::from_slice(&body.to_bytes()).ok()
    }

    /// The daemon's answer to a request that came by that connection. While there is none the
    /// client waits: when it hangs up, nothing more is done for it. It is told now and then that
    /// its request is still being worked on, since clients give up what is silent for some
    /// seconds.
    pub async fn carry(
        &self,
        request: Request<Incoming>,
        kept: Arc<Kept>,
    ) -> Result<Response<AnswerBody>, Infallible> {
        // One that wants another protocol takes any answer for the last.
        let is_upgrade = request.headers().contains_key(UPGRADE);
        let understands = request.version() >= Version::HTTP_11 && !is_upgrade;
        let mut answer = Box::pin(self.answer(request, &kept));
        let whole = loop {
            tokio::select! {
                whole = &mut answer => break whole,
                () = tokio::time::sleep(STILL_THERE) => {
                    if kept.has_hung_up() {
                        break plain(StatusCode::BAD_REQUEST, "The client has hung up.");
                    }
                    // A client that is full needs no word of it.
                    if understands {
                        drop(kept.socket.try_write(PROCESSING));
                    }
                }
            }
        };
        drop(answer);
        Ok(whole.map(|body| AnswerBody { body, kept }))
    }

    async fn answer(&self, mut request: Request<Incoming>, kept: &Kept) -> Response<Whole> {
        let is_upgrade = request.headers().contains_key(UPGRADE);
        let upgraded = is_upgrade.then(|| hyper::upgrade::on(&mut request));
        let (parts, mut body) = request.into_parts();
        let most = self.most.load(Ordering::Relaxed);
        let length = announced(&parts);
        let patience = Patience::new(Asker::of(parts.uri.path()));
        let held = if length > most {
            Err(Refused::TooLarge)
        } else if length > IN_MEMORY as u64 && kept.journal.is_on() {
            let until = patience.full_until();
            self.spools.wait_for_room(length, until).await;
            // The journal has it.
            let own = || kept.journal.body(length);
            self.spools.hold_kept(&mut body, length, own).await
        } else {
            let until = patience.full_until();
            self.spools.wait_for_room(length, until).await;
            self.spools.hold_timely(&mut body, most).await
        };
        let body = match held {
            Ok(body) => body,
            Err(refused) => {
                kept.journal.turn_off();
                if refused != Refused::TooSlow {
                    self.spools.pass_over(body).await;
                }
                return refusal(refused, most);
            }
        };
        let named = format!("{} {}", parts.method, told(parts.uri.path()));
        let Some(parts) = addressed(parts, kept, &body, is_upgrade) else {
            return plain(StatusCode::BAD_REQUEST, "The request has no path.");
        };
        let reopening = Reopening {
            daemon: self.daemon.clone(),
            spools: self.spools.clone(),
            request: parts.clone(),
            from: kept.came.from,
            common: self.common.clone(),
        };
        let asked = (parts, &body, patience);
        match self.insist(asked, kept, &named).await {
            Ok(Sent::Switched(answer)) => switch(answer, upgraded, kept, reopening),
            Ok(Sent::Answer(answer)) => handed_on(answer),
            Ok(_) => plain(
                StatusCode::INSUFFICIENT_STORAGE,
                "There is no room for the answer.",
            ),
            Err(given_up) => given_up,
        }
    }

    /// Sends until there is an answer, the time is up, or enough daemons have died of it.
    async fn insist(
        &self,
        (parts, body, mut patience): (Parts, &Spool, Patience),
        kept: &Kept,
        named: &str,
    ) -> Result<Sent, Response<Whole>> {
        let mut deaths = kept.journal.deaths();
        let mut backoff = BACKOFF;
        loop {
            let again = Request::from_parts(parts.clone(), body.body());
            let alone = match deaths {
                0 => None,
                _ => Some(self.suspect.lock().await),
            };
            let sent = once(&self.daemon, &self.spools, again).await;
            drop(alone);
            match sent {
                Sent::Answer(answer)
                    if is_passing(&parts.method, &answer) && patience.bears(answer.status()) =>
                {
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(longest_backoff(answer.status()));
                }
                // What it asked for is done; an answer that is large has to lie somewhere.
                Sent::NoRoom if patience.bears(StatusCode::INSUFFICIENT_STORAGE) => {
                    tokio::time::sleep(LONGEST_BACKOFF_FULL).await;
                }
                Sent::Died => {
                    deaths += 1;
                    kept.journal.note_deaths(deaths);
                    if deaths >= MOST_DEATHS {
                        self.common.news.add(format!(
                            "gave up on {named} from {}: the daemon died over it {deaths} times",
                            kept.came.from
                        ));
                        return Err(plain(
                            StatusCode::BAD_GATEWAY,
                            "The server died over this request twice; it is not tried again.",
                        ));
                    }
                    tokio::time::sleep(RETRY).await;
                }
                Sent::Absent if patience.is_over() => {
                    self.common.news.add(format!(
                        "gave up on {named} from {}: no daemon for {} s",
                        kept.came.from,
                        DAEMON_TIMEOUT.as_secs()
                    ));
                    return Err(plain(StatusCode::BAD_GATEWAY, "The server is not there."));
                }
                Sent::Absent => tokio::time::sleep(RETRY).await,
                sent => return Ok(sent),
            }
        }
    }
}

/// How long to wait at most before a daemon that refused so is asked again.
fn longest_backoff(status: StatusCode) -> Duration {
    match status {
        StatusCode::INSUFFICIENT_STORAGE => LONGEST_BACKOFF_FULL,
        _ => LONGEST_BACKOFF,
    }
}

/// How a connection that speaks another protocol is opened again, to another daemon.
#[derive(Clone)]
pub(super) struct Reopening {
    daemon: PathBuf,
    spools: Spools,
    /// The request for it.
    pub request: Parts,
    /// Who made it.
    pub from: SocketAddr,
    /// What all have in common who tell events.
    pub common: Common,
}

impl Reopening {
    /// Opens it as soon as a daemon is there; `None` where none comes in time, or refuses it.
    pub async fn open(self) -> Option<TokioIo<Upgraded>> {
        let begun = Instant::now();
        while begun.elapsed() < DAEMON_TIMEOUT {
            tokio::time::sleep(RETRY).await;
            let request =
                Request::from_parts(self.request.clone(), Spool::text(String::new()).body());
            match once(&self.daemon, &self.spools, request).await {
                Sent::Switched(mut answer) => {
                    return hyper::upgrade::on(&mut answer).await.map(TokioIo::new).ok();
                }
                Sent::Answer(answer) if !is_passing(&self.request.method, &answer) => return None,
                _ => {}
            }
        }
        None
    }
}

/// Whether an answer says that the same request may go well in a moment. A probe that only
/// asks whether the daemon is well is answered as it is.
fn is_passing<B>(method: &Method, answer: &Response<B>) -> bool {
    let is_refused = matches!(
        answer.status(),
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::INSUFFICIENT_STORAGE
    );
    is_refused && (method != Method::GET || answer.headers().contains_key(RETRY_AFTER))
}

/// The body of an answer on its way to the client.
pub(super) struct AnswerBody {
    body: Whole,
    kept: Arc<Kept>,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.kept.journal.end_answer();
    }
}

#[cfg(test)]
mod tests;
