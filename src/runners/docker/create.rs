//! Creating a container: under a free name, from an image that may have to be pulled.

use std::collections::HashMap;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, HostConfig, NetworkConnectRequest};
use bollard::query_parameters::{
    CreateContainerOptions, CreateImageOptions, RemoveContainerOptions,
};
use futures_util::TryStreamExt;

use super::super::spec::Container;
use super::super::{Made, Progress, RunnerError};
use super::words;

/// The most names that are tried.
const MOST_NAMES: usize = 1000;

/// Creates the container and joins it to its networks; what fails half-way is removed.
pub(super) async fn create(
    docker: &Docker,
    wanted: &Container,
    progress: &Progress,
) -> Result<Made, RunnerError> {
    let made = match under_free_name(docker, wanted).await {
        Err(error) if words::is_no_such_image(&error) => {
            pull(docker, &wanted.image, progress).await?;
            under_free_name(docker, wanted).await
        }
        made => made,
    };
    let made = made.map_err(words::tell)?;
    for network in wanted.networks.iter().skip(1) {
        let request = NetworkConnectRequest {
            container: made.id.clone(),
            endpoint_config: None,
        };
        if let Err(error) = docker.connect_network(network, request).await {
            let options = RemoveContainerOptions {
                force: true,
                ..RemoveContainerOptions::default()
            };
            // The failure that matters is told; the container is found again by its label.
            let _ = docker.remove_container(&made.id, Some(options)).await;
            return Err(words::tell(error));
        }
    }
    Ok(made)
}

/// Tries `name`, `name-1`, `name-2`, …
async fn under_free_name(docker: &Docker, wanted: &Container) -> Result<Made, Error> {
    let mut name = wanted.name.clone();
    let mut index = 0;
    loop {
        let options = CreateContainerOptions {
            name: Some(name.clone()),
            platform: String::new(),
        };
        match docker.create_container(Some(options), body(wanted)).await {
            Ok(created) => {
                let id = created.id;
                return Ok(Made { id, name });
            }
            Err(error) if words::is_name_taken(&error) && index < MOST_NAMES => {
                index += 1;
                name = format!("{}-{index}", wanted.name);
            }
            Err(error) => return Err(error),
        }
    }
}

fn body(wanted: &Container) -> ContainerCreateBody {
    let env = wanted
        .env
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    let labels: HashMap<_, _> = wanted.labels.clone().into_iter().collect();
    ContainerCreateBody {
        image: Some(wanted.image.clone()),
        cmd: Some(wanted.command.clone()),
        env: Some(env.collect()),
        labels: Some(labels),
        host_config: Some(HostConfig {
            binds: Some(wanted.volumes.clone()),
            extra_hosts: Some(wanted.extra_hosts.clone()),
            network_mode: wanted.networks.first().cloned(),
            // Never the engine's own removal: it destroys the exit code and the output.
            auto_remove: Some(false),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// Pulls an image; the engine's words are the error.
async fn pull(docker: &Docker, image: &str, progress: &Progress) -> Result<(), RunnerError> {
    progress(format!(
        "The image {image} is not on this machine; pulling it."
    ));
    let (name, tag) = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    };
    let options = CreateImageOptions {
        from_image: Some(name.to_owned()),
        tag: Some(tag.to_owned()),
        ..CreateImageOptions::default()
    };
    let steps = docker.create_image(Some(options), None, None);
    let pulled: Result<Vec<_>, _> = steps.try_collect().await;
    pulled.map_err(|error| {
        let words = words::tell(error);
        RunnerError(format!("The image {image} cannot be pulled: {words}"))
    })?;
    progress(format!("Pulled {image}."));
    Ok(())
}
