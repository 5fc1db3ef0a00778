//! What a run is: where it comes from, who began it, what was made for it.

use crate::domain::actor::ActorKind;
use crate::domain::flow_run::FlowRun;
use crate::domain::node::OnCluster;
use crate::domain::time::Timestamp;
use crate::pages::names::Names;
use crate::pages::show::json::Pair;
use crate::pages::show::{Html, in_address, short, text, times};

/// The facts, those that there are.
pub fn pairs(run: &FlowRun, names: &Names, place: Option<OnCluster>, now: Timestamp) -> Vec<Pair> {
    let mut all = Vec::new();
    let mut put = |name: &'static str, value: Option<Html>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let name = Html::fixed(name);
            all.push(Pair { name, value });
        }
    };
    put(
        "Flow",
        Some(link(
            &format!("/flows/flow/{}", run.flow_id),
            &names.flow(run.flow_id),
        )),
    );
    put(
        "Deployment",
        run.deployment_id.and_then(|id| {
            let name = names.deployment(id)?;
            Some(link(&format!("/deployments/deployment/{id}"), &name))
        }),
    );
    put("Version", run.flow_version.as_deref().map(short));
    put("Begun by", begun_by(run));
    put("Created", Some(times::when(run.created, now)));
    put(
        "Queue",
        run.queue.as_ref().map(|queue| {
            let pool = format!("/work-pools/work-pool/{}", in_address(&queue.pool_name));
            let pool = link(&pool, &short(&queue.pool_name));
            Html::of(format!("{pool} / {}", short(&queue.name)))
        }),
    );
    put("Agent", run.claim.as_ref().map(|claim| short(&claim.agent)));
    put("Runs in", made(run));
    put(
        "Node",
        place.and_then(|place| match place {
            OnCluster::Node(name) => Some(short(&name)),
            OnCluster::Unplaced(_) => None,
        }),
    );
    put(
        "Parent",
        run.parent_task_run_id
            .map(|id| link(&format!("/runs/task-run/{id}"), &Html::fixed("a task run"))),
    );
    put(
        "Id",
        Some(Html::of(format!("<code class=\"sel\">{}</code>", run.id))),
    );
    all
}

fn link(href: &str, text: &Html) -> Html {
    Html::of(format!(
        "<a class=\"link\" href=\"{href}\"><bdi>{text}</bdi></a>"
    ))
}

fn begun_by(run: &FlowRun) -> Option<Html> {
    let Some(by) = &run.created_by else {
        return run.auto_scheduled.then(|| Html::fixed("a schedule"));
    };
    let kind = match by.kind {
        ActorKind::User => "",
        ActorKind::FlowRun => "flow run ",
        ActorKind::Deployment => "deployment ",
        ActorKind::Schedule => "schedule ",
        ActorKind::Automation => "automation ",
    };
    Some(Html::of(format!("{kind}<bdi>{}</bdi>", short(&by.name))))
}

fn brief(what: &str, id: &str) -> Html {
    let id: String = id.chars().take(12).collect();
    Html::of(format!("{what} <code>{}</code>", text(&id)))
}

/// What was made for the run.
fn made(run: &FlowRun) -> Option<Html> {
    let claimed = run.claim.as_ref()?.infrastructure_id.as_deref();
    let made = claimed.or(run.infrastructure_pid.as_deref())?;
    Some(match made.split_once(':') {
        Some(("docker", id)) => brief("container", id),
        Some(("swarm", id)) => brief("service", id),
        Some(("process", rest)) => {
            let pid = rest.split(':').next().unwrap_or_default();
            Html::of(format!("process <code>{}</code>", text(pid)))
        }
        _ => short(made),
    })
}
