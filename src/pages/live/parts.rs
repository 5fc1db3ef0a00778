//! The parts of each page that change.

use askama::Template;

use super::makers::Part;
use super::{About, Shared};
use crate::api::Ctx;
use crate::domain::error::{Error, Result};
use crate::pages::place::addressed;
use crate::pages::visitor::Visitor;
use crate::pages::{dashboard, deployments, nouns, run, runs};

/// What a stream tells of is the same for those with the same of this.
pub fn key(about: About, visitor: &Visitor) -> String {
    let query = match about {
        About::Runs | About::Deployments | About::Pools => visitor.uri.query().unwrap_or_default(),
        About::Dashboard | About::Run(_) => "",
    };
    format!("{about:?}\n{query}\n{}", visitor.kind())
}

/// All parts of a page as they are now.
pub async fn made(
    ctx: &Ctx,
    visitor: &Visitor,
    about: About,
    shared: &Shared,
) -> Result<Vec<Part>> {
    match about {
        About::Dashboard => {
            let page = dashboard::read(ctx, visitor).await?;
            Ok(vec![
                part("summary", &page.as_summary())?,
                part("counts", &page.as_counts())?,
                part("timeline", &page.as_timeline())?,
                part("late", &page.as_late())?,
                part("running", &page.as_running())?,
                part("trouble", &page.as_trouble())?,
                part("next", &page.as_next())?,
                part("pools", &page.as_pools())?,
            ])
        }
        About::Runs => {
            let page = runs::read(ctx, visitor).await?;
            Ok(vec![part("runs", &page.as_rows())?])
        }
        About::Run(id) => {
            let mut page = run::read(ctx, visitor, id, run::log::Shown::default()).await?;
            page.usage = shared.meter.look(ctx, id).await;
            Ok(vec![
                part("head", &page.as_head())?,
                part("facts", &page.as_facts())?,
                part("why", &page.as_why())?,
                part("states", &page.as_states())?,
                part("tasks", &page.as_tasks())?,
                part("subruns", &page.as_subruns())?,
                part("artifacts", &page.as_artifacts())?,
                part("usage", &page.as_uses())?,
            ])
        }
        About::Deployments => {
            let page = deployments::read(ctx, visitor).await?;
            Ok(vec![part("deployments", &page.as_rows())?])
        }
        About::Pools => {
            let page = nouns::pools::read(ctx, visitor).await?;
            Ok(vec![part("work-pools", &page.as_pools())?])
        }
    }
}

fn part(id: &'static str, template: &impl Template) -> Result<Part> {
    Ok(Part::new(id, rendered(template)?))
}

/// Markup as it is told.
pub fn rendered(template: &impl Template) -> Result<String> {
    template.render().map(addressed).map_err(Error::internal)
}
