//! What the settings come to, one by one, and who said it.

use figment::Figment;
use figment::value::Value as Laid;
use serde_json::Value;

use super::{ConfigError, Flags, Settings, known, layers, trouble};
use crate::domain::access::MASK;
use crate::domain::settings::Effective;

/// Said where nobody said anything.
const DEFAULT: &str = "default";

/// Every setting with its value and its source, secrets masked. Fails as [`Settings::load`]
/// does.
pub fn effective(flags: &Flags, settings: &Settings) -> Result<Vec<Effective>, ConfigError> {
    let figment = layers::laid(flags.config.as_deref())?;
    let said = by_flags(flags);
    let each = known::all().into_iter().map(|known| {
        let flag = said.iter().find(|(key, _, _)| *key == known.key);
        // A hash may be written under a name of its own.
        let hash = || laid(&figment, &format!("{}_hash", known.key));
        let written = laid(&figment, &known.key).or_else(hash);
        let (value, source) = match (flag, written) {
            (Some((_, flag, value)), _) => (value.clone(), (*flag).to_owned()),
            (None, Some(found)) => found,
            (None, None) => (by_default(&known, settings), DEFAULT.to_owned()),
        };
        let is_secret = super::auth::SECRETS.contains(&known.key.as_str());
        Effective {
            value: if is_secret && source != DEFAULT {
                Value::from(MASK)
            } else {
                value
            },
            key: known.key,
            source,
        }
    });
    Ok(each.collect())
}

/// Where a key's value was written; nothing for one that nobody wrote.
pub(super) fn laid(figment: &Figment, key: &str) -> Option<(Value, String)> {
    let value = figment.find_value(key).ok()?;
    let source = figment.get_metadata(value.tag());
    let source = source.map_or_else(|| "configuration".to_owned(), |it| trouble::place(it, key));
    Some((json(value), source))
}

fn json(value: Laid) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Its default; what depends on the surroundings as it came out.
fn by_default(known: &known::Known, settings: &Settings) -> Value {
    match known.key.as_str() {
        "server.state_dir" => Value::from(settings.state_dir.display().to_string()),
        "server.socket" => Value::from(settings.socket.display().to_string()),
        // The file shows defaults as TOML writes them, or says them in words.
        _ => {
            let read = |text: &str| serde_json::from_str(text).ok();
            read(&known.default).unwrap_or_else(|| Value::from(known.default.as_str()))
        }
    }
}

/// What flags say: the key, the flag, the value.
fn by_flags(flags: &Flags) -> Vec<(&'static str, &'static str, Value)> {
    let path = |path: &std::path::PathBuf| Value::from(path.display().to_string());
    let listen = (!flags.listen.is_empty()).then(|| {
        let each = flags.listen.iter().map(|one| Value::from(one.to_string()));
        each.collect::<Value>()
    });
    let off = |is_set: bool| is_set.then(|| Value::from(false));
    let format = flags
        .log_format
        .map(|format| Value::from(format!("{format:?}").to_lowercase()));
    let each = [
        (
            "server.state_dir",
            "--state-dir",
            flags.state_dir.as_ref().map(path),
        ),
        ("server.socket", "--socket", flags.socket.as_ref().map(path)),
        ("server.listen", "--listen", listen),
        ("agent.enabled", "--no-agent", off(flags.no_agent)),
        ("server.services", "--no-services", off(flags.no_services)),
        (
            "server.docker_bridge",
            "--no-docker-bridge",
            off(flags.no_docker_bridge),
        ),
        ("log.format", "--log-format", format),
        (
            "log.level",
            "--log-level",
            flags.log_level.as_deref().map(Value::from),
        ),
    ];
    let said = each.into_iter();
    said.filter_map(|(key, flag, value)| Some((key, flag, value?)))
        .collect()
}
