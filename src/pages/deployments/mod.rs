//! Deployments: do they work, when do they run next, and run one.

mod fields;
mod history;
mod run;
mod schedule;

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;

use super::answer::{Answer, moved, ok, to};
use super::form::Form;
use super::names::{Names, about_deployments};
use super::nouns::table::{Part, switch};
use super::path::{Id, ScheduleOf};
use super::show::state::Look;
use super::show::{Html, in_address, short, times};
use super::visitor::{Frame, Visitor};
use crate::api::redaction::{Reader, Redact};
use crate::api::{Ctx, Need, Operation};
use crate::domain::deployment::{Brief, Deployment, ScheduleUpdate};
use crate::domain::error::Result;
use crate::domain::filter::{Filters, Sort, Test, deployment, flow};
use crate::domain::ids::DeploymentId;
use crate::domain::time::Timestamp;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let mut all = vec![
        Operation::get("/deployments", "Lists deployments").needs(Need::Inspect, list),
        Operation::get("/deployment/{id}", "Leads to a deployment").needs(Need::Inspect, old),
        Operation::post(
            "/deployments/deployment/{id}/schedule",
            "Follows a deployment's schedules, or not",
        )
        .needs(Need::Operate, follow),
        Operation::post(
            "/deployments/deployment/{id}/schedules/{schedule}",
            "Follows one schedule of a deployment, or not",
        )
        .needs(Need::Operate, follow_one),
    ];
    all.extend(run::operations());
    all
}

async fn old(Id(id): Id<DeploymentId>) -> Answer {
    Ok(moved(&format!("/deployments/deployment/{id}")))
}

impl Redact for Deployment {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_deployment(self.id);
        mask.over(&mut self.parameters);
        mask.over(&mut self.parameter_schema);
        mask.over(&mut self.name);
        mask.over(&mut self.description);
        mask.over(&mut self.tags);
        mask.over_infrastructure(&mut self.job_variables);
        mask.over_infrastructure(&mut self.infrastructure.config);
        mask.over_flow(&mut self.flow_data);
        mask.over(&mut self.pull_steps);
        for schedule in &mut self.schedules {
            mask.over(&mut schedule.parameters);
        }
    }
}

async fn follow(State(ctx): State<Ctx>, Id(id): Id<DeploymentId>, form: Form) -> Answer {
    ctx.app
        .set_schedule_active(id, form.value("on") == "true")
        .await?;
    Ok(to(&format!("/deployments/deployment/{id}")))
}

async fn follow_one(
    State(ctx): State<Ctx>,
    Id(id): Id<DeploymentId>,
    ScheduleOf(schedule): ScheduleOf,
    form: Form,
) -> Answer {
    let update = ScheduleUpdate {
        active: Some(form.value("on") == "true"),
        ..ScheduleUpdate::default()
    };
    ctx.app.update_schedule(id, schedule, update).await?;
    Ok(to(&format!("/deployments/deployment/{id}")))
}

/// A deployment at a glance.
struct Row {
    id: String,
    href: String,
    flow: Html,
    name: Html,
    schedule: Html,
    last: Html,
    next: Html,
    pool: Html,
    switch: Html,
}

/// The list, and the part of it that changes.
#[derive(Template)]
#[template(path = "deployments.html", blocks = ["rows"])]
pub struct DeploymentsPage {
    frame: Frame,
    q: Html,
    rows: Vec<Row>,
    newer: Option<String>,
    older: Option<String>,
}

async fn list(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    ok(&read(&ctx, &visitor).await?)
}

/// The list that an address asks for.
///
/// # Errors
/// Where the store cannot be read.
pub async fn read(ctx: &Ctx, visitor: &Visitor) -> Result<DeploymentsPage> {
    let part = Part::of(visitor);
    let name =
        (!part.q.is_empty()).then(|| deployment::NAME_OR_FLOW.asked(Test::Like(part.q.clone())));
    let of_flow = visitor.asked("flow").and_then(|id| id.parse().ok());
    let filters = Filters {
        flows: of_flow.map(|id| vec![flow::ID.is_one_of_ids([id])].into()),
        ..name.map(about_deployments).unwrap_or_default()
    };
    let found = ctx
        .app
        .deployments(filters, Sort::NAME, part.range())
        .await?;
    let mut found = visitor.masked(found).await?;
    let is_more = part.cut(&mut found);
    let flows = found.iter().map(|it| it.flow_id).collect();
    let names = visitor
        .masked(Names::known(&ctx.app, flows, Default::default()).await?)
        .await?;
    let ids = found.iter().map(|it| it.id).collect();
    let around = ctx.app.runs_around(ids).await?.into_iter();
    let around: HashMap<_, _> = around.map(|it| (it.deployment, it)).collect();
    let query = visitor.uri.query().unwrap_or_default();
    let stream = format!("/live/deployments?{query}");
    let frame = visitor.frame(ctx, "deployments", "Deployments").await?;
    let now = ctx.app.now();
    let rows = found.iter().map(|it| {
        let around = around.get(&it.id);
        Row {
            id: it.id.to_string(),
            href: format!("/deployments/deployment/{}", it.id),
            flow: names.flow(it.flow_id),
            name: short(&it.name),
            schedule: schedules(it),
            last: around
                .and_then(|it| it.last.as_ref())
                .map(|run| brief(run, now))
                .unwrap_or_default(),
            next: around
                .and_then(|it| it.next.as_ref()?.at)
                .map(|at| times::apart(at, now))
                .unwrap_or_default(),
            pool: pool(it),
            switch: following(&frame, it),
        }
    });
    let (newer, older) = part.around("/deployments", is_more);
    Ok(DeploymentsPage {
        rows: rows.collect(),
        q: part.shown(),
        frame: frame.live(stream),
        newer,
        older,
    })
}

/// The switch of all schedules; nothing where there are none.
fn following(frame: &Frame, it: &Deployment) -> Html {
    let action = format!("/deployments/deployment/{}/schedule", it.id);
    match it.schedules.is_empty() {
        true => Html::default(),
        false => switch(
            frame,
            &action,
            it.is_schedule_active,
            &format!("Schedules of {}", it.name),
        ),
    }
}

fn schedules(it: &Deployment) -> Html {
    let mut followed = it.schedules.iter().filter(|schedule| schedule.active);
    match (followed.next(), it.schedules.len()) {
        (_, 0) => Html::fixed("<span class=\"muted\">none</span>"),
        (None, _) => Html::fixed("<span class=\"muted\">off</span>"),
        (Some(first), 1) => schedule::rule(&first.rule),
        (Some(first), all) => Html::of(format!(
            "{} <span class=\"small muted\">and {} more</span>",
            schedule::rule(&first.rule),
            all - 1
        )),
    }
}

fn brief(run: &Brief, now: Timestamp) -> Html {
    let look = Look::new(run.kind, run.state_name.as_deref());
    let at = run.at.map(|at| times::apart(at, now)).unwrap_or_default();
    Html::of(format!(
        "<span class=\"name\">{}<a href=\"/runs/flow-run/{}\">{at}</a></span>",
        look.icon(),
        run.id
    ))
}

fn pool(it: &Deployment) -> Html {
    match &it.work_pool_name {
        Some(name) => Html::of(format!(
            "<a href=\"/work-pools/work-pool/{}\"><bdi>{}</bdi></a>",
            in_address(name),
            short(name)
        )),
        None => Html::default(),
    }
}
