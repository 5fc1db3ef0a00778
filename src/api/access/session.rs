//! Sessions of browsers, which have no header to send a key in: whoever gives the key to the
//! login page gets a cookie that lets in like it. The cookie is not the key, since browsers send
//! it to every port of this machine.

use axum::http::{HeaderMap, header};

use super::Gate;
use crate::app::TokenUse;
use crate::domain::error::Result;
use crate::domain::time::Span;

/// The cookie's name.
const COOKIE: &str = "prefectd-session";

impl Gate {
    /// The `Set-Cookie` that lets a browser in for `time`. It is worth nothing once another key
    /// is set.
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub(crate) fn begin_session(&self, time: Span, is_kept: bool) -> Result<String> {
        let of = self.0.keys.fingerprint();
        let token = self.0.app.make_token(TokenUse::Session, &of, time)?;
        let kept = match is_kept {
            true => format!("; Max-Age={}", time.whole_secs()),
            false => String::new(),
        };
        Ok(format!(
            "{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{kept}"
        ))
    }

    /// The `Set-Cookie` that has a browser forget it.
    pub(crate) fn end_session() -> String {
        format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
    }

    /// Whether a request comes with such a cookie.
    pub(super) fn has_session(&self, headers: &HeaderMap) -> bool {
        self.0.keys.are_needed() && cookie(headers).is_some_and(|token| self.knows_session(token))
    }

    /// Whether that is the value of such a cookie.
    pub(crate) fn knows_session(&self, token: &str) -> bool {
        let of = self.0.keys.fingerprint();
        self.0.app.is_good_token(TokenUse::Session, &of, token)
    }
}

/// The session's cookie among those that a browser sends.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get_all(header::COOKIE).into_iter();
    let texts = sent.filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';'));
    pairs.find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let sent =
            |text: &'static str| HeaderMap::from_iter([(header::COOKIE, text.parse().unwrap())]);
        for (text, found) in [
            ("prefectd-session=abc", Some("abc")),
            ("a=b; prefectd-session=abc; c=d", Some("abc")),
            ("xprefectd-session=abc", None),
            ("prefectd-session", None),
        ] {
            assert_eq!(cookie(&sent(text)), found, "{text}");
        }
        assert_eq!(cookie(&HeaderMap::new()), None);
    }
}
