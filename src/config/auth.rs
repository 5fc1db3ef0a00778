//! `[auth]`: who may use the daemon, and where its secrets come from.
//!
//! A secret comes from a systemd credential, from a file that only its owner can read, or as a
//! hash. It comes from no environment variable and no argument, which others can read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format, Toml};
use serde::Deserialize;

use super::ConfigError;
use crate::domain::access::{Groups, Secret};

/// The section as it may be written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Input {
    operators: Vec<String>,
    viewers: Vec<String>,
    secret_env: Vec<String>,
    #[serde(alias = "api_key_hash")]
    api_key: Option<GivenSecret>,
    api_key_file: Option<PathBuf>,
    #[serde(alias = "basic_hash")]
    basic: Option<GivenSecret>,
    basic_file: Option<PathBuf>,
}

#[derive(Clone, Deserialize)]
#[serde(transparent)]
struct GivenSecret(String);

impl std::fmt::Debug for GivenSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(crate::domain::access::MASK)
    }
}

/// Who may use the daemon, settled but for the files, which are read at start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Auth {
    /// The groups of local users.
    pub groups: Groups,
    /// Further words that make a variable's value a secret.
    pub secret_env: Vec<String>,
    api_key: Source,
    basic: Source,
}

/// Where a secret comes from.
#[derive(Clone, Debug, Default, PartialEq)]
enum Source {
    /// From systemd, if it has one of that name.
    #[default]
    Credential,
    File(PathBuf),
    Given(Secret),
}

/// The settings that hold a secret themselves, under each of their names.
pub(super) const SECRETS: &[&str] = &[
    "auth.api_key",
    "auth.api_key_hash",
    "auth.basic",
    "auth.basic_hash",
];

impl Input {
    pub(super) fn settle(self) -> Result<Auth, ConfigError> {
        Ok(Auth {
            groups: Groups {
                operators: self.operators,
                viewers: self.viewers,
            },
            secret_env: self.secret_env,
            api_key: source("api_key", self.api_key, self.api_key_file)?,
            basic: source("basic", self.basic, self.basic_file)?,
        })
    }
}

fn source(
    name: &str,
    given: Option<GivenSecret>,
    file: Option<PathBuf>,
) -> Result<Source, ConfigError> {
    match (given, file) {
        (Some(_), Some(_)) => {
            let words = format!("auth.{name} and auth.{name}_file are both set; keep one");
            Err(ConfigError(words))
        }
        (Some(GivenSecret(text)), None) => Ok(Source::Given(Secret::from_text(&text))),
        (None, Some(file)) => Ok(Source::File(file)),
        (None, None) => Ok(Source::Credential),
    }
}

impl Auth {
    /// The API key, read now.
    pub fn api_key(&self) -> Result<Option<Secret>, ConfigError> {
        self.api_key.read("api-key")
    }

    /// `user:password`, read now.
    pub fn basic(&self) -> Result<Option<Secret>, ConfigError> {
        self.basic.read("basic")
    }
}

impl Source {
    fn read(&self, credential: &str) -> Result<Option<Secret>, ConfigError> {
        match self {
            Source::Given(secret) => Ok(Some(secret.clone())),
            Source::File(path) => read_private(path).map(Some),
            // What systemd hands over is for this service alone, whatever its mode.
            Source::Credential => match super::credential(credential) {
                Some(path) => read(&path).map(Some),
                None => Ok(None),
            },
        }
    }
}

/// The secret in a file that only its owner can read.
pub fn read_private(path: &Path) -> Result<Secret, ConfigError> {
    let shown = path.display();
    let about = fs::metadata(path)
        .map_err(|error| ConfigError(format!("the secret in {shown} cannot be read: {error}")))?;
    if is_open_to_others(&about) {
        return Err(ConfigError(format!(
            "{shown} holds a secret and can be read by others; chmod 600 {shown}"
        )));
    }
    read(path)
}

fn read(path: &Path) -> Result<Secret, ConfigError> {
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| ConfigError(format!("the secret in {shown} cannot be read: {error}")))?;
    match text.trim() {
        "" => Err(ConfigError(format!(
            "{shown} should hold a secret and is empty"
        ))),
        text => Ok(Secret::from_text(text)),
    }
}

fn is_open_to_others(about: &fs::Metadata) -> bool {
    about.permissions().mode() & 0o077 != 0
}

/// A configuration file that others can read may hold a hash, and not the secret itself.
pub(super) fn check_file(path: &Path) -> Result<(), ConfigError> {
    let holds = plain_in(&Figment::from(Toml::file_exact(path)));
    let Some(name) = holds else { return Ok(()) };
    // A file that cannot be looked at cannot be read either, which is told elsewhere.
    match fs::metadata(path) {
        Ok(about) if is_open_to_others(&about) => {
            let shown = path.display();
            Err(ConfigError(format!(
                "{name} is written in {shown}, which others can read; chmod 600 {shown}, or write \
                 what `prefectctl auth hash` makes of it"
            )))
        }
        _ => Ok(()),
    }
}

/// The environment of a process is no place for a secret.
pub(super) fn check_environment(environment: &Figment) -> Result<(), ConfigError> {
    match plain_in(environment) {
        Some(name) => Err(ConfigError(format!(
            "{name} is set in the environment, where others can read it; use {name}_file"
        ))),
        None => Ok(()),
    }
}

fn plain_in(figment: &Figment) -> Option<&'static str> {
    let is_plain = |name: &&&'static str| {
        let text: Option<String> = figment.extract_inner(name).ok();
        text.is_some_and(|text| Secret::from_text(&text).is_plain())
    };
    SECRETS.iter().find(is_plain).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(mode: u32, text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(file.path(), mode).unwrap();
        file
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        for mode in [0o640, 0o604, 0o644] {
            let open = file(mode, "s3cret");
            let told = read_private(open.path()).unwrap_err().to_string();
            assert!(
                told.contains("chmod 600") && !told.contains("s3cret"),
                "{told}"
            );
        }
        let private = file(0o600, "s3cret\n");
        let secret = read_private(private.path()).unwrap();
        assert_eq!(secret, Secret::Plain("s3cret".to_owned()));
        assert!(read_private(file(0o600, "\n").path()).is_err());
        assert!(read_private(Path::new("/nowhere/key")).is_err());
    }

    #[test]
    fn a_configuration_file_that_others_can_read_may_hold_a_hash_only() {
        let plain = "[auth]\napi_key = \"s3cret\"\n";
        let hashed = "[auth]\napi_key_hash = \"$argon2id$v=19$x\"\n";
        assert!(check_file(file(0o644, plain).path()).is_err());
        assert!(check_file(file(0o600, plain).path()).is_ok());
        assert!(check_file(file(0o644, hashed).path()).is_ok());
        assert!(check_file(file(0o644, "[auth]\nviewers = [\"x\"]\n").path()).is_ok());
        assert!(check_environment(&Figment::from(Toml::string(plain))).is_err());
        assert!(check_environment(&Figment::from(Toml::string(hashed))).is_ok());
    }

    #[test]
    fn nothing_shows_a_secret() {
        let input = Input {
            api_key: Some(GivenSecret("s3cret".to_owned())),
            ..Input::default()
        };
        assert!(!format!("{input:?}").contains("s3cret"));
        let auth = input.settle().unwrap();
        assert!(!format!("{auth:?}").contains("s3cret"));
        assert!(auth.api_key().unwrap().is_some() && auth.basic().unwrap().is_none());
    }

    #[test]
    fn two_places_for_one_secret_are_one_too_many() {
        let input = Input {
            basic: Some(GivenSecret("a:b".to_owned())),
            basic_file: Some("/f".into()),
            ..Input::default()
        };
        assert!(input.settle().unwrap_err().to_string().contains("keep one"));
    }
}
