//! One deployment.

use serde_json::Value;

use super::ls::{Row, around};
use super::{place, schedule};
use crate::api::v3::wire::{Brief, Deployment};
use crate::cli::commands::Ctl;
use crate::cli::failure::Result;
use crate::cli::{find, render};
use crate::domain::JsonMap;

/// Shows a deployment.
pub async fn inspect(ctl: &Ctl, wanted: &str) -> Result<()> {
    let (found, path) = find::deployment(&ctl.client, wanted).await?;
    // Only a deployment that is asked for by itself tells when its schedule is due.
    let asked = format!("/deployments/{}", found.id);
    let deployment: Deployment = ctl.client.get(&asked).await?;
    let mut around = around(ctl, std::iter::once(deployment.id)).await?;
    let row = Row {
        path,
        around: around.remove(&deployment.id),
        deployment,
    };
    render::print(ctl.output, &row.told(), |_| shown(&row))
}

fn shown(row: &Row) -> String {
    let it = &row.deployment;
    let planned = planned(it);
    let paused = match (&it.schedule, it.paused, schedule::off(it)) {
        (None, _, _) => "has no schedule".to_owned(),
        (_, true, _) => "yes".to_owned(),
        (_, false, 0) => "no".to_owned(),
        (_, false, off) => format!("{off} of {} schedules", it.schedules.len()),
    };
    let next_date = it.next_date.map(render::instant);
    let next_date = next_date.or_else(|| it.schedule_note.clone());
    let pairs = [
        ("name", Some(render::name(&row.path))),
        ("id", Some(it.id.to_string())),
        ("description", given(it.description.clone())),
        ("version", given(it.version.clone())),
        ("created", Some(render::instant(it.created))),
        ("updated", Some(render::instant(it.updated))),
        ("tags", Some(render::name(&it.tags.join(", ")))),
        ("parameters", Some(object(&it.parameters))),
        ("schedule", Some(planned)),
        ("next date", next_date.or_else(|| Some("none".to_owned()))),
        ("paused", Some(paused)),
        ("next run", Some(brief(row.next()))),
        ("last run", Some(brief(row.last()))),
        ("limit", place::limit(it)),
        ("code", place::code(it)),
        ("runs on", Some(place::told_whole(it))),
    ];
    let told = pairs.into_iter();
    render::pairs(told.filter_map(|(name, text)| Some((name, text?))))
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn object(fields: &JsonMap) -> String {
    render::yaml_of(&Value::Object(fields.clone()))
}

/// What belongs to the only schedule, or each of several in a few words.
fn planned(it: &Deployment) -> String {
    match (&it.schedule, it.schedules.as_slice()) {
        (None, _) => "none".to_owned(),
        (Some(only), [] | [_]) => {
            format!("{}\n{}", schedule::told(Some(only)), render::yaml_of(only))
        }
        (_, several) => {
            let each = several.iter().map(|one| {
                let slug = one.slug.as_deref().map(render::name).unwrap_or_default();
                let off = if one.active { "" } else { " (paused)" };
                let slug = match slug.as_str() {
                    "" => slug,
                    slug => format!("{slug}: "),
                };
                format!("{slug}{}{off}", schedule::told(Some(&one.schedule)))
            });
            each.collect::<Vec<_>>().join("\n")
        }
    }
}

fn brief(run: Option<&Brief>) -> String {
    let Some(run) = run else {
        return "none".to_owned();
    };
    format!(
        "{}, {}, {} ({})",
        render::instant_or_none(run.at),
        run.state_name
            .as_deref()
            .map(render::name)
            .unwrap_or_default(),
        render::name(&run.name),
        run.id
    )
}
