//! The API key and the basic credentials that TCP requests need once the operator sets them.
//!
//! What a client sends is compared as a digest under a key of this process, in constant time.
//! A hash from the config is slow to check by design, so what was checked is remembered, by
//! its digest, within bounds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Argon2, PasswordVerifier};
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::domain::access::Secret;

/// The longest token that is looked at.
const LONGEST: usize = 4096;
/// How many checked tokens are remembered.
const REMEMBERED: usize = 256;

type Sum = [u8; 32];

/// The two ways in, of which each may be set; clones share what was checked.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    bearer: Option<Secret>,
    basic: Option<Secret>,
    /// Makes the digests of this process its own.
    salt: [u8; 16],
    checked: Mutex<HashMap<Sum, bool>>,
    /// Slow checks go one by one: guessing must not take the machine.
    turn: Semaphore,
}

impl Keys {
    /// With an API key, sent as `Authorization: Bearer KEY`, and `user:password`, sent as
    /// `Authorization: Basic …`.
    pub fn new(bearer: Option<Secret>, basic: Option<Secret>) -> Self {
        Self(Arc::new(Inner {
            bearer,
            basic,
            salt: uuid::Uuid::new_v4().into_bytes(),
            checked: Mutex::default(),
            turn: Semaphore::new(1),
        }))
    }

    /// Whether anything has to be sent at all.
    pub fn are_needed(&self) -> bool {
        self.0.bearer.is_some() || self.0.basic.is_some()
    }

    /// Whether a request with these headers is let in by a key.
    pub async fn let_in(&self, headers: &HeaderMap) -> bool {
        let Some((scheme, token)) = sent(headers) else {
            return false;
        };
        match scheme {
            Scheme::Bearer => self.0.is_right(self.0.bearer.as_ref(), &token).await,
            Scheme::Basic => self.0.is_right(self.0.basic.as_ref(), &token).await,
        }
    }
}

impl Keys {
    /// Tells what is set from whatever else could be.
    pub fn fingerprint(&self) -> Sum {
        let mut hasher = Sha256::new();
        for secret in [&self.0.bearer, &self.0.basic] {
            let text = secret.as_ref().map_or("", |secret| match secret {
                Secret::Plain(text) | Secret::Hashed(text) => text,
            });
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        }
        hasher.finalize().into()
    }

    /// Whether a token is the key, or the credentials, as they are.
    pub async fn lets_in_token(&self, token: &str) -> bool {
        let (inner, token) = (&self.0, token.as_bytes());
        token.len() <= LONGEST
            && (inner.is_right(inner.basic.as_ref(), token).await
                || inner.is_right(inner.bearer.as_ref(), token).await)
    }
}

enum Scheme {
    Bearer,
    Basic,
}

fn sent(headers: &HeaderMap) -> Option<(Scheme, Vec<u8>)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    if token.len() > LONGEST {
        return None;
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some((Scheme::Bearer, token.into()));
    }
    let is_basic = scheme.eq_ignore_ascii_case("basic");
    let decoded = STANDARD.decode(token).ok().filter(|_| is_basic)?;
    Some((Scheme::Basic, decoded))
}

impl Inner {
    async fn is_right(&self, secret: Option<&Secret>, token: &[u8]) -> bool {
        match secret {
            None => false,
            Some(Secret::Plain(secret)) => {
                let (wanted, sent) = (self.digest("", secret.as_bytes()), self.digest("", token));
                wanted.ct_eq(&sent).into()
            }
            Some(Secret::Hashed(hash)) => self.is_preimage(hash, token).await,
        }
    }

    async fn is_preimage(&self, hash: &str, token: &[u8]) -> bool {
        let sum = self.digest(hash, token);
        if let Some(known) = self.checked().get(&sum) {
            return *known;
        }
        // The semaphore is never closed.
        let _turn = self.turn.acquire().await;
        if let Some(known) = self.checked().get(&sum) {
            return *known;
        }
        let (hash, token) = (hash.to_owned(), token.to_vec());
        let check = move || {
            Argon2::default()
                .verify_password(token.as_slice(), hash.as_str())
                .is_ok()
        };
        let is_right = tokio::task::spawn_blocking(check).await.unwrap_or(false);
        let mut checked = self.checked();
        if checked.len() >= REMEMBERED {
            checked.retain(|_, was_right| *was_right);
        }
        checked.insert(sum, is_right);
        is_right
    }

    fn digest(&self, domain: &str, token: &[u8]) -> Sum {
        let mut hasher = Sha256::new();
        hasher.update(self.salt);
        hasher.update(domain.as_bytes());
        hasher.update(token);
        hasher.finalize().into()
    }

    fn checked(&self) -> std::sync::MutexGuard<'_, HashMap<Sum, bool>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::PasswordHasher;
    use axum::http::HeaderValue;

    async fn lets_in(keys: &Keys, value: &str) -> bool {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(value).unwrap();
        headers.insert(header::AUTHORIZATION, value);
        keys.let_in(&headers).await
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[tokio::test]
    async fn only_what_was_set_lets_in() {
        let hash = |text: &str| {
            let hash = Argon2::default().hash_password(text.as_bytes()).unwrap();
            Secret::from_text(&hash.to_string())
        };
        let plain = |text: &str| Secret::from_text(text);
        for (bearer, pair) in [
            (plain("right"), plain("ada:pw")),
            (hash("right"), hash("ada:pw")),
        ] {
            let keys = Keys::new(Some(bearer), Some(pair));
            // Twice, since the second answer may be remembered.
            for _ in 0..2 {
                assert!(lets_in(&keys, "Bearer right").await);
                assert!(lets_in(&keys, "bearer right").await);
                assert!(lets_in(&keys, &basic("ada:pw")).await);
                for wrong in [
                    "Bearer wrong",
                    "Bearer ",
                    "right",
                    "Bearer ada:pw",
                    "Basic right",
                ] {
                    assert!(!lets_in(&keys, wrong).await, "{wrong}");
                }
                assert!(!lets_in(&keys, &basic("ada:wrong")).await);
                assert!(!lets_in(&keys, &basic("right")).await);
            }
            assert!(!keys.let_in(&HeaderMap::new()).await);
        }
    }

    #[tokio::test]
    async fn one_way_does_not_open_the_other() {
        let keys = Keys::new(Some(Secret::from_text("right")), None);
        assert!(keys.are_needed());
        assert!(!lets_in(&keys, &basic("right")).await);
        assert!(!lets_in(&keys, &basic("")).await);
        assert!(!Keys::new(None, None).are_needed());
    }

    #[tokio::test]
    async fn what_is_remembered_stays_within_bounds() {
        // A cheap hash, since there are many guesses.
        let params = argon2::Params::new(8, 1, 1, None).unwrap();
        let cheap = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let hash = cheap.hash_password(b"right").unwrap().to_string();
        let keys = Keys::new(Some(Secret::from_text(&hash)), None);
        for guess in 0..2 * REMEMBERED {
            assert!(!lets_in(&keys, &format!("Bearer {guess}")).await);
        }
        assert!(lets_in(&keys, "Bearer right").await);
        assert!(keys.0.checked().len() <= REMEMBERED);
    }
}
