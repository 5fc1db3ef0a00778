//! Deployments.

use chrono::{DateTime, FixedOffset, Utc};
use serde_json::Value;

use super::super::args::{Deployment as Command, Output};
use super::super::failure::{Failure, Result};
use super::super::{find, follow, render};
use super::{Ctl, deploy};
use crate::api::v3::wire::{Deployment, FlowRun, Query, RunRequest, StateCreate};
use crate::domain::JsonMap;

/// Carries a command on deployments out.
pub async fn carry_out(ctl: &Ctl, command: Command) -> Result<()> {
    match command {
        Command::Create { file, python } => deploy::create(ctl, &file, python).await,
        Command::Ls => ls(ctl).await,
        Command::Inspect { name } => {
            let deployment = find::deployment(&ctl.client, &name).await?;
            render::print(ctl.output, &deployment, |it| shown(&name, it))
        }
        Command::Run {
            name,
            param,
            at,
            watch,
        } => run(ctl, &name, &param, at, watch).await,
        Command::Pause { name } => follow_schedule(ctl, &name, "pause").await,
        Command::Resume { name } => follow_schedule(ctl, &name, "resume").await,
        Command::Delete { name } => {
            let deployment = find::deployment(&ctl.client, &name).await?;
            let path = format!("/deployments/{}", deployment.id);
            ctl.client.delete(&path).await?;
            render::print(ctl.output, &deployment, |_| format!("Deleted {name}"))
        }
    }
}

async fn ls(ctl: &Ctl) -> Result<()> {
    let mut found: Vec<Deployment> = Vec::new();
    loop {
        let query = Query {
            offset: found.len() as u64,
            ..Query::default()
        };
        let page: Vec<Deployment> = ctl.client.post("/deployments/filter", &query).await?;
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    let flows = ctl.flow_names(found.iter().map(|it| it.flow_id)).await?;
    let name = |it: &Deployment| {
        let flow = flows.get(&it.flow_id).map_or("?", String::as_str);
        format!("{flow}/{}", it.name)
    };
    found.sort_by_key(name);
    let now = Utc::now();
    render::print(ctl.output, &found, |found| {
        let rows = found.iter().map(|it| {
            let kind = it.flow_runner.kind.as_deref().unwrap_or("subprocess");
            let updated = render::ago(it.updated.utc(), now);
            [name(it), kind.to_owned(), it.tags.join(","), updated]
        });
        render::table(["name", "runs on", "tags", "updated"], rows)
    })
}

fn shown(name: &str, deployment: &Deployment) -> String {
    let config = deployment.flow_runner.config.as_ref();
    let config = config.map(|config| yaml(&Value::Object(config.clone())));
    let kind = deployment
        .flow_runner
        .kind
        .as_deref()
        .unwrap_or("subprocess");
    let runner = format!("{kind}\n{}", config.unwrap_or_default());
    let schedule = deployment.schedule.as_ref().map(yaml);
    render::pairs(
        [
            ("name", name.to_owned()),
            ("id", deployment.id.to_string()),
            ("created", deployment.created.to_string()),
            ("updated", deployment.updated.to_string()),
            ("tags", deployment.tags.join(", ")),
            (
                "parameters",
                yaml(&Value::Object(deployment.parameters.clone())),
            ),
            ("schedule", schedule.unwrap_or_else(|| "none".to_owned())),
            ("runs on", runner.trim_end().to_owned()),
        ]
        .into_iter(),
    )
}

fn yaml(value: &Value) -> String {
    // A JSON value is always YAML too.
    let text = render::yaml(value).unwrap_or_default();
    text.trim_end().to_owned()
}

async fn follow_schedule(ctl: &Ctl, name: &str, verb: &str) -> Result<()> {
    let deployment = find::deployment(&ctl.client, name).await?;
    let path = format!("/deployments/{}/{verb}_deployment", deployment.id);
    ctl.client.post::<()>(&path, &()).await?;
    let after: Deployment = find::deployment(&ctl.client, name).await?;
    render::print(ctl.output, &after, |_| match verb {
        "pause" => format!("The schedule of {name} is paused"),
        _ => format!("The schedule of {name} is followed"),
    })
}

async fn run(
    ctl: &Ctl,
    name: &str,
    params: &[String],
    at: Option<DateTime<FixedOffset>>,
    watch: bool,
) -> Result<()> {
    let parameters = parameters(params)?;
    let deployment = find::deployment(&ctl.client, name).await?;
    let request = RunRequest {
        parameters,
        state: at.map(|at| StateCreate::scheduled(at.to_utc())),
        ..RunRequest::default()
    };
    let path = format!("/deployments/{}/create_flow_run", deployment.id);
    let run: FlowRun = ctl.client.post(&path, &request).await?;
    let created = format!("Created flow run '{}' ({})", run.name, run.id);
    if !watch {
        return render::print(ctl.output, &run, |_| created);
    }
    if ctl.output == Output::Table {
        render::line(&created)?;
    }
    let run = follow::run(&ctl.client, run.id).await?;
    if ctl.output != Output::Table {
        render::print(ctl.output, &run, |_| String::new())?;
    }
    match run.state_type.as_deref() {
        Some("COMPLETED") => Ok(()),
        _ => Err(Failure::new(format!(
            "flow run '{}' ended {}; see `prefectctl flow-run logs {}`",
            run.name,
            run.state_name.unwrap_or_default(),
            run.id
        ))),
    }
}

/// Reads `key=value`, the value as JSON or as text.
fn parameters(given: &[String]) -> Result<JsonMap> {
    let read = |pair: &String| {
        let (key, value) = pair
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Failure::usage(format!("{pair:?} is not of the form KEY=VALUE")))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        Ok((key.to_owned(), value))
    };
    given.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_json_where_they_can_be() {
        let given = ["n=3", "s=x=y", "t=\"3\"", "l=[1,2]", "e="].map(str::to_owned);
        let read = Value::Object(parameters(&given).unwrap());
        let want = serde_json::json!({"n": 3, "s": "x=y", "t": "3", "l": [1, 2], "e": ""});
        assert_eq!(read, want);
        let numbers = ["x=202402144809161001040", "y=1.50", "z=1e400"].map(str::to_owned);
        let read = Value::Object(parameters(&numbers).unwrap()).to_string();
        assert_eq!(read, r#"{"x":202402144809161001040,"y":1.50,"z":1e+400}"#);
        for bad in ["novalue", "=x"] {
            assert!(parameters(&[bad.to_owned()]).unwrap_err().is_usage());
        }
    }
}
