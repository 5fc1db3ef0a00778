//! A connection that speaks another protocol from here on, such as a websocket's.

use hyper::Response;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

use super::carry::Reopening;
use super::events;
use super::registry::Kept;
use super::spool::{Spool, Whole};

/// How the paths end on which events are told.
const EVENTS: &str = "/events/in";

/// Has what both ends say pass, as fast as the slower one takes it. Such a connection ends with
/// this relay, and its client opens another.
pub(super) fn switch(
    mut answer: Response<Incoming>,
    client: Option<OnUpgrade>,
    kept: &Kept,
    reopening: Reopening,
) -> Response<Whole> {
    kept.journal.turn_off();
    let daemon = hyper::upgrade::on(&mut answer);
    if let Some(client) = client {
        tokio::spawn(async move {
            let (Ok(client), Ok(daemon)) = tokio::join!(client, daemon) else {
                return;
            };
            let (client, daemon) = (TokioIo::new(client), TokioIo::new(daemon));
            pass(client, daemon, reopening).await;
        });
    }
    answer.map(|_| Spool::text(String::new()).body())
}

type Stream = TokioIo<Upgraded>;

async fn pass(mut client: Stream, mut daemon: Stream, reopening: Reopening) {
    if reopening.request.uri.path().ends_with(EVENTS) {
        let greets = greets(&reopening.request);
        let common = reopening.common.clone();
        let room = common.memory.room(reopening.from.ip());
        let again = || reopening.clone().open();
        let lost = events::tell((client, daemon), greets, (common, room), again).await;
        if lost > 0 {
            let from = reopening.from;
            reopening.common.news.add(format!(
                "gave up on {lost} events from {from}: no daemon has kept them, and who told them \
                 has ended"
            ));
        }
    } else {
        // A connection that breaks concerns only its client.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut daemon).await;
    }
}

/// Whether the client's first message says who it is.
fn greets(request: &Parts) -> bool {
    let offered = request
        .headers
        .get_all(hyper::header::SEC_WEBSOCKET_PROTOCOL);
    let mut names = offered
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    names.any(|name| name.trim_ascii() == b"prefect")
}
