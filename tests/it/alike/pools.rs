//! Runs of a work pool fare here without any worker as they do there with a real one.

use serde_json::{Value, json};

use super::programs::{Said, Served, Side};
use super::story::{Words, story};
use super::told::{failed, without_ids};
use super::{as_far_as_both_tell, real_server};
use crate::modern::venv;
use crate::support::{Options, TestDaemon};

/// Which lines are a flow's and its tasks': a worker says things of its own, and what containers print
/// is kept only here.
const LOGGERS: [&str; 2] = ["prefect.flow_runs", "prefect.task_runs"];

/// Below that a line tells how its process was begun.
const INFO: u64 = 20;

/// The steps of a worker, which are none of the run's.
const OF_WORKERS: [&str; 1] = ["Submitting"];

/// Flows whose process is told to end, or ends without a word: which of its last lines are handed in
/// differs from one time to the next.
const CUT_SHORT: [&str; 2] = ["sleeps", "dies"];

/// What is to be the same: by the names of states, the lines, the parameters and the task runs.
fn essence(run: &Value, words: &Words) -> Value {
    let states = run["states"].as_array().unwrap().iter();
    let names: Vec<_> = { states.map(|state| state["name"].as_str().unwrap()) }
        .filter(|name| !OF_WORKERS.contains(name))
        .collect();
    let lines = |of: &Value| -> Vec<String> {
        let lines = of["lines"].as_array().unwrap().iter();
        let is_told = |line: &&Value| {
            LOGGERS.contains(&line["name"].as_str().unwrap())
                && line["level"].as_u64() >= Some(INFO)
        };
        let own = lines.filter(is_told);
        let text = own.map(|line| words.over(line["message"].as_str().unwrap()));
        text.collect()
    };
    let tasks = run["tasks"].as_array().unwrap().iter();
    let tasks: Vec<_> = tasks
        .map(|task| {
            let states = task["states"].as_array().unwrap().iter();
            let names: Vec<_> = states.map(|state| &state["name"]).collect();
            json!({ "name": task["task"]["name"], "states": names, "lines": lines(task) })
        })
        .collect();
    let it = &run["run"];
    json!({
        "states": names,
        "lines": lines(run),
        "tasks": tasks,
        "parameters": it["parameters"],
        "tags": it["tags"],
        "run_count": it["run_count"],
        "pool": it["work_pool_name"],
        "queue": it["work_queue_name"],
    })
}

/// All runs by name, and what the programs said.
fn outcome(side: &Side, kind: &str, by: Served) -> (Vec<(String, Value)>, Vec<Said>, Words) {
    let said = side.pooled(kind, by);
    let (runs, words) = story(side);
    let mut told: Vec<_> = { runs.into_iter() }
        .filter(|(_, run)| run["states"].is_array())
        .map(|(name, run)| (name, essence(&run, &words)))
        .collect();
    told.sort_by(|(one, _), (other, _)| one.cmp(other));
    (told, said, words)
}

/// What an answer says without the ids and times in it.
fn plain(said: &Said, words: &Words) -> String {
    without_ids(&words.over(&said.out))
}

fn alike(kind: &str, flags: Vec<&'static str>, env: Vec<(&'static str, String)>) {
    let mut real = real_server(&[]);
    let theirs = Side::new(real.url());
    real.await_ready();
    let (their_runs, their_said, their_words) = outcome(&theirs, kind, Served::ByWorker);
    let daemon = TestDaemon::with(Options {
        flags,
        env,
        ..Options::default()
    });
    let ours = Side::new(daemon.url());
    let (our_runs, our_said, our_words) = outcome(&ours, kind, Served::ByItself);
    let mut found = Vec::new();
    for (our, their) in our_said.iter().zip(&their_said) {
        let words = (plain(our, &our_words), plain(their, &their_words));
        // The pool is ready here before there is any worker.
        if words.0 != words.1.replace("Status: Not ready", "Status: Ready") {
            found.push(format!("ours said {}, theirs {}", words.0, words.1));
        }
        let mut theirs = failed(&their_words, their);
        // That server is busy now and then, which says nothing.
        theirs.retain(|line| !line.ends_with(" 503"));
        let ours = failed(&our_words, our);
        if (our.code, &ours) != (their.code, &theirs) {
            let their = their.code;
            found.push(format!(
                "ours {:?} {ours:?}, theirs {their:?} {theirs:?}",
                our.code
            ));
        }
    }
    let names = |runs: &[(String, Value)]| -> Vec<_> {
        runs.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&our_runs), names(&their_runs));
    for ((name, our), (_, their)) in our_runs.iter().zip(&their_runs) {
        let (our, their) = match CUT_SHORT.iter().any(|flow| name.starts_with(flow)) {
            true => as_far_as_both_tell(our, their),
            false => (our.clone(), their.clone()),
        };
        if our != their {
            found.push(format!("{name}: ours {our:#}, theirs {their:#}"));
        }
    }
    assert!(our_runs.len() >= 6, "{our_runs:?}");
    assert!(found.is_empty(), "{}\n{}", found.join("\n"), daemon.log());
}

#[test]
fn a_pool_of_processes_needs_no_worker() {
    let python = venv().join("bin/python").display().to_string();
    let setting = "PREFECTD_RUNNERS__PYTHON";
    alike(
        "process",
        vec!["--no-docker-bridge"],
        vec![(setting, python)],
    );
}

#[cfg(feature = "docker")]
#[test]
fn a_pool_of_containers_needs_no_worker() {
    let allowed = json!(["/"]).to_string();
    let setting = "PREFECTD_DOCKER__ALLOW__HOST_VOLUMES";
    alike("docker", Vec::new(), vec![(setting, allowed)]);
}
