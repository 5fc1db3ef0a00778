//! What is asked of a server over and over: one request, or several that belong together.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use uuid::Uuid;

use super::http::{Address, Client, Speaker};
use super::load::{self, Outcome};

/// Where a body has this, each request has an id of its own.
pub const FRESH: &str = "{fresh}";

/// A request and the status that its answer must have.
#[derive(Clone, Debug)]
pub struct Request {
    method: &'static str,
    path: String,
    body: String,
    status: u16,
    is_page: bool,
    has_fresh: bool,
}

impl Request {
    /// A `GET` below `/api`.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            body: String::new(),
            status: 200,
            is_page: false,
            has_fresh: false,
        }
    }

    /// A `POST` below `/api`.
    pub fn post(path: impl Into<String>, body: impl Into<String>, status: u16) -> Self {
        let body = body.into();
        Self {
            method: "POST",
            has_fresh: body.contains(FRESH),
            body,
            status,
            ..Self::get(path)
        }
    }

    /// A page outside of the API.
    pub fn page(path: impl Into<String>) -> Self {
        Self {
            is_page: true,
            ..Self::get(path)
        }
    }

    /// Sends it.
    pub async fn send(&self, client: &mut Client) -> anyhow::Result<()> {
        if self.is_page {
            let status = client.page(&self.path).await?;
            ensure!(status == self.status, "{} answered {status}", self.path);
            return Ok(());
        }
        let body = match self.has_fresh {
            true => Cow::Owned(self.body.replace(FRESH, &Uuid::new_v4().to_string())),
            false => Cow::Borrowed(self.body.as_str()),
        };
        client
            .expect(self.method, &self.path, &body, self.status)
            .await
    }
}

/// What a call is.
enum Work {
    /// One of these, round and round.
    Each(Vec<Request>),
    /// All of these, one after the other.
    All(Vec<Request>),
    /// This one, by which a slot is taken, and then the one that gives it back.
    Slot(Request),
}

/// Something to ask of a server, by a name.
pub struct Call {
    /// What it is called in the table.
    pub name: String,
    /// How many of what the table counts it carries.
    pub carries: u64,
    /// As whom the server is asked, where that is not its generation's client.
    speaker: Option<Speaker>,
    work: Arc<Work>,
}

impl Call {
    fn of(name: impl Into<String>, work: Work) -> Self {
        Self {
            name: name.into(),
            carries: 1,
            speaker: None,
            work: Arc::new(work),
        }
    }

    /// One of some requests, round and round.
    pub fn each(name: impl Into<String>, requests: Vec<Request>) -> Self {
        Self::of(name, Work::Each(requests))
    }

    /// One request.
    pub fn one(name: impl Into<String>, request: Request) -> Self {
        Self::each(name, vec![request])
    }

    /// Requests that are sent one after the other, as one call.
    pub fn all(name: impl Into<String>, requests: Vec<Request>) -> Self {
        Self::of(name, Work::All(requests))
    }

    /// A slot that is taken by a request and then given back.
    pub fn slot(name: impl Into<String>, acquire: Request) -> Self {
        Self::of(name, Work::Slot(acquire))
    }

    /// The same, asked by somebody else than the generation's client.
    #[must_use]
    pub fn by(mut self, speaker: Speaker) -> Self {
        self.speaker = Some(speaker);
        self
    }

    /// Calls for as long as `time`, each of `clients` one after the other.
    pub fn measure(
        &self,
        server: Address,
        clients: usize,
        time: Duration,
    ) -> impl Future<Output = Outcome> + use<> {
        let work = Arc::clone(&self.work);
        let next = Arc::new(AtomicUsize::new(0));
        let server = server.as_spoken_by(self.speaker.unwrap_or(server.speaker));
        load::run(server, clients, time, move |mut client| {
            let work = Arc::clone(&work);
            let at = next.fetch_add(1, Ordering::Relaxed);
            async move {
                work.carry_out(&mut client, at).await?;
                Ok(client)
            }
        })
    }
}

impl Work {
    async fn carry_out(&self, client: &mut Client, at: usize) -> anyhow::Result<()> {
        match self {
            Self::Each(requests) => {
                let one = requests.get(at % requests.len().max(1));
                one.context("nothing to ask")?.send(client).await
            }
            Self::All(requests) => {
                for request in requests {
                    request.send(client).await?;
                }
                Ok(())
            }
            Self::Slot(acquire) => {
                acquire.send(client).await?;
                let lease = client.field("lease_id")?;
                let body = format!(r#"{{"lease_id":"{lease}"}}"#);
                let path = "/v2/concurrency_limits/decrement-with-lease";
                client.expect("POST", path, &body, 204).await
            }
        }
    }
}
