//! The schedules of one deployment, each by its own name.

use serde_json::json;

use super::schedule::told;
use crate::api::v3::wire::{Deployment, Schedule};
use crate::cli::args::Schedules as Command;
use crate::cli::commands::Ctl;
use crate::cli::failure::{Failure, Result};
use crate::cli::render::{keep, spare};
use crate::cli::{find, render};

/// Carries a command on schedules out.
pub async fn carry_out(ctl: &Ctl, command: Command) -> Result<()> {
    match command {
        Command::Ls { name } => ls(ctl, &name).await,
        Command::Pause { name, schedule } => switch(ctl, &name, schedule.as_deref(), false).await,
        Command::Resume { name, schedule } => switch(ctl, &name, schedule.as_deref(), true).await,
    }
}

async fn ls(ctl: &Ctl, wanted: &str) -> Result<()> {
    let (deployment, _) = find::deployment(&ctl.client, wanted).await?;
    render::print(ctl.output, &deployment.schedules, |all| {
        match all.as_slice() {
            [] => "The deployment has no schedule.".to_owned(),
            all => table(&deployment, all),
        }
    })
}

fn table(deployment: &Deployment, all: &[Schedule]) -> String {
    let rows = all.iter().map(|it| {
        let followed = match (deployment.paused, it.active) {
            (_, false) => "no",
            (true, true) => "no, the deployment is paused",
            (false, true) => "yes",
        };
        let parameters = match it.parameters.is_empty() {
            true => String::new(),
            false => json!(it.parameters).to_string(),
        };
        [
            it.slug.clone().unwrap_or_default(),
            told(Some(&it.schedule)),
            followed.to_owned(),
            parameters,
            it.id.to_string(),
        ]
    });
    let head = [
        keep("name"),
        keep("schedule"),
        keep("followed"),
        spare("parameters", 1),
        keep("id"),
    ];
    render::table(head, rows)
}

async fn switch(ctl: &Ctl, wanted: &str, schedule: Option<&str>, active: bool) -> Result<()> {
    let (deployment, path) = find::deployment(&ctl.client, wanted).await?;
    let schedule = meant(&deployment.schedules, schedule)?;
    let asked = format!("/deployments/{}/schedules/{}", deployment.id, schedule.id);
    ctl.client
        .patch(&asked, &json!({ "active": active }))
        .await?;
    let after = format!("/deployments/{}/schedules", deployment.id);
    let after: Vec<Schedule> = ctl.client.get(&after).await?;
    let after = after.iter().find(|it| it.id == schedule.id);
    render::print(ctl.output, &after, |_| {
        let whether = if active { "followed" } else { "paused" };
        let name = render::name(&path);
        let rule = told(Some(&schedule.schedule));
        format!("The schedule {rule} of {name} is {whether}")
    })
}

/// The schedule of that name, id, or unique beginning of an id; without one, the only one.
fn meant<'s>(all: &'s [Schedule], wanted: Option<&str>) -> Result<&'s Schedule> {
    let is_meant = |it: &&Schedule| match wanted {
        None => true,
        Some(wanted) => it.slug.as_deref() == Some(wanted) || it.id.to_string().starts_with(wanted),
    };
    let found: Vec<_> = all.iter().filter(is_meant).collect();
    match (found.as_slice(), wanted) {
        ([one], _) => Ok(one),
        ([], None) => Err(Failure::new("the deployment has no schedule")),
        ([], Some(wanted)) => Err(Failure::new(format!(
            "the deployment has no schedule {wanted:?}; see `prefectctl deployment schedule ls`"
        ))),
        (several, _) => {
            let names = several.iter().map(|it| match &it.slug {
                Some(slug) => slug.clone(),
                None => it.id.to_string(),
            });
            Err(Failure::usage(format!(
                "which schedule is meant: {}?",
                names.collect::<Vec<_>>().join(", ")
            )))
        }
    }
}
