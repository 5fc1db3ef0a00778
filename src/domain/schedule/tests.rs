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
        let never = schedule.dates(from, from + YEARS, 1).unwrap().is_empty();
        return (!refused && !never).then(|| format!("not refused: {case}"));
    };
    // After 2037 the oracle's own library forgets daylight saving time.
    let known = instant("2038-01-01T00:00:00Z");
    let expected = expected.iter().map(|at| instant(at.as_str().unwrap()));
    let expected: Vec<_> = expected.take_while(|at| *at < known).collect();
    let found = schedule.dates(from, from + YEARS, expected.len()).unwrap();
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
    // Made by 3.9.1 around changes of daylight saving.
    check("cron-changes.jsonl", schedule, |_| false);
}

#[test]
fn rrule_answers_as_prefect_does() {
    let schedule = |case: &Value| {
        Schedule::Rrule(Rrule {
            rule: text(case, "rrule"),
            timezone: Some(text(case, "tz")),
        })
    };
    check("rrule.jsonl", schedule, |_| false);
    // Made at random, all parts of a rule in all combinations, and answered by dateutil.
    check("rrule-dateutil.jsonl", schedule, |_| false);
}

/// Made by the code of Prefect 3.9.1 for Python 3.13 and newer, around changes of daylight saving.
#[test]
fn intervals_answer_as_prefect_does() {
    let schedule = |case: &Value| {
        Schedule::Interval(Interval {
            every: Span::of_secs(case["every"].as_f64().unwrap()).unwrap(),
            timezone: Some(text(case, "tz")),
            anchor: instant(&text(case, "anchor")),
            anchor_offset_secs: 0,
        })
    };
    check("interval.jsonl", schedule, |_| false);
}

fn rrule(rule: &str) -> Schedule {
    Schedule::Rrule(Rrule {
        rule: rule.to_owned(),
        timezone: Some("UTC".to_owned()),
    })
}

fn cron(expression: &str) -> Schedule {
    Schedule::Cron(Cron {
        expression: expression.to_owned(),
        timezone: Some("Europe/Berlin".to_owned()),
        day_or: true,
    })
}

/// So many numbers, as in a part of a rule.
fn all(range: std::ops::RangeInclusive<u32>) -> String {
    let numbers: Vec<_> = range.map(|number| number.to_string()).collect();
    numbers.join(",")
}

fn shown(dates: &[Timestamp]) -> Vec<String> {
    let dates = dates.iter().map(|date| date.utc().unwrap());
    dates
        .map(|date| date.format("%Y-%m-%dT%H:%M:%S").to_string())
        .collect()
}

/// All that a hostile rule can cost: a pass looks at a hundred days, and the search for a next
/// date ends after the budget.
#[test]
fn no_rule_costs_more_than_the_budget() {
    let (hours, minutes, seconds) = (all(0..=23), all(0..=59), all(0..=59));
    let times = format!("BYHOUR={hours};BYMINUTE={minutes};BYSECOND={seconds}");
    let days = format!(
        "BYMONTH={};BYMONTHDAY={};BYYEARDAY={}",
        all(1..=12),
        all(1..=31),
        all(1..=366)
    );
    let many = |line: &str| vec![line; 50].join(" ");
    let rules = [
        "FREQ=SECONDLY EXRULE:FREQ=SECONDLY".to_owned(),
        "FREQ=MINUTELY EXRULE:FREQ=SECONDLY;INTERVAL=2 EXRULE:FREQ=MINUTELY".to_owned(),
        format!("FREQ=YEARLY;{days};{times}"),
        format!("FREQ=YEARLY;{days};{times};BYSETPOS={}", all(1..=366)),
        format!("FREQ=YEARLY;{times} EXRULE:FREQ=YEARLY;{times}"),
        "FREQ=HOURLY;BYMINUTE=0;BYSETPOS=2".to_owned(),
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30".to_owned(),
        "FREQ=SECONDLY;INTERVAL=7;BYHOUR=9;BYMINUTE=9;BYSECOND=9;BYMONTH=2;BYMONTHDAY=30"
            .to_owned(),
        "FREQ=SECONDLY;INTERVAL=7;COUNT=1000000000;BYHOUR=9".to_owned(),
        "DTSTART:00010101T000000 RRULE:FREQ=SECONDLY;INTERVAL=7;COUNT=20000000000;BYHOUR=9"
            .to_owned(),
        "DTSTART:00010101 RRULE:FREQ=SECONDLY;COUNT=99999999999999999999".to_owned(),
        "FREQ=MINUTELY;INTERVAL=4294967295;BYEASTER=0".to_owned(),
        "FREQ=WEEKLY;BYWEEKNO=53;BYMONTH=6".to_owned(),
        "FREQ=DAILY;BYDAY=MO;BYYEARDAY=366;BYEASTER=366".to_owned(),
        "FREQ=YEARLY;INTERVAL=9999".to_owned(),
        "FREQ=SECONDLY;INTERVAL=86400;BYHOUR=1".to_owned(),
        many("RRULE:FREQ=SECONDLY"),
        format!(
            "{} {}",
            many("RRULE:FREQ=SECONDLY").replacen("RRULE:FREQ=SECONDLY ", "", 25),
            ["EXRULE:FREQ=SECONDLY"; 25].join(" ")
        ),
        format!("RDATE:{}", vec!["20300101"; 600].join(",")),
    ];
    let now = instant("2026-11-26T12:00:00Z");
    let begun = std::time::Instant::now();
    for rule in &rules {
        let schedule = rrule(rule);
        assert_eq!(schedule.check(), Ok(()), "{rule}");
        let _ = schedule.dates(now, now + Span::from_micros(8_640_000_000_000), 100);
        let _ = schedule.next(now);
    }
    let soon = hourly(-62_135_596_800, 1, "Europe/Berlin");
    assert!(soon.next(now).unwrap().is_some());
    // Unoptimised, on a busy machine; without a bound, some of them never end.
    let took = begun.elapsed();
    assert!(took < std::time::Duration::from_secs(300), "{took:?}");
    assert_eq!(rrule(rules[0].as_str()).next(now), Err(TooCostly));
    assert_eq!(
        rrule("FREQ=HOURLY;BYMINUTE=0;BYSETPOS=2").next(now),
        Ok(None)
    );
}

#[test]
fn rare_dates_of_cron_are_found_and_those_that_never_come_are_none() {
    let now = instant("2026-11-26T12:00:00Z");
    let begun = std::time::Instant::now();
    for expression in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 1 1 * 0 2025"] {
        assert_eq!(cron(expression).next(now), Ok(None), "{expression}");
    }
    let weekly = cron("0 8 * * 1").next(now).unwrap().unwrap();
    assert_eq!(shown(&[weekly]), ["2026-11-30T07:00:00"]);
    let leap = cron("59 23 29 2 1#5").next(now).unwrap().unwrap();
    assert_eq!(shown(&[leap]), ["2028-02-29T22:59:00"]);
    let rare = cron("0 0 29 2 0").next(instant("2024-03-01T00:00:00Z"));
    assert!(rare.unwrap().is_some());
    let took = begun.elapsed();
    assert!(took < std::time::Duration::from_secs(300), "{took:?}");
}

#[test]
fn rules_of_more_parts_than_a_budget_allows_are_refused() {
    let many = |line: &str| vec![line; 50].join(" ");
    for refused in [
        many("RRULE:FREQ=DAILY") + " RRULE:FREQ=DAILY",
        format!("RDATE:{}", vec!["20300101"; 800].join(",")),
        "FREQ=DAILY;INTERVAL=0".to_owned(),
        "FREQ=DAILY;INTERVAL=-1".to_owned(),
        "FREQ=DAILY;BYHOUR=24".to_owned(),
    ] {
        assert!(rrule(&refused).check().is_err(), "{refused}");
    }
}

#[test]
fn a_rule_with_many_past_dates_is_followed() {
    let now = instant("2026-11-26T12:34:56Z");
    let until = now + YEARS;
    let often = format!(
        "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR={};BYMINUTE=0,10,20,30,40,50;BYSECOND=0",
        all(8..=18)
    );
    let dates = rrule(&often).dates(now, until, 2).unwrap();
    assert_eq!(
        shown(&dates),
        ["2026-11-26T12:40:00", "2026-11-26T12:50:00"]
    );
    // The count runs out exactly where a walk from the start would end it.
    let counted = |count: u64, rule: &str| {
        let dates = rrule(&format!(
            "DTSTART:20200101T000000 RRULE:{rule};COUNT={count}"
        ));
        shown(&dates.dates(now, until, 3).unwrap())
    };
    // 2020-01-01 to 2026-11-26T12:34:56 are 217,859,697 seconds, that one included.
    assert_eq!(
        counted(217_859_697, "FREQ=SECONDLY"),
        ["2026-11-26T12:34:56"]
    );
    assert!(counted(217_859_696, "FREQ=SECONDLY").is_empty());
    assert_eq!(counted(3_630_996, "FREQ=MINUTELY"), ["2026-11-26T12:35:00"]);
    assert_eq!(counted(1_000_000_000_000, "FREQ=SECONDLY").len(), 3);
    assert_eq!(
        shown(&rrule("FREQ=SECONDLY").dates(now, until, 2).unwrap()),
        ["2026-11-26T12:34:56", "2026-11-26T12:34:57"]
    );
}

#[test]
fn single_dates_are_a_rule_too() {
    let schedule = rrule("RDATE:20270101T120000,20260101 EXDATE:20260101");
    let from = instant("2020-01-01T00:00:00Z");
    assert_eq!(
        shown(&schedule.dates(from, from + YEARS, 9).unwrap()),
        ["2027-01-01T12:00:00"]
    );
    assert_eq!(schedule.next(instant("2027-01-02T00:00:00Z")), Ok(None));
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
    let dates = schedule.dates(from, from + YEARS, 4).unwrap();
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
            let dates = schedule.dates(from, until, 50).unwrap();
            prop_assert!(dates.iter().all(|date| *date >= from && *date <= until));
            prop_assert!(dates.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
