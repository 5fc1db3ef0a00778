//! What the client said of the server: its requests that failed, its warnings, how it ended.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::Outcome;
use super::programs::Said;
use super::story::Words;
use crate::support::client_log::requests;

static ID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap()
});
static WARNING: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\| (?:WARNING|ERROR|CRITICAL) *\| (.*)").unwrap());

/// What a process says that is told to end while it still has events to send.
const HURRY: &str = "Still processing items";

/// The differences between what the programs said.
pub fn differences(ours: &Outcome, theirs: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    for (our, their) in ours.said.iter().zip(&theirs.said) {
        let name = &our.name;
        if our.code != their.code {
            found.push(format!(
                "{name}: ours ended with {:?}, theirs {:?}",
                our.code, their.code
            ));
        }
        let out = |it: &Outcome, said: &Said| it.words.over(&said.out);
        let [our_out, their_out] =
            [out(ours, our), out(theirs, their)].map(|out| ID.replace_all(&out, "ID").into_owned());
        for (our, their) in our_out.lines().zip(their_out.lines()) {
            if our != their {
                found.push(format!("{name}: ours printed {our}, theirs {their}"));
            }
        }
        let counted = [our_out.lines().count(), their_out.lines().count()];
        if counted[0] != counted[1] {
            found.push(format!(
                "{name}: ours printed {} lines, theirs {}",
                counted[0], counted[1]
            ));
        }
        let mut their_failed = failed(&theirs.words, their);
        // That server is busy now and then, which says nothing.
        their_failed.retain(|line| !line.ends_with(" 503"));
        let pairs = [
            ("failed", failed(&ours.words, our), their_failed),
            (
                "warned",
                warned(&ours.words, our),
                warned(&theirs.words, their),
            ),
        ];
        for (what, our, their) in pairs {
            let only =
                |one: &BTreeSet<String>, other| one.difference(other).cloned().collect::<Vec<_>>();
            found.extend(
                only(&our, &their)
                    .iter()
                    .map(|line| format!("{name}: only ours {what}: {line}")),
            );
            found.extend(
                only(&their, &our)
                    .iter()
                    .map(|line| format!("{name}: only theirs {what}: {line}")),
            );
        }
    }
    found
}

/// A text with one word in the place of every id.
pub fn without_ids(text: &str) -> String {
    ID.replace_all(text, "ID").into_owned()
}

/// Requests that were refused.
pub fn failed(words: &Words, said: &Said) -> BTreeSet<String> {
    let mut failed = BTreeSet::new();
    for request in requests(&said.log) {
        if request.has_failed() {
            let url = words.over(request.url);
            let url = ID.replace_all(&url, "ID");
            failed.insert(format!("{} {url} {}", request.method, request.status));
        }
    }
    failed
}

/// What it warned of.
fn warned(words: &Words, said: &Said) -> BTreeSet<String> {
    let mut warned = BTreeSet::new();
    let lines = WARNING.captures_iter(&said.log);
    let lines = lines.map(|line| line.get(1).unwrap().as_str());
    for line in lines.filter(|line| !line.contains(HURRY)) {
        let line = words.over(line);
        let line = ID.replace_all(&line, "ID").into_owned();
        warned.insert(line);
    }
    warned
}
