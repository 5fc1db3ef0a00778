//! Routes of automations.

pub mod wire;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::error::{Fault, Refusal};
use super::extract::{Body, Id};
use super::{Answer, made, no_content, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::automation::jinja;
use crate::domain::error::{Error, Kind};
use crate::domain::ids::AutomationId;
use wire::{
    Automation, AutomationChanges, AutomationCreate, AutomationQuery, AutomationUpdate, Template,
};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/automations/", "Creates an automation")
            .asks::<AutomationCreate>()
            .makes::<Automation>()
            .needs(Need::Operate, create),
        Operation::post("/automations/filter", "Finds automations")
            .asks::<AutomationQuery>()
            .lists::<Automation>()
            .needs(Need::Read, filter),
        Operation::post("/automations/count", "Counts automations")
            .asks::<AutomationQuery>()
            .tells("integer")
            .needs(Need::Read, count),
        Operation::get("/automations/{id}", "Reads an automation")
            .answers::<Automation>()
            .needs(Need::Read, read),
        Operation::put("/automations/{id}", "Replaces an automation")
            .asks::<AutomationUpdate>()
            .is_silent()
            .needs(Need::Operate, replace),
        Operation::patch("/automations/{id}", "Turns an automation on or off")
            .asks::<AutomationChanges>()
            .is_silent()
            .needs(Need::Operate, change),
        Operation::delete("/automations/{id}", "Deletes an automation")
            .is_silent()
            .needs(Need::Operate, delete),
        Operation::get(
            "/automations/related-to/{resource_id}",
            "Lists the automations that have to do with a resource",
        )
        .lists::<Automation>()
        .needs(Need::Read, related),
        Operation::delete(
            "/automations/owned-by/{resource_id}",
            "Deletes the automations that go with a resource",
        )
        .tells("any")
        .needs(Need::Operate, delete_owned),
        Operation::post("/templates/validate", "Says whether a template is one")
            .asks::<Template>()
            .tells("any")
            .needs(Need::Read, validate),
        Operation::post(
            "/automations/templates/validate",
            "Says whether a template is one",
        )
        .asks::<Template>()
        .tells("any")
        .needs(Need::Read, validate),
    ]
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(create): Body<AutomationCreate>,
) -> Answer {
    let automation = ctx.app.create_automation(create.into()).await?;
    made(&who, Automation::from(automation)).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let automation = ctx.app.automation(AutomationId::from_uuid(id)).await?;
    ok(&who, Automation::from(automation)).await
}

pub async fn filter(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<AutomationQuery>,
) -> Answer {
    let (filters, sort, page) = query.parts()?;
    let found = ctx.app.automations(filters, sort, page).await?.into_iter();
    ok(&who, found.map(Automation::from).collect::<Vec<_>>()).await
}

pub async fn count(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<AutomationQuery>,
) -> Answer {
    ok(&who, ctx.app.count_automations(query.parts()?.0).await?).await
}

pub async fn replace(
    State(ctx): State<Ctx>,
    Id(id): Id,
    Body(update): Body<AutomationUpdate>,
) -> Answer {
    let id = AutomationId::from_uuid(id);
    ctx.app.replace_automation(id, update.into()).await?;
    no_content()
}

pub async fn change(
    State(ctx): State<Ctx>,
    Id(id): Id,
    Body(changes): Body<AutomationChanges>,
) -> Answer {
    let id = AutomationId::from_uuid(id);
    let done = ctx.app.enable_automation(id, changes.enabled).await;
    done.map_err(of_the_whole)?;
    no_content()
}

/// What is wrong with an automation that is stored is no fault of the body, and told as if it were
/// one: the reference reads the whole anew.
fn of_the_whole(error: Error) -> Refusal {
    match error.kind() {
        Kind::Invalid => Refusal::at(Fault {
            loc: Vec::new(),
            message: format!("Value error, {}", error.message()),
            kind: "value_error",
        }),
        _ => error.into(),
    }
}

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    ctx.app
        .delete_automation(AutomationId::from_uuid(id))
        .await?;
    no_content()
}

pub async fn related(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(resource): Path<String>,
) -> Answer {
    let found = ctx.app.automations_of_resource(resource).await?.into_iter();
    ok(&who, found.map(Automation::from).collect::<Vec<_>>()).await
}

/// 202 whether or not there are any, as on the reference.
pub async fn delete_owned(State(ctx): State<Ctx>, Path(resource): Path<String>) -> Answer {
    ctx.app.delete_automations_of_resource(resource).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(())).into_response())
}

/// 204, or what is wrong with it, as the reference says it.
pub async fn validate(Body(template): Body<Template>) -> Answer {
    match jinja::check(&template.0) {
        Ok(()) => no_content(),
        Err(message) => {
            let fault = serde_json::json!({
                "error": { "line": 1, "message": message, "source": template.0 },
            });
            Ok((StatusCode::UNPROCESSABLE_ENTITY, axum::Json(fault)).into_response())
        }
    }
}
