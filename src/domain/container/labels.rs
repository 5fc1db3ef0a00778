//! The labels that containers are found by. Nobody else may set one of them: a container would
//! be taken for another run's, or for another agent's.

use serde_json::Value;

use crate::domain::deployment::Infrastructure;

/// The label that says which run a container is for.
pub const RUN: &str = "io.prefect.flow-run-id";
/// The label that says which daemon made it.
pub const INSTANCE: &str = "io.prefectd.instance";
/// The label that says which agent made it; absent on old ones of the daemon's own agent.
pub const AGENT: &str = "io.prefectd.agent";
/// The label that says whether a container is removed once it has ended: `yes`, or `no`.
pub const REMOVE: &str = "io.prefectd.auto-remove";
/// What all of ours but the first begin with.
const OURS: &str = "io.prefectd";

/// Whether a label is one of those.
pub fn is_reserved(name: &str) -> bool {
    let name = name.trim();
    let below = name.strip_prefix(OURS);
    name == RUN || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Refuses a label that is reserved, in a sentence.
pub fn check<'a>(mut names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    match names.find(|name| is_reserved(name)) {
        Some(name) => Err(format!(
            "The label {name:?} is prefectd's own, by which it finds its containers. Choose \
             another name; {RUN} and {OURS}.* are reserved."
        )),
        None => Ok(()),
    }
}

/// The same for a flow runner's settings, as a client sent them.
pub fn check_settings(settings: &Infrastructure) -> Result<(), String> {
    let labels = settings
        .config
        .as_ref()
        .and_then(|config| config.get("labels"));
    match labels {
        Some(Value::Object(labels)) => check(labels.keys().map(String::as_str)),
        // Any other form is refused when the run is submitted.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::runner::RunnerKind;

    #[test]
    fn what_containers_are_found_by_is_reserved() {
        for name in [
            RUN,
            INSTANCE,
            AGENT,
            REMOVE,
            "io.prefectd",
            "io.prefectd.new",
            " io.prefectd.x",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in [
            "team",
            "io.prefect.version",
            "io.prefectdx",
            "",
            "IO.PREFECTD.AGENT",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    #[test]
    fn a_runner_s_settings_are_looked_through() {
        let with = |labels: Value| Infrastructure {
            kind: Some(RunnerKind::Docker),
            config: json!({ "labels": labels }).as_object().cloned(),
        };
        let refused = check_settings(&with(json!({ "a": "b", AGENT: "x" }))).unwrap_err();
        assert!(refused.contains(AGENT), "{refused}");
        assert!(check_settings(&with(json!({ "a": "b" }))).is_ok());
        assert!(check_settings(&with(Value::Null)).is_ok());
        assert!(check_settings(&Infrastructure::default()).is_ok());
    }
}
