use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use tokio::io::{DuplexStream, duplex};

use super::backlog::MOST_DEATHS;
use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn message(text: &str) -> Vec<u8> {
    let mut bytes = match u8::try_from(text.len()) {
        Ok(length @ ..126) => vec![0x81, 0x80 | length],
        _ => vec![0x81, 0xfe, (text.len() >> 8) as u8, text.len() as u8],
    };
    bytes.extend([0; 4]);
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
    common: Common,
    telling: tokio::task::JoinHandle<usize>,
}

impl Talk {
    fn begin() -> (Self, End<DuplexStream>) {
        Self::begin_with(Common::default())
    }

    fn begin_with(common: Common) -> (Self, End<DuplexStream>) {
        let (client, theirs) = duplex(64 * 1024);
        let (daemon, ours) = duplex(64 * 1024);
        let daemons: Arc<Mutex<Vec<DuplexStream>>> = Arc::default();
        let next = Arc::clone(&daemons);
        let shared = common.clone();
        let telling = tokio::spawn(async move {
            let again = || std::future::ready(next.lock().unwrap().pop());
            let room = shared.memory.room(HERE);
            tell((theirs, daemon), true, (shared, room), again).await
        });
        let talk = Self {
            client: Some(End::new(client, WAITING, None)),
            daemons,
            common,
            telling,
        };
        (talk, End::new(ours, WAITING, None))
    }

    fn next_daemon(&self) -> End<DuplexStream> {
        let (daemon, ours) = duplex(64 * 1024);
        self.daemons.lock().unwrap().push(daemon);
        End::new(ours, WAITING, None)
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
            let end = answer(0x88, &RESTART.to_be_bytes());
            first.out.write_all(&end).await.unwrap();
        } else {
            drop(first);
        }
        assert_eq!(hear(&mut second, 2).await, ["auth", "last"]);
        talk.telling.await.unwrap();
    }
}

#[tokio::test]
async fn what_daemons_die_of_is_given_up_and_what_comes_after_it_is_told() {
    let (mut talk, mut daemon) = Talk::begin();
    for text in ["auth", "deadly", "b"] {
        talk.say(&message(text)).await;
    }
    let mut deaths = 0;
    let told = loop {
        let frame = daemon.heard.recv().await.unwrap();
        match frame.payload() {
            b"deadly" => {
                deaths += 1;
                let next = talk.next_daemon();
                drop(daemon);
                daemon = next;
            }
            b"b" => break confirm(&mut daemon, 1).await,
            payload if frame.meaning == Meaning::Ping => {
                let pong = answer(0x8a, payload);
                daemon.out.write_all(&pong).await.unwrap();
            }
            _ => {}
        }
    };
    assert_eq!((deaths, told.len()), (usize::from(MOST_DEATHS), 0));
    assert_eq!(talk.common.news.take().len(), 1);
    assert!(!talk.telling.is_finished());
}

#[tokio::test]
async fn what_is_refused_of_a_client_that_has_gone_is_told_again() {
    tokio::time::pause();
    let (mut talk, mut first) = Talk::begin();
    talk.say(&message("auth")).await;
    talk.say(&message("a")).await;
    drop(talk.client.take());
    while first.heard.recv().await.unwrap().payload() != b"a" {}
    let mut second = talk.next_daemon();
    // Until the client's end is seen, it would come again by itself.
    tokio::time::sleep(Duration::from_millis(10)).await;
    let later = answer(0x88, &1013_u16.to_be_bytes());
    first.out.write_all(&later).await.unwrap();
    assert_eq!(hear(&mut second, 2).await, ["auth", "a"]);
    assert_eq!(talk.telling.await.unwrap(), 0);
}

#[tokio::test]
async fn a_client_that_no_daemon_has_welcomed_hears_its_welcome() {
    let (mut talk, mut first) = Talk::begin();
    talk.say(&message("auth")).await;
    first.heard.recv().await.unwrap();
    let mut second = talk.next_daemon();
    drop(first);
    second.heard.recv().await.unwrap();
    let welcome = answer(0x81, b"welcome");
    second.out.write_all(&welcome).await.unwrap();
    let client = talk.client.as_mut().unwrap();
    assert_eq!(client.heard.recv().await.unwrap().payload(), b"welcome");
}

#[tokio::test]
async fn a_client_s_ping_is_its_own_whatever_it_says() {
    let (mut talk, mut daemon) = Talk::begin();
    talk.say(&Frame::ping(b"prefectd relay").bytes).await;
    let pong = answer(0x8a, b"prefectd relay");
    daemon.heard.recv().await.unwrap();
    daemon.out.write_all(&pong).await.unwrap();
    let client = talk.client.as_mut().unwrap();
    assert_eq!(client.heard.recv().await.unwrap().meaning, Meaning::Pong);
    // Ours, which was asked for with it; nothing more comes once it is answered.
    daemon.heard.recv().await.unwrap();
    daemon.out.write_all(&pong).await.unwrap();
    let mut more = std::pin::pin!(daemon.heard.recv());
    assert!(is_pending(&mut more).await);
}

/// Has so many pings of the daemon answered, and answers the messages that came before the last.
async fn confirm(daemon: &mut End<DuplexStream>, mut pings: usize) -> Vec<String> {
    let mut heard = Vec::new();
    while pings > 0 {
        let frame = daemon.heard.recv().await.unwrap();
        match frame.meaning {
            Meaning::Message => heard.push(String::from_utf8_lossy(frame.payload()).into_owned()),
            Meaning::Ping => {
                let pong = answer(0x8a, frame.payload());
                daemon.out.write_all(&pong).await.unwrap();
                pings -= 1;
            }
            _ => {}
        }
    }
    heard
}

#[tokio::test]
async fn daemons_that_live_too_briefly_for_everything_keep_a_part_for_good() {
    let (mut talk, mut first) = Talk::begin();
    talk.say(&message("auth")).await;
    for nth in 0..200 {
        talk.say(&message(&nth.to_string())).await;
    }
    drop(talk.client.take());
    while first.heard.recv().await.unwrap().payload() != b"199" {}
    let mut kept = Vec::new();
    let mut daemon = talk.next_daemon();
    drop(first);
    loop {
        let heard = confirm(&mut daemon, 2).await;
        kept.extend(heard.into_iter().filter(|text| text != "auth"));
        if kept.last().is_some_and(|last| last == "199") {
            break;
        }
        let next = talk.next_daemon();
        drop(daemon);
        daemon = next;
    }
    kept.sort_by_key(|text| text.parse::<u32>().unwrap());
    kept.dedup();
    assert_eq!(kept.len(), 200);
    // Whatever is left is a ping.
    while let Some(frame) = daemon.heard.recv().await {
        let pong = answer(0x8a, frame.payload());
        daemon.out.write_all(&pong).await.unwrap();
    }
    assert_eq!(talk.telling.await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_suspected_is_told_alone_and_a_message_first() {
    let (mut talk, mut first) = Talk::begin();
    talk.say(&message("auth")).await;
    for text in ["a", "b", "c"] {
        talk.say(&message(text)).await;
    }
    while first.heard.recv().await.unwrap().payload() != b"c" {}
    let turn = Arc::clone(&talk.common.turns).lock_owned().await;
    let mut second = talk.next_daemon();
    drop(first);
    {
        let mut heard = std::pin::pin!(confirm(&mut second, 1));
        assert!(is_pending(&mut heard).await, "another one has its turn");
        drop(turn);
        assert_eq!(heard.await, ["auth", "a"]);
    }
    assert_eq!(confirm(&mut second, 1).await, ["b", "c"]);
    // Others have their turn.
    drop(talk.common.turns.lock().await);
}

#[tokio::test]
async fn what_is_said_while_no_daemon_is_there_is_taken_and_the_client_may_go() {
    let (mut talk, mut first) = Talk::begin();
    talk.say(&message("auth")).await;
    talk.say(&message("a")).await;
    while first.heard.recv().await.unwrap().payload() != b"a" {}
    let turn = Arc::clone(&talk.common.turns).lock_owned().await;
    let mut second = talk.next_daemon();
    drop(first);
    // More than there is room for on the way.
    for _ in 0..200 {
        talk.say(&message(&"x".repeat(1000))).await;
    }
    drop(talk.client.take());
    drop(turn);
    assert_eq!(hear(&mut second, 202).await.len(), 202);
    assert_eq!(talk.telling.await.unwrap(), 0);
}

#[tokio::test]
async fn all_conversations_together_hold_no_more_than_there_is_room_for() {
    let most = 800_000;
    let memory = Memory::of(most);
    let mut talks = Vec::new();
    for _ in 0..8 {
        let memory = memory.clone();
        let (mut talk, daemon) = Talk::begin_with(Common {
            memory,
            ..Common::default()
        });
        talk.say(&message("auth")).await;
        let mut client = talk.client.take().unwrap();
        let saying = tokio::spawn(async move {
            for _ in 0..40 {
                let bytes = message(&"x".repeat(30_000));
                client.out.write_all(&bytes).await.unwrap();
            }
        });
        talks.push((talk, daemon, saying));
    }
    // Nobody confirms anything: every client comes to wait.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(talks.iter().all(|(_, _, saying)| !saying.is_finished()));
    let told = talks.into_iter().map(async |(_talk, mut daemon, saying)| {
        assert_eq!(hear(&mut daemon, 41).await.len(), 41);
        saying.await.unwrap();
    });
    futures_util::future::join_all(told).await;
}

#[tokio::test]
async fn what_is_small_passes_though_others_hold_all_the_room() {
    let memory = Memory::of(400_000);
    let _held = memory.room(HERE).take(100_000).await;
    let (mut talk, mut daemon) = Talk::begin_with(Common {
        memory,
        ..Common::default()
    });
    talk.say(&message("auth")).await;
    for _ in 0..50 {
        talk.say(&message(&"x".repeat(1000))).await;
    }
    assert_eq!(hear(&mut daemon, 51).await.len(), 51);
}

#[tokio::test]
async fn a_greeting_is_kept_only_where_it_is_small() {
    let memory = Memory::of(400_000);
    let (mut talk, mut daemon) = Talk::begin_with(Common {
        memory: memory.clone(),
        ..Common::default()
    });
    talk.say(&message(&"x".repeat(60_000))).await;
    daemon.heard.recv().await.unwrap();
    // It takes no room once it is passed on.
    drop(memory.room(HERE).take(100_000).await);
}

/// Whether something has not come to an end within a moment.
async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    let moment = std::time::Duration::from_millis(200);
    tokio::time::timeout(moment, future).await.is_err()
}
