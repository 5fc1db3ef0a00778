//! What the last word of a command line names, by those before it.

use clap::{Command, CommandFactory};

use crate::cli::args::Args;

/// What a word names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted<'w> {
    /// A flow run.
    FlowRun,
    /// A task run.
    TaskRun,
    /// A deployment, as FLOW/NAME.
    Deployment,
    /// A schedule of that deployment.
    Schedule(&'w str),
    /// A flow.
    Flow,
    /// A work pool.
    WorkPool,
    /// An automation.
    Automation,
}

/// What the last word names; nothing where that is none of the daemon's names.
pub fn wanted(words: &[String]) -> Option<Wanted<'_>> {
    let (last, before) = words.split_last()?;
    if last.starts_with('-') {
        return None;
    }
    let command = Args::command();
    match before.last().map(String::as_str) {
        Some("--flow") => return Some(Wanted::Flow),
        Some("--deployment") => return Some(Wanted::Deployment),
        Some("--run") => return Some(Wanted::FlowRun),
        Some(flag) if takes_value(&command, flag) => return None,
        _ => {}
    }
    match plain(&command, before).as_slice() {
        [
            "flow-run" | "deployment" | "flow" | "task-run" | "work-pool" | "automation",
            "ls",
            ..,
        ]
        | ["deployment" | "work-pool", "create", ..]
        | ["deployment", "schedule"] => None,
        ["deployment", "schedule", _] => Some(Wanted::Deployment),
        ["deployment", "schedule", "pause" | "resume", of] => Some(Wanted::Schedule(of)),
        ["deployment", "schedule", ..] => None,
        ["flow-run", _, ..] => Some(Wanted::FlowRun),
        ["task-run", _, ..] => Some(Wanted::TaskRun),
        ["deployment", _, ..] => Some(Wanted::Deployment),
        ["flow", _, ..] => Some(Wanted::Flow),
        ["work-pool", _, ..] => Some(Wanted::WorkPool),
        ["automation", _, ..] => Some(Wanted::Automation),
        _ => None,
    }
}

/// The words that are neither flags nor values of flags.
fn plain<'w>(command: &Command, words: &'w [String]) -> Vec<&'w str> {
    let mut plain = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            plain.push(word.as_str());
        } else if takes_value(command, word) {
            words.next();
        }
    }
    plain
}

/// Whether the word after a flag is its value, in whichever command it stands.
fn takes_value(command: &Command, flag: &str) -> bool {
    let is_it = |argument: &clap::Arg| {
        let long = argument.get_long().map(|long| format!("--{long}"));
        let short = argument.get_short().map(|short| format!("-{short}"));
        [long, short]
            .into_iter()
            .flatten()
            .any(|known| known == flag)
    };
    let mut own = command.get_arguments().filter(|it| is_it(it));
    own.any(|argument| argument.get_action().takes_values()) || { command.get_subcommands() }
        .any(|under| takes_value(under, flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_depends_on_the_words_before() {
        for (line, expected) in [
            ("flow-run logs br", Some(Wanted::FlowRun)),
            ("flow-run logs -f ", Some(Wanted::FlowRun)),
            ("--socket /s deployment run ", Some(Wanted::Deployment)),
            ("deployment -o json inspect ", Some(Wanted::Deployment)),
            ("flow-run ls --deployment ", Some(Wanted::Deployment)),
            ("flow inspect a", Some(Wanted::Flow)),
            ("task-run inspect lo", Some(Wanted::TaskRun)),
            ("task-run ls --run ", Some(Wanted::FlowRun)),
            ("work-pool pause p", Some(Wanted::WorkPool)),
            ("automation inspect ", Some(Wanted::Automation)),
            ("deployment schedule ls ", Some(Wanted::Deployment)),
            ("deployment schedule pause ", Some(Wanted::Deployment)),
            (
                "deployment schedule pause -o json a/b ",
                Some(Wanted::Schedule("a/b")),
            ),
            (
                "deployment schedule resume a/b n",
                Some(Wanted::Schedule("a/b")),
            ),
            ("deployment schedule pause a/b n ", None),
            ("deployment schedule ls a/b ", None),
            ("deployment schedule pa", None),
            ("work-pool create ", None),
            ("automation ls ", None),
            ("event ls --name ", None),
            ("flow-run ls ", None),
            ("flow-run logs --tail ", None),
            ("flow-run lo", None),
            ("deployment run --", None),
            ("", None),
        ] {
            let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(wanted(&words), expected, "{line}");
        }
    }
}
