//! What people write to search in texts: words and quoted phrases, each perhaps after `+`, `-` or
//! `!`.

/// A search in a text, whatever the case of its ASCII letters, as SQLite sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextQuery {
    /// One of these is in it.
    pub include: Vec<String>,
    /// None of these is.
    pub exclude: Vec<String>,
    /// All of these are.
    pub require: Vec<String>,
}

impl TextQuery {
    /// The most characters of one, as in the reference.
    pub const MOST: usize = 200;

    /// Whether nothing is searched for.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty() && self.require.is_empty()
    }

    /// What a person wrote, read as the reference reads it: `+` before a word asks that it is
    /// there, `-` and `!` that it is not, and quotes hold a phrase together, in which `\"` is a
    /// quote.
    pub fn read(text: &str) -> Self {
        let mut query = Self::default();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let (sign, after) = match first {
                '+' | '-' | '!' => (Some(first), rest.get(1..).unwrap_or_default()),
                _ => (None, rest),
            };
            // A sign on its own means nothing.
            if sign.is_some() && after.starts_with(char::is_whitespace) {
                rest = after.trim_start();
                continue;
            }
            let (term, after) = match after.strip_prefix('"') {
                Some(quoted) => phrase(quoted),
                None => word(after),
            };
            if !term.trim().is_empty() {
                let list = match sign {
                    Some('+') => &mut query.require,
                    Some(_) => &mut query.exclude,
                    None => &mut query.include,
                };
                list.push(term.to_ascii_lowercase());
            }
            rest = after.trim_start();
        }
        query
    }

    /// Whether it is satisfied by some texts together, each of which may hold a part of it.
    pub fn finds(&self, texts: &[&str]) -> bool {
        let texts: Vec<_> = texts.iter().map(|text| text.to_ascii_lowercase()).collect();
        let is_in = |term: &String| texts.iter().any(|text| text.contains(term.as_str()));
        (self.include.is_empty() || self.include.iter().any(is_in))
            && self.require.iter().all(is_in)
            && !self.exclude.iter().any(is_in)
    }
}

/// A word, and what comes after it.
fn word(text: &str) -> (String, &str) {
    let end = text.find(|c: char| c.is_whitespace() || c == '"');
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (word.to_owned(), rest)
}

/// A phrase up to its closing quote or to the end, and what comes after it.
fn phrase(text: &str) -> (String, &str) {
    let mut phrase = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (phrase, text.get(at + 1..).unwrap_or_default()),
            '\\' => {
                let mut ahead = chars.clone();
                match ahead.next() {
                    Some((_, escaped @ ('"' | '\\'))) => {
                        phrase.push(escaped);
                        chars = ahead;
                    }
                    _ => phrase.push('\\'),
                }
            }
            c => phrase.push(c),
        }
    }
    (phrase, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_phrases_and_signs_are_told_apart() {
        let read = |text: &str| {
            let TextQuery {
                include,
                exclude,
                require,
            } = TextQuery::read(text);
            [include, exclude, require].map(|list| list.join("|"))
        };
        let cases = [
            ("error", ["error", "", ""]),
            ("Error -debug !trace", ["error", "debug|trace", ""]),
            ("+must not", ["not", "", "must"]),
            (
                r#""connection timeout" -"not this""#,
                ["connection timeout", "not this", ""],
            ),
            (r#"say "he said \"no\"""#, [r#"say|he said "no""#, "", ""]),
            (r#""unclosed phrase"#, ["unclosed phrase", "", ""]),
            ("- alone +", ["alone", "", ""]),
            ("", ["", "", ""]),
            ("   ", ["", "", ""]),
            (r#"a"b c"d"#, ["a|b c|d", "", ""]),
            ("ÜBER -GRÖsse", ["Über", "grÖsse", ""]),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_found() {
        for (written, text, found) in [
            ("", "x", true),
            ("a b", "xBx", true),
            ("a b", "x", false),
            ("+a +b", "a b", true),
            ("+a +b", "a", false),
            ("-a", "b", true),
            ("b -a", "ab", false),
        ] {
            let query = TextQuery::read(written);
            assert_eq!(query.finds(&[text]), found, "{written} in {text}");
        }
    }
}
