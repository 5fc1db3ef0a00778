//! Which parameters a flow takes, as far as that is known here. A deployment of the 2.0a7
//! generation has no schema of them, but it leads to the flow's script, which Python can read
//! without running it.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::super::super::failure::{Failure, Result};
use super::super::super::render;
use super::super::{Ctl, deploy};
use crate::api::v3::wire::Deployment;
use crate::domain::JsonMap;

/// The program that reads the script.
const READER: &str = include_str!("signature.py");
/// How long it may take; what is not known by then is not checked.
const PATIENCE: Duration = Duration::from_secs(5);

/// Refuses parameters that the flow does not take, where its script says which it takes.
pub async fn check(ctl: &Ctl, deployment: &Deployment, path: &str, given: &JsonMap) -> Result<()> {
    if given.is_empty() {
        return Ok(());
    }
    let flow = path.strip_suffix(&format!("/{}", deployment.name));
    let known = taken(ctl, deployment, flow.unwrap_or_default());
    let Ok(Some(known)) = tokio::time::timeout(PATIENCE, known).await else {
        return Ok(());
    };
    let unknown: Vec<_> = given.keys().filter(|name| !known.contains(name)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let told = |names: &mut dyn Iterator<Item = &String>| {
        let names: Vec<_> = names.map(|name| render::name(name)).collect();
        names.join(", ")
    };
    let takes = match known.is_empty() {
        true => "no parameters".to_owned(),
        false => told(&mut known.iter()),
    };
    Err(Failure::usage(format!(
        "the flow does not take {}; by its script it takes {takes}; \
         with --unchecked it is run nevertheless",
        told(&mut unknown.into_iter()),
    )))
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
