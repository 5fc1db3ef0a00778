//! Tokens that whoever was given one can bring back: sealed, so that nothing of them is kept
//! here, and that they outlive the daemon's process.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::app::App;
use crate::domain::error::Result;
use crate::domain::time::{Span, Timestamp};

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 256;

/// What a token is for. It is good for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// Its holder has given the key.
    Session,
    /// Its holder was served the form that it comes with.
    Form,
}

impl TokenUse {
    fn word(self) -> &'static [u8] {
        match self {
            Self::Session => b"token of a session:",
            Self::Form => b"token of a form:",
        }
    }
}

impl App {
    /// A token that is good for `time` where it is brought back with the same `of`.
    ///
    /// # Errors
    /// Where the key that seals it cannot be read or made.
    pub fn make_token(&self, what: TokenUse, of: &[u8], time: Span) -> Result<String> {
        let until = (self.now() + time).micros().to_be_bytes();
        let sealed = self.seal()?.seal(&until, &[what.word(), of].concat())?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Whether a token was made here for that, and its time is not over.
    pub fn is_good_token(&self, what: TokenUse, of: &[u8], token: &str) -> bool {
        let until = || -> Option<Timestamp> {
            let short = Some(token).filter(|token| token.len() <= LONGEST)?;
            let sealed = URL_SAFE_NO_PAD.decode(short).ok()?;
            let of = [what.word(), of].concat();
            let until = self.seal().ok()?.open(&sealed, &of).ok()?;
            let until = i64::from_be_bytes(until.try_into().ok()?);
            Some(Timestamp::from_micros(until))
        };
        until().is_some_and(|until| self.now() < until)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::app::testing::{Ahead, app};

    #[tokio::test]
    async fn a_token_is_good_for_what_it_was_made_for_and_for_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Ahead::default();
        let app = app(dir.path(), clock.clone());
        let hour = Span::from_micros(3600 * 1_000_000);
        let token = app.make_token(TokenUse::Form, b"ada", hour).unwrap();
        let is_good = |what, of: &[u8], token: &str| app.is_good_token(what, of, token);
        assert!(is_good(TokenUse::Form, b"ada", &token));
        assert!(!is_good(TokenUse::Form, b"ben", &token));
        assert!(!is_good(TokenUse::Session, b"ada", &token));
        for wrong in ["", "x", &token[1..], &"A".repeat(10_000)] {
            assert!(!is_good(TokenUse::Form, b"ada", wrong), "{wrong}");
        }
        clock.0.store(3601 * 1_000_000, Ordering::SeqCst);
        assert!(!is_good(TokenUse::Form, b"ada", &token));
    }
}
