//! How long a request is tried.

use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream, UnixListener};

use super::*;
use crate::relay::Came;
use crate::relay::registry::Registry;

/// Answers that the disk is full for so long, and then that all is well.
async fn full_for(time: Duration, listener: UnixListener) {
    let begun = Instant::now();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(move |_: Request<Incoming>| {
            let status = match begun.elapsed() < time {
                true => StatusCode::INSUFFICIENT_STORAGE,
                false => StatusCode::CREATED,
            };
            std::future::ready(Ok::<_, Infallible>(plain(status, "the disk")))
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// A client, and its connection as it is kept.
async fn connected(dir: &Path) -> (TcpStream, Arc<Kept>) {
    let registry = Registry::new(dir, &dir.join("kept"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    let (client, accepted) = tokio::join!(TcpStream::connect(to), listener.accept());
    let (stream, from) = accepted.unwrap();
    let came = Came {
        from,
        to,
        micros: 0,
    };
    let kept = registry.connection(stream, came);
    (client.unwrap(), kept.unwrap())
}

/// What becomes of a write where the disk is full for so long.
async fn written_where_full_for(time: Duration) -> StatusCode {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("daemon");
    let daemon = tokio::spawn(full_for(time, UnixListener::bind(&socket).unwrap()));
    let carrier = Carrier::new(&socket, dir.path());
    let (_client, kept) = connected(dir.path()).await;
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/x")
        .header(CONTENT_LENGTH, 2);
    let (parts, body) = request
        .body(Spool::text("{}".to_owned()))
        .unwrap()
        .into_parts();
    let patience = Patience::new(Asker::Run);
    let sent = carrier
        .insist((parts, &body, patience), &kept, "a write")
        .await;
    daemon.abort();
    match sent {
        Ok(Sent::Answer(answer)) => answer.status(),
        Ok(_) => panic!("not an answer"),
        Err(given_up) => panic!("given up with {}", given_up.status()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_outlasts_a_full_disk_as_long_as_somebody_may_take_to_make_room() {
    let minute = Duration::from_secs(60);
    let well = written_where_full_for(14 * minute).await;
    assert_eq!(well, StatusCode::CREATED);
    let told = written_where_full_for(60 * minute).await;
    assert_eq!(told, StatusCode::INSUFFICIENT_STORAGE);
}

#[tokio::test]
async fn a_client_is_seen_to_hang_up_before_what_it_sent_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let (mut client, kept) = connected(dir.path()).await;
    client.write_all(b"unread").await.unwrap();
    kept.socket.readable().await.unwrap();
    assert!(!kept.has_hung_up());
    drop(client);
    while !kept.has_hung_up() {
        tokio::task::yield_now().await;
    }
}
