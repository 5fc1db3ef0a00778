//! What `prefectctl doctor` has the daemon look at.

pub mod wire;

use axum::extract::State;

use super::extract::Body;
use super::{Answer, ok};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::api::{About, Ctx};
use crate::domain::access::Need;
use crate::domain::checkup::{self, CheckResult};
use crate::domain::error::Result;
use crate::domain::time::{Span, Timestamp};
use wire::{Check, CheckupIn, CheckupPlan, Part, Setting};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/prefectd/doctor",
            "Looks at the database, the engine, and the API from within a container",
        )
        .asks::<CheckupIn>()
        .lists::<Check>()
        .needs(Need::Operate, checkup),
        Operation::get(
            "/prefectd/doctor",
            "Tells which images and networks a checkup looks at",
        )
        .answers::<CheckupPlan>()
        .needs(Need::Operate, plan),
        Operation::get(
            "/prefectd/settings",
            "Tells the settings that are in force, and who said each",
        )
        .lists::<Setting>()
        .needs(Need::Operate, settings),
    ]
}

/// The most images, and the most networks, that one checkup looks at: each takes a container and
/// some seconds, or minutes on a machine that is busy.
const MOST_LOOKED_AT: usize = 10;

/// A clock that jumped less than this was only corrected.
const JUMP: Span = Span::from_micros(5_000_000);

/// Looks at a part, or at everything, which may take minutes: containers are started.
pub async fn checkup(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(asked): Body<CheckupIn>,
) -> Answer {
    let mut checks = Vec::new();
    if matches!(asked.part, None | Some(Part::Machine)) {
        checks.extend(ctx.app.examine_database().await);
        checks.push(clock(&ctx.about, ctx.app.now()));
        checks.extend(ctx.host.examine().await);
    }
    let engine = checks.iter().find(|check| check.name == "engine");
    let is_usable = engine.is_none_or(|engine| engine.verdict == CheckResult::Ok);
    match (asked.part, is_usable) {
        (Some(Part::Machine), _) | (None, false) => {}
        (Some(Part::Cluster), _) => {
            let image = match asked.image {
                Some(image) => Some(image),
                None => planned(&ctx).await?.cluster_images.into_iter().next(),
            };
            if let Some(image) = image {
                checks.extend(ctx.host.examine_nodes(image).await);
            }
        }
        (Some(Part::Container), _) => {
            let image = match asked.image {
                Some(image) => Some(image),
                None => planned(&ctx).await?.images.into_iter().next(),
            };
            checks.extend(container(&ctx, image, asked.network).await);
        }
        (None, true) => {
            let plan = planned(&ctx).await?;
            if asked.image.is_none() {
                checks.extend(plan.left_out());
            }
            let images = asked.image.map_or(plan.images, |image| vec![image]);
            let first = images.first().cloned();
            for image in images {
                checks.extend(container(&ctx, Some(image), None).await);
            }
            for image in plan.cluster_images {
                checks.extend(ctx.host.examine_nodes(image).await);
            }
            for network in plan.networks {
                let looked_at = ctx.host.examine_container(first.clone(), Some(network));
                checks.extend(looked_at.await);
            }
        }
    }
    ok(
        &who,
        checks.into_iter().map(Check::from).collect::<Vec<_>>(),
    )
    .await
}

/// Looks from within a container where containers are: on the engine, or on each node.
async fn container(
    ctx: &Ctx,
    image: Option<String>,
    network: Option<String>,
) -> Vec<checkup::Check> {
    match (image, network) {
        (Some(image), None) if ctx.host.is_on_cluster() => ctx.host.examine_nodes(image).await,
        (image, network) => ctx.host.examine_container(image, network).await,
    }
}

/// Tells which containers are worth a look.
pub async fn plan(State(ctx): State<Ctx>, who: Requester) -> Answer {
    ok(&who, planned(&ctx).await?).await
}

async fn planned(ctx: &Ctx) -> Result<CheckupPlan> {
    let mut networks = ctx.app.networks_in_use().await?;
    // It is that of most containers.
    let of_all = by_default(ctx).filter(|network| !networks.contains(network));
    networks.splice(..0, of_all);
    let mut images = ctx.app.images_in_use(ctx.host.pool_image()).await?;
    let mut on_cluster = ctx.app.images_on_cluster(ctx.host.pool_image()).await?;
    if images.is_empty() && on_cluster.is_empty() {
        images.push(ctx.host.pool_image());
    }
    if ctx.host.is_on_cluster() {
        images.retain(|image| !on_cluster.contains(image));
        on_cluster.append(&mut images);
    }
    on_cluster.truncate(MOST_LOOKED_AT);
    let cut = |all: &mut Vec<String>| {
        let left_out = all.len().saturating_sub(MOST_LOOKED_AT);
        all.truncate(MOST_LOOKED_AT);
        left_out as u64
    };
    Ok(CheckupPlan {
        images_left_out: cut(&mut images),
        networks_left_out: cut(&mut networks),
        cluster_images: on_cluster,
        images,
        networks,
    })
}

/// The network of containers whose deployment names none, where it is not Docker's own default.
fn by_default(ctx: &Ctx) -> Option<String> {
    let mut settings = ctx.host.settings().into_iter();
    let mode = settings.find(|setting| setting.key == "docker.defaults.network_mode")?;
    let mode = mode.value.as_str().filter(|_| mode.source != "default");
    mode.filter(|mode| !["bridge", "default"].contains(mode))
        .map(str::to_owned)
}

/// Tells the settings that are in force.
pub async fn settings(State(ctx): State<Ctx>, who: Requester) -> Answer {
    let settings = ctx.host.settings().into_iter();
    ok(&who, settings.map(Setting::from).collect::<Vec<_>>()).await
}

fn clock(about: &About, now: Timestamp) -> checkup::Check {
    let jump = about.clock_jump(now);
    if jump.micros().abs() < JUMP.micros() {
        return checkup::Check::ok("clock", "it has gone evenly since the daemon started");
    }
    checkup::Check::warn(
        "clock",
        format!(
            "it was set by {} s since the daemon started",
            jump.whole_secs()
        ),
        "times of runs before and after do not fit together; see that the clock is synchronised",
    )
}
