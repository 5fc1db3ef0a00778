//! Every setting there is, read out of the configuration file that is shipped: that file is the
//! one list, from which the man page and advice on misspelt keys are made.

/// The file that the package installs: a comment and a commented line for each setting.
const SHIPPED: &str = include_str!("../../systemd/prefectd.toml");

/// A setting as the shipped file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name with its section, such as `agent.slots`.
    pub key: String,
    /// A value as it may be written, in TOML: the default, unless `default` says otherwise.
    pub example: String,
    /// What holds where nothing is said.
    pub default: String,
    /// What it means, in sentences.
    pub about: String,
}

impl Known {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        variable(&self.key)
    }

    /// Whether it takes several values.
    pub(super) fn is_list(&self) -> bool {
        self.example.starts_with('[')
    }

    /// Whether it takes text.
    pub(super) fn is_text(&self) -> bool {
        self.example.starts_with('"')
    }
}

/// The environment variable of a key.
pub(super) fn variable(key: &str) -> String {
    format!("PREFECTD_{}", key.replace('.', "__").to_uppercase())
}

/// What may stand in the place of another, so that the file can name only one of them.
const IN_PLACE: [(&str, &str, &str); 2] = [
    (
        "auth.api_key",
        "\"$argon2id$...\"",
        "The hash of the key that TCP needs, as `prefectctl auth hash` prints it, in the place of \
         api_key_file; also named api_key_hash.",
    ),
    (
        "auth.basic",
        "\"$argon2id$...\"",
        "The hash of user:password, in the place of basic_file; also named basic_hash.",
    ),
];

/// All of them, in the order of the file.
pub fn all() -> Vec<Known> {
    let mut known: Vec<Known> = Vec::new();
    let (mut section, mut about) = (String::new(), String::new());
    for line in SHIPPED.lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name.clone_into(&mut section);
        } else if line.is_empty() {
            about.clear();
        } else if let Some(words) = line.strip_prefix("# ") {
            if !about.is_empty() {
                about.push(' ');
            }
            about.push_str(words);
        } else if let Some((name, example)) = setting(line) {
            known.push(described(&section, name, example, &about, known.last()));
            about.clear();
        }
    }
    let in_place = IN_PLACE.map(|(key, example, about)| Known {
        key: key.to_owned(),
        example: example.to_owned(),
        default: "none".to_owned(),
        about: about.to_owned(),
    });
    // Among their own.
    let is_auth = |one: &Known| one.key.starts_with("auth.");
    let at = known
        .iter()
        .rposition(is_auth)
        .map_or(known.len(), |last| last + 1);
    known.splice(at..at, in_place);
    known
}

fn setting(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('#')?.split_once(" = ")
}

/// A setting without a comment of its own belongs to that of the one before.
fn described(
    section: &str,
    name: &str,
    example: &str,
    about: &str,
    before: Option<&Known>,
) -> Known {
    let before = before.filter(|before| {
        let of_section = before.key.rsplit_once('.');
        of_section.is_some_and(|(of, _)| of == section)
    });
    let about = match (about, before) {
        ("", Some(before)) => &before.about,
        _ => about,
    };
    let default = about.split_once("Default: ").map(|(_, rest)| rest);
    let is_unset = section.starts_with("docker.defaults") || section.starts_with("docker.maxima");
    let default = match default {
        Some(told) => told.trim_end_matches('.').to_owned(),
        None if is_unset || section == "auth" || section == "docker.allow" => "none".to_owned(),
        None => example.to_owned(),
    };
    Known {
        key: format!("{section}.{name}"),
        example: example.to_owned(),
        default,
        about: about.to_owned(),
    }
}

/// The key, or the section, that somebody is likely to have meant.
pub(super) fn nearest(written: &str) -> Option<String> {
    let known = all();
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let sections = known
        .iter()
        .filter_map(|known| Some(known.key.rsplit_once('.')?.0.to_owned()));
    let mut candidates: Vec<String> = sections.collect();
    candidates.dedup();
    candidates.extend(known.iter().map(|known| known.key.clone()));
    let distance = |key: &String| {
        let whole = strsim::damerau_levenshtein(written, key);
        // The right name in the wrong section, or in none.
        let moved = strsim::damerau_levenshtein(&last(written), &last(key)) + 1;
        whole.min(moved)
    };
    let best = candidates.iter().min_by_key(|key| distance(key))?;
    let reach = 1 + last(written).chars().count() / 3;
    (distance(best) <= reach).then(|| best.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_comment_and_a_default() {
        let known = all();
        assert!(known.len() > 40, "{}", known.len());
        for one in &known {
            assert!(!one.about.is_empty(), "{one:?}");
        }
        let of = |key: &str| known.iter().find(|one| one.key == key).unwrap();
        assert_eq!(of("agent.slots").default, "32");
        assert_eq!(of("agent.time_limit_secs").default, "no limit");
        assert_eq!(of("docker.maxima.memory").default, "none");
        assert_eq!(of("agent.slots").variable(), "PREFECTD_AGENT__SLOTS");
        assert!(of("server.listen").is_list() && of("docker.pull").is_text());
    }

    #[test]
    fn what_was_meant_is_found() {
        for (written, meant) in [
            ("agent.slotz", "agent.slots"),
            ("server.listn", "server.listen"),
            ("agents", "agent"),
            ("slots", "agent.slots"),
            ("server.slots", "agent.slots"),
            ("docker.maxima.memroy", "docker.maxima.memory"),
            ("retention.flow_run_days", "retention.flow_runs_days"),
        ] {
            assert_eq!(nearest(written).as_deref(), Some(meant), "{written}");
        }
        assert_eq!(nearest("xyzzy.plugh"), None);
    }
}
