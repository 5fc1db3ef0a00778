//! What `tests/fuzz` calls: each reader of this dialect over one body.

use super::read::{self, Fields, JsonValue, ReadContext};
use super::wire;

/// Reads a body in every way that a route of this dialect does, and tells the faults.
pub fn read(text: &str) {
    let Ok(given) = read::parse(text) else {
        return;
    };
    if !read::excesses(&given).is_empty() {
        return;
    }
    one(&given, wire::new_deployment);
    one(&given, wire::new_flow);
    one(&given, wire::flow_tags);
    one(&given, wire::new_flow_run);
    one(&given, wire::flow_run_update);
    one(&given, wire::run_request);
    one(&given, wire::new_task_run);
    one(&given, wire::new_log);
    one(&given, wire::new_saved_search);
    one(&given, wire::proposal);
    one(&given, wire::document);
    one(&given, read::timestamp);
    one(&given, read::duration);
    one(&given, read::id(std::convert::identity));
    several(&given, wire::filters);
    several(&given, wire::page);
    several(&given, wire::run_sort);
    several(&given, wire::log_sort);
    several(&given, |fields| Some(wire::log_criteria(fields)));
    several(&given, wire::history);
}

fn one<T>(given: &JsonValue<'_>, reader: impl Fn(&JsonValue<'_>, &mut ReadContext) -> Option<T>) {
    let mut context = ReadContext::default();
    let _ = reader(given, &mut context);
    tell(context);
}

fn several<T>(given: &JsonValue<'_>, reader: impl Fn(&mut Fields<'_, '_>) -> Option<T>) {
    let mut context = ReadContext::default();
    let _ = reader(&mut Fields::of_parameters(given, &mut context));
    tell(context);
}

fn tell(context: ReadContext) {
    let _ = serde_json::to_string(&context.into_issues());
}
