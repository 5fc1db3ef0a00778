//! Each listener hears each event once, and misses none, however the events come meanwhile.

use std::time::Duration;

use super::*;
use crate::app::testing::{Ahead, app};
use crate::domain::JsonMap;
use crate::domain::event::{Event, ID, Resource};
use crate::domain::ids::EventId;
use crate::domain::time::Timestamp;

fn event(at: i64, name: &str, bytes: usize) -> Event {
    let said = ("said".to_owned(), "x".repeat(bytes).into());
    Event {
        id: EventId::new(),
        occurred: Timestamp::from_micros(at),
        name: name.to_owned(),
        resource: Resource::of([(ID, "r")]),
        related: Vec::new(),
        payload: JsonMap::from_iter([said]),
        follows: None,
    }
}

fn all() -> Filter {
    Filter::within(Timestamp::from_micros(0), Timestamp::from_micros(i64::MAX))
}

async fn heard(listener: &mut Subscription, count: usize) -> Vec<i64> {
    let mut heard = Vec::new();
    while heard.len() < count {
        let next = tokio::time::timeout(Duration::from_secs(30), listener.next()).await;
        let next = next.expect("more is to come").unwrap();
        heard.extend(next.iter().map(|stored| stored.event.occurred.micros()));
    }
    heard
}

async fn is_quiet(listener: &mut Subscription) -> bool {
    tokio::time::timeout(Duration::from_millis(50), listener.next())
        .await
        .is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_or_heard_twice_between_the_past_and_what_comes() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    const MANY: i64 = 1200;
    let telling = tokio::spawn({
        let app = app.clone();
        async move {
            for at in 0..MANY {
                // Some are large, and read from the store.
                let bytes = if at % 50 == 0 { 2 * MOST_CARRIED } else { 10 };
                app.store_events(vec![event(at, "n", bytes)]).await.unwrap();
            }
        }
    });
    // Listeners that come at different times.
    let mut listeners = Vec::new();
    for _ in 0..5 {
        let mut listener = app.hear_events(all(), true).await.unwrap();
        listeners.push(tokio::spawn(async move {
            let heard = heard(&mut listener, MANY as usize).await;
            (heard, is_quiet(&mut listener).await)
        }));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    telling.await.unwrap();
    for listener in listeners {
        let (mut heard, is_quiet) = listener.await.unwrap();
        heard.sort_unstable();
        assert_eq!(heard, (0..MANY).collect::<Vec<_>>());
        assert!(is_quiet);
    }
}

#[tokio::test]
async fn who_falls_behind_reads_what_it_missed() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let named = |name: &str| {
        let mut filter = all();
        filter.name.names = vec![name.to_owned()];
        filter
    };
    let mut slow = app.hear_events(named("even"), false).await.unwrap();
    let many = 2 * BACKLOG as i64 + 100;
    for at in 0..many {
        let name = if at % 2 == 0 { "even" } else { "odd" };
        app.store_events(vec![event(at, name, 10)]).await.unwrap();
    }
    let wanted: Vec<_> = (0..many).filter(|at| at % 2 == 0).collect();
    assert_eq!(heard(&mut slow, wanted.len()).await, wanted);
    assert!(is_quiet(&mut slow).await);
    app.store_events(vec![event(7, "odd", 1), event(8, "even", 1)])
        .await
        .unwrap();
    assert_eq!(heard(&mut slow, 1).await, [8]);
}

#[tokio::test]
async fn without_the_past_only_what_comes_is_heard() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    app.store_events(vec![event(1, "n", 1)]).await.unwrap();
    let mut listener = app.hear_events(all(), false).await.unwrap();
    let again = event(2, "n", 1);
    app.store_events(vec![again.clone()]).await.unwrap();
    app.store_events(vec![again, event(3, "n", 1)])
        .await
        .unwrap();
    assert_eq!(heard(&mut listener, 2).await, [2, 3]);
    assert!(is_quiet(&mut listener).await);
}
