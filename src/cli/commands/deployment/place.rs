//! Where a deployment's runs are executed, and what.

use serde_json::Value;

use crate::api::v3::wire::Deployment;
use crate::cli::render;

/// In a word or two: its pool, or the kind of its flow runner.
pub fn told_of(it: &Deployment) -> String {
    match (&it.work_pool_name, &it.flow_runner.kind) {
        (Some(pool), _) => format!("pool {pool}"),
        (None, Some(kind)) => kind.clone(),
        (None, None) if it.flow_data.is_some() => "subprocess".to_owned(),
        // Nobody else may execute what has neither.
        (None, None) => "serve()".to_owned(),
    }
}

/// The same with what was set for it.
pub fn told_whole(it: &Deployment) -> String {
    let mut place = told_of(it);
    let set = match (&it.work_pool_name, &it.work_queue_name) {
        (None, _) => it.flow_runner.config.clone().unwrap_or_default(),
        (Some(_), queue) => {
            if let Some(queue) = queue {
                place = format!("{place}, queue {queue}");
            }
            it.job_variables.clone()
        }
    };
    let mut told = render::name(&place);
    if !set.is_empty() {
        told = format!("{told}\n{}", render::yaml_of(&Value::Object(set)));
    }
    told
}

/// The file and the function that are its flow, and where they lie; `None` of one that has its
/// flow with it.
pub fn code(it: &Deployment) -> Option<String> {
    let entrypoint = it.entrypoint.as_deref().map(render::name)?;
    Some(match it.path.as_deref().filter(|path| !path.is_empty()) {
        Some(path) => format!("{entrypoint} in {}", render::name(path)),
        None => entrypoint,
    })
}

/// How many of its runs may be executed at once, and what becomes of the others.
pub fn limit(it: &Deployment) -> Option<String> {
    let limit = it.global_concurrency_limit.as_ref()?;
    if !limit.active {
        return Some(format!("{} is off", render::name(&limit.name)));
    }
    let full = it.concurrency_options.as_ref();
    let full = match full.map(|full| full.collision_strategy.as_str()) {
        Some("CANCEL_NEW") => "further ones are cancelled",
        _ => "further ones wait",
    };
    let shared = match limit.id == it.id {
        true => String::new(),
        false => format!("{}, which others may share: ", render::name(&limit.name)),
    };
    Some(format!(
        "{shared}{} at once ({} now), {full}",
        limit.limit, limit.active_slots
    ))
}
