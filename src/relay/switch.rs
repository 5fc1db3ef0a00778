//! A connection that speaks another protocol from here on, such as a websocket's.

use hyper::Response;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::registry::Kept;
use super::spool::{Spool, Whole};

/// Has the bytes of both connections pass as they are, and as fast as the slower one takes
/// them. Such a connection ends with this relay, and its client opens another.
pub(super) fn switch(
    mut answer: Response<Incoming>,
    client: Option<OnUpgrade>,
    kept: &Kept,
) -> Response<Whole> {
    kept.journal.turn_off();
    let daemon = hyper::upgrade::on(&mut answer);
    if let Some(client) = client {
        tokio::spawn(async move {
            let (Ok(client), Ok(daemon)) = tokio::join!(client, daemon) else {
                return;
            };
            let (mut client, mut daemon) = (TokioIo::new(client), TokioIo::new(daemon));
            // A connection that breaks concerns only its client.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut daemon).await;
        });
    }
    answer.map(|_| Spool::text(String::new()).body())
}
