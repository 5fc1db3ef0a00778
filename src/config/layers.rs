//! Files and environment, laid over each other.

use std::path::{Path, PathBuf};

use figment::providers::{Env, Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::{ConfigError, known};

/// The file that is read when none is named.
const FILE: &str = "/etc/prefectd/prefectd.toml";
/// The name of the environment among the sources.
pub(super) const ENVIRONMENT: &str = "environment";

/// The configuration file and its drop-ins that are there, in order; `named` in place of the
/// usual file. Fails when that is not there.
pub(super) fn files(named: Option<&Path>) -> Result<Vec<PathBuf>, ConfigError> {
    let main = match named {
        Some(path) if !path.is_file() => {
            let path = path.display();
            return Err(ConfigError(format!(
                "there is no configuration file {path}"
            )));
        }
        Some(path) => path.to_owned(),
        None => PathBuf::from(FILE),
    };
    let mut folder = main.clone().into_os_string();
    folder.push(".d");
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut dropins: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    dropins.sort();
    let main = Some(main).filter(|path| path.is_file());
    Ok(main.into_iter().chain(dropins).collect())
}

/// Everything that files and environment say. Fails for a secret that others can read.
pub(super) fn laid(named: Option<&Path>) -> Result<Figment, ConfigError> {
    let mut figment = Figment::new();
    for file in files(named)? {
        super::auth::check_file(&file)?;
        figment = figment.merge(Forgiving::file(Toml::file_exact(file)));
    }
    let environment = Env::prefixed("PREFECTD_")
        .filter(|key| key.as_str().contains("__"))
        .split("__");
    super::auth::check_environment(&Figment::from(environment.clone()))?;
    Ok(figment.merge(Forgiving::environment(environment)))
}

/// Understands one value where a list is meant, and in the environment, where all is text, a
/// list whose parts are separated by commas and a number where text is meant.
struct Forgiving<P> {
    inner: P,
    is_environment: bool,
}

impl<P> Forgiving<P> {
    fn file(inner: P) -> Self {
        let is_environment = false;
        Self {
            inner,
            is_environment,
        }
    }

    fn environment(inner: P) -> Self {
        let is_environment = true;
        Self {
            inner,
            is_environment,
        }
    }

    fn understood(&self, dict: Dict, above: &str, known: &[known::Known]) -> Dict {
        let each = dict.into_iter().map(|(name, value)| {
            let key = match above {
                "" => name.clone(),
                above => format!("{above}.{name}"),
            };
            let setting = known.iter().find(|known| known.key == key);
            let value = match (value, setting) {
                (Value::Dict(tag, inner), None) => {
                    Value::Dict(tag, self.understood(inner, &key, known))
                }
                (Value::String(tag, text), Some(setting)) if setting.is_list() => {
                    Value::Array(tag, self.parts(&text))
                }
                (Value::Num(tag, number), Some(setting))
                    if setting.is_text() && self.is_environment =>
                {
                    let text = match (number.to_u128(), number.to_i128()) {
                        (Some(number), _) => number.to_string(),
                        (None, Some(number)) => number.to_string(),
                        (None, None) => number.to_f64().unwrap_or_default().to_string(),
                    };
                    Value::String(tag, text)
                }
                (value, _) => value,
            };
            (name, value)
        });
        each.collect()
    }

    fn parts(&self, text: &str) -> Vec<Value> {
        if self.is_environment {
            let parts = text.split(',').map(str::trim);
            parts
                .filter(|part| !part.is_empty())
                .map(Value::from)
                .collect()
        } else {
            vec![Value::from(text)]
        }
    }
}

impl<P: Provider> Provider for Forgiving<P> {
    fn metadata(&self) -> Metadata {
        if self.is_environment {
            Metadata::named(ENVIRONMENT)
        } else {
            self.inner.metadata()
        }
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let known = known::all();
        let data = self.inner.data()?.into_iter();
        Ok(data
            .map(|(profile, dict)| (profile, self.understood(dict, "", &known)))
            .collect())
    }
}
