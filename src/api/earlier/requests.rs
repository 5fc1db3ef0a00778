//! Fields of requests that mean what others mean now.

use crate::api::json::{JsonValue, Members};

/// Fields of deployments, and of their schedules, that mean nothing any more.
const LEFT_BEHIND: [&str; 3] = ["manifest_path", "max_active_runs", "catchup"];

/// Turns a body into today's words. `operation` is what it asks, such as `POST /deployments/`.
pub fn translate(operation: &str, body: &mut JsonValue<'_>) {
    match operation {
        "POST /deployments/" => of(body, new_deployment),
        "PATCH /deployments/{id}" => of(body, deployment),
        "POST /deployments/{id}/schedules" => each(body, left_behind),
        "PATCH /deployments/{id}/schedules/{schedule_id}" => of(body, left_behind),
        _ => {}
    }
}

fn of(body: &mut JsonValue<'_>, change: impl FnOnce(&mut Members<'_>)) {
    if let JsonValue::Object(members) = body {
        change(members);
    }
}

fn each(body: &mut JsonValue<'_>, change: impl Fn(&mut Members<'_>)) {
    if let JsonValue::Array(items) = body {
        items.iter_mut().for_each(|item| of(item, &change));
    }
}

fn left_behind(members: &mut Members<'_>) {
    for name in LEFT_BEHIND {
        members.take(name);
    }
}

/// Whoever does not say that a schema is enforced may send one that is none.
fn new_deployment(members: &mut Members<'_>) {
    deployment(members);
    supply(members, "enforce_parameter_schema", JsonValue::Bool(false));
}

/// A deployment had one schedule, was told whether to follow it, and overrode its infrastructure.
/// What is said in today's words as well counts.
fn deployment(members: &mut Members<'_>) {
    left_behind(members);
    if let Some(overrides) = members.take("infra_overrides") {
        supply(members, "job_variables", overrides);
    }
    if let Some(JsonValue::Bool(active)) = members.take("is_schedule_active") {
        supply(members, "paused", JsonValue::Bool(!active));
    }
    if let Some(schedule) = members.take("schedule") {
        supply_schedule(members, schedule);
    }
    if let Some(schedules) = members.get_mut("schedules") {
        each(schedules, left_behind);
    }
}

/// Sets a field that is not said, or null.
fn supply<'a>(members: &mut Members<'a>, name: &'static str, value: JsonValue<'a>) {
    if members.get(name).is_none_or(JsonValue::is_null) {
        members.take(name);
        members.put(name, value);
    }
}

/// The schedule is the only one, unless there are others; null is none.
fn supply_schedule<'a>(members: &mut Members<'a>, schedule: JsonValue<'a>) {
    let others = members.take("schedules");
    let has_others = matches!(&others, Some(JsonValue::Array(items)) if !items.is_empty());
    let schedules = match (others, schedule) {
        (Some(others), _) if has_others => others,
        (_, JsonValue::Null) => JsonValue::Array(Vec::new()),
        (_, schedule) => {
            let mut item = Members::default();
            item.put("schedule", schedule);
            JsonValue::Array(vec![JsonValue::Object(item)])
        }
    };
    members.put("schedules", schedules);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::json::parse;

    fn translated(operation: &str, body: &Value) -> Value {
        let text = body.to_string();
        let mut body = parse(&text).unwrap();
        translate(operation, &mut body);
        Value::from(&body)
    }

    #[test]
    fn deployments_are_said_in_todays_words() {
        let daily = json!({ "cron": "0 6 * * *", "timezone": "UTC", "day_or": true });
        let hourly = json!({ "interval": 3600.0 });
        for (said, meant) in [
            (json!({ "name": "d" }), json!({ "name": "d" })),
            (
                json!({ "manifest_path": null, "infra_overrides": { "env.A": "1" } }),
                json!({ "job_variables": { "env.A": "1" } }),
            ),
            (
                json!({ "infra_overrides": { "a": 1 }, "job_variables": { "b": 2 } }),
                json!({ "job_variables": { "b": 2 } }),
            ),
            (
                json!({ "infra_overrides": { "a": 1 }, "job_variables": null }),
                json!({ "job_variables": { "a": 1 } }),
            ),
            (
                json!({ "schedule": daily, "is_schedule_active": false }),
                json!({ "paused": true, "schedules": [{ "schedule": daily }] }),
            ),
            (
                json!({ "schedule": null, "is_schedule_active": true }),
                json!({ "paused": false, "schedules": [] }),
            ),
            (json!({ "is_schedule_active": null }), json!({})),
            (
                json!({ "paused": true, "is_schedule_active": true }),
                json!({ "paused": true }),
            ),
            (
                json!({ "schedule": daily, "schedules": [] }),
                json!({ "schedules": [{ "schedule": daily }] }),
            ),
            (
                json!({ "schedule": null, "schedules": [{ "schedule": hourly, "active": false,
                    "max_active_runs": null, "catchup": false }] }),
                json!({ "schedules": [{ "schedule": hourly, "active": false }] }),
            ),
        ] {
            assert_eq!(
                translated("PATCH /deployments/{id}", &said),
                meant,
                "{said}"
            );
            let mut created = meant;
            created["enforce_parameter_schema"] = false.into();
            assert_eq!(translated("POST /deployments/", &said), created, "{said}");
            assert_eq!(translated("POST /flows/", &said), said);
        }
    }

    #[test]
    fn schedules_lose_what_means_nothing() {
        let said = json!({ "active": true, "catchup": false, "max_active_runs": 3 });
        let meant = json!({ "active": true });
        let one = "PATCH /deployments/{id}/schedules/{schedule_id}";
        assert_eq!(translated(one, &said), meant);
        let more = "POST /deployments/{id}/schedules";
        assert_eq!(
            translated(more, &json!([said, said])),
            json!([meant, meant])
        );
    }

    #[test]
    fn what_is_no_such_body_stays_as_it_is() {
        for odd in [json!([1, "x"]), json!("x"), json!({ "schedules": 1 })] {
            for operation in [
                "PATCH /deployments/{id}",
                "POST /deployments/{id}/schedules",
            ] {
                assert_eq!(translated(operation, &odd), odd);
            }
        }
    }
}
