//! What Prefect's clients ask of the server itself: versions, settings, the storage of results,
//! and whether anybody is there.

mod settings;
pub mod wire;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::json;

use super::error::{Fault, Refusal};
use super::extract::{Body, in_query};
use super::{Answer, no_content, ok};
use crate::api::access::Requester;
use crate::api::client::prefect_version;
use crate::api::{Ctx, Operation, versions};
use crate::domain::access::Need;
use crate::domain::error::{Error, Kind};
use crate::domain::ids::BlockDocumentId;
use wire::{ResultStorage, ResultStorageUpdate};

/// The Prefect whose server this is to callers that do not say theirs.
const PREFECT: &str = "3.9.1";
/// The major versions of the clients that are served.
const SERVED: [&str; 2] = ["2", "3"];

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/health", "Tells that the process answers")
            .tells("boolean")
            .needs(Need::Open, health),
        Operation::get("/ready", "Tells that the database takes writes")
            .tells("object")
            .needs(Need::Read, ready),
        Operation::get("/hello", "Waves")
            .tells("string")
            .needs(Need::Read, hello),
        Operation::get("/version", "Tells the version of the API")
            .tells("string")
            .needs(Need::Read, version),
        Operation::get("/csrf-token", "Tells that no tokens are needed")
            .asks_query("client")
            .tells("object")
            .needs(Need::Open, csrf_token),
        Operation::get(
            "/admin/version",
            "Tells the version of Prefect that is spoken",
        )
        .tells("string")
        .needs(Need::Read, prefect),
        Operation::get("/admin/settings", "Tells what a Prefect server is set to")
            .tells("object")
            .needs(Need::Inspect, settings),
        Operation::get(
            "/admin/storage",
            "Tells where results are stored by default",
        )
        .answers::<ResultStorage>()
        .needs(Need::Read, storage),
        Operation::put("/admin/storage", "Says where results are stored by default")
            .asks::<ResultStorageUpdate>()
            .answers::<ResultStorage>()
            .needs(Need::Operate, set_storage),
        Operation::delete("/admin/storage", "Stores results where each client does")
            .is_silent()
            .needs(Need::Operate, clear_storage),
    ]
}

/// True while the process answers.
pub async fn health(who: Requester) -> Answer {
    ok(&who, true).await
}

/// Once a transaction has gone through the writer. Whatever hinders that, the reference says the
/// same of it; a full disk keeps a status of its own.
pub async fn ready(State(ctx): State<Ctx>) -> Answer {
    match ctx.app.check_writer().await {
        Ok(()) => Ok(axum::Json(json!({ "message": "OK" })).into_response()),
        Err(error) if error.kind() == Kind::StorageFull => Err(error.into()),
        Err(error) => {
            tracing::debug!("not ready: {error}");
            let told = axum::Json(json!({ "message": "Database is not available" }));
            Ok((StatusCode::SERVICE_UNAVAILABLE, told).into_response())
        }
    }
}

/// A wave.
pub async fn hello(who: Requester) -> Answer {
    ok(&who, "👋").await
}

/// The version of the API.
pub async fn version(who: Requester) -> Answer {
    ok(&who, versions::VERSION).await
}

/// There are no tokens: what a browser sends for another site is refused by its own headers. A
/// client that hears this asks for none.
pub async fn csrf_token(uri: Uri) -> Answer {
    match in_query(&uri, "client") {
        Some(_) => Err(Error::invalid("CSRF protection is disabled.").into()),
        None => Err(Refusal::at(Fault {
            loc: vec!["query".into(), "client".into()],
            message: "Field required".to_owned(),
            kind: "missing",
        })),
    }
}

/// The caller's own version where its generation is served, so that no client refuses the server
/// or warns of it; else the newest that is.
pub async fn prefect(who: Requester, headers: HeaderMap) -> Answer {
    let is_served = |version: &&str| {
        let major = version.split('.').next();
        major.is_some_and(|major| SERVED.contains(&major))
    };
    let version = prefect_version(&headers).filter(is_served);
    ok(&who, version.unwrap_or(PREFECT).to_owned()).await
}

/// The settings that a Prefect server would have to do what this daemon does.
pub async fn settings(State(ctx): State<Ctx>, who: Requester) -> Answer {
    ok(&who, settings::tree(&ctx.about)).await
}

/// Where results are stored by default.
pub async fn storage(State(ctx): State<Ctx>, who: Requester) -> Answer {
    let id = ctx.app.result_storage().await?;
    let default_result_storage_block_id = id.map(BlockDocumentId::uuid);
    let storage = ResultStorage {
        default_result_storage_block_id,
    };
    ok(&who, storage).await
}

/// Stores them by a block from now on.
pub async fn set_storage(
    state: State<Ctx>,
    who: Requester,
    Body(update): Body<ResultStorageUpdate>,
) -> Answer {
    let id = BlockDocumentId::from_uuid(update.default_result_storage_block_id);
    state.app.set_result_storage(id).await?;
    storage(state, who).await
}

/// Stores them where each client does.
pub async fn clear_storage(State(ctx): State<Ctx>) -> Answer {
    ctx.app.clear_result_storage().await?;
    no_content()
}
