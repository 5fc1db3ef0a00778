//! What must not be shown.

use std::fmt;

use serde_json::Value;

/// What stands where a secret is not shown.
pub const MASK: &str = "********";

/// Parts of a variable's name that make its value a secret.
const WORDS: &[&str] = &[
    "key",
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "credential",
    "auth",
    "private",
];

/// Something that lets its holder in: shown nowhere, not even by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The thing itself.
    Plain(String),
    /// Its argon2 hash, as a PHC string.
    Hashed(String),
}

impl Secret {
    /// A PHC string is a hash; anything else is the secret itself.
    pub fn from_text(text: &str) -> Self {
        let text = text.trim().to_owned();
        match text.starts_with("$argon2") {
            true => Secret::Hashed(text),
            false => Secret::Plain(text),
        }
    }

    /// Whether who reads it could use it.
    pub fn is_plain(&self) -> bool {
        matches!(self, Secret::Plain(_))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Whether a variable of that name holds a secret; `more` are further words to look for.
pub fn is_secret_name(name: &str, more: &[String]) -> bool {
    let name = name.to_ascii_lowercase();
    let has = |word: &str| name.contains(word);
    WORDS.iter().any(|word| has(word)) || more.iter().any(|word| has(&word.to_ascii_lowercase()))
}

/// What may be shown of a variable: nothing of a secret, and no password within a URL.
pub fn masked(name: &str, value: &str, more: &[String]) -> Option<String> {
    if is_secret_name(name, more) {
        return Some(MASK.to_owned());
    }
    let (scheme, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (userinfo, _) = authority.rsplit_once('@')?;
    let (user, _) = userinfo.split_once(':')?;
    let after = rest.get(userinfo.len()..)?;
    Some(format!("{scheme}://{user}:{MASK}{after}"))
}

/// Masks the secrets in the environments of all flow runners within a JSON value.
pub fn mask_runners(value: &mut Value, more: &[String]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| mask_runners(item, more)),
        Value::Object(map) => {
            if let Some(Value::Object(env)) = map
                .get_mut("flow_runner")
                .and_then(|runner| runner.pointer_mut("/config/env"))
            {
                for (name, value) in env {
                    let text = value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned);
                    if let Some(shown) = masked(name, &text, more) {
                        *value = shown.into();
                    }
                }
            }
            map.values_mut().for_each(|inner| mask_runners(inner, more));
        }
        _ => {}
    }
}
