//! One deployment: how its runs went, its schedules with their next times, and a form that runs
//! it.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;

use super::fields::{Field, fields, read};
use super::history::{DRAWN, History};
use super::{following, schedule};
use crate::api::{Ctx, Need, Operation};
use crate::domain::deployment::Deployment;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::filter::{Filters, Page, Sort, deployment};
use crate::domain::flow_run::DeploymentRunRequest;
use crate::domain::ids::DeploymentId;
use crate::domain::state::ProposedState;
use crate::domain::time::{Span, Timestamp};
use crate::pages::answer::{Answer, page, to};
use crate::pages::form::Form;
use crate::pages::names::Names;
use crate::pages::nouns::table::switch;
use crate::pages::path::Id;
use crate::pages::runs::row::{Tag, tags};
use crate::pages::show::json::{Pair, pairs};
use crate::pages::show::{Html, lines, short, text, times};
use crate::pages::visitor::{Frame, Visitor};

/// How many times of each schedule are told.
const COMING: usize = 10;
/// How long a run's name may be, in characters.
const LONGEST_NAME: usize = 200;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/deployments/deployment/{id}", "Shows a deployment")
            .needs(Need::Inspect, show),
        Operation::post("/deployments/deployment/{id}/run", "Runs a deployment")
            .needs(Need::Operate, run),
    ]
}

/// A schedule as it is shown.
struct Schedule {
    rule: Html,
    slug: Html,
    first: Html,
    coming: Vec<Html>,
    switch: Html,
}

#[derive(Template)]
#[template(path = "deployment.html")]
struct DeploymentPage {
    frame: Frame,
    id: String,
    flow: Html,
    flow_href: String,
    name: Html,
    description: Html,
    history: History,
    usual: String,
    schedules: Vec<Schedule>,
    following: Html,
    is_followed: bool,
    fields: Vec<Field>,
    run_name: Html,
    trouble: Option<Html>,
    about: Vec<Pair>,
    parameters: Vec<Pair>,
    tags: Vec<Tag>,
}

async fn show(State(ctx): State<Ctx>, Id(id): Id<DeploymentId>, visitor: Visitor) -> Answer {
    let made = made(&ctx, &visitor, id, None, None).await?;
    page(StatusCode::OK, &made)
}

async fn run(State(ctx): State<Ctx>, Id(id): Id<DeploymentId>, form: Form) -> Answer {
    match begin(&ctx, id, &form).await {
        Ok(run) => Ok(to(&format!("/runs/flow-run/{run}"))),
        // Whoever wrote much does not have to write it again.
        Err(error) if matches!(error.kind(), Kind::Invalid | Kind::Conflict | Kind::Refused) => {
            let words = Some(lines(error.message()));
            let made = made(&ctx, &form.visitor, id, Some(&form), words).await?;
            page(StatusCode::UNPROCESSABLE_ENTITY, &made)
        }
        Err(error) => Err(error.into()),
    }
}

async fn begin(ctx: &Ctx, id: DeploymentId, form: &Form) -> Result<String> {
    let deployment = ctx.app.deployment(id).await?;
    let parameters = read(deployment.parameter_schema.as_ref(), form)?;
    let name = form.value("name").trim();
    if name.chars().count() > LONGEST_NAME {
        let words = format!("A run's name has at most {LONGEST_NAME} characters here.");
        return Err(Error::invalid(words));
    }
    let minutes = form.value("in").trim();
    let minutes = match minutes.is_empty() {
        true => 0.0,
        false => minutes
            .parse::<f64>()
            .map_err(|_| Error::invalid("The minutes to wait are a number."))?,
    };
    let wait = Span::of_secs(minutes * 60.0).filter(|wait| *wait >= Span::ZERO);
    let wait = wait.ok_or_else(|| Error::invalid("The minutes to wait are a number."))?;
    let scheduled = ProposedState::scheduled(ctx.app.now() + wait);
    let request = DeploymentRunRequest {
        name: (!name.is_empty()).then(|| name.to_owned()),
        parameters,
        state: Some(form.visitor.caller.signed(scheduled)),
        created_by: form.visitor.caller.actor(),
        is_modern: true,
        ..DeploymentRunRequest::default()
    };
    let run = ctx.app.create_run_of_deployment(id, request).await?;
    Ok(run.get().id.to_string())
}

async fn made(
    ctx: &Ctx,
    visitor: &Visitor,
    id: DeploymentId,
    posted: Option<&Form>,
    trouble: Option<Html>,
) -> Result<DeploymentPage> {
    let it = visitor.masked(ctx.app.deployment(id).await?).await?;
    let now = ctx.app.now();
    let names = visitor
        .masked(Names::known(&ctx.app, [it.flow_id].into(), Default::default()).await?)
        .await?;
    let runs = Filters {
        deployments: Some(vec![deployment::ID.is_one_of_ids([id.uuid()])].into()),
        flow_runs: Some(vec![begun(now)].into()),
        ..Filters::default()
    };
    let latest = Page {
        limit: DRAWN,
        offset: 0,
    };
    let runs = ctx.app.flow_run_glances(runs, Sort::NEWEST, latest).await?;
    let history = History::new(&runs, now);
    let frame = visitor.frame(ctx, "deployments", &it.name).await?;
    Ok(DeploymentPage {
        id: id.to_string(),
        flow: names.flow(it.flow_id),
        flow_href: format!("/runs?flow={}", it.flow_id),
        name: short(&it.name),
        description: lines(it.description.as_deref().unwrap_or_default()),
        usual: history.usual.map_or("–".to_owned(), times::length),
        history,
        schedules: schedules(ctx, &frame, &it, now).await?,
        following: following(&frame, &it),
        is_followed: it.is_schedule_active,
        fields: fields(it.parameter_schema.as_ref(), &it.parameters, posted),
        run_name: text(posted.map_or("", |form| form.value("name"))),
        trouble,
        about: about(&it, now),
        parameters: pairs(&it.parameters),
        tags: tags(&it.tags),
        frame,
    })
}

/// Runs that have begun, or should have.
fn begun(now: Timestamp) -> crate::domain::filter::Criterion {
    let due = crate::domain::filter::Test::AtMost(now.micros());
    crate::domain::filter::flow_run::BEGINNING.asked(due)
}

async fn schedules(
    ctx: &Ctx,
    frame: &Frame,
    it: &Deployment,
    now: Timestamp,
) -> Result<Vec<Schedule>> {
    let mut all = Vec::new();
    for one in &it.schedules {
        let coming = ctx.app.dates_to_come(one.rule.clone(), COMING).await?;
        let action = format!("/deployments/deployment/{}/schedules/{}", it.id, one.id);
        all.push(Schedule {
            rule: schedule::rule(&one.rule),
            slug: short(one.slug.as_deref().unwrap_or_default()),
            first: coming
                .first()
                .map(|at| times::minute(*at, now))
                .unwrap_or_default(),
            coming: coming.iter().map(|at| times::minute(*at, now)).collect(),
            switch: switch(frame, &action, one.active, "This schedule"),
        });
    }
    Ok(all)
}

fn about(it: &Deployment, now: Timestamp) -> Vec<Pair> {
    let mut all = Vec::new();
    let mut put = |name: &'static str, value: Option<Html>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let name = Html::fixed(name);
            all.push(Pair { name, value });
        }
    };
    put("Version", it.version.as_deref().map(short));
    put("Entry point", it.entrypoint.as_deref().map(short));
    put("Path", it.path.as_deref().map(short));
    put("Work pool", Some(super::pool(it)));
    put("Queue", it.work_queue_name.as_deref().map(short));
    let kind = it.infrastructure.kind.as_ref();
    put("Runs as", kind.map(|kind| short(kind.word())));
    let limit = it.concurrency.limit;
    put("At once", limit.map(|limit| Html::of(limit.to_string())));
    put("Created", Some(times::when(it.created, now)));
    put("Changed", Some(times::when(it.updated, now)));
    let by = it.created_by.as_ref();
    put("By", by.map(|by| short(&by.name)));
    put(
        "Id",
        Some(Html::of(format!("<code class=\"sel\">{}</code>", it.id))),
    );
    all
}
