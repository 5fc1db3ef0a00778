//! From a rule's text, in the dialect of Prefect's own library (dateutil).
//!
//! Lines may be separated by any white space. What zone a date names does not matter, as
//! there: all are readings of the schedule's own wall clock.

use chrono::{NaiveDate, NaiveDateTime};

use super::reading::Reading;
use super::rule::{Frequency, Parts, Rule};
use super::set::RuleSet;

/// The start of a rule that names none: 2020-01-01.
const DEFAULT_START: &str = "20200101";

/// The longest text, in bytes, as on the newest Prefect server.
const LONGEST: usize = 6500;

/// The most rules in one text.
const MOST_RULES: usize = 50;

/// A date as it is written, and whether it names a zone.
#[derive(Clone, Copy, Debug)]
struct Written {
    reading: Reading,
    zoned: bool,
}

/// What a text says; a refusal says why.
pub(super) fn read(text: &str) -> Result<RuleSet, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} characters"));
    }
    let upper = text.to_uppercase();
    let mut lines = Lines::default();
    for line in upper.split_whitespace() {
        lines.read(line)?;
    }
    lines.done()
}

/// The lines of a text, by kind.
#[derive(Default)]
struct Lines<'t> {
    start: Option<Written>,
    rules: Vec<&'t str>,
    except_rules: Vec<&'t str>,
    dates: Vec<Reading>,
    except_dates: Vec<Reading>,
}

impl<'t> Lines<'t> {
    fn read(&mut self, line: &'t str) -> Result<(), String> {
        let (name, value) = line.split_once(':').unwrap_or(("RRULE", line));
        let mut parameters = name.split(';');
        let name = parameters.next().unwrap_or_default();
        let parameters: Vec<_> = parameters.collect();
        match name {
            "RRULE" | "EXRULE" if parameters.is_empty() => {
                let list = match name {
                    "RRULE" => &mut self.rules,
                    _ => &mut self.except_rules,
                };
                list.push(value);
            }
            "DTSTART" => match dates(value, &parameters)?.as_slice() {
                [start] => self.start = Some(*start),
                _ => return Err("it has several starts".to_owned()),
            },
            "RDATE" | "EXDATE" => {
                let list = match name {
                    "RDATE" => &mut self.dates,
                    _ => &mut self.except_dates,
                };
                let dates = dates(value, &parameters)?;
                list.extend(dates.iter().map(|date| date.reading));
            }
            _ => return Err(format!("it has a part \"{}\"", shown(name))),
        }
        Ok(())
    }

    fn done(self) -> Result<RuleSet, String> {
        if self.rules.is_empty() && self.dates.is_empty() {
            return Err("it has no rule".to_owned());
        }
        if self.rules.len() + self.except_rules.len() > MOST_RULES {
            return Err(format!("it has more than {MOST_RULES} rules"));
        }
        let start = self.start;
        let rules = |lines: Vec<&str>| -> Result<Vec<Rule>, String> {
            lines.into_iter().map(|line| rule(line, start)).collect()
        };
        Ok(RuleSet {
            rules: rules(self.rules)?,
            except_rules: rules(self.except_rules)?,
            dates: self.dates,
            except_dates: self.except_dates,
        })
    }
}

fn rule(line: &str, start: Option<Written>) -> Result<Rule, String> {
    let mut parts = Parts::default();
    let mut until = None;
    for part in line.split(';') {
        let (name, value) = part
            .split_once('=')
            .filter(|(_, value)| !value.contains('='))
            .ok_or_else(|| format!("\"{}\" is not NAME=VALUE", shown(part)))?;
        let read = match name {
            "UNTIL" => date(value).map(|date| until = Some(date)),
            _ => set(&mut parts, name, value),
        };
        read.ok_or_else(|| format!("it has an invalid part {}", shown(part)))?;
    }
    if let Some(until) = until {
        if until.zoned != start.is_some_and(|start| start.zoned) {
            return Err("UNTIL and DTSTART must both end in Z, or neither".to_owned());
        }
        parts.until = Some(until.reading);
    }
    let default = || date(DEFAULT_START).ok_or("it has no start");
    let start = start.map_or_else(default, Ok)?;
    Rule::new(parts, start.reading).map_err(str::to_owned)
}

/// One part of a rule; `None` when it is unknown or invalid.
fn set(parts: &mut Parts, name: &str, value: &str) -> Option<()> {
    match name {
        "FREQ" => parts.frequency = Some(frequency(value)?),
        "WKST" => parts.week_start = week_day(value)?,
        // A longer one than these never comes back within the calendar.
        "INTERVAL" => {
            parts.interval = Some(u32::try_from(integer(value)?).ok().filter(|n| *n > 0)?);
        }
        "COUNT" => parts.count = Some(u64::try_from(integer(value)?.max(0)).ok()?),
        "BYSETPOS" => {
            let list = integers(value, -366, 366)?;
            parts.set_pos = Some(list).filter(|list| !list.contains(&0));
            parts.set_pos.as_ref()?;
        }
        "BYMONTH" => parts.month = Some(integers(value, 1, 12)?),
        "BYMONTHDAY" => parts.month_day = Some(integers(value, -31, 31)?),
        "BYYEARDAY" => parts.year_day = Some(integers(value, -366, 366)?),
        "BYEASTER" => parts.easter = Some(integers(value, -366, 366)?),
        "BYWEEKNO" => parts.week_no = Some(integers(value, -53, 53)?),
        "BYHOUR" => parts.hour = Some(integers(value, 0, 23)?),
        "BYMINUTE" => parts.minute = Some(integers(value, 0, 59)?),
        "BYSECOND" => parts.second = Some(integers(value, 0, 59)?),
        "BYDAY" | "BYWEEKDAY" => {
            let days: Option<Vec<_>> = value.split(',').map(numbered_week_day).collect();
            parts.week_day = Some(days?);
        }
        _ => return None,
    }
    Some(())
}

fn frequency(name: &str) -> Option<Frequency> {
    Some(match name {
        "YEARLY" => Frequency::Yearly,
        "MONTHLY" => Frequency::Monthly,
        "WEEKLY" => Frequency::Weekly,
        "DAILY" => Frequency::Daily,
        "HOURLY" => Frequency::Hourly,
        "MINUTELY" => Frequency::Minutely,
        "SECONDLY" => Frequency::Secondly,
        _ => return None,
    })
}

fn week_day(name: &str) -> Option<u8> {
    let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let index = names.iter().position(|known| *known == name)?;
    u8::try_from(index).ok()
}

/// `MO`, `+1MO` or `MO(+1)`.
fn numbered_week_day(text: &str) -> Option<(u8, Option<i32>)> {
    let number = |text: &str| match integers(text, -53, 53)?.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    if let Some((name, rest)) = text.split_once('(') {
        return Some((week_day(name)?, Some(number(rest.strip_suffix(')')?)?)));
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_uppercase());
    let name = text.get(digits.len()..)?;
    match digits {
        "" => Some((week_day(name)?, None)),
        digits => Some((week_day(name)?, Some(number(digits)?))),
    }
}

fn integers(list: &str, least: i64, most: i64) -> Option<Vec<i32>> {
    let values = list.split(',').map(|text| {
        let value = integer(text).filter(|value| (least..=most).contains(value))?;
        i32::try_from(value).ok()
    });
    values.collect()
}

/// A whole number; beyond 64 bits, the nearest that has them.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nearest = match text.starts_with('-') {
        true => i64::MIN,
        false => i64::MAX,
    };
    Some(text.parse().unwrap_or(nearest))
}

fn dates(list: &str, parameters: &[&str]) -> Result<Vec<Written>, String> {
    let mut zoned = false;
    for parameter in parameters {
        match parameter.strip_prefix("TZID=") {
            Some(name) => zoned |= super::super::zone::named(Some(name)).is_ok(),
            None if matches!(*parameter, "VALUE=DATE" | "VALUE=DATE-TIME") => {}
            None => return Err(format!("it has a parameter \"{}\"", shown(parameter))),
        }
    }
    let dates = list.split(',').map(|text| {
        let mut written = date(text).ok_or_else(|| format!("\"{}\" is no date", shown(text)))?;
        written.zoned |= zoned;
        Ok(written)
    });
    dates.collect()
}

/// A date, perhaps with a time, in the basic or the extended form of ISO 8601.
fn date(text: &str) -> Option<Written> {
    let (text, zoned) = match text.strip_suffix('Z') {
        Some(text) => (text, true),
        None => without_offset(text),
    };
    let plain: String = text.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let (date, time) = plain.split_once('T').unwrap_or((&plain, ""));
    let time = time.split('.').next().unwrap_or_default();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if date.len() != 8 || !digits(date) || !digits(time) {
        return None;
    }
    let date = NaiveDate::parse_from_str(date, "%Y%m%d").ok()?;
    let number = |range: std::ops::Range<usize>| match time.get(range) {
        None | Some("") => Some(0),
        Some(text) => text.parse::<u32>().ok(),
    };
    if !matches!(time.len(), 0 | 2 | 4 | 6) {
        return None;
    }
    let reading: NaiveDateTime = date.and_hms_opt(number(0..2)?, number(2..4)?, number(4..6)?)?;
    let reading = Reading::from_or_after(reading);
    (reading.day() >= 1 && reading <= Reading::LAST).then_some(Written { reading, zoned })
}

/// The text before an offset from UTC such as `+01:00`, and whether there is one.
fn without_offset(text: &str) -> (&str, bool) {
    let Some(time) = text.find('T') else {
        return (text, false);
    };
    let (head, tail) = text.split_at(time);
    match tail.find(['+', '-']) {
        Some(offset) => (text.get(..head.len() + offset).unwrap_or(text), true),
        None => (text, false),
    }
}

/// So much of a text as fits into a message.
fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
