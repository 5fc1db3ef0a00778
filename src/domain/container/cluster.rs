//! What a run asks of a cluster: on which nodes it may be, and what is held free for it there.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Bytes, ContainerRules};

/// Where containers run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// On the daemon's own engine.
    #[default]
    Engine,
    /// On the swarm that the engine is a manager of.
    Swarm,
}

/// What becomes of a run whose node is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnNodeLoss {
    /// It ends: its container may still run where nobody sees it.
    #[default]
    Crash,
    /// It is submitted again.
    Resubmit,
}

/// What is asked, beyond what any container asks.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ClusterSettings {
    /// On which nodes it may be, as `node.labels.zone==a`.
    pub constraints: Option<Vec<String>>,
    /// Over what runs are spread evenly, as `node.labels.zone`.
    pub placement_preferences: Option<Vec<String>>,
    /// For which machines its image is, as `linux/amd64`.
    pub platforms: Option<Vec<String>>,
    /// Processors that are held free for it.
    pub reserve_cpus: Option<f64>,
    /// Memory that is held free for it.
    pub reserve_memory: Option<Bytes>,
    /// Resources by the names that nodes give them, as `gpu`, and how many of each.
    pub generic_resources: Option<BTreeMap<String, i64>>,
    /// Secrets of the swarm, as `name` or `name:file`.
    pub secrets: Option<Vec<String>>,
    /// Configs of the swarm, likewise.
    pub configs: Option<Vec<String>>,
    /// How long it has to end before it is killed, in seconds.
    pub stop_grace_seconds: Option<f64>,
    /// What becomes of it when its node is lost.
    pub on_node_loss: Option<OnNodeLoss>,
}

impl ClusterSettings {
    /// The names of the settings.
    pub const KEYS: &[&str] = &[
        "constraints",
        "placement_preferences",
        "platforms",
        "reserve_cpus",
        "reserve_memory",
        "generic_resources",
        "secrets",
        "configs",
        "stop_grace_seconds",
        "on_node_loss",
    ];
}

impl ContainerRules {
    /// Judges what is asked of a cluster. Its secrets and configs are others' unless the operator
    /// hands them over.
    ///
    /// # Errors
    /// What is refused, in a sentence that names the setting that would permit it.
    pub fn check_cluster(&self, asked: &ClusterSettings) -> Result<(), String> {
        let within = |name: &str, is_within: bool| match is_within {
            true => Ok(()),
            false => Err(format!(
                "The run asks to hold more {name} free than this machine permits. Ask for less, or \
                 have its operator raise docker.maxima.{name} in prefectd.toml."
            )),
        };
        let most = &self.maxima;
        let cpus = asked.reserve_cpus.zip(most.cpus);
        within("cpus", cpus.is_none_or(|(asked, most)| asked <= most))?;
        let memory = asked.reserve_memory.zip(most.memory);
        within("memory", memory.is_none_or(|(asked, most)| asked <= most))?;
        let cards = asked.generic_resources.iter().flatten();
        let cards = cards.filter(|(kind, _)| kind.to_ascii_lowercase().contains("gpu"));
        let cards: i64 = cards.map(|(_, count)| count).sum();
        within("gpus", most.gpus.is_none_or(|most| cards <= most))?;
        for (what, names, permitted) in [
            ("secrets", &asked.secrets, &self.allow.secrets),
            ("configs", &asked.configs, &self.allow.configs),
        ] {
            let mut names = names.iter().flatten().map(|name| file_of(name).0);
            if let Some(name) = names.find(|name| !permitted.iter().any(|one| one == name)) {
                return Err(format!(
                    "The run asks for {name:?} of the swarm's {what}, which is not permitted. The \
                     operator can permit it in prefectd.toml: docker.allow.{what} = [{name:?}]"
                ));
            }
        }
        Ok(())
    }
}

/// The name of a secret or config, and the file that it is to be; both from `name` or `name:file`.
pub fn file_of(text: &str) -> (&str, &str) {
    text.split_once(':').unwrap_or((text, text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::container::{Allow, Maxima};

    #[test]
    fn what_is_asked_of_a_cluster_is_judged() {
        let rules = ContainerRules {
            maxima: Maxima {
                cpus: Some(2.0),
                memory: Some(Bytes(1 << 30)),
                gpus: Some(1),
                ..Maxima::default()
            },
            allow: Allow {
                secrets: vec!["db".to_owned()],
                ..Allow::default()
            },
            ..ContainerRules::default()
        };
        let asked = |value| serde_json::from_value::<ClusterSettings>(value).unwrap();
        for fine in [
            json!({}),
            json!({ "reserve_cpus": 2, "reserve_memory": "1g", "secrets": ["db", "db:key"] }),
            json!({ "constraints": ["node.role==worker"], "on_node_loss": "resubmit" }),
        ] {
            assert_eq!(rules.check_cluster(&asked(fine)), Ok(()));
        }
        for (bad, setting) in [
            (json!({ "reserve_cpus": 2.5 }), "docker.maxima.cpus"),
            (json!({ "reserve_memory": "2g" }), "docker.maxima.memory"),
            (
                json!({ "generic_resources": { "NVIDIA-GPU": 2 } }),
                "docker.maxima.gpus",
            ),
            (
                json!({ "secrets": ["db", "other"] }),
                "docker.allow.secrets",
            ),
            (json!({ "configs": ["db"] }), "docker.allow.configs"),
        ] {
            let told = rules.check_cluster(&asked(bad)).unwrap_err();
            assert!(told.contains(setting), "{told}");
        }
    }

    #[test]
    fn every_setting_has_its_name_among_the_keys() {
        let all = json!({
            "constraints": ["c"], "placement_preferences": ["p"], "platforms": ["linux"],
            "reserve_cpus": 1, "reserve_memory": 1, "generic_resources": { "gpu": 1 },
            "secrets": ["s"], "configs": ["c"], "stop_grace_seconds": 1,
            "on_node_loss": "crash",
        });
        let names: Vec<_> = all
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(names, ClusterSettings::KEYS);
        let read: ClusterSettings = serde_json::from_value(all).unwrap();
        assert!(read.secrets.is_some() && read.on_node_loss == Some(OnNodeLoss::Crash));
    }
}
