//! Calls as they are written in `calls/`, one a line:
//!
//! ```text
//! $tags = [["a"], [], "null"]          each line below that has `$tags` is sent once for each
//! POST /flows/ {"name": "f"} -> flow   `{flow}` is the id in the answer from now on
//! any POST /flows/filter {}            a list in any order
//! soon POST /events/filter {}          asked until both answer the same
//! deliberate NAME                      what follows differs on purpose
//! same                                 no more
//! as curl/8                            what follows is sent under that name
//! ```
//!
//! A line that ends with a backslash goes on in the next one. Values of a `$` that are texts stand
//! for themselves, others are JSON.

use std::path::PathBuf;

use serde_json::Value;

use crate::oracle::pair::{Ask, Pair};

/// A set of values for a word.
pub type Variable = (String, Vec<String>);

/// Sends the calls of a theme.
pub fn send(pair: &mut Pair, theme: &str) {
    let mut variables: Vec<Variable> = Vec::new();
    let mut deliberate = None;
    for line in text("calls", theme).lines() {
        let line = line.trim();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" | "#" => {}
            "deliberate" => deliberate = Some(rest.to_owned()),
            "same" => deliberate = None,
            "as" => pair.named(rest),
            _ if word.starts_with('$') => set(&mut variables, line),
            _ => {
                for line in expanded(line.to_owned(), &variables) {
                    call(pair, &line, deliberate.as_deref());
                }
            }
        }
    }
    pair.named(crate::oracle::pair::MODERN);
}

/// The text of a theme, with its lines whole.
pub fn text(kind: &str, theme: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/oracle/modern");
    let path = folder.join(kind).join(format!("{theme}.{kind}"));
    let text = std::fs::read_to_string(path).unwrap();
    text.replace("\\\n", "")
}

/// Sets the values of a word.
pub fn set(variables: &mut Vec<Variable>, line: &str) {
    let (word, values) = line.split_once(" = ").unwrap();
    variables.retain(|(name, _)| name != word);
    variables.push((word.to_owned(), values_of(line, values)));
    // `$states` before `$state`.
    variables.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
}

fn values_of(line: &str, values: &str) -> Vec<String> {
    let values: Vec<Value> = serde_json::from_str(values).unwrap_or_else(|e| panic!("{line}: {e}"));
    let values = values.into_iter().map(|value| match value {
        Value::String(text) => text,
        value => value.to_string(),
    });
    values.collect()
}

/// The line once for each value of each word in it.
pub fn expanded(line: String, variables: &[Variable]) -> Vec<String> {
    let found = variables.iter().find(|(name, _)| line.contains(name));
    let Some((name, values)) = found else {
        return vec![line];
    };
    let lines = values.iter().map(|value| line.replace(name, value));
    lines.flat_map(|line| expanded(line, variables)).collect()
}

/// Makes the call of a line.
pub fn call(pair: &mut Pair, line: &str, deliberate: Option<&str>) {
    let (line, keep) = line.rsplit_once(" -> ").unwrap_or((line, ""));
    let (how, line) = match line.split_once(' ') {
        Some((how @ ("any" | "soon"), rest)) => (how, rest),
        _ => ("", line),
    };
    let mut words = line.splitn(3, ' ');
    let ask = Ask {
        method: words.next().unwrap(),
        path: words.next().unwrap_or_else(|| panic!("{line}: no path")),
        body: words.next(),
        kind: "application/json",
    };
    match (how, deliberate) {
        ("any", _) => pair.in_any_order(ask.method, ask.path, ask.body),
        ("soon", _) => pair.soon(ask),
        (_, Some(reason)) => pair.differs(reason, ask.method, ask.path, ask.body),
        (_, None) => {
            let answers = pair.ask(ask);
            if !keep.is_empty() {
                let (name, pointer) = keep.split_once(' ').unwrap_or((keep, "/id"));
                pair.keep(name, &answers, pointer);
            }
        }
    }
}
