//! Secrets and configs that a run asks for, by what the swarm knows them as.

use std::collections::HashMap;

use bollard::Docker;
use bollard::models::{
    TaskSpecContainerSpecConfigs, TaskSpecContainerSpecFile, TaskSpecContainerSpecFile1,
    TaskSpecContainerSpecSecrets,
};
use bollard::query_parameters::{ListConfigsOptions, ListSecretsOptions};

use super::trouble;
use crate::domain::container::ClusterSettings;
use crate::domain::container::cluster::file_of;
use crate::runners::RunnerError;

/// Whose they are in the container, and how they may be read there.
const OWNER: &str = "0";
const MODE: u32 = 0o444;

/// Those of a run.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Its secrets, each as a file below `/run/secrets` or where it says.
    pub secrets: Vec<TaskSpecContainerSpecSecrets>,
    /// Its configs, likewise.
    pub configs: Vec<TaskSpecContainerSpecConfigs>,
}

impl Files {
    /// Looks them up.
    pub async fn find(docker: &Docker, asked: &ClusterSettings) -> Result<Self, RunnerError> {
        let mut files = Self::default();
        if let Some(names) = &asked.secrets {
            let all = docker.list_secrets(None::<ListSecretsOptions>).await;
            let all = all.map_err(trouble::of)?.into_iter();
            let known: HashMap<_, _> = all
                .filter_map(|one| Some((one.spec?.name?, one.id?)))
                .collect();
            for text in names {
                files.secrets.push(secret(&known, text)?);
            }
        }
        if let Some(names) = &asked.configs {
            let all = docker.list_configs(None::<ListConfigsOptions>).await;
            let all = all.map_err(trouble::of)?.into_iter();
            let known: HashMap<_, _> = all
                .filter_map(|one| Some((one.spec?.name?, one.id?)))
                .collect();
            for text in names {
                files.configs.push(config(&known, text)?);
            }
        }
        Ok(files)
    }
}

fn secret(
    known: &HashMap<String, String>,
    text: &str,
) -> Result<TaskSpecContainerSpecSecrets, RunnerError> {
    let (name, file) = file_of(text);
    Ok(TaskSpecContainerSpecSecrets {
        file: Some(TaskSpecContainerSpecFile {
            name: Some(file.to_owned()),
            uid: Some(OWNER.to_owned()),
            gid: Some(OWNER.to_owned()),
            mode: Some(MODE),
        }),
        secret_id: Some(id_of(known, name, "secret")?),
        secret_name: Some(name.to_owned()),
    })
}

fn config(
    known: &HashMap<String, String>,
    text: &str,
) -> Result<TaskSpecContainerSpecConfigs, RunnerError> {
    let (name, file) = file_of(text);
    Ok(TaskSpecContainerSpecConfigs {
        file: Some(TaskSpecContainerSpecFile1 {
            name: Some(file.to_owned()),
            uid: Some(OWNER.to_owned()),
            gid: Some(OWNER.to_owned()),
            mode: Some(MODE),
        }),
        config_id: Some(id_of(known, name, "config")?),
        config_name: Some(name.to_owned()),
        runtime: None,
    })
}

fn id_of(known: &HashMap<String, String>, name: &str, what: &str) -> Result<String, RunnerError> {
    let id = known.get(name).cloned();
    id.ok_or_else(|| RunnerError::Refused(format!("The swarm has no {what} named {name:?}.")))
}
