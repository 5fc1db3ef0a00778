//! What is asked against what is permitted.

use std::path::{Component, Path};

use super::{ContainerRules, Resources};

/// A refusal: what was asked, and the setting that would allow it.
type Refusal = String;

impl ContainerRules {
    /// What a container gets that asks for these. The rules hold for what is asked; the
    /// defaults are the operator's own words and pass.
    pub fn settle(
        &self,
        asked: Resources,
        volumes: &[String],
        networks: &[String],
    ) -> Result<Resources, Refusal> {
        self.check_reach(&asked)?;
        self.check_namespaces(&asked, networks)?;
        for volume in volumes {
            self.check_volume(volume)?;
        }
        let maxima = &self.maxima;
        let settled = asked.or(&self.defaults);
        Ok(Resources {
            cpus: capped("cpus", settled.cpus, maxima.cpus)?,
            memory: capped("memory", settled.memory, maxima.memory)?,
            shm_size: within("shm_size", settled.shm_size, maxima.shm_size)?,
            pids_limit: capped("pids_limit", settled.pids_limit, maxima.pids_limit)?,
            gpus: within("gpus", settled.gpus.map(all_is_most), maxima.gpus)?.and(settled.gpus),
            ..settled
        })
    }

    /// The defaults, by name, that no container may have: those above their maximum.
    pub fn defaults_beyond_maxima(&self) -> Vec<&'static str> {
        let (defaults, maxima) = (&self.defaults, &self.maxima);
        let gpus = defaults.gpus.map(all_is_most);
        let beyond = [
            ("cpus", is_beyond(defaults.cpus, maxima.cpus)),
            ("memory", is_beyond(defaults.memory, maxima.memory)),
            ("shm_size", is_beyond(defaults.shm_size, maxima.shm_size)),
            (
                "pids_limit",
                is_beyond(defaults.pids_limit, maxima.pids_limit),
            ),
            ("gpus", is_beyond(gpus, maxima.gpus)),
        ];
        let beyond = beyond.into_iter().filter(|(_, is_beyond)| *is_beyond);
        beyond.map(|(name, _)| name).collect()
    }

    fn check_reach(&self, asked: &Resources) -> Result<(), Refusal> {
        let allow = &self.allow;
        if asked.privileged == Some(true) && !allow.privileged {
            return Err(refused("privileged mode", "docker.allow.privileged = true"));
        }
        for device in asked.devices.iter().flatten() {
            let path = device.split(':').next().unwrap_or_default();
            if !allow.devices.iter().any(|allowed| allowed == path) {
                let setting = format!("docker.allow.devices = [{path:?}]");
                return Err(refused(&format!("the device {path}"), &setting));
            }
        }
        for capability in asked.cap_add.iter().flatten() {
            let bare = capability.to_uppercase();
            let bare = bare.trim_start_matches("CAP_");
            let same = |allowed: &String| allowed.to_uppercase().trim_start_matches("CAP_") == bare;
            if !allow.capabilities.iter().any(same) {
                let setting = format!("docker.allow.capabilities = [{bare:?}]");
                return Err(refused(&format!("the capability {bare}"), &setting));
            }
        }
        Ok(())
    }

    fn check_namespaces(&self, asked: &Resources, networks: &[String]) -> Result<(), Refusal> {
        let modes = [
            ("network", asked.network_mode.as_deref()),
            (
                "network",
                networks
                    .iter()
                    .map(String::as_str)
                    .find(|name| is_foreign(name)),
            ),
            ("pid", asked.pid_mode.as_deref()),
            ("ipc", asked.ipc_mode.as_deref()),
            ("userns", asked.userns_mode.as_deref()),
        ];
        for (namespace, mode) in modes {
            let allowed = self
                .allow
                .host_namespaces
                .iter()
                .any(|name| name == namespace);
            if let Some(mode) = mode.filter(|mode| is_foreign(mode) && !allowed) {
                let setting = format!("docker.allow.host_namespaces = [{namespace:?}]");
                let asked = format!("the {namespace} namespace of {mode:?}");
                return Err(refused(&asked, &setting));
            }
        }
        Ok(())
    }

    /// Checks a mount, `source:path[:options]`. Volumes that the engine keeps by name pass.
    fn check_volume(&self, volume: &str) -> Result<(), Refusal> {
        let source = volume.split(':').next().unwrap_or_default();
        if !source.contains(['/', '\\']) && !source.starts_with(['.', '~']) {
            return Ok(());
        }
        if self.permits_host_path(Path::new(source)) {
            Ok(())
        } else {
            let setting = format!("docker.allow.host_volumes = [{source:?}]");
            Err(refused(
                &format!("{source} of this machine as a volume"),
                &setting,
            ))
        }
    }

    /// What is taken away of the engine's default capabilities. With raw sockets a run could
    /// speak on its network in another's name.
    pub fn dropped_capabilities(&self) -> Vec<String> {
        let keeps = self.allow.capabilities.iter().any(|allowed| {
            let allowed = allowed.to_uppercase();
            matches!(allowed.trim_start_matches("CAP_"), "NET_RAW" | "ALL")
        });
        if keeps {
            Vec::new()
        } else {
            vec!["NET_RAW".to_owned()]
        }
    }

    /// Whether containers may share the host's network.
    pub fn permits_host_network(&self) -> bool {
        self.allow
            .host_namespaces
            .iter()
            .any(|name| name == "network")
    }

    /// Why a container does not get the host's network, under whatever name it asks for it.
    pub fn host_network_refusal(name: &str) -> String {
        let setting = "docker.allow.host_namespaces = [\"network\"]";
        refused(
            &format!("the network namespace of the host (as {name:?})"),
            setting,
        )
    }

    /// Whether a path of the host lies in a folder that may be mounted.
    pub fn permits_host_path(&self, path: &Path) -> bool {
        let is_plain = path.is_absolute()
            && path
                .components()
                .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        let mut folders = self.allow.host_volumes.iter();
        is_plain && folders.any(|folder| folder.is_absolute() && path.starts_with(folder))
    }
}

/// A namespace that is not the container's own.
fn is_foreign(mode: &str) -> bool {
    mode == "host" || mode.starts_with("container:") || mode.starts_with("ns:")
}

/// All cards are more than any number of them.
fn all_is_most(gpus: i64) -> i64 {
    if gpus < 0 { i64::MAX } else { gpus }
}

fn refused(what: &str, setting: &str) -> Refusal {
    format!(
        "The flow runner asks for {what}, which this machine does not permit. Its operator can \
         permit it in prefectd.toml: {setting}"
    )
}

/// A value that must not be above the most there is.
fn within<T: PartialOrd>(
    name: &str,
    asked: Option<T>,
    most: Option<T>,
) -> Result<Option<T>, Refusal> {
    if is_beyond(asked.as_ref(), most.as_ref()) {
        Err(format!(
            "The flow runner asks for more {name} than this machine permits. Ask for less, or \
             have its operator raise docker.maxima.{name} in prefectd.toml."
        ))
    } else {
        Ok(asked)
    }
}

fn is_beyond<T: PartialOrd>(asked: Option<T>, most: Option<T>) -> bool {
    matches!((asked, most), (Some(asked), Some(most)) if asked > most)
}

/// The same; who asks for nothing, or for no limit at all, gets the most.
fn capped<T: PartialOrd + Default + Copy>(
    name: &str,
    asked: Option<T>,
    most: Option<T>,
) -> Result<Option<T>, Refusal> {
    let asked = asked.filter(|asked| *asked > T::default());
    Ok(within(name, asked, most)?.or(most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::container::{Allow, Bytes, Maxima};

    fn rules() -> ContainerRules {
        ContainerRules {
            maxima: Maxima {
                memory: Some(Bytes(1 << 30)),
                gpus: Some(1),
                ..Maxima::default()
            },
            allow: Allow {
                host_volumes: vec!["/srv/data".into()],
                ..Allow::default()
            },
            ..ContainerRules::default()
        }
    }

    fn settle(
        asked: serde_json::Value,
        volumes: &[&str],
        networks: &[&str],
    ) -> Result<Resources, String> {
        let asked = serde_json::from_value(asked).unwrap();
        let owned = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        rules().settle(asked, &owned(volumes), &owned(networks))
    }

    #[test]
    fn every_default_beyond_its_maximum_is_named() {
        let mut rules = rules();
        let maxima =
            serde_json::json!({ "cpus": 1.0, "memory": "1g", "gpus": 2, "shm_size": "1g" });
        let defaults =
            serde_json::json!({ "cpus": 2.0, "memory": "1g", "gpus": -1, "pids_limit": 9 });
        rules.maxima = serde_json::from_value(maxima).unwrap();
        rules.defaults = serde_json::from_value(defaults).unwrap();
        assert_eq!(rules.defaults_beyond_maxima(), ["cpus", "gpus"]);
    }

    #[test]
    fn what_reaches_beyond_the_container_is_refused_with_the_setting() {
        for (asked, setting) in [
            (
                serde_json::json!({ "privileged": true }),
                "docker.allow.privileged",
            ),
            (
                serde_json::json!({ "devices": ["/dev/kvm:/dev/kvm"] }),
                "docker.allow.devices",
            ),
            (
                serde_json::json!({ "cap_add": ["cap_sys_admin"] }),
                "docker.allow.capabilities",
            ),
            (
                serde_json::json!({ "network_mode": "host" }),
                "docker.allow.host_namespaces",
            ),
            (
                serde_json::json!({ "network_mode": "container:x" }),
                "docker.allow.host_namespaces",
            ),
            (
                serde_json::json!({ "pid_mode": "host" }),
                "docker.allow.host_namespaces",
            ),
            (
                serde_json::json!({ "ipc_mode": "host" }),
                "docker.allow.host_namespaces",
            ),
            (
                serde_json::json!({ "userns_mode": "host" }),
                "docker.allow.host_namespaces",
            ),
            (
                serde_json::json!({ "memory": "2g" }),
                "docker.maxima.memory",
            ),
            (serde_json::json!({ "gpus": -1 }), "docker.maxima.gpus"),
        ] {
            let refusal = settle(asked.clone(), &[], &[]).unwrap_err();
            assert!(refusal.contains(setting), "{asked}: {refusal}");
        }
        for path in [
            "/",
            "/var/run/docker.sock",
            "/srv",
            "/srv/database",
            "/srv/data/../../etc",
            "./x",
            "~/x",
            "x/y",
        ] {
            let refusal = settle(serde_json::json!({}), &[&format!("{path}:/x")], &[]).unwrap_err();
            assert!(
                refusal.contains("docker.allow.host_volumes"),
                "{path}: {refusal}"
            );
        }
        assert!(settle(serde_json::json!({}), &[], &["a", "host"]).is_err());
    }

    #[test]
    fn raw_sockets_are_kept_only_where_the_operator_says_so() {
        let allowing = |capabilities: &[&str]| ContainerRules {
            allow: Allow {
                capabilities: capabilities.iter().map(|name| (*name).to_owned()).collect(),
                ..Allow::default()
            },
            ..ContainerRules::default()
        };
        for dropped in [&[][..], &["NET_ADMIN"]] {
            assert_eq!(allowing(dropped).dropped_capabilities(), ["NET_RAW"]);
        }
        for kept in ["NET_RAW", "cap_net_raw", "ALL"] {
            assert!(
                allowing(&[kept]).dropped_capabilities().is_empty(),
                "{kept}"
            );
        }
    }

    #[test]
    fn the_rest_passes_and_is_filled_up() {
        let got = settle(
            serde_json::json!({ "cpus": 1.5, "gpus": 1, "network_mode": "mine" }),
            &["named:/x", "/srv/data:/y:ro", "/srv/data/z:/z"],
            &["mine"],
        );
        let got = got.unwrap();
        assert_eq!(got.memory, Some(Bytes(1 << 30)));
        assert_eq!((got.cpus, got.gpus), (Some(1.5), Some(1)));
        let unlimited = settle(serde_json::json!({ "memory": 0 }), &[], &[]).unwrap();
        assert_eq!(unlimited.memory, Some(Bytes(1 << 30)));
    }
}
