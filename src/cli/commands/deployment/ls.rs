//! Lists of deployments.

use std::collections::HashMap;

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{place, schedule};
use crate::api::v3::wire::{Around, Brief, ByAnyTags, Deployment, DeploymentFilter, Ids, Query};
use crate::cli::args::Output;
use crate::cli::commands::Ctl;
use crate::cli::failure::Result;
use crate::cli::names::pages_of;
use crate::cli::news::News;
use crate::cli::render::{self, keep, spare};
use crate::cli::{pages, several};

/// A deployment with what is around it.
pub struct Row {
    /// FLOW/NAME.
    pub path: String,
    /// Itself.
    pub deployment: Deployment,
    /// Its runs.
    pub around: Option<Around>,
}

impl Row {
    /// For programs: with the name that commands want, and the runs.
    pub fn told(&self) -> Value {
        let mut told = super::told(&self.deployment, &self.path);
        if let Value::Object(fields) = &mut told {
            let (next, last) = (self.next(), self.last());
            fields.insert("next_run".to_owned(), json!(next));
            fields.insert("last_run".to_owned(), json!(last));
        }
        told
    }

    /// The run that is due next.
    pub fn next(&self) -> Option<&Brief> {
        self.around.as_ref()?.next.as_ref()
    }

    /// The run that started last.
    pub fn last(&self) -> Option<&Brief> {
        self.around.as_ref()?.last.as_ref()
    }

    fn cells(&self, now: chrono::DateTime<Utc>, id: Option<&String>) -> [String; 7] {
        let it = &self.deployment;
        let near = |run: &Brief| run.at.map(|at| render::near(at.utc(), now));
        let last = self.last().map(|run| {
            let state = run.state_name.clone().unwrap_or_default();
            format!("{state} {}", near(run).unwrap_or_default())
        });
        [
            self.path.clone(),
            schedule::told_of(it),
            self.next()
                .and_then(near)
                .unwrap_or_else(|| "none".to_owned()),
            last.unwrap_or_else(|| "none".to_owned()),
            place::told_of(it),
            it.tags.join(","),
            id.cloned().unwrap_or_default(),
        ]
    }
}

/// Lists deployments once, or again whenever something has changed.
pub async fn ls(ctl: &Ctl, flows: Vec<String>, tags: Vec<String>, watch: bool) -> Result<()> {
    let mut query = Query {
        flows: several::flows(&ctl.client, &flows).await?,
        deployments: (!tags.is_empty()).then(|| DeploymentFilter {
            tags: Some(ByAnyTags {
                all_: Some(tags),
                ..ByAnyTags::default()
            }),
            ..DeploymentFilter::default()
        }),
        ..Query::default()
    };
    let mut news = News::of_list();
    if watch {
        news.wait(&ctl.client).await;
    }
    loop {
        let path = "/deployments/filter";
        let found: Vec<Deployment> = pages::all(&ctl.client, path, &query, u64::MAX).await?;
        let names = ctl.flow_names(found.iter().map(|it| it.flow_id)).await?;
        let mut around = around(ctl, found.iter().map(|it| it.id)).await?;
        let rows = found.into_iter().map(|deployment| Row {
            path: format!(
                "{}/{}",
                names.get(&deployment.flow_id).map_or("?", String::as_str),
                deployment.name
            ),
            around: around.remove(&deployment.id),
            deployment,
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|one, other| one.path.cmp(&other.path));
        let told: Vec<_> = rows.iter().map(Row::told).collect();
        match (watch, ctl.output) {
            (false, Output::Table) => return render::line(&table(ctl, &rows).await),
            (false, _) => return render::print(ctl.output, &told, |_| String::new()),
            (true, Output::Table) => render::screen(&table(ctl, &rows).await)?,
            (true, Output::Json) => render::line(&render::json_line(&told)?)?,
            (true, Output::Yaml) => render::print(ctl.output, &told, |_| String::new())?,
        }
        news.wait(&ctl.client).await;
        // What a pattern fits may have been made since, and what was named may have gone.
        if let Ok(meant) = several::flows(&ctl.client, &flows).await {
            query.flows = meant;
        }
    }
}

/// The runs around deployments, by these.
pub async fn around(ctl: &Ctl, ids: impl Iterator<Item = Uuid>) -> Result<HashMap<Uuid, Around>> {
    let mut found = HashMap::new();
    for ids in pages_of(ids) {
        let path = "/prefectd/deployments/around";
        let some: Vec<Around> = ctl.client.post(path, &Ids { ids }).await?;
        found.extend(some.into_iter().map(|one| (one.deployment_id, one)));
    }
    Ok(found)
}

async fn table(ctl: &Ctl, rows: &[Row]) -> String {
    let ids = rows.iter().map(|row| row.deployment.id);
    let ids = ctl.short_ids("deployments", ids).await;
    let now = Utc::now();
    let cells = rows
        .iter()
        .map(|row| row.cells(now, ids.get(&row.deployment.id)));
    let head = [
        keep("name"),
        spare("schedule", 1),
        spare("next run", 2),
        keep("last run"),
        spare("runs on", 4),
        spare("tags", 5),
        spare("id", 3),
    ];
    render::table(head, cells)
}
