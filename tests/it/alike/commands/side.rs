//! The commands under one server, and what they said, without what must differ between any two.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use regex::Regex;
use tempfile::TempDir;

use crate::modern::venv;

/// What stands for what differs between any two servers and moments, most special first.
static VARYING: LazyLock<[(Regex, &str); 10]> = LazyLock::new(|| {
    let of = |pattern: &str| Regex::new(pattern).unwrap();
    [
        // Those of a deployment are those of its limit and its first schedule here.
        (
            of("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
            "ID",
        ),
        (of("[0-9a-f]{8}-[0-9a-f-]*…"), "ID"),
        (of("[0-9a-f]{32}"), "KEY"),
        (
            of(r"((datetime\.)?(DateTime|datetime|timedelta))\([^()]*(\([^()]*\)[^()]*)*\)"),
            "TIME",
        ),
        (
            of(r#"(estimated|total)_[a-z_]*['"]?[:=] ?[\d.]+"#),
            "LENGTH",
        ),
        (
            of(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|UTC|[+-]\d\d:?\d\d))?"),
            "TIME",
        ),
        (of(r"\d\d:\d\d:\d\d(\.\d+)?"), "TIME"),
        (
            of(
                r"(in )?(about |just |a few |an? |less than )*(\d+ )?(now|moments?|seconds?|minutes?|hours?|days?|weeks?|years?)\b( ago| from now| later)?",
            ),
            "WHEN",
        ),
        // How wide a column is.
        (of("[─━═]+"), "─"),
        (of(r"\s+"), " "),
    ]
});

/// One server's side: where it is, and the folder of its client.
pub struct Side {
    url: String,
    home: TempDir,
}

/// What a command came to.
pub struct Said {
    /// Its words.
    pub name: String,
    code: Option<i32>,
    /// As it was said.
    text: String,
    /// As it is compared.
    lines: Vec<String>,
}

impl Side {
    /// Of the server at an address.
    pub fn new(url: String) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { url, home }
    }

    /// Runs a command of `prefect`.
    pub fn run(&self, words: &[String], kept: &BTreeMap<String, String>) -> Said {
        let filled: Vec<_> = words.iter().map(|word| self.filled(word, kept)).collect();
        let output = Command::new(venv().join("bin/prefect"))
            .args(&filled)
            .current_dir(self.home.path())
            .env("PREFECT_API_URL", format!("{}/api", self.url))
            .env("PREFECT_HOME", self.home.path())
            .env("PREFECT_CLI_PROMPT", "false")
            .env("PREFECT_CLI_COLORS", "false")
            .env("PREFECT_LOGGING_LEVEL", "WARNING")
            .env("COLUMNS", "3000")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        Said {
            name: words.join(" "),
            code: output.status.code(),
            lines: self.compared(&text),
            text,
        }
    }

    fn filled(&self, word: &str, kept: &BTreeMap<String, String>) -> String {
        let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flows");
        let word = word.replace("{flows}", &flows.display().to_string());
        let kept = kept.iter();
        kept.fold(word, |word, (name, value)| {
            word.replace(&format!("{{{name}}}"), value)
        })
    }

    /// The lines without what must differ.
    fn compared(&self, text: &str) -> Vec<String> {
        let text = text.replace(&self.url, "SERVER");
        let text = text.replace(&self.home.path().display().to_string(), "HOME");
        let lines = text.lines().map(|line| {
            let line = VARYING
                .iter()
                .fold(line.to_owned(), |line, (varying, word)| {
                    varying.replace_all(&line, *word).into_owned()
                });
            line.trim().to_owned()
        });
        lines.filter(|line| !line.is_empty()).collect()
    }
}

impl Said {
    /// What the group of a regex finds.
    pub fn found(&self, regex: &str) -> String {
        let found = Regex::new(regex).unwrap();
        let found = found.captures(&self.text);
        let found = found.and_then(|found| found.get(1));
        let found = found.unwrap_or_else(|| panic!("{}: no {regex} in {}", self.name, self.text));
        found.as_str().to_owned()
    }

    /// How it differs from what the other side said.
    pub fn differences(&self, other: &Self, any_order: bool) -> Vec<String> {
        let mut found = Vec::new();
        if self.code != other.code {
            found.push(format!(
                "{}: ours ended with {:?}, theirs with {:?}: {} | {}",
                self.name, self.code, other.code, self.text, other.text
            ));
            return found;
        }
        let of = |lines: &[String]| {
            let mut lines = lines.to_vec();
            if any_order {
                lines.sort();
            }
            lines
        };
        let (ours, theirs) = (of(&self.lines), of(&other.lines));
        if ours.len() != theirs.len() {
            found.push(format!(
                "{}: ours says {} lines, theirs {}:\n{}\n---\n{}",
                self.name,
                ours.len(),
                theirs.len(),
                ours.join("\n"),
                theirs.join("\n")
            ));
            return found;
        }
        let lines = ours.iter().zip(&theirs).filter(|(our, their)| our != their);
        found.extend(
            lines.map(|(our, their)| {
                format!("{}:\n    ours   {our}\n    theirs {their}", self.name)
            }),
        );
        found
    }
}
