//! Slots that many clients take, renew and give back, while the daemon is killed.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use uuid::Uuid;

use super::support::{TestDaemon, wait_for};

const CLIENTS: usize = 64;
const SLOTS: i64 = 8;

/// A client whose requests may find nobody.
struct Client {
    agent: Agent,
    base: String,
}

impl Client {
    fn new(base: String) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .user_agent("prefect/3.9.1 (API 0.8.4)")
            .build();
        Self {
            agent: config.into(),
            base,
        }
    }

    /// The status and what is said; `None` where nobody answers.
    fn post(&self, path: &str, body: &Value, key: Uuid) -> Option<(u16, Value)> {
        let url = format!("{}/api/v2/concurrency_limits{path}", self.base);
        let sent = { self.agent.post(&url) }
            .content_type("application/json")
            .header("idempotency-key", key.to_string());
        let mut answer = sent.send(body.to_string()).ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        let said = serde_json::from_str(&text).unwrap_or(Value::Null);
        Some((answer.status().as_u16(), said))
    }

    /// The same, asked until it is answered: a slot whose grant a kill has swallowed is had by
    /// asking again.
    fn insist(&self, path: &str, body: &Value) -> (u16, Value) {
        let key = Uuid::now_v7();
        wait_for("an answer", || {
            let answer = self.post(path, body, key);
            answer.filter(|(status, _)| *status != 503)
        })
    }
}

/// What all clients look at.
#[derive(Default)]
struct Seen {
    is_over: AtomicBool,
    /// So many slots clients are sure to hold.
    held: AtomicI64,
    most: AtomicI64,
    granted: AtomicI64,
    renewed: AtomicI64,
}

impl Seen {
    fn work(&self, client: &Client) {
        let wanted = json!({ "names": ["l"], "slots": 1, "lease_duration": 600 });
        while !self.is_over.load(Ordering::SeqCst) {
            match client.insist("/increment-with-lease", &wanted) {
                (200, granted) => self.hold(client, &granted["lease_id"]),
                (423, _) => std::thread::sleep(Duration::from_millis(5)),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Holds a slot for a moment, and gives it back until that is confirmed.
    fn hold(&self, client: &Client, lease: &Value) {
        let held = self.held.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(held, Ordering::SeqCst);
        self.granted.fetch_add(1, Ordering::SeqCst);
        let path = format!("/leases/{}/renew", lease.as_str().unwrap());
        let renew = json!({ "lease_duration": 600 });
        for _ in 0..3 {
            let renewed = client.insist(&path, &renew);
            assert_eq!(renewed.0, 204, "a lease is lost: {renewed:?}");
            self.renewed.fetch_add(1, Ordering::SeqCst);
        }
        self.held.fetch_sub(1, Ordering::SeqCst);
        let lease = json!({ "lease_id": lease });
        let given = client.insist("/decrement-with-lease", &lease);
        assert_eq!(given.0, 204, "{given:?}");
    }
}

#[test]
fn no_slot_is_granted_twice_nor_leaked_while_the_daemon_is_killed() {
    let mut daemon = TestDaemon::without_agent();
    let limit = json!({ "name": "l", "limit": SLOTS });
    let http = daemon.modern();
    http.post("/v2/concurrency_limits/", &limit).expect(201);
    let is_long = std::env::var_os("PREFECTD_TEST_LONG").is_some();
    let kills = if is_long { 40 } else { 6 };
    let seen = Seen::default();
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let client = Client::new(daemon.url());
            let seen = &seen;
            scope.spawn(move || seen.work(&client));
        }
        for round in 0..kills {
            let before = seen.granted.load(Ordering::SeqCst);
            wait_for("slots to be granted", || {
                let granted = seen.granted.load(Ordering::SeqCst);
                (granted > before + 20).then_some(())
            });
            std::thread::sleep(Duration::from_millis(13 * (round % 7)));
            daemon.kill();
            daemon.restart(Vec::new());
        }
        seen.is_over.store(true, Ordering::SeqCst);
    });
    let most = seen.most.load(Ordering::SeqCst);
    assert!((1..=SLOTS).contains(&most), "{most} slots of {SLOTS}");
    assert!(seen.renewed.load(Ordering::SeqCst) > 100);
    let path = "/v2/concurrency_limits/l";
    assert_eq!(http.get(path).expect(200)["active_slots"], 0);
    assert_eq!(daemon.leases(), 0);
}
