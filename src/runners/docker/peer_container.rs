//! Which container owns an address.
//!
//! An address is worth what the engine says of it now: the container that was found behind it
//! last is asked after first, and only when it is not there any more are all of them listed.
//! While the engine is away no address changes hands, so what was found last still holds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bollard::Docker;
use bollard::models::{ContainerInspectResponse, NetworkSettings};
use bollard::query_parameters::ListContainersOptions;
use chrono::{DateTime, Utc};

use super::errors;
use crate::domain::access::{Maker, PeerIdentity};
use crate::domain::container::labels;
use crate::domain::runner::made_container;
use crate::runners::RunnerError;

/// The engine notes a start when the process has begun already.
const LATE_NOTE: Duration = Duration::from_secs(1);
/// How long to wait before looking again for a container that is only just starting.
const AGAIN: Duration = Duration::from_millis(250);
/// How many addresses are remembered.
const REMEMBERED: usize = 4096;

/// Knows containers by their addresses; clones share what was found.
#[derive(Clone)]
pub struct PeerContainers {
    docker: Docker,
    instance: String,
    last: Arc<Mutex<HashMap<IpAddr, (String, PeerIdentity)>>>,
}

impl PeerContainers {
    /// Of one engine. `instance` is this daemon's.
    pub(super) fn new(docker: Docker, instance: &str) -> Self {
        Self {
            docker,
            instance: instance.to_owned(),
            last: Arc::default(),
        }
    }

    /// The container that owned `address` at `moment`; `None` when none did.
    pub async fn of(
        &self,
        address: IpAddr,
        moment: SystemTime,
    ) -> Result<Option<PeerIdentity>, RunnerError> {
        match self.ask(address, moment).await {
            Ok(None) => {
                tokio::time::sleep(AGAIN).await;
                self.ask(address, moment).await
            }
            Err(away @ RunnerError::Away(_)) => match self.remembered(address) {
                Some((_, peer)) => Ok(Some(peer)),
                None => Err(away),
            },
            answer => answer,
        }
    }

    async fn ask(
        &self,
        address: IpAddr,
        moment: SystemTime,
    ) -> Result<Option<PeerIdentity>, RunnerError> {
        if let Some((id, _)) = self.remembered(address)
            && let Some(found) = self.inspect(&id).await?
            && owned(&found, address, moment)
        {
            return Ok(Some(self.remember(address, id, &found)));
        }
        for id in self.running_at(address).await? {
            if let Some(found) = self.inspect(&id).await?
                && owned(&found, address, moment)
            {
                return Ok(Some(self.remember(address, id, &found)));
            }
        }
        self.last().remove(&address);
        Ok(None)
    }

    async fn inspect(&self, id: &str) -> Result<Option<ContainerInspectResponse>, RunnerError> {
        match self.docker.inspect_container(id, None).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if errors::is_gone(&error) => Ok(None),
            Err(error) => Err(errors::classify(error)),
        }
    }

    async fn running_at(&self, address: IpAddr) -> Result<Vec<String>, RunnerError> {
        let running = self
            .docker
            .list_containers(None::<ListContainersOptions>)
            .await
            .map_err(errors::classify)?;
        let there = running.into_iter().filter(|container| {
            let networks = container.network_settings.as_ref();
            let networks = networks.and_then(|settings| settings.networks.as_ref());
            networks.is_some_and(|networks| {
                networks.values().any(|one| {
                    is(address, one.ip_address.as_deref())
                        || is(address, one.global_ipv6_address.as_deref())
                })
            })
        });
        Ok(there.filter_map(|container| container.id).collect())
    }

    fn remember(
        &self,
        address: IpAddr,
        id: String,
        found: &ContainerInspectResponse,
    ) -> PeerIdentity {
        let peer = self.peer(&id, found);
        let mut last = self.last();
        if last.len() >= REMEMBERED {
            last.clear();
        }
        last.insert(address, (id, peer.clone()));
        peer
    }

    fn peer(&self, id: &str, found: &ContainerInspectResponse) -> PeerIdentity {
        let config = found.config.as_ref();
        let label = |name: &str| {
            let labels = config.and_then(|config| config.labels.as_ref());
            labels.and_then(|labels| labels.get(name))
        };
        let name = found.name.as_deref().unwrap_or_default();
        let image = config.and_then(|config| config.image.as_deref());
        let short = id.get(..12).unwrap_or(id);
        PeerIdentity {
            flow_run: label(labels::RUN).and_then(|id| id.parse().ok()),
            maker: match label(labels::INSTANCE) {
                Some(instance) if *instance == self.instance => Maker::Us,
                Some(_) => Maker::AnotherDaemon,
                None => Maker::Unnamed,
            },
            infrastructure_id: made_container(id),
            described: format!(
                "container {} ({short}, image {})",
                name.trim_start_matches('/'),
                image.unwrap_or("unknown")
            ),
        }
    }

    fn remembered(&self, address: IpAddr) -> Option<(String, PeerIdentity)> {
        self.last().get(&address).cloned()
    }

    fn last(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, (String, PeerIdentity)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a container runs, has the address, and had begun by that moment.
fn owned(found: &ContainerInspectResponse, address: IpAddr, moment: SystemTime) -> bool {
    let Some(state) = &found.state else {
        return false;
    };
    let started = state.started_at.as_deref();
    let started = started.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let latest = DateTime::<Utc>::from(moment + LATE_NOTE);
    state.running == Some(true)
        && started.is_some_and(|started| started <= latest)
        && found
            .network_settings
            .as_ref()
            .is_some_and(|settings| has(settings, address))
}

fn has(settings: &NetworkSettings, address: IpAddr) -> bool {
    let networks = settings.networks.iter().flat_map(HashMap::values);
    let mut networks = networks.into_iter();
    networks.any(|one| {
        is(address, one.ip_address.as_deref()) || is(address, one.global_ipv6_address.as_deref())
    })
}

fn is(address: IpAddr, text: Option<&str>) -> bool {
    text.and_then(|text| text.parse().ok()) == Some(address)
}
