//! Secrets within text that people or programs wrote: messages, log lines, arguments.

use super::secret::{MASK, is_secret_name};

/// The text with the secrets in it masked; `None` where there are none. Masked are passwords in
/// URLs (`scheme://user:password@host`), what is assigned to a secret's name (`API_KEY=…`,
/// `--password=…`, `?token=…`), and what follows such a name in quotes (`'api_key': '…'`, as
/// Python and JSON show it). `more` are further words that make a name a secret's. Takes time
/// in proportion to the length.
pub fn masked_text(text: &str, more: &[String]) -> Option<String> {
    let mut shown = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(sign) = text.get(from..).and_then(|rest| rest.find([':', '='])) {
        let sign = from + sign;
        from = sign + 1;
        let Some(range) = secret_at(text, sign, more).filter(|range| range.start >= copied) else {
            continue;
        };
        shown.push_str(text.get(copied..range.start).unwrap_or_default());
        shown.push_str(MASK);
        copied = range.end;
        from = from.max(copied);
    }
    if copied == 0 {
        return None;
    }
    shown.push_str(text.get(copied..).unwrap_or_default());
    Some(shown)
}

/// The place of the secret that the `:` or `=` at `sign` tells of.
fn secret_at(text: &str, sign: usize, more: &[String]) -> Option<std::ops::Range<usize>> {
    let (before, after) = (text.get(..sign)?, text.get(sign..)?);
    if let Some(authority) = after.strip_prefix("://") {
        return password(authority).map(|range| sign + 3 + range.start..sign + 3 + range.end);
    }
    let before = before.trim_end_matches(' ');
    let quoted = before.strip_suffix(['"', '\'']);
    if quoted.is_none() && after.starts_with(':') {
        return None;
    }
    if !is_secret_name(last_name(quoted.unwrap_or(before)), more) {
        return None;
    }
    let value = after.get(1..)?;
    let trimmed = value.trim_start_matches(' ');
    let opened = trimmed.strip_prefix(['"', '\'']);
    let inner = opened.unwrap_or(trimmed);
    let length = match (opened, trimmed.chars().next()) {
        (Some(inner), Some(quote)) => quoted_length(inner, quote),
        _ => inner
            .find(|c: char| c.is_whitespace() || ",;&\"'}])".contains(c))
            .unwrap_or(inner.len()),
    };
    let start = text.len() - inner.len();
    (length > 0).then_some(start..start + length)
}

/// The longest name that is looked at, in bytes: names are short, and each is looked at once
/// for every sign behind it.
const LONGEST_NAME: usize = 128;

/// The name at the end of a text.
fn last_name(text: &str) -> &str {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let bytes = text.as_bytes().iter().rev();
    let length = bytes
        .take(LONGEST_NAME)
        .take_while(|byte| is_part(byte))
        .count();
    text.get(text.len() - length..).unwrap_or_default()
}

/// How long a text is up to the quote that ends it.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == quote && !escaped {
            return at;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Where the password lies in what follows a URL's `://`.
fn password(text: &str) -> Option<std::ops::Range<usize>> {
    let is_end = |c: char| c.is_whitespace() || "/?#\"'<>".contains(c);
    let end = text.find(is_end).unwrap_or(text.len());
    let authority = text.get(..end)?;
    let at = authority.rfind('@')?;
    let colon = authority.get(..at)?.find(':')?;
    (colon + 1 < at).then_some(colon + 1..at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_text_are_masked_and_the_rest_stays() {
        let more = ["dsn".to_owned()];
        for (text, shown) in [
            ("pg://u:p@h:5/d", Some("pg://u:********@h:5/d")),
            (
                "at pg://u:p@q@h, or so",
                Some("at pg://u:********@h, or so"),
            ),
            ("redis://:p@h", Some("redis://:********@h")),
            (
                "a://u:p@h b://v:q@i",
                Some("a://u:********@h b://v:********@i"),
            ),
            (
                "http://h/?api_key=x&b=1",
                Some("http://h/?api_key=********&b=1"),
            ),
            ("API_KEY=x DSN=y", Some("API_KEY=******** DSN=********")),
            ("--password=x", Some("--password=********")),
            ("password = 'x y'", Some("password = '********'")),
            (
                "{'api_key': 'x', 'n': 1}",
                Some("{'api_key': '********', 'n': 1}"),
            ),
            (r#"{"token": "x\"y"}"#, Some(r#"{"token": "********"}"#)),
            ("{'pwd': 5}", Some("{'pwd': ********}")),
            ("http://host:80/a:b@c", None),
            ("pg://u@h", None),
            ("KeyError: 'x'", None),
            ("a=1 b: 2", None),
            ("token=", None),
            ("ünï=ç key", None),
            ("", None),
        ] {
            assert_eq!(masked_text(text, &more).as_deref(), shown, "{text}");
        }
    }

    #[test]
    fn long_texts_take_little_time() {
        for piece in ["a:", "key=", "x://", "'key':'", "=", "a://b:"] {
            let text = piece.repeat(1_000_000 / piece.len());
            let begun = std::time::Instant::now();
            masked_text(&text, &[]);
            assert!(begun.elapsed().as_secs() < 60, "{piece}");
        }
    }
}
