//! Names as a user looks for them: by a part, or by a pattern.

/// A part of a name, or with `*` and `?` the form of a whole one; in either case of letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

/// Reads one from the command line.
pub fn read(text: &str) -> Result<Pattern, String> {
    if text.is_empty() {
        Err("a part of a name, such as etl, or a pattern, such as 'etl-*'".to_owned())
    } else {
        Ok(Pattern(text.to_lowercase()))
    }
}

impl Pattern {
    /// What the daemon is asked for: all names that fit, and some that do not.
    pub fn like(&self) -> String {
        // The daemon knows the case of letters among those of ASCII alone.
        let piece = |letter: char| match letter {
            '*' | '?' => '%',
            letter if letter.is_ascii() => letter,
            _ => '%',
        };
        self.0.chars().map(piece).collect()
    }

    /// Whether a name fits.
    pub fn fits(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        if self.0.contains(['*', '?']) {
            fits_whole(&self.0, &name)
        } else {
            name.contains(&self.0)
        }
    }
}

/// Whether a whole name is of the pattern's form. Only the last `*` is ever extended, so the
/// work is bounded by the product of both lengths.
fn fits_whole(pattern: &str, name: &str) -> bool {
    let (mut wanted, mut given) = (pattern.chars(), name.chars());
    let mut star = None;
    loop {
        let at = given.clone();
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                given = at;
                star = Some((wanted.clone(), given.clone()));
            }
            (Some('?'), Some(_)) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => {
                let Some((after, mut from)) = star.take() else {
                    return false;
                };
                if from.next().is_none() {
                    return false;
                }
                (wanted, given) = (after.clone(), from.clone());
                star = Some((after, from));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_patterns_find_names() {
        for (pattern, name, expected) in [
            ("etl", "nightly-ETL-2", true),
            ("etl-*", "etl-2", true),
            ("etl-*", "nightly-etl-2", false),
            ("*-2", "etl-2", true),
            ("e?l", "etl", true),
            ("e?l", "etl-2", false),
            ("*a*b", "aab-xb", true),
            ("*a*b", "aab-xbc", false),
            ("*", "", true),
            ("?", "", false),
            ("ä*", "Äpfel", true),
            ("100%", "100 %", false),
        ] {
            assert_eq!(
                read(pattern).unwrap().fits(name),
                expected,
                "{pattern} {name}"
            );
        }
        assert!(read("").is_err());
        assert_eq!(read("Ä*-B?").unwrap().like(), "%%-b%");
        let name = "a".repeat(5000);
        assert!(!read(&format!("{}b", "*a".repeat(60))).unwrap().fits(&name));
    }
}
