//! Which parameters a flow takes, as far as that is known here. A deployment of the modern
//! generation has a schema of them. One of 2.0a7 has none, but it leads to the flow's script, which
//! Python can read without running it. Where it cannot, what the deployment and earlier runs gave
//! the flow tells a slip of the pen from a name that was never used before.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::api::v3::wire::{Deployment, FlowFilter, FlowRun, FlowRunFilter, Query};
use crate::cli::commands::{Ctl, deploy};
use crate::cli::failure::{Failure, Result};
use crate::cli::{pages, render, select};
use crate::domain::JsonMap;

/// The program that reads the script.
const READER: &str = include_str!("signature.py");
/// How long it may take; what is not known by then is not checked.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How many earlier runs are looked at.
const EARLIER: u64 = 50;

/// Refuses parameters that the flow does not take, where its schema or its script says which it
/// takes; else those that are all but one that was given before. Whether values are what a schema
/// asks for is the daemon's to say.
pub async fn check(ctl: &Ctl, deployment: &Deployment, path: &str, given: &JsonMap) -> Result<()> {
    if given.is_empty() {
        return Ok(());
    }
    let schema = deployment.parameter_openapi_schema.as_ref();
    if let Some(known) = schema.and_then(in_schema) {
        return against(&known, "schema", given);
    }
    let flow = path.strip_suffix(&format!("/{}", deployment.name));
    let known = taken(ctl, deployment, flow.unwrap_or_default());
    if let Ok(Some(known)) = tokio::time::timeout(TIMEOUT, known).await {
        return against(&known, "script", given);
    }
    match tokio::time::timeout(TIMEOUT, used(ctl, deployment)).await {
        Ok(used) => against_use(&used, given),
        Err(_) => Ok(()),
    }
}

/// What a schema may say of parameters beside their names.
const ELSEWHERE: [&str; 3] = ["patternProperties", "allOf", "$ref"];

/// The names of a schema's parameters; none where it does not say them all. That of a deployment
/// that was made without its flow at hand has no properties.
fn in_schema(schema: &JsonMap) -> Option<Vec<String>> {
    let takes_others = match schema.get("additionalProperties") {
        None | Some(Value::Bool(false)) => ELSEWHERE.iter().any(|it| schema.contains_key(*it)),
        Some(_) => true,
    };
    let properties = schema.get("properties").and_then(Value::as_object)?;
    let is_whole = !takes_others && !properties.is_empty();
    is_whole.then(|| properties.keys().cloned().collect())
}

/// Refuses parameters that are not among those that a `source` says the flow takes.
fn against(known: &[String], source: &str, given: &JsonMap) -> Result<()> {
    let unknown: Vec<_> = given.keys().filter(|name| !known.contains(name)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let takes = if known.is_empty() {
        "no parameters".to_owned()
    } else {
        listed(known.iter())
    };
    Err(Failure::usage(format!(
        "the flow does not take {}; by its {source} it takes {takes}; \
         with --unchecked it is run nevertheless",
        listed(unknown.into_iter()),
    )))
}

fn against_use(used: &BTreeSet<String>, given: &JsonMap) -> Result<()> {
    for name in given.keys().filter(|name| !used.contains(*name)) {
        let distance = |known: &&String| strsim::damerau_levenshtein(known, name);
        let meant = used.iter().min_by_key(distance);
        let Some(meant) = meant.filter(|known| distance(known) <= name.chars().count() / 3) else {
            continue;
        };
        return Err(Failure::usage(format!(
            "the flow was never run with {}, but with {}; did you mean {}? \
             with --unchecked it is run nevertheless",
            render::name(name),
            listed(used.iter()),
            render::name(meant),
        )));
    }
    Ok(())
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<_> = names.map(|name| render::name(name)).collect();
    names.join(", ")
}

/// The names of the parameters that the deployment gives the flow, and that runs of the flow
/// which completed were given.
async fn used(ctl: &Ctl, deployment: &Deployment) -> BTreeSet<String> {
    let query = Query {
        flows: Some(FlowFilter {
            id: Some(select::any_of(vec![deployment.flow_id])),
            ..FlowFilter::default()
        }),
        flow_runs: Some(FlowRunFilter {
            state: Some(select::in_states(vec!["COMPLETED".to_owned()])),
            ..FlowRunFilter::default()
        }),
        ..Query::default()
    };
    // What cannot be read is not known.
    let runs = pages::all(&ctl.client, "/flow_runs/filter", &query, EARLIER).await;
    let runs: Vec<FlowRun> = runs.unwrap_or_default();
    let of_runs = runs.iter().flat_map(|run| run.parameters.keys());
    deployment
        .parameters
        .keys()
        .chain(of_runs)
        .cloned()
        .collect()
}

/// What the flow takes; nothing where that cannot be found out.
async fn taken(ctl: &Ctl, deployment: &Deployment, flow: &str) -> Option<Vec<String>> {
    let script = script(ctl, deployment.flow_data.as_ref()?).await?;
    let mut child = Command::new(deploy::default_python())
        .args(["-c", READER, flow])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(&script).await.ok()?;
    let output = child.wait_with_output().await.ok()?;
    serde_json::from_slice(&output.stdout).ok()?
}

/// The script that the deployment's document leads to.
async fn script(ctl: &Ctl, document: &Value) -> Option<Vec<u8>> {
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    match text("encoding")? {
        // On the machine of whoever created the deployment, which may be another.
        "file" => tokio::fs::read(text("blob")?).await.ok(),
        "cloudpickle" => None,
        _ => ctl.client.document(document).await.ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(names: &[&str]) -> JsonMap {
        let names = names.iter();
        names
            .map(|name| ((*name).to_owned(), Value::Null))
            .collect()
    }

    fn properties_of(name: &str) -> Value {
        serde_json::json!({ name: {} })
    }

    #[test]
    fn a_schema_tells_what_there_is_unless_it_is_open() {
        let of = |schema: Value| in_schema(schema.as_object().unwrap());
        let properties = serde_json::json!({ "name": {}, "count": { "type": "integer" } });
        let known = of(serde_json::json!({ "type": "object", "properties": properties }));
        let known = known.unwrap();
        assert_eq!(known, ["name", "count"]);
        let told = against(&known, "schema", &given(&["name", "nmae"])).unwrap_err();
        assert!(told.is_usage());
        let told = told.to_string();
        assert!(
            told.contains("does not take nmae; by its schema it takes name, count"),
            "{told}"
        );
        against(&known, "schema", &given(&["count"])).unwrap();
        let open = serde_json::json!({ "properties": {}, "additionalProperties": {} });
        assert_eq!(of(open), None);
        assert_eq!(of(serde_json::json!({})), None);
        assert_eq!(of(serde_json::json!({ "properties": {} })), None);
        let named = serde_json::json!({ "properties": properties_of("a"), "allOf": [] });
        assert_eq!(of(named), None);
    }

    #[test]
    fn a_slip_of_the_pen_is_told_from_a_new_name() {
        let used = ["name", "count", "e"].map(str::to_owned).into();
        for (name, meant) in [("nmae", "name"), ("counts", "count"), ("Count", "count")] {
            let told = against_use(&used, &given(&["name", name])).unwrap_err();
            assert!(told.is_usage());
            let told = told.to_string();
            assert!(told.contains(&format!("did you mean {meant}?")), "{told}");
        }
        for new in ["number", "greeting", "name", "n"] {
            against_use(&used, &given(&[new])).unwrap();
        }
        against_use(&BTreeSet::new(), &given(&["name"])).unwrap();
    }
}
