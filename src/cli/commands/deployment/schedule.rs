//! A schedule in a few words.

use serde_json::Value;

use crate::api::v3::wire::Deployment;
use crate::cli::render;

/// Such as `every 1 h 0 min`, `0 6 * * * Europe/Berlin`, or a rule as it is written.
pub fn told(schedule: Option<&Value>) -> String {
    let Some(schedule) = schedule else {
        return "none".to_owned();
    };
    let text = |key: &str| schedule.get(key).and_then(Value::as_str);
    let zone = text("timezone").map(|zone| format!(" {zone}"));
    let zone = zone.unwrap_or_default();
    if let Some(every) = schedule.get("interval").and_then(Value::as_f64) {
        return format!("every {}", render::lasting(every));
    }
    match text("cron").or(text("rrule")) {
        Some(rule) => format!("{rule}{zone}"),
        None => "unknown".to_owned(),
    }
}

/// The same of a deployment that may have several: the first, and how many more there are.
pub fn told_of(deployment: &Deployment) -> String {
    let first = told(deployment.schedule.as_ref());
    match deployment.schedules.len() {
        0 | 1 => first,
        many => format!("{first} and {} more", many - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_is_told() {
        for (schedule, words) in [
            (
                json!({ "interval": 3600.0, "timezone": "UTC" }),
                "every 1 h 0 min",
            ),
            (
                json!({ "cron": "0 6 * * *", "timezone": "Asia/Tokyo" }),
                "0 6 * * * Asia/Tokyo",
            ),
            (
                json!({ "rrule": "FREQ=DAILY", "timezone": null }),
                "FREQ=DAILY",
            ),
        ] {
            assert_eq!(told(Some(&schedule)), words);
        }
        assert_eq!(told(None), "none");
    }
}
