use std::sync::Arc;
use std::sync::Mutex;

use tokio::io::{DuplexStream, duplex};

use super::*;

fn message(text: &str) -> Vec<u8> {
    let mut bytes = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
    bytes.extend(text.bytes());
    bytes
}

fn answer(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, payload.len() as u8];
    bytes.extend(payload);
    bytes
}

/// The conversation under test, and the daemons that it will find, the last one first.
struct Talk {
    client: Option<End<DuplexStream>>,
    daemons: Arc<Mutex<Vec<DuplexStream>>>,
    telling: tokio::task::JoinHandle<()>,
}

impl Talk {
    fn begin() -> (Self, End<DuplexStream>) {
        let (client, theirs) = duplex(64 * 1024);
        let (daemon, ours) = duplex(64 * 1024);
        let daemons: Arc<Mutex<Vec<DuplexStream>>> = Arc::default();
        let next = Arc::clone(&daemons);
        let telling = tokio::spawn(async move {
            let again = || std::future::ready(next.lock().unwrap().pop());
            tell(theirs, daemon, true, again).await;
        });
        let talk = Self {
            client: Some(End::new(client)),
            daemons,
            telling,
        };
        (talk, End::new(ours))
    }

    fn next_daemon(&self) -> End<DuplexStream> {
        let (daemon, ours) = duplex(64 * 1024);
        self.daemons.lock().unwrap().push(daemon);
        End::new(ours)
    }

    async fn say(&mut self, bytes: &[u8]) {
        let client = self.client.as_mut().unwrap();
        client.out.write_all(bytes).await.unwrap();
    }
}

/// So many messages, confirmed.
async fn hear(daemon: &mut End<DuplexStream>, messages: usize) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let frame = daemon.heard.recv().await.unwrap();
        match frame.meaning {
            Meaning::Message => {
                heard.push(String::from_utf8(frame.payload().to_vec()).unwrap());
            }
            Meaning::Ping => {
                let pong = answer(0x8a, frame.payload());
                daemon.out.write_all(&pong).await.unwrap();
                if heard.len() == messages {
                    return heard;
                }
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn what_a_daemon_did_not_confirm_is_told_to_the_next_and_the_client_does_not_notice() {
    let (mut talk, mut first) = Talk::begin();
    talk.say(&message("auth")).await;
    first.heard.recv().await.unwrap();
    first
        .out
        .write_all(&answer(0x81, b"welcome"))
        .await
        .unwrap();
    talk.say(&message("a")).await;
    assert_eq!(hear(&mut first, 1).await, ["a"]);
    let mut second = talk.next_daemon();
    for text in ["b", "c"] {
        talk.say(&message(text)).await;
    }
    while first.heard.recv().await.unwrap().payload() != b"c" {}
    drop(first);
    let greeting = second.heard.recv().await.unwrap();
    assert_eq!(greeting.payload(), b"auth");
    second
        .out
        .write_all(&answer(0x81, b"welcome"))
        .await
        .unwrap();
    let heard = hear(&mut second, 2).await;
    assert_eq!(heard, ["b", "c"]);
    talk.say(&answer(0x89, b"own")).await;
    let client = talk.client.as_mut().unwrap();
    assert_eq!(client.heard.recv().await.unwrap().payload(), b"welcome");
    loop {
        let frame = second.heard.recv().await.unwrap();
        if frame.meaning == Meaning::Ping {
            let pong = answer(0x8a, frame.payload());
            second.out.write_all(&pong).await.unwrap();
            if frame.payload() == b"own" {
                break;
            }
        }
    }
    let pong = client.heard.recv().await.unwrap();
    assert_eq!((pong.meaning, pong.payload()), (Meaning::Pong, &b"own"[..]));
}

#[tokio::test]
async fn what_a_client_said_that_has_gone_is_told_to_the_next_daemon() {
    for stops in [true, false] {
        let (mut talk, mut first) = Talk::begin();
        talk.say(&message("auth")).await;
        talk.say(&message("last")).await;
        drop(talk.client.take());
        first.heard.recv().await.unwrap();
        let mut second = talk.next_daemon();
        if stops {
            let end = answer(0x88, &RESTART);
            first.out.write_all(&end).await.unwrap();
        } else {
            drop(first);
        }
        assert_eq!(hear(&mut second, 2).await, ["auth", "last"]);
        talk.telling.await.unwrap();
    }
}

#[tokio::test]
async fn what_daemons_die_of_is_given_up() {
    let (mut talk, mut first) = Talk::begin();
    talk.say(&message("auth")).await;
    talk.say(&message("deadly")).await;
    while first.heard.recv().await.unwrap().payload() != b"deadly" {}
    let mut daemons: Vec<_> = (0..5).map(|_| talk.next_daemon()).collect();
    drop(first);
    let mut met = 0;
    while let Some(mut daemon) = daemons.pop() {
        // Whichever has died of it is not asked again.
        match tokio::time::timeout(std::time::Duration::from_millis(500), async {
            while daemon.heard.recv().await.unwrap().payload() != b"deadly" {}
        })
        .await
        {
            Ok(()) => met += 1,
            Err(_) => break,
        }
        drop(daemon);
    }
    assert_eq!(met, usize::from(MOST_DEATHS) - 1);
    talk.telling.await.unwrap();
}
