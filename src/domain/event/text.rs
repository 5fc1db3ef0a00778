//! What a text search asks, in the reference's words: `some words -without +with "a phrase"`.

/// A search: any of `any`, all of `all`, none of `none`; in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// One of these at least, unless there are none.
    pub any: Vec<String>,
    /// Each of these.
    pub all: Vec<String>,
    /// None of these.
    pub none: Vec<String>,
}

/// The most characters of a search, as in the reference.
pub const MOST: usize = 200;

impl Text {
    /// Of a search as a person writes it: words and phrases in quotes, each with `+`, `-` or `!`
    /// before it. A backslash takes a quote into a phrase.
    pub fn of(written: &str) -> Self {
        let mut search = Self::default();
        let mut rest = written.trim_start();
        while let Some(first) = rest.chars().next() {
            let after = rest.get(first.len_utf8()..).unwrap_or_default();
            let sign = Some(first).filter(|sign| matches!(sign, '-' | '!' | '+'));
            let begins = if sign.is_some() { after } else { rest };
            let (term, left) = match begins.strip_prefix('"') {
                // A sign that stands alone means nothing.
                None if begins.starts_with(char::is_whitespace) => (String::new(), begins),
                None => word(begins),
                Some(phrase) => quoted(phrase),
            };
            if !term.trim().is_empty() {
                search.list(sign).push(term.to_ascii_lowercase());
            }
            rest = left.trim_start();
        }
        search
    }

    fn list(&mut self, sign: Option<char>) -> &mut Vec<String> {
        match sign {
            Some('+') => &mut self.all,
            Some(_) => &mut self.none,
            None => &mut self.any,
        }
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.any.is_empty() && self.all.is_empty() && self.none.is_empty()
    }

    /// Whether a text, in lower case, is one that is looked for.
    pub fn finds(&self, text: &str) -> bool {
        let has = |term: &String| text.contains(term.as_str());
        (self.any.is_empty() || self.any.iter().any(has))
            && self.all.iter().all(has)
            && !self.none.iter().any(has)
    }
}

/// A word up to a space or a quote, and what comes after it.
fn word(text: &str) -> (String, &str) {
    let end = text.find(|c: char| c.is_whitespace() || c == '"');
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (word.to_owned(), rest)
}

/// A phrase up to its closing quote, or to the end, and what comes after it.
fn quoted(text: &str) -> (String, &str) {
    let mut phrase = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (phrase, text.get(at + 1..).unwrap_or_default()),
            '\\' => match chars.next() {
                Some((_, next @ ('"' | '\\'))) => phrase.push(next),
                Some((_, next)) => phrase.extend(['\\', next]),
                None => phrase.push('\\'),
            },
            c => phrase.push(c),
        }
    }
    (phrase, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(any: &[&str], all: &[&str], none: &[&str]) -> Text {
        let owned = |terms: &[&str]| terms.iter().map(|term| (*term).to_owned()).collect();
        Text {
            any: owned(any),
            all: owned(all),
            none: owned(none),
        }
    }

    #[test]
    fn searches_are_read_as_in_the_reference() {
        for (written, read) in [
            ("", search(&[], &[], &[])),
            ("  Error  ", search(&["error"], &[], &[])),
            ("error -debug !x", search(&["error"], &[], &["debug", "x"])),
            ("+a b", search(&["b"], &["a"], &[])),
            (
                "\"connection timeout\"",
                search(&["connection timeout"], &[], &[]),
            ),
            (
                r#"-"a \" \\ \n b" c"#,
                search(&["c"], &[], &["a \" \\ \\n b"]),
            ),
            ("a\"b\"c", search(&["a", "b", "c"], &[], &[])),
            ("- + a", search(&["a"], &[], &[])),
            ("--a", search(&[], &[], &["-a"])),
            ("\"open", search(&["open"], &[], &[])),
            ("\"\" \"  \"", search(&[], &[], &[])),
            ("ü-b", search(&["ü-b"], &[], &[])),
            ("-", search(&[], &[], &[])),
        ] {
            assert_eq!(Text::of(written), read, "{written}");
        }
    }

    #[test]
    fn what_is_found() {
        for (written, text, found) in [
            ("", "x", true),
            ("a b", "xbx", true),
            ("a b", "x", false),
            ("+a +b", "a b", true),
            ("+a +b", "a", false),
            ("-a", "b", true),
            ("b -a", "ab", false),
        ] {
            assert_eq!(Text::of(written).finds(text), found, "{written} in {text}");
        }
    }
}
