//! The daemon itself: how it is, what is wrong with the machine, its settings, a backup.

use askama::Template;
use axum::extract::State;

use super::answer::{Answer, ok};
use super::show::json::Pair;
use super::show::{Html, bytes, json, lines, number, short, text, times};
use super::visitor::{Frame, Visitor};
use crate::api::{Ctx, Need, Operation};
use crate::domain::access::MASK;
use crate::domain::checkup::{Check, CheckResult};
use crate::domain::settings::Effective;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/daemon", "Shows the daemon itself").needs(Need::Inspect, show),
        Operation::get("/settings", "Leads to the daemon").needs(Need::Inspect, old),
    ]
}

async fn old() -> Answer {
    Ok(super::answer::moved("/daemon"))
}

struct Found {
    class: &'static str,
    icon: &'static str,
    word: &'static str,
    name: Html,
    found: Html,
    advice: Html,
}

struct Setting {
    key: Html,
    value: Html,
    source: Html,
}

#[derive(Template)]
#[template(path = "daemon.html")]
struct DaemonPage {
    frame: Frame,
    trouble: Option<Html>,
    tiles: Vec<(&'static str, String)>,
    listens: Vec<Pair>,
    checks: Option<Vec<Found>>,
    settings: Vec<Setting>,
    has_official: bool,
    official: &'static str,
}

async fn show(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    let vitals = ctx.app.vitals().await?;
    let runs: u64 = vitals.runs.iter().map(|(_, count)| count).sum();
    let up = times::length(ctx.app.now() - ctx.about.started());
    let checks = match visitor.asked("doctor") {
        Some(_) => Some(examined(&ctx).await),
        None => None,
    };
    let may_see = visitor.may_act();
    let settings = ctx.host.settings();
    ok(&DaemonPage {
        frame: visitor.frame(&ctx, "daemon", "Daemon").await?,
        trouble: ctx.app.storage_trouble().map(|words| text(&words)),
        tiles: vec![
            ("Up", up),
            ("Version", ctx.about.version().to_owned()),
            ("Process", std::process::id().to_string()),
            ("Database", bytes(ctx.app.database_bytes())),
            ("Flow runs", number(runs)),
            ("Agents", vitals.agents.len().to_string()),
        ],
        listens: listens(&ctx),
        checks,
        settings: settings.iter().map(|one| setting(one, may_see)).collect(),
        has_official: super::official::is_there(&ctx.bundle).await,
        official: match ctx.bundle.is_at_root {
            true => "../",
            false => "/ui/",
        },
    })
}

async fn examined(ctx: &Ctx) -> Vec<Found> {
    let (database, host) = tokio::join!(ctx.app.examine_database(), ctx.host.examine());
    database.iter().chain(&host).map(found).collect()
}

fn found(check: &Check) -> Found {
    let (class, icon, word) = match check.verdict {
        CheckResult::Ok => ("ok", "completed", "Ok"),
        CheckResult::Warn => ("warn", "warn", "Warning"),
        CheckResult::Fail => ("fail", "failed", "Fails"),
        CheckResult::Skip => ("skip", "skip", "Not looked at"),
    };
    Found {
        class,
        icon,
        word,
        name: short(&check.name),
        found: lines(&check.found),
        advice: lines(check.advice.as_deref().unwrap_or_default()),
    }
}

fn listens(ctx: &Ctx) -> Vec<Pair> {
    let pair = |name: &'static str, value: &str| Pair {
        name: Html::fixed(name),
        value: Html::of(format!("<code>{}</code>", text(value))),
    };
    let about = &ctx.about;
    let mut all = vec![
        pair("Socket", &about.socket().display().to_string()),
        pair("State", &about.state_dir().display().to_string()),
    ];
    all.extend(about.listeners().iter().map(|url| pair("HTTP", url)));
    all
}

/// Whoever only looks sees which settings there are, and not what is said in them.
fn setting(one: &Effective, may_see: bool) -> Setting {
    Setting {
        key: short(&one.key),
        value: match may_see {
            true => json::shown(&one.value),
            false => Html::fixed(MASK),
        },
        source: short(&one.source),
    }
}
