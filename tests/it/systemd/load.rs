//! Clients that never stop asking, and count what goes wrong.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::machine::Machine;

/// What some clients saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Answers of 200.
    pub answered: u64,
    /// Everything else.
    pub failures: Vec<String>,
}

impl Seen {
    fn add(mut self, other: Self) -> Self {
        self.answered += other.answered;
        self.failures.extend(other.failures);
        self
    }
}

/// Clients at work.
pub struct Load {
    clients: Vec<JoinHandle<Seen>>,
    over: &'static AtomicBool,
}

impl Load {
    /// `clients` that keep their connections, and as many that do not, at that URL in the
    /// machine's network. Each writes and reads.
    pub fn start(machine: &Machine, url: &str, clients: usize, over: &'static AtomicBool) -> Self {
        over.store(false, Ordering::SeqCst);
        // A thread that has entered a network stays there, so the threads enter it themselves.
        let network = machine.network();
        let clients = (0..2 * clients).map(|number| {
            let (url, network) = (url.to_owned(), network.try_clone().unwrap());
            std::thread::spawn(move || {
                Machine::enter(&network);
                ask(&url, number % 2 == 0, over)
            })
        });
        Self {
            clients: clients.collect(),
            over,
        }
    }

    /// Has them end, and answers what they saw.
    pub fn stop(self) -> Seen {
        self.over.store(true, Ordering::SeqCst);
        let seen = self
            .clients
            .into_iter()
            .map(|client| client.join().unwrap());
        seen.fold(Seen::default(), Seen::add)
    }
}

fn ask(url: &str, keeps_connection: bool, over: &AtomicBool) -> Seen {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .max_idle_connections(if keeps_connection { 1 } else { 0 })
        .build();
    let agent = ureq::Agent::new_with_config(config);
    let mut seen = Seen::default();
    while !over.load(Ordering::SeqCst) {
        // Neither is repeated by the client: a failure is a failure.
        let written = agent
            .post(format!("{url}/api/flows/"))
            .content_type("application/json")
            .send(r#"{"name": "load"}"#);
        let read = agent.get(format!("{url}/api/ready")).call();
        for answer in [written, read] {
            match answer.and_then(|mut answer| answer.body_mut().read_to_string()) {
                Ok(_) => seen.answered += 1,
                Err(error) => seen.failures.push(error.to_string()),
            }
        }
    }
    seen
}
