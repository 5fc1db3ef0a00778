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

/// The same of a deployment that may have several: the first that is followed, how many more
/// there are, and whether some or all are paused.
pub fn told_of(deployment: &Deployment) -> String {
    let all = &deployment.schedules;
    // The API tells the latest first.
    let shown = all.iter().rev().find(|it| it.active).or(all.last());
    let shown = shown
        .map(|it| &it.schedule)
        .or(deployment.schedule.as_ref());
    let more = match all.len() {
        0 | 1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    let paused = match off(deployment) {
        _ if shown.is_none() => String::new(),
        _ if !is_followed(deployment) => " (paused)".to_owned(),
        0 => String::new(),
        some => format!(" ({some} paused)"),
    };
    format!("{}{more}{paused}", told(shown))
}

/// How many of its schedules are paused by themselves.
pub fn off(deployment: &Deployment) -> usize {
    deployment.schedules.iter().filter(|it| !it.active).count()
}

/// Whether any of its schedules is followed.
fn is_followed(deployment: &Deployment) -> bool {
    !deployment.paused && deployment.schedules.iter().any(|it| it.active)
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
