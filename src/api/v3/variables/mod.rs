//! Routes of variables.

pub mod wire;

use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::extract::{Body, Id};
use super::{Answer, made, no_content, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::app::VariableKey;
use crate::domain::access::Need;
use crate::domain::ids::VariableId;
use wire::{Variable, VariableChanges, VariableCreate, VariableQuery};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/variables/", "Creates a variable")
            .asks::<VariableCreate>()
            .makes::<Variable>()
            .needs(Need::Set, create),
        Operation::post("/variables/filter", "Finds variables")
            .asks::<VariableQuery>()
            .lists::<Variable>()
            .needs(Need::Read, filter),
        Operation::post("/variables/count", "Counts variables")
            .asks::<VariableQuery>()
            .tells("integer")
            .needs(Need::Read, count),
        Operation::get("/variables/{id}", "Reads a variable")
            .answers::<Variable>()
            .needs(Need::Read, read),
        Operation::patch("/variables/{id}", "Changes a variable")
            .asks::<VariableChanges>()
            .is_silent()
            .needs(Need::Set, update),
        Operation::delete("/variables/{id}", "Deletes a variable")
            .is_silent()
            .needs(Need::Set, delete),
        Operation::get("/variables/name/{name}", "Reads a variable by its name")
            .answers::<Variable>()
            .needs(Need::Read, read_by_name),
        Operation::patch("/variables/name/{name}", "Changes a variable by its name")
            .asks::<VariableChanges>()
            .is_silent()
            .needs(Need::Set, update_by_name),
        Operation::delete("/variables/name/{name}", "Deletes a variable by its name")
            .is_silent()
            .needs(Need::Set, delete_by_name),
    ]
}

fn of_id(Id(id): Id) -> VariableKey {
    VariableKey::Id(VariableId::from_uuid(id))
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(create): Body<VariableCreate>,
) -> Answer {
    let variable = ctx.app.create_variable(create.into()).await?;
    made(&who, Variable::from(variable)).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, id: Id) -> Answer {
    ok(&who, Variable::from(ctx.app.variable(of_id(id)).await?)).await
}

/// A run is told the value whatever the name: flows look up their settings so.
pub async fn read_by_name(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(name): Path<String>,
) -> Answer {
    let variable = ctx.app.variable(VariableKey::Name(name)).await?;
    Ok(who.told(StatusCode::OK, Variable::from(variable)).await?)
}

pub async fn filter(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<VariableQuery>,
) -> Answer {
    let (filters, sort, page) = query.parts()?;
    let found = ctx.app.variables(filters, sort, page).await?.into_iter();
    ok(&who, found.map(Variable::from).collect::<Vec<_>>()).await
}

pub async fn count(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<VariableQuery>,
) -> Answer {
    ok(&who, ctx.app.count_variables(query.parts()?.0).await?).await
}

pub async fn update(
    State(ctx): State<Ctx>,
    id: Id,
    Body(changes): Body<VariableChanges>,
) -> Answer {
    ctx.app.update_variable(of_id(id), changes.into()).await?;
    no_content()
}

pub async fn update_by_name(
    State(ctx): State<Ctx>,
    Path(name): Path<String>,
    Body(changes): Body<VariableChanges>,
) -> Answer {
    let key = VariableKey::Name(name);
    ctx.app.update_variable(key, changes.into()).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, id: Id) -> Answer {
    ctx.app.delete_variable(of_id(id)).await?;
    no_content()
}

pub async fn delete_by_name(State(ctx): State<Ctx>, Path(name): Path<String>) -> Answer {
    ctx.app.delete_variable(VariableKey::Name(name)).await?;
    no_content()
}
