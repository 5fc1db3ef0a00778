//! What a container uses, as the engine tells it.

use std::time::Duration;

use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::StatsOptions;
use futures_util::TryStreamExt;

use super::DockerRunner;
use crate::domain::usage::Usage;

/// How long the engine may take to tell it.
const TIMEOUT: Duration = Duration::from_secs(2);

impl DockerRunner {
    /// What the container uses; nothing when it is gone, or the engine does not tell in time.
    pub async fn usage(&self, id: &str) -> Option<Usage> {
        let options = StatsOptions {
            stream: false,
            one_shot: true,
        };
        let mut told = std::pin::pin!(self.docker.stats(id, Some(options)));
        let told = tokio::time::timeout(TIMEOUT, told.try_next()).await;
        read(&told.ok()?.ok()??)
    }
}

fn read(told: &ContainerStatsResponse) -> Option<Usage> {
    let cpu = told.cpu_stats.as_ref()?.cpu_usage.as_ref()?.total_usage?;
    let memory = told.memory_stats.as_ref()?;
    // The cache of files that is given back first does not count, as `docker stats` has it.
    let names = ["inactive_file", "total_inactive_file"];
    let details = memory.stats.as_ref();
    let cache = names.iter().find_map(|name| details?.get(*name));
    Some(Usage {
        cpu: Duration::from_nanos(cpu),
        memory: memory
            .usage?
            .saturating_sub(cache.copied().unwrap_or_default()),
    })
}
