//! The routes of the 2.0a7 dialect, each noun's declared beside its handlers.

use super::shapes::{SHAPES, like};
use super::{
    admin, data, deployments, flow_runs, flows, logs, saved_searches, settings, states, task_runs,
};
use crate::api::dialect::ORION;
use crate::api::operation::Routes;

/// Every route.
pub fn all() -> Routes {
    let nouns = [
        admin::operations,
        settings::operations,
        data::operations,
        flows::operations,
        deployments::operations,
        flow_runs::operations,
        task_runs::operations,
        states::operations,
        saved_searches::operations,
        logs::operations,
    ];
    let shapes = SHAPES.iter();
    let shapes = shapes.map(|(name, fields)| (format!("orion.{name}"), like(fields)));
    Routes::below(ORION, nouns.into_iter().flat_map(|noun| noun()).collect())
        .with_shapes(shapes.collect())
        .with_words_as_ids()
}
