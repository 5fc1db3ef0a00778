//! `prefectd check-config`: the settings as the daemon would take them, and what is doubtful
//! about them.

use std::fmt::Write;

use super::{ConfigError, Flags, Settings, effective, layers};
use crate::domain::checkup::Check;
use crate::domain::container::Resources;

/// What would work as it is written and is not likely to be meant: a line for `doctor`.
pub fn doubts(settings: &Settings) -> Check {
    const NAME: &str = "settings";
    let groups = &settings.auth.groups;
    let named = groups.operators.iter().chain(&groups.viewers);
    let absent: Vec<_> = named
        .filter(|name| !matches!(nix::unistd::Group::from_name(name), Ok(Some(_))))
        .map(String::as_str)
        .collect();
    if !absent.is_empty() {
        let names = absent.join(", ");
        return Check::warn(
            NAME,
            format!("auth names groups that do not exist on this machine: {names}"),
            format!(
                "`groupadd --system {}`, or correct the name",
                absent.join(" ")
            ),
        );
    }
    let nothing = settings.containers.settle(Resources::default(), &[], &[]);
    if let Err(refusal) = nothing {
        return Check::fail(
            NAME,
            format!(
                "docker.defaults are beyond docker.maxima, so no container can start: {refusal}"
            ),
            "lower the default or raise the maximum in prefectd.toml",
        );
    }
    Check::ok(NAME, "nothing about them is doubtful")
}

/// What `flags`, the environment and the files come to, for people. Fails with what the daemon
/// would not start with.
pub fn report(flags: &Flags) -> Result<String, ConfigError> {
    let settings = Settings::load(flags.clone())?;
    settings.auth.api_key()?;
    settings.auth.basic()?;
    let files = layers::files(flags.config.as_deref())?;
    let files: Vec<_> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    let mut text = if files.is_empty() {
        "no configuration file is there".to_owned()
    } else {
        files.join(", ")
    };
    text.push_str(": in order\n");
    for one in effective(flags, &settings)? {
        if one.source != "default" {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {} = {}    ({})", one.key, one.value, one.source);
        }
    }
    let doubt = doubts(&settings);
    if let Some(advice) = doubt.advice {
        let _ = writeln!(text, "but {}\n  -> {advice}", doubt.found);
    }
    Ok(text)
}
