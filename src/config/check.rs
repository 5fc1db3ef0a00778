//! `prefectd check-config`: the settings as the daemon would take them, and what is doubtful
//! about them.

use std::fmt::Write;

use super::{ConfigError, Flags, Settings, effective, layers};
use crate::domain::checkup::Check;

const NAME: &str = "settings";

/// What would work as it is written and is not likely to be meant, a line for `doctor` each; one
/// line that says so where nothing is like that.
pub fn doubts(settings: &Settings) -> Vec<Check> {
    let mut found = Vec::from_iter(absent_groups(settings));
    found.extend(excessive_defaults(settings));
    if found.is_empty() {
        found.push(Check::ok(NAME, "nothing about them is doubtful"));
    }
    found
}

fn absent_groups(settings: &Settings) -> Option<Check> {
    let groups = &settings.auth.groups;
    let named = groups.operators.iter().chain(&groups.viewers);
    let absent: Vec<_> = named
        .filter(|name| !matches!(nix::unistd::Group::from_name(name), Ok(Some(_))))
        .map(String::as_str)
        .collect();
    let names = absent.join(", ");
    (!absent.is_empty()).then(|| {
        Check::warn(
            NAME,
            format!("auth names groups that do not exist on this machine: {names}"),
            format!(
                "`groupadd --system {}`, or correct the name",
                absent.join(" ")
            ),
        )
    })
}

fn excessive_defaults(settings: &Settings) -> impl Iterator<Item = Check> {
    let beyond = settings.containers.defaults_beyond_maxima().into_iter();
    beyond.map(|name| {
        Check::fail(
            NAME,
            format!(
                "docker.defaults.{name} is beyond docker.maxima.{name}, so no container can start"
            ),
            "lower the default or raise the maximum in prefectd.toml",
        )
    })
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
    for doubt in doubts(&settings) {
        if let Some(advice) = doubt.advice {
            let _ = writeln!(text, "but {}\n  -> {advice}", doubt.found);
        }
    }
    Ok(text)
}
