//! The networks that a run's task joins.

use bollard::Docker;
use bollard::models::{Network, NetworkAttachmentConfig};
use bollard::query_parameters::ListNetworksOptions;

use super::trouble;
use crate::domain::container::ContainerRules;
use crate::runners::RunnerError;
use crate::runners::spec::Container;

/// Those that it asks for, by their ids; none where it is to be on its node's own bridge. Swarm takes
/// the beginning of an id as well, also of that of the host's network: here a network is named in
/// full.
pub(super) async fn of(
    docker: &Docker,
    wanted: &Container,
) -> Result<Vec<NetworkAttachmentConfig>, RunnerError> {
    let mut asked = wanted.networks.clone();
    asked.retain(|name| !["default", "bridge"].contains(&name.as_str()));
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let known = docker.list_networks(None::<ListNetworksOptions>).await;
    let known = known.map_err(trouble::of)?;
    let attached = asked
        .iter()
        .map(|name| attachment(name, &known, wanted.host_network));
    attached.collect()
}

fn attachment(
    asked: &str,
    known: &[Network],
    may_join_host: bool,
) -> Result<NetworkAttachmentConfig, RunnerError> {
    let is_it = |one: &&Network| [&one.name, &one.id].contains(&&Some(asked.to_owned()));
    let found = known.iter().find(is_it).ok_or_else(|| {
        RunnerError::Refused(format!("The swarm has no network named {asked:?}."))
    })?;
    let of_host = ["host", "null"];
    let is_host = |text: &Option<String>| text.as_deref().is_some_and(|it| of_host.contains(&it));
    let target = match is_host(&found.driver) || is_host(&found.name) {
        // Each node has its own, by that name.
        true if found.driver.as_deref() == Some("null") => found.name.clone(),
        true if may_join_host => found.name.clone(),
        true => {
            return Err(RunnerError::Refused(ContainerRules::host_network_refusal(
                asked,
            )));
        }
        false => found.id.clone(),
    };
    Ok(NetworkAttachmentConfig {
        target,
        ..NetworkAttachmentConfig::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(name: &str, id: &str, driver: &str) -> Network {
        Network {
            name: Some(name.to_owned()),
            id: Some(id.to_owned()),
            driver: Some(driver.to_owned()),
            ..Network::default()
        }
    }

    #[test]
    fn networks_are_named_in_full_and_the_host_s_is_the_operator_s() {
        let known = [
            network("flows", "f00d", "overlay"),
            network("host", "abcd", "host"),
            network("none", "beef", "null"),
        ];
        let target = |asked: &str, may_join_host| {
            attachment(asked, &known, may_join_host).map(|it| it.target.unwrap())
        };
        assert_eq!(target("flows", false).unwrap(), "f00d");
        assert_eq!(target("f00d", false).unwrap(), "f00d");
        assert_eq!(target("none", false).unwrap(), "none");
        for (asked, may_join_host) in [
            ("f0", false),
            ("host", false),
            ("abcd", false),
            ("ab", true),
        ] {
            assert!(target(asked, may_join_host).is_err(), "{asked}");
        }
        assert_eq!(target("abcd", true).unwrap(), "host");
    }
}
