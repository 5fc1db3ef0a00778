//! Routes of what is known of collections: the types of workers, and the templates of the jobs
//! that they make.

use std::sync::LazyLock;

use axum::extract::{Path, State};
use serde_json::Value;

use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::error::{Error, Kind};

/// The types of workers by collection, each with the base job template that a pool of that type
/// begins with. Keys, types, defaults and placeholders are those of Prefect 3.9.1, but for those of
/// `docker-swarm`, which is ours.
static WORKERS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("workers.json")).unwrap_or_default());

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/collections/views/{view}",
            "Tells what is known of collections; the view is aggregate-worker-metadata",
        )
        .tells("object")
        .needs(Need::Read, view),
    ]
}

pub async fn view(State(_): State<Ctx>, who: Requester, Path(view): Path<String>) -> Answer {
    match view.as_str() {
        "aggregate-worker-metadata" => ok(&who, WORKERS.clone()).await,
        other => {
            let words = format!("View {other} not found in registry");
            Err(Error::new(Kind::NotFound, words).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::template::check_base;

    #[test]
    fn every_type_of_worker_has_a_template_that_a_pool_may_have() {
        let mut kinds = Vec::new();
        for collection in WORKERS.as_object().unwrap().values() {
            for (kind, of) in collection.as_object().unwrap() {
                assert_eq!(of["type"], *kind);
                let template = of["default_base_job_configuration"].as_object().unwrap();
                check_base(template).unwrap();
                kinds.push(kind.as_str());
            }
        }
        for kind in [
            "process",
            "docker",
            "docker-swarm",
            "kubernetes",
            "ecs",
            "vertex-ai",
        ] {
            assert!(kinds.contains(&kind), "{kind}");
        }
        assert_eq!(kinds.len(), 9);
    }
}
