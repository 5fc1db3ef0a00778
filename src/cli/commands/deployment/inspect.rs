//! One deployment.

use serde_json::Value;

use super::ls::{Row, around};
use super::schedule;
use crate::api::v3::wire::{Brief, Deployment};
use crate::cli::commands::Ctl;
use crate::cli::failure::Result;
use crate::cli::{find, render};

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
    let config = it.flow_runner.config.as_ref();
    let config = config.map(|config| yaml(&Value::Object(config.clone())));
    let kind = it.flow_runner.kind.as_deref().unwrap_or("subprocess");
    let runner = format!("{}\n{}", render::name(kind), config.unwrap_or_default());
    let planned = planned(it);
    let paused = match (it.paused, &it.schedule) {
        (_, None) => "has no schedule",
        (true, _) => "yes",
        (false, _) => "no",
    };
    let next_date = it.next_date.map(render::instant);
    let next_date = next_date.or_else(|| it.schedule_note.clone());
    render::pairs(
        [
            ("name", render::name(&row.path)),
            ("id", it.id.to_string()),
            ("created", render::instant(it.created)),
            ("updated", render::instant(it.updated)),
            ("tags", render::name(&it.tags.join(", "))),
            ("parameters", yaml(&Value::Object(it.parameters.clone()))),
            ("schedule", planned),
            ("next date", next_date.unwrap_or_else(|| "none".to_owned())),
            ("paused", paused.to_owned()),
            ("next run", brief(row.next())),
            ("last run", brief(row.last())),
            ("runs on", runner.trim_end().to_owned()),
        ]
        .into_iter(),
    )
}

/// What belongs to the only schedule, or each of several in a few words.
fn planned(it: &Deployment) -> String {
    match (&it.schedule, it.schedules.as_slice()) {
        (None, _) => "none".to_owned(),
        (Some(only), [] | [_]) => format!("{}\n{}", schedule::told(Some(only)), yaml(only)),
        (_, several) => {
            let each = several.iter().map(|one| {
                let slug = one.slug.as_deref().map(render::name).unwrap_or_default();
                let off = if one.active { "" } else { " (paused)" };
                format!("{} {slug}{off}", schedule::told(Some(&one.schedule)))
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

fn yaml(value: &Value) -> String {
    // A JSON value is always YAML too.
    let text = render::yaml(value).unwrap_or_default();
    text.trim_end().to_owned()
}
