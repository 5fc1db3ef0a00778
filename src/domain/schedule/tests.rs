//! The corpora of Prefect's own answers, and laws that hold for all schedules.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::domain::time::Span;

const YEARS: Span = Span::from_micros(200 * 365 * 86_400 * 1_000_000);

fn corpus(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text(case: &Value, key: &str) -> String {
    case[key].as_str().unwrap().to_owned()
}

fn instant(text: &str) -> Timestamp {
    chrono::DateTime::parse_from_rfc3339(text)
        .unwrap()
        .to_utc()
        .into()
}

/// What is wrong with a case; `None` when the answer is right.
fn wrong(case: &Value, schedule: &Schedule) -> Option<String> {
    let from = instant(&text(case, "start"));
    let Some(expected) = case["next"].as_array() else {
        let refused = schedule.check().is_err();
        let never = schedule.dates(from, from + YEARS, 1).is_empty();
        return (!refused && !never).then(|| format!("not refused: {case}"));
    };
    // After 2037 the oracle's own library forgets daylight saving time.
    let known = instant("2038-01-01T00:00:00Z");
    let expected = expected.iter().map(|at| instant(at.as_str().unwrap()));
    let expected: Vec<_> = expected.take_while(|at| *at < known).collect();
    let found = schedule.dates(from, from + YEARS, expected.len());
    let shown: Vec<_> = found
        .iter()
        .map(|at| at.utc().unwrap().to_rfc3339())
        .collect();
    (found != expected).then(|| format!("{case}\n  found {shown:?} {:?}", schedule.check()))
}

fn check(name: &str, schedule: impl Fn(&Value) -> Schedule, excepted: impl Fn(&Value) -> bool) {
    let cases = corpus(name);
    let wrong: Vec<_> = cases
        .iter()
        .filter(|case| !excepted(case))
        .filter_map(|case| wrong(case, &schedule(case)))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn cron_answers_as_prefect_does() {
    let schedule = |case: &Value| {
        Schedule::Cron(Cron {
            expression: text(case, "expr"),
            timezone: Some(text(case, "tz")),
            day_or: case["day_or"].as_bool().unwrap(),
        })
    };
    // The 1st of March 2026 is a tenth day counted from the 1st; the oracle skips it.
    let skipped = |case: &Value| {
        case["expr"] == "*/3 */9 */10 * *" && case["start"] == "2026-02-26T14:00:35Z"
    };
    check("cron.jsonl", schedule, skipped);
}

#[test]
fn rrule_answers_as_prefect_does() {
    let schedule = |case: &Value| {
        Schedule::Rrule(Rrule {
            rule: text(case, "rrule"),
            timezone: Some(text(case, "tz")),
        })
    };
    // RFC 5545 forbids these; the oracle's library takes them to mean something or other.
    // Ours refuses them when the deployment is created.
    let forbidden = [
        "FREQ=YEARLY;BYEASTER=0",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=WEEKLY;BYWEEKNO=3",
        "FREQ=MONTHLY;BYYEARDAY=10",
    ];
    for rule in forbidden {
        let rule = rule.to_owned();
        let timezone = None;
        assert!(Rrule { rule, timezone }.check().is_err());
    }
    let excepted = |case: &Value| forbidden.contains(&text(case, "rrule").as_str());
    check("rrule.jsonl", schedule, excepted);
}

fn hourly(anchor: i64, every_secs: i64, zone: &str) -> Schedule {
    Schedule::Interval(Interval {
        every: Span::from_micros(every_secs * 1_000_000),
        timezone: Some(zone.to_owned()),
        anchor: Timestamp::from_micros(anchor * 1_000_000),
        anchor_offset_secs: 0,
    })
}

#[test]
fn a_daily_interval_keeps_the_hour_over_daylight_saving() {
    // 09:00 in Berlin, winter.
    let schedule = hourly(1_711_094_400, 86_400, "Europe/Berlin");
    let from = instant("2024-03-29T00:00:00Z");
    let dates = schedule.dates(from, from + YEARS, 4);
    let shown: Vec<_> = dates
        .iter()
        .map(|at| at.utc().unwrap().to_rfc3339())
        .collect();
    assert_eq!(
        shown,
        [
            "2024-03-29T08:00:00+00:00",
            "2024-03-30T08:00:00+00:00",
            "2024-03-31T07:00:00+00:00",
            "2024-04-01T07:00:00+00:00",
        ]
    );
}

proptest! {
    #[test]
    fn dates_increase_and_stay_within_bounds(
        start in 1_500_000_000i64..2_000_000_000,
        every in 1i64..200_000,
        minute in 0u8..60,
        hour in 0u8..24,
    ) {
        let from = Timestamp::from_micros(start * 1_000_000 + 7);
        let until = from + Span::from_micros(3 * 86_400 * 1_000_000);
        for schedule in [
            hourly(1_577_836_800, every, "America/New_York"),
            Schedule::Cron(Cron {
                expression: format!("{minute} {hour} * * *"),
                timezone: Some("Europe/London".to_owned()),
                day_or: true,
            }),
            Schedule::Rrule(Rrule {
                rule: format!("FREQ=HOURLY;INTERVAL={}", 1 + every % 7),
                timezone: Some("Australia/Lord_Howe".to_owned()),
            }),
        ] {
            let dates = schedule.dates(from, until, 50);
            prop_assert!(dates.iter().all(|date| *date >= from && *date <= until));
            prop_assert!(dates.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
