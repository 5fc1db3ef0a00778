//! What `prefectctl doctor` has the daemon look at.

use axum::extract::State;

use super::super::{About, Ctx};
use super::extract::Body;
use super::wire::{Check, CheckupIn};
use super::{Answer, ok};
use crate::domain::checkup;
use crate::domain::time::{Span, Timestamp};

/// A clock that jumped less than this was only corrected.
const JUMP: Span = Span::from_micros(5_000_000);

/// Looks at everything, which may take a minute: a container is started.
pub async fn checkup(State(ctx): State<Ctx>, Body(asked): Body<CheckupIn>) -> Answer {
    let image = match asked.image {
        Some(image) => Some(image),
        None => ctx.app.usual_image().await?,
    };
    let mut checks = ctx.app.examine_database().await;
    checks.push(clock(&ctx.about, ctx.app.now()));
    checks.extend(ctx.premises.examine(image).await);
    ok(checks.into_iter().map(Check::from).collect::<Vec<_>>())
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
