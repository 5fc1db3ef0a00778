//! The names that a word of a command line may become.

use std::path::PathBuf;
use std::time::Duration;

use super::Ctl;
use crate::api::v3::wire::{Deployment, Flow, FlowRun, Query};
use crate::cli::args::{Args, Output};
use crate::cli::client::{Client, Target, api_key};
use crate::cli::failure::Result;
use crate::cli::{pages, render};

/// How long a shell waits for names.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The most names that are looked at.
const MOST: u64 = 1000;

/// What a word names.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    FlowRun,
    Deployment,
    Flow,
}

/// Prints names, a line each; where there are none, or the daemon is not there, nothing.
pub async fn print(args: &Args, words: &[String]) -> Result<()> {
    let names = tokio::time::timeout(TIMEOUT, names(args, words)).await;
    let Ok(Ok(names)) = names else {
        return Ok(());
    };
    let begun = words.last().map_or("", String::as_str);
    let mut fitting: Vec<_> = names
        .into_iter()
        .filter(|name| name.starts_with(begun) && *name == render::name(name))
        .collect();
    let mut known = std::collections::HashSet::new();
    fitting.retain(|name| known.insert(name.clone()));
    if fitting.is_empty() {
        Ok(())
    } else {
        render::line(&fitting.join("\n"))
    }
}

async fn names(args: &Args, words: &[String]) -> Result<Vec<String>> {
    let Some(wanted) = wanted(words) else {
        return Ok(Vec::new());
    };
    let ctl = ctl(args, words)?;
    let query = Query::default();
    Ok(match wanted {
        Wanted::FlowRun => {
            let path = "/flow_runs/filter";
            let runs: Vec<FlowRun> = pages::all(&ctl.client, path, &query, MOST).await?;
            runs.into_iter().map(|run| run.name).collect()
        }
        Wanted::Flow => {
            let flows: Vec<Flow> = pages::all(&ctl.client, "/flows/filter", &query, MOST).await?;
            flows.into_iter().map(|flow| flow.name).collect()
        }
        Wanted::Deployment => {
            let path = "/deployments/filter";
            let found: Vec<Deployment> = pages::all(&ctl.client, path, &query, MOST).await?;
            let flows = ctl.flow_names(found.iter().map(|it| it.flow_id)).await?;
            let path = |it: Deployment| {
                let flow = flows.get(&it.flow_id)?;
                Some(format!("{flow}/{}", it.name))
            };
            found.into_iter().filter_map(path).collect()
        }
    })
}

/// What the last word names, by those before it.
fn wanted(words: &[String]) -> Option<Wanted> {
    let (last, before) = words.split_last()?;
    if last.starts_with('-') {
        return None;
    }
    match before.last().map(String::as_str) {
        Some("--flow") => return Some(Wanted::Flow),
        Some("--deployment") => return Some(Wanted::Deployment),
        Some("--run") => return Some(Wanted::FlowRun),
        // Its value is nothing that the daemon knows.
        Some(flag) if flag.starts_with('-') && !FLAGS.contains(&flag) => return None,
        _ => {}
    }
    let mut plain = before.iter().filter(|word| !word.starts_with('-'));
    // The value of a flag that stands before them is passed over.
    let noun = plain.find(|word| NOUNS.contains(&word.as_str()))?;
    let verb = plain.next()?;
    match (noun.as_str(), verb.as_str()) {
        ("flow-run", "ls") | ("deployment", "ls" | "create") | ("flow", "ls") => None,
        ("flow-run", _) => Some(Wanted::FlowRun),
        ("deployment", _) => Some(Wanted::Deployment),
        ("flow", _) => Some(Wanted::Flow),
        _ => None,
    }
}

const NOUNS: &[&str] = &["flow-run", "deployment", "flow"];
/// Flags without a value.
const FLAGS: &[&str] = &[
    "-f",
    "--follow",
    "-w",
    "--watch",
    "-y",
    "--yes",
    "--wait",
    "--force",
    "--console",
    "--raw",
];

/// Where the words say that the daemon is, or what stands before them.
fn ctl(args: &Args, words: &[String]) -> Result<Ctl> {
    let said = |flag: &str| {
        let place = words.iter().position(|word| word == flag)?;
        words.get(place + 1)
    };
    let target = match (said("--socket"), said("--api")) {
        (Some(path), _) => Target::Socket(path.into()),
        (None, Some(url)) => Target::url(url)?,
        (None, None) => Target::of(args)?,
    };
    let file = said("--api-key-file").map(PathBuf::from);
    let key = api_key(file.or_else(|| args.api_key_file.clone()).as_deref())?;
    Ok(Ctl {
        client: Client::new(target, key.as_ref()).masking(),
        output: Output::Table,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_depends_on_the_words_before() {
        let told = |line: &str| {
            let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
            wanted(&words)
        };
        for (line, expected) in [
            ("flow-run logs br", Some(Wanted::FlowRun)),
            ("flow-run logs -f ", Some(Wanted::FlowRun)),
            ("--socket /s deployment run ", Some(Wanted::Deployment)),
            ("flow-run ls --deployment ", Some(Wanted::Deployment)),
            ("flow inspect a", Some(Wanted::Flow)),
            ("flow-run ls ", None),
            ("flow-run logs --tail ", None),
            ("flow-run lo", None),
            ("deployment run --", None),
            ("", None),
        ] {
            assert_eq!(told(line), expected, "{line}");
        }
    }
}
