//! What a server knows of all runs, told so that two servers' words can be compared: runs by the
//! names of their flows, task runs with their own lines, and nothing that depends on the moment.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use super::programs::Side;
use crate::support::{Http, wait_for};

/// What is measured, not given.
const MEASURED: &[&str] = &[
    "estimated_run_time",
    "estimated_start_time_delta",
    "total_run_time",
];

/// An id without its dashes, as keys of results are.
static BARE_ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{32}\b").unwrap());
/// Where something is in a process's memory, and which process it is.
static PLACE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"0x[0-9a-f]{6,}|\b(?i:pid|process)[ =:]+\d+").unwrap());
/// Where a thread of the client was when it heard of a result that was there already, or not yet.
static HEARD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(concurrency/calls\.py\\?", line )\d+"#).unwrap());
/// A name that ends with the first letters of a random key.
static KEYED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"'(\w+)-[0-9a-f]{3}'").unwrap());

/// Puts what differs between any two runs of a program into words that do not.
pub struct Words {
    home: String,
    url: String,
    names: HashMap<String, String>,
}

impl Words {
    /// In a text.
    pub fn over(&self, text: &str) -> String {
        let mut text = text.replace(&self.home, "HOME").replace(&self.url, "URL");
        for (name, word) in &self.names {
            if text.contains(name) {
                text = text.replace(name, word);
            }
        }
        let dashed = |found: &Captures<'_>| {
            let id = found.get(0).unwrap().as_str();
            uuid::Uuid::parse_str(id).unwrap().to_string()
        };
        let text = BARE_ID.replace_all(&text, dashed);
        let text = PLACE.replace_all(&text, "PLACE");
        let text = HEARD.replace_all(&text, "${1}N");
        KEYED.replace_all(&text, "'$1-KEY'").into_owned()
    }

    /// In every text of a value.
    fn within(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.over(&text).into(),
            Value::Array(values) => values.into_iter().map(|it| self.within(it)).collect(),
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(key, value)| {
                    let value = match (key.as_str(), value) {
                        (key, Value::Number(_)) if MEASURED.contains(&key) => json!("measured"),
                        ("infrastructure_pid", Value::String(_)) => json!("a process"),
                        // That server walks a set.
                        ("pause_keys", Value::Array(mut keys)) => {
                            keys.sort_by_cached_key(Value::to_string);
                            keys.into()
                        }
                        (_, value) => self.within(value),
                    };
                    (key, value)
                });
                Value::Object(fields.collect())
            }
            other => other,
        }
    }
}

/// All that is of one kind, page by page.
fn all(http: &Http, path: &str, asked: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    loop {
        let mut page = asked.clone();
        page["limit"] = json!(200);
        page["offset"] = json!(found.len());
        let more = http.post(path, &page).expect(200);
        let more = more.as_array().unwrap().clone();
        let is_last = more.len() < 200;
        found.extend(more);
        if is_last {
            return found;
        }
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// All runs, each with its flow's name, states, lines and task runs; and the words.
pub fn story(side: &Side) -> (Vec<(String, Value)>, Words) {
    let http = Http::modern(&side.url);
    await_rest(&http);
    let flows = all(&http, "/flows/filter", &json!({}));
    let flows: HashMap<_, _> = { flows.iter() }
        .map(|flow| (text(flow, "id").to_owned(), text(flow, "name").to_owned()))
        .collect();
    let mut runs = all(&http, "/flow_runs/filter", &json!({ "sort": "ID_DESC" }));
    let deployments = deployments(&http);
    // Runs of one flow by several programs come in no order.
    let kind = |run: &Value| {
        let flow = &flows[text(run, "flow_id")];
        let mut of = deployments
            .iter()
            .filter(|it| it["id"] == run["deployment_id"]);
        match of.next() {
            Some(deployment) => format!("{flow} {}", text(deployment, "name")),
            None => flow.clone(),
        }
    };
    runs.sort_by_cached_key(|run| (kind(run), text(run, "created").to_owned()));
    let mut counts = HashMap::new();
    let named: Vec<_> = { runs.iter() }
        .map(|run| {
            let kind = kind(run);
            let count = counts.entry(kind.clone()).and_modify(|it| *it += 1);
            format!("{kind} {}", count.or_insert(1))
        })
        .collect();
    let names = { runs.iter().zip(&named) }
        .map(|(run, name)| (text(run, "name").to_owned(), format!("RUN {name}")))
        .collect();
    let mut words = Words {
        home: side.home(),
        url: side.url.clone(),
        names,
    };
    let mut told: Vec<_> = runs
        .iter()
        .map(|run| of_run(&http, run, &mut words))
        .collect();
    let alone = json!({ "task_runs": { "id": { "any_": lonely(&http) } } });
    let mut tasks = all(&http, "/task_runs/filter", &alone);
    tasks.retain(|task| task["flow_run_id"].is_null());
    let tasks = tasks_of(&http, tasks, &mut words);
    told.push(json!({ "tasks": tasks }));
    told.push(json!({ "deployments": deployments }));
    let told = told.into_iter().map(|it| words.within(it));
    let keys = named
        .into_iter()
        .chain(["no flow", "all"].map(str::to_owned));
    (keys.zip(told.collect::<Vec<_>>()).collect(), words)
}

/// Waits until no more is told of task runs: that server learns of them after their clients have ended.
fn await_rest(http: &Http) {
    let mut known = Vec::new();
    wait_for("nothing more to be told", || {
        let tasks = all(http, "/task_runs/filter", &json!({})).into_iter();
        let states: Vec<_> = tasks.map(|task| task["state_id"].clone()).collect();
        let is_all = states == known;
        known = states;
        std::thread::sleep(Duration::from_secs(2));
        is_all.then_some(())
    });
}

/// All deployments by their names; whether somebody still asks for their runs depends on the moment.
fn deployments(http: &Http) -> Vec<Value> {
    let mut all = all(http, "/deployments/filter", &json!({ "sort": "NAME_ASC" }));
    for it in &mut all {
        it["status"] = Value::Null;
    }
    all.sort_by_cached_key(|it| format!("{} {}", it["name"], it["entrypoint"]));
    all
}

/// The task runs that said something outside of any flow.
fn lonely(http: &Http) -> Vec<Value> {
    let lines = all(http, "/logs/filter", &json!({ "logs": {} }));
    let mut ids: Vec<_> = { lines.into_iter() }
        .filter(|line| line["flow_run_id"].is_null())
        .map(|line| line["task_run_id"].clone())
        .collect();
    ids.dedup();
    ids
}

fn of_run(http: &Http, run: &Value, words: &mut Words) -> Value {
    let id = text(run, "id");
    let states = http
        .get(&format!("/flow_run_states/?flow_run_id={id}"))
        .expect(200);
    let of_it = json!({ "flow_runs": { "id": { "any_": [id] } } });
    let tasks = all(http, "/task_runs/filter", &of_it);
    let asked =
        json!({ "logs": { "flow_run_id": { "any_": [id] }, "task_run_id": { "is_null_": true } } });
    let lines = lines(http, &asked);
    json!({
        "run": run,
        "states": states,
        "lines": lines,
        "tasks": tasks_of(http, tasks, words),
    })
}

/// Task runs in the order of their names, with their states and lines.
fn tasks_of(http: &Http, tasks: Vec<Value>, words: &mut Words) -> Vec<Value> {
    let mut told: Vec<_> = { tasks.into_iter() }
        .map(|task| {
            let id = text(&task, "id");
            let states = http
                .get(&format!("/task_run_states/?task_run_id={id}"))
                .expect(200);
            let lines = lines(
                http,
                &json!({ "logs": { "task_run_id": { "any_": [id] } } }),
            );
            let name = text(&task, "name").to_owned();
            // A name may end with the first letters of a random key.
            let key = text(&task, "dynamic_key");
            let key = key
                .rsplit_once('-')
                .filter(|(_, end)| end.len() == 32)
                .map_or(key, |it| it.0);
            let plain = match name.rsplit_once('-') {
                Some((name, end)) if end.len() == 3 && key.len() >= 32 => format!("{name}-KEY"),
                _ => name.clone(),
            };
            if plain != name {
                words.names.insert(name, plain.clone());
            }
            let began = text(&task, "start_time").to_owned();
            let kind = text(&task, "task_key").to_owned();
            let told = json!({ "task": task, "states": states, "lines": lines });
            ((kind, plain, began), told)
        })
        .collect();
    told.sort_by(|(one, _), (other, _)| one.cmp(other));
    told.into_iter().map(|(_, told)| told).collect()
}

/// Log lines as they were said, without what only this line has.
fn lines(http: &Http, asked: &Value) -> Vec<Value> {
    let mut asked = asked.clone();
    asked["sort"] = json!("TIMESTAMP_ASC");
    let lines = all(http, "/logs/filter", &asked).into_iter();
    let told = lines.map(|line| {
        let Value::Object(fields) = line else {
            panic!("a line is an object");
        };
        let kept = fields
            .into_iter()
            .filter(|(key, _)| !["id", "timestamp"].contains(&key.as_str()));
        Value::Object(kept.collect::<Map<_, _>>())
    });
    told.collect()
}
