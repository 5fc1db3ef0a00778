//! Routes of artifacts.

pub mod filter;
pub mod wire;

use axum::extract::{Path, State};

use super::extract::{Aimed, Body, Id};
use super::{Answer, made, no_content, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::ids::ArtifactId;
use filter::{ArtifactQuery, LatestQuery};
use wire::{Artifact, ArtifactChanges, ArtifactCreate, LatestArtifact};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/artifacts/", "Leaves an artifact")
            .asks::<ArtifactCreate>()
            .makes::<Artifact>()
            .aims(create),
        Operation::post("/artifacts/filter", "Finds artifacts")
            .asks::<ArtifactQuery>()
            .lists::<Artifact>()
            .needs(Need::Read, find),
        Operation::post("/artifacts/count", "Counts artifacts")
            .asks::<ArtifactQuery>()
            .tells("integer")
            .needs(Need::Read, count),
        Operation::post(
            "/artifacts/latest/filter",
            "Finds the latest artifacts of keys",
        )
        .asks::<LatestQuery>()
        .lists::<LatestArtifact>()
        .needs(Need::Read, find_latest),
        Operation::post("/artifacts/latest/count", "Counts keys of artifacts")
            .asks::<LatestQuery>()
            .tells("integer")
            .needs(Need::Read, count_latest),
        Operation::get("/artifacts/{id}", "Reads an artifact")
            .answers::<Artifact>()
            .needs(Need::Read, read),
        Operation::patch("/artifacts/{id}", "Changes an artifact")
            .asks::<ArtifactChanges>()
            .is_silent()
            .aims(update),
        Operation::delete("/artifacts/{id}", "Deletes an artifact")
            .is_silent()
            .needs(Need::Operate, delete),
        // The word lies where ids do, as routers need it.
        Operation::get(
            "/artifacts/{id}/latest",
            "Reads the latest artifact of a key",
        )
        .answers::<Artifact>()
        .needs(Need::Read, read_latest),
    ]
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Aimed { at: (), asked }: Aimed<ArtifactCreate>,
) -> Answer {
    let artifact = ctx.app.create_artifact(asked).await?;
    made(&who, Artifact::from(artifact)).await
}

pub async fn find(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<ArtifactQuery>,
) -> Answer {
    let (filters, sort, page) = query.parts()?;
    let found = ctx.app.artifacts(filters, sort, page).await?.into_iter();
    ok(&who, found.map(Artifact::from).collect::<Vec<_>>()).await
}

pub async fn count(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<ArtifactQuery>,
) -> Answer {
    ok(&who, ctx.app.count_artifacts(query.parts()?.0).await?).await
}

pub async fn find_latest(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<LatestQuery>,
) -> Answer {
    let (filters, sort, page) = query.parts()?;
    let found = ctx.app.latest_artifacts(filters, sort, page).await?;
    let found = found.into_iter().map(LatestArtifact::from);
    ok(&who, found.collect::<Vec<_>>()).await
}

pub async fn count_latest(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<LatestQuery>,
) -> Answer {
    let count = ctx.app.count_latest_artifacts(query.parts()?.0).await?;
    ok(&who, count).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let artifact = ctx.app.artifact(ArtifactId::from_uuid(id)).await?;
    ok(&who, Artifact::from(artifact)).await
}

/// As on the reference the answer has the collection's id.
pub async fn read_latest(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(key): Path<String>,
) -> Answer {
    let latest = ctx.app.latest_artifact(key).await?;
    ok(&who, Artifact::from(latest)).await
}

pub async fn update(
    State(ctx): State<Ctx>,
    Aimed { at, asked }: Aimed<ArtifactChanges, ArtifactId>,
) -> Answer {
    ctx.app.update_artifact(at, asked).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    ctx.app.delete_artifact(ArtifactId::from_uuid(id)).await?;
    no_content()
}
