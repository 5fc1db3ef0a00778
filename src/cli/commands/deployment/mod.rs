//! Deployments.

mod inspect;
mod ls;
mod place;
mod run;
mod schedule;
mod schedules;
mod signature;

use serde_json::{Value, json};

use super::{Ctl, deploy};
use crate::api::v3::wire::Deployment;
use crate::cli::args::Deployment as Command;
use crate::cli::confirm::confirm;
use crate::cli::failure::Result;
use crate::cli::{find, render};

/// Carries a command on deployments out.
pub async fn carry_out(ctl: &Ctl, command: Command) -> Result<()> {
    match command {
        Command::Create { file, python } => deploy::create(ctl, &file, python).await,
        Command::Ls { flow, tag, watch } => ls::ls(ctl, flow, tag, watch).await,
        Command::Inspect { name } => inspect::inspect(ctl, &name).await,
        Command::Run {
            name,
            param,
            job_variable,
            at,
            unchecked,
            watch,
        } => {
            let how = run::How {
                job_variables: run::pairs(&job_variable)?,
                at,
                unchecked,
                watch,
            };
            run::run(ctl, &name, &param, how).await
        }
        Command::Schedule(command) => schedules::carry_out(ctl, command).await,
        Command::Pause { name } => follow_schedule(ctl, &name, "pause").await,
        Command::Resume { name } => follow_schedule(ctl, &name, "resume").await,
        Command::Delete { names, yes } => delete(ctl, &names, yes).await,
    }
}

async fn follow_schedule(ctl: &Ctl, wanted: &str, verb: &str) -> Result<()> {
    let (deployment, name) = find::deployment(&ctl.client, wanted).await?;
    let path = format!("/deployments/{}/{verb}_deployment", deployment.id);
    ctl.client.post::<()>(&path, &()).await?;
    let path = format!("/deployments/{}", deployment.id);
    let after: Deployment = ctl.client.get(&path).await?;
    let told = told(&after, &name);
    let name = render::name(&name);
    render::print(ctl.output, &told, |_| match verb {
        "pause" => format!("The schedules of {name} are paused"),
        _ => match (schedule::off(&after), after.schedules.len()) {
            (0, _) => format!("The schedules of {name} are followed"),
            (off, all) => format!(
                "The deployment {name} is resumed; of its {all} schedules {off} are paused by themselves: see \
                 `prefectctl deployment schedule resume --help`"
            ),
        },
    })
}

async fn delete(ctl: &Ctl, wanted: &[String], yes: bool) -> Result<()> {
    let mut found: Vec<(Deployment, String)> = Vec::new();
    for name in wanted {
        let one = find::deployment(&ctl.client, name).await?;
        if found.iter().all(|(known, _)| known.id != one.0.id) {
            found.push(one);
        }
    }
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(|(_, name)| name.as_str()).collect();
        let many = render::many(found.len(), "deployment");
        confirm(yes, &format!("Delete {many}"), &names)?;
    }
    for (deployment, _) in &found {
        let path = format!("/deployments/{}", deployment.id);
        ctl.client.delete(&path).await?;
    }
    let lines = found
        .iter()
        .map(|(_, name)| format!("Deleted {}", render::name(name)));
    let lines = lines.collect::<Vec<_>>().join("\n");
    let gone: Vec<_> = found.iter().map(|(it, name)| told(it, name)).collect();
    match gone.as_slice() {
        [one] => render::print(ctl.output, one, |_| lines),
        all => render::print(ctl.output, &all, |_| lines),
    }
}

/// A deployment for programs, with the name that commands want.
fn told(deployment: &Deployment, path: &str) -> Value {
    let mut told = json!(deployment);
    if let Value::Object(fields) = &mut told {
        fields.insert("full_name".to_owned(), json!(path));
    }
    told
}
