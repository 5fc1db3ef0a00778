//! The key of a run, which travels in the address of the API that the run is given:
//! `http://HOST:PORT/run/<key>/api`.
//!
//! Whoever sends it speaks for that run, from wherever that is. It is stored as a hash only, which
//! is looked up: 256 random bits need no salt, and a look-up by hash tells nothing by the time that
//! it takes.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::MASK;
use crate::domain::flow_run::Claim;
use crate::domain::ids::FlowRunId;
use crate::domain::time::Timestamp;

/// What the path of an address begins with that holds a key.
pub const PLACE: &str = "/run/";
/// How many letters a key has.
const LENGTH: usize = 43;

/// A run's key: shown nowhere, not even by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct RunKey(String);

impl RunKey {
    /// Of bytes that nobody can guess.
    pub fn new(random: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// As it was handed over.
    pub fn from_text(text: String) -> Self {
        Self(text)
    }

    /// The key itself, for the run alone.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// As it is stored.
    pub fn digest(&self) -> RunKeyDigest {
        RunKeyDigest::of(&self.0)
    }

    /// An address of the API with the key in it. One that does not end in `/api` or `/api/` stays as
    /// it is.
    pub fn within(&self, url: &str) -> String {
        let (bare, slash) = match url.strip_suffix('/') {
            Some(bare) => (bare, "/"),
            None => (url, ""),
        };
        match bare.strip_suffix("/api") {
            Some(base) => format!("{base}{PLACE}{}/api{slash}", self.0),
            None => url.to_owned(),
        }
    }
}

impl fmt::Debug for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// The hash of a key, or of what was sent for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunKeyDigest(pub [u8; 32]);

impl RunKeyDigest {
    /// Of whatever was sent.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }
}

/// A key as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptRunKey {
    /// The run that it speaks for.
    pub flow_run: FlowRunId,
    /// When the run was taken for which it was made.
    pub claimed_at: Timestamp,
    /// Whether another one has taken its place, or it was taken back.
    pub is_revoked: bool,
}

impl KeptRunKey {
    /// Whether who has it executes the run, as whoever holds the run now has it.
    pub fn is_in_force(&self, claim: Option<&Claim>) -> bool {
        !self.is_revoked && claim.is_some_and(|claim| claim.at == self.claimed_at)
    }
}

/// The path of a request after its key, and the key: of `/run/<key>/api/flows` these are
/// `/api/flows` and the key. `None` where a path holds none.
pub fn parted(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(PLACE)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    rest.split_at_checked(end).map(|(key, rest)| (rest, key))
}

/// The parts of an address of the API with a key in it, before the key and after it; `None` for
/// others.
pub fn parted_url(url: &str) -> Option<(&str, &str)> {
    let (base, rest) = url.rsplit_once(PLACE)?;
    let (key, rest) = rest.split_once('/')?;
    (key.len() == LENGTH && key.bytes().all(is_letter)).then_some((base, rest))
}

/// A text with the keys in it masked; `None` where there is none: a client that tells of a failed
/// request names the whole address.
pub fn without_keys(text: &str) -> Option<String> {
    let mut shown = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(PLACE)) {
        let begin = from + at + PLACE.len();
        let rest = text.get(begin..).unwrap_or_default();
        let length = rest.bytes().take_while(|byte| is_letter(*byte)).count();
        from = begin + length;
        if length == LENGTH {
            shown.push_str(text.get(copied..begin).unwrap_or_default());
            shown.push_str(MASK);
            copied = from;
        } else {
            // With the last sign of it another place may begin.
            from = begin - 1;
        }
    }
    if copied == 0 {
        return None;
    }
    shown.push_str(text.get(copied..).unwrap_or_default());
    Some(shown)
}

/// Masks the keys in the texts within a value, however deep they lie.
pub fn mask_keys(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(shown) = without_keys(text) {
                *text = shown;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask_keys),
        Value::Object(map) => map.values_mut().for_each(mask_keys),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_into_the_address_and_comes_out_of_the_path() {
        let key = RunKey::new([7; 32]);
        let text = key.text();
        assert_eq!(text.len(), LENGTH);
        for (url, keyed) in [
            ("http://h:1/api/", format!("http://h:1/run/{text}/api/")),
            ("http://h:1/api", format!("http://h:1/run/{text}/api")),
            ("https://h/p/api", format!("https://h/p/run/{text}/api")),
            ("http://h:1/", "http://h:1/".to_owned()),
        ] {
            assert_eq!(key.within(url), keyed);
        }
        let keyed = key.within("http://h:1/p/api");
        assert_eq!(parted_url(&keyed), Some(("http://h:1/p", "api")));
        assert_eq!(parted_url("http://h:1/run/x/api"), None);
        for (path, rest) in [
            (format!("/run/{text}/api/flows/"), "/api/flows/"),
            (format!("/run/{text}/api?a=/b"), "/api?a=/b"),
            (format!("/run/{text}?a"), "?a"),
            (format!("/run/{text}"), ""),
        ] {
            assert_eq!(parted(&path), Some((rest, text)), "{path}");
        }
        assert_eq!(parted("/run//api"), Some(("/api", "")));
        for path in ["/runs/flow-run/x", "/api/run/x", "/run", "/"] {
            assert_eq!(parted(path), None, "{path}");
        }
    }

    #[test]
    fn keys_are_masked_wherever_an_address_is_told() {
        let key = RunKey::new([255; 32]);
        let told = format!("'403' for url '{}'", key.within("http://h/api"));
        let shown = "'403' for url 'http://h/run/********/api'";
        assert_eq!(without_keys(&told).as_deref(), Some(shown));
        let twice = format!("{told}; {told}");
        assert!(!without_keys(&twice).unwrap().contains(key.text()));
        let more = format!("/run/run/{}", key.text());
        assert_eq!(without_keys(&more).as_deref(), Some("/run/run/********"));
        for text in ["", "/run/", "/run/x/api", "/runs/flow-run/1", "nothing"] {
            assert_eq!(without_keys(text), None, "{text}");
        }
        assert!(!format!("{key:?}").contains(key.text()));
        let mut value = serde_json::json!({ "a": [told, 1], "b": null });
        mask_keys(&mut value);
        let shown = serde_json::json!({ "a": [shown, 1], "b": null });
        assert_eq!(value, shown);
    }

    #[test]
    fn masking_takes_little_time() {
        let text = "/run/".repeat(200_000);
        let begun = std::time::Instant::now();
        assert_eq!(without_keys(&text), None);
        assert!(begun.elapsed().as_secs() < 60);
    }
}
