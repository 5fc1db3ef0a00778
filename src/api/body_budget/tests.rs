use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::SystemTime;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::*;
use crate::api::caller::Route;
use crate::domain::access::LocalUser;

type Pieces = UnboundedSender<Result<Bytes, Infallible>>;

fn loopback() -> Caller {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    Caller::new(End::Loopback(Route {
        from: address,
        to: address,
        accepted: SystemTime::UNIX_EPOCH,
    }))
}

fn socket() -> Caller {
    Caller::new(End::Socket(LocalUser {
        uid: 0,
        pid: None,
        user: "root".to_owned(),
        groups: Vec::new(),
    }))
}

/// A request whose body comes piece by piece, and its answer, which comes once all is read.
fn send(budget: &BodyBudget, caller: Caller) -> (Pieces, JoinHandle<StatusCode>) {
    let (pieces, mut came) = unbounded_channel();
    let body = Body::from_stream(stream::poll_fn(move |context| came.poll_recv(context)));
    let mut request = Request::post("/").header(header::TRANSFER_ENCODING, "chunked");
    request.extensions_mut().unwrap().insert(caller);
    let request = request.body(body).unwrap();
    let reads = async |request: Request| {
        let read = request.into_body().collect().await;
        let status = read.map_or(StatusCode::BAD_REQUEST, |_| StatusCode::OK);
        Ok::<_, Infallible>(status.into_response())
    };
    let mut service = budget.layer(tower::service_fn(reads));
    let answer = tokio::spawn(async move { service.call(request).await.unwrap().status() });
    (pieces, answer)
}

fn piece(size: usize) -> Result<Bytes, Infallible> {
    Ok(vec![0; size].into())
}

async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_announced_takes_nothing_and_what_came_is_given_back() {
    let budget = BodyBudget::new();
    let pool = &budget.0[1];
    let (pieces, answer) = send(&budget, loopback());
    settle().await;
    assert_eq!(pool.common.available_permits(), COMMON / UNIT);
    pieces.send(piece(LARGE)).unwrap();
    settle().await;
    assert_eq!(pool.common.available_permits(), (COMMON - LARGE) / UNIT);
    pieces.send(piece(1)).unwrap();
    settle().await;
    assert_eq!(pool.common.available_permits(), COMMON / UNIT);
    assert_eq!(pool.slots.available_permits(), SLOTS - 1);
    drop(pieces);
    assert_eq!(answer.await.unwrap(), StatusCode::OK);
    assert_eq!(pool.slots.available_permits(), SLOTS);
}

#[tokio::test(start_paused = true)]
async fn slow_bodies_keep_the_seats_from_nobody() {
    let budget = BodyBudget::new();
    let slow: Vec<_> = (0..2 * SLOTS).map(|_| send(&budget, loopback())).collect();
    for (pieces, _) in &slow {
        pieces.send(piece(LARGE + 1)).unwrap();
    }
    settle().await;
    // Others have slots of their own, and what needs none is not concerned.
    for (caller, size) in [(socket(), 20 * LARGE), (loopback(), LARGE)] {
        let (pieces, answer) = send(&budget, caller);
        pieces.send(piece(size)).unwrap();
        drop(pieces);
        assert_eq!(answer.await.unwrap(), StatusCode::OK);
    }
    let refused = budget.0[1].slots.available_permits();
    assert_eq!(refused, 0);
}

#[test]
fn a_body_of_unknown_length_may_become_a_large_one() {
    let chunked = Request::post("/").header(header::TRANSFER_ENCODING, "chunked");
    let chunked = chunked.body(Body::empty()).unwrap();
    assert_eq!(may_hold(chunked.headers()), MAX_BODY);
    let without = Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(may_hold(without.headers()), 0);
}

#[tokio::test]
async fn without_room_a_request_is_told_to_come_again() {
    let mut pools = [Pool::new(), Pool::new(), Pool::new()];
    pools[1].timeout = Duration::ZERO;
    let budget = BodyBudget(Arc::new(pools));
    let all = Arc::clone(&budget.0[1].common);
    let all = all
        .acquire_many_owned((COMMON / UNIT) as u32)
        .await
        .unwrap();
    let (pieces, answer) = send(&budget, loopback());
    pieces.send(piece(SMALL + 1)).unwrap();
    drop(pieces);
    assert_eq!(answer.await.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
    drop(all);
    let (pieces, answer) = send(&budget, loopback());
    pieces.send(piece(SMALL + 1)).unwrap();
    drop(pieces);
    assert_eq!(answer.await.unwrap(), StatusCode::OK);
}
