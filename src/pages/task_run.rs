//! One task run: its states, where its arguments came from, what it said.

use askama::Template;
use axum::extract::State;

use super::answer::{Answer, moved, ok};
use super::path::Id;
use super::run::log::{Line, lines_of_task};
use super::show::json::{Pair, pairs};
use super::show::state::Look;
use super::show::{Html, short, times};
use super::visitor::{Frame, Visitor};
use crate::api::{Ctx, Need, Operation};
use crate::domain::ids::TaskRunId;
use crate::domain::task_run::TaskRun;
use crate::domain::time::Timestamp;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/runs/task-run/{id}", "Shows a task run").needs(Need::Inspect, show),
        Operation::get("/task-runs/task-run/{id}", "Leads to a task run").needs(Need::Inspect, old),
        Operation::get("/flow-runs/task-run/{id}", "Leads to a task run").needs(Need::Inspect, old),
    ]
}

async fn old(Id(id): Id<TaskRunId>) -> Answer {
    Ok(moved(&format!("/runs/task-run/{id}")))
}

struct Step {
    look: Look,
    at: Html,
    note: Html,
}

#[derive(Template)]
#[template(path = "task_run.html")]
struct TaskRunPage {
    frame: Frame,
    name: Html,
    badge: Html,
    parent: Option<(String, Html)>,
    steps: Vec<Step>,
    about: Vec<Pair>,
    inputs: Vec<Pair>,
    lines: Vec<Line>,
}

async fn show(State(ctx): State<Ctx>, Id(id): Id<TaskRunId>, visitor: Visitor) -> Answer {
    let (run, parent) = ctx.app.task_run_in_flow_run(id).await?;
    let run = visitor.masked(run).await?;
    let states = visitor.masked(ctx.app.task_run_states(id).await?).await?;
    let now = ctx.app.now();
    let look = Look::of(run.state.as_ref());
    let steps = states.iter().map(|state| Step {
        look: Look::of(Some(state)),
        at: times::when(state.timestamp, now),
        note: short(state.message.as_deref().unwrap_or_default().trim()),
    });
    let flow_run = run.spec.flow_run_id;
    ok(&TaskRunPage {
        frame: visitor.frame(&ctx, "runs", &run.spec.name).await?,
        name: short(&run.spec.name),
        badge: look.badge(),
        parent: flow_run.map(|id| {
            let name = parent.as_deref().unwrap_or("its flow run");
            (format!("/runs/flow-run/{id}"), short(name))
        }),
        steps: steps.collect(),
        about: about(&run, now),
        inputs: pairs(&run.spec.task_inputs),
        lines: lines_of_task(&ctx, &visitor, id).await?,
    })
}

fn about(run: &TaskRun, now: Timestamp) -> Vec<Pair> {
    let times = &run.statistics;
    let run_time = times.estimated_run_time(run.state.as_ref(), now);
    let mut all = Vec::new();
    let mut put = |name: &'static str, value: Option<Html>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let name = Html::fixed(name);
            all.push(Pair { name, value });
        }
    };
    put("Task", Some(short(&run.spec.task_key)));
    put("Began", times.start_time.map(|at| times::when(at, now)));
    put(
        "Took",
        times.start_time.map(|_| Html::of(times::length(run_time))),
    );
    put("Attempts", Some(Html::of(times.run_count.to_string())));
    let retries = run.spec.policy.max_retries;
    put(
        "Retries",
        (retries > 0).then(|| Html::of(retries.to_string())),
    );
    put("Cached as", run.spec.cache_key.as_deref().map(short));
    put("Tags", Some(short(&run.spec.tags.join(", "))));
    put(
        "Id",
        Some(Html::of(format!("<code class=\"sel\">{}</code>", run.id))),
    );
    all
}
