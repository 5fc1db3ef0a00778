//! Clients that never stop asking, and count what goes wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::machine::Machine;
use crate::support::wait_for;

/// Clients at work.
pub struct Load {
    clients: Vec<JoinHandle<Vec<String>>>,
    over: &'static AtomicBool,
    answered: Arc<AtomicU64>,
}

impl Load {
    /// `clients` that keep their connections, and as many that do not, at that URL in the
    /// machine's network. Each writes and reads.
    pub fn start(machine: &Machine, url: &str, clients: usize, over: &'static AtomicBool) -> Self {
        over.store(false, Ordering::SeqCst);
        // A thread that has entered a network stays there, so the threads enter it themselves.
        let network = machine.network();
        let answered = Arc::new(AtomicU64::new(0));
        let clients = (0..2 * clients).map(|number| {
            let (url, network) = (url.to_owned(), network.try_clone().unwrap());
            let answered = answered.clone();
            std::thread::spawn(move || {
                Machine::enter(&network);
                ask(&url, number % 2 == 0, over, &answered)
            })
        });
        Self {
            clients: clients.collect(),
            over,
            answered,
        }
    }

    /// Waits until so many more requests have been answered.
    pub fn wait_for(&self, more: u64) {
        let enough = self.answered.load(Ordering::SeqCst) + more;
        wait_for("requests to be answered", || {
            (self.answered.load(Ordering::SeqCst) >= enough).then_some(())
        });
    }

    /// Has them end, and answers what was not answered with 200.
    pub fn stop(self) -> Vec<String> {
        self.over.store(true, Ordering::SeqCst);
        let seen = self
            .clients
            .into_iter()
            .map(|client| client.join().unwrap());
        seen.flatten().collect()
    }
}

fn ask(url: &str, keeps_connection: bool, over: &AtomicBool, answered: &AtomicU64) -> Vec<String> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .max_idle_connections(if keeps_connection { 1 } else { 0 })
        .build();
    let agent = ureq::Agent::new_with_config(config);
    let mut failures = Vec::new();
    while !over.load(Ordering::SeqCst) {
        // Neither is repeated by the client: a failure is a failure.
        let written = agent
            .post(format!("{url}/api/flows/"))
            .content_type("application/json")
            .send(r#"{"name": "load"}"#);
        let read = agent.get(format!("{url}/api/ready")).call();
        for answer in [written, read] {
            match answer.and_then(|mut answer| answer.body_mut().read_to_string()) {
                Ok(_) => _ = answered.fetch_add(1, Ordering::SeqCst),
                Err(error) => failures.push(error.to_string()),
            }
        }
    }
    failures
}
