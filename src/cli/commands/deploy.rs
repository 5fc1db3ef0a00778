//! Creating deployments from specifications, with the user's own Python: specifications are
//! Python objects, and only that Python has what the flows import.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use super::Ctl;
use crate::api::v3::wire::Status;
use crate::cli::client::Target;
use crate::cli::failure::{Failure, Result};
use crate::cli::render;
use crate::domain::proxies;

/// The program that loads the specifications and creates the deployments.
const HELPER: &str = include_str!("deploy.py");
/// Marks the helper's own lines among what the user's script prints.
const MARK: &str = "\u{1}prefectctl\u{1}";

/// What became of one specification.
#[derive(Debug, Deserialize, Serialize)]
struct Deployed {
    flow: Option<String>,
    name: Option<String>,
    id: Option<String>,
    error: Option<String>,
}

/// Creates what `file` specifies.
pub async fn create(ctl: &Ctl, file: &Path, python: Option<PathBuf>) -> Result<()> {
    check(file)?;
    // Prefect takes a path without a directory for something else.
    let file = &std::path::absolute(file)?;
    let api = api_url(ctl).await?;
    let python = python.unwrap_or_else(default_python);
    let outcomes = run_helper(&python, file, &api, ctl.client.key()).await?;
    render::print(ctl.output, &outcomes, |outcomes| {
        outcomes.iter().map(told).collect::<Vec<_>>().join("\n")
    })?;
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.error.is_some())
        .count();
    match (failed, outcomes.len()) {
        (0, 0) => Err(Failure::new(format!(
            "{} specifies no deployment; it needs a DeploymentSpec",
            file.display()
        ))),
        (0, _) => Ok(()),
        (failed, all) => Err(Failure::new(format!(
            "{failed} of {all} deployments failed"
        ))),
    }
}

fn check(file: &Path) -> Result<()> {
    let shown = file.display();
    if !file.is_file() {
        return Err(Failure::usage(format!("there is no file {shown}")));
    }
    match file.extension().and_then(|end| end.to_str()) {
        Some("py" | "yaml" | "yml") => Ok(()),
        _ => Err(Failure::usage(format!(
            "{shown} is neither a .py nor a .yaml file"
        ))),
    }
}

/// `$VIRTUAL_ENV`'s Python, else the one on PATH.
pub fn default_python() -> PathBuf {
    match std::env::var_os("VIRTUAL_ENV") {
        Some(venv) => PathBuf::from(venv).join("bin/python"),
        None => "python3".into(),
    }
}

/// Where Python reaches the API: it cannot use the socket.
async fn api_url(ctl: &Ctl) -> Result<String> {
    if let Target::Url(url) = ctl.client.target() {
        return Ok(format!("{url}/api/"));
    }
    let status: Status = ctl.client.get("/prefectd/status").await?;
    match status.listeners.first() {
        Some(url) => Ok(format!("{url}/api/")),
        None => Err(Failure::new(
            "prefectd listens on no TCP address, which Python clients need; start it with --listen",
        )),
    }
}

async fn run_helper(
    python: &Path,
    file: &Path,
    api: &str,
    key: Option<&str>,
) -> Result<Vec<Deployed>> {
    let mut command = Command::new(python);
    if let Some(key) = key {
        command.env("PREFECT_API_KEY", key);
    }
    let hosts: Vec<_> = proxies::host_of(api).into_iter().collect();
    let inherited = |name: &str| std::env::var(name).ok();
    command.envs(proxies::bypassed(&BTreeMap::new(), inherited, &hosts));
    let mut child = command
        .arg("-")
        .arg(file)
        .arg(MARK)
        .env("PREFECT_ORION_HOST", api)
        .env("PREFECT_API_URL", api.trim_end_matches('/'))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| {
            let shown = python.display();
            Failure::new(format!(
                "cannot run {shown} ({error}); name your Python with --python"
            ))
        })?;
    if let Some(mut input) = child.stdin.take() {
        // A Python that dies at once is judged by its exit, below.
        let _ = input.write_all(HELPER.as_bytes()).await;
    }
    let mut outcomes = Vec::new();
    if let Some(printed) = child.stdout.take() {
        let mut lines = BufReader::new(printed).split(b'\n');
        while let Some(line) = lines.next_segment().await? {
            let line = String::from_utf8_lossy(&line);
            match line.strip_prefix(MARK).map(serde_json::from_str) {
                Some(Ok(outcome)) => outcomes.push(outcome),
                // What the user's own script prints, as it comes.
                _ => eprintln!("{line}"),
            }
        }
    }
    if !child.wait().await?.success() {
        return Err(Failure::new(format!(
            "{} could not load {}; see above",
            python.display(),
            file.display()
        )));
    }
    Ok(outcomes)
}

fn told(outcome: &Deployed) -> String {
    let flow = outcome.flow.as_deref().unwrap_or("?");
    let name = outcome.name.as_deref().unwrap_or("?");
    match &outcome.error {
        None => format!("Created deployment '{flow}/{name}'"),
        Some(error) => format!("Failed to create deployment '{flow}/{name}': {error}"),
    }
}
