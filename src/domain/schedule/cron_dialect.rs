//! From the dialect of croniter, which Prefect's users write, to that of the search.
//!
//! What differs: a sixth field is seconds and comes last; ranges may wrap around; `n/step`
//! runs to the end; a complete set counts as `*`; `L5` is the last Friday. Fields are
//! written out as sets, so that nothing is left to read in two ways.

use std::collections::BTreeSet;

/// A field's bounds and the names that it knows.
struct Field {
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const fn field(least: u32, most: u32, names: &'static [&'static str]) -> Field {
    Field { least, most, names }
}

const MINUTE: Field = field(0, 59, &[]);
const HOUR: Field = field(0, 23, &[]);
const DAY: Field = field(1, 31, &[]);
const MONTH: Field = field(1, 12, MONTHS);
const WEEKDAY: Field = field(0, 6, DAYS);
const YEAR: Field = field(1970, 2099, &[]);

/// The expression with its fields as sets, seconds first and the year last; `None` when it
/// is none.
pub(super) fn normal(expression: &str) -> Option<String> {
    let lower = expression.trim().to_lowercase();
    let spelt = match lower.as_str() {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        other => other,
    };
    let fields: Vec<_> = spelt.split_whitespace().collect();
    let (minute, hour, day, month, weekday, second, year) = match *fields.as_slice() {
        [minute, hour, day, month, weekday] => (minute, hour, day, month, weekday, "0", "*"),
        [minute, hour, day, month, weekday, second] => {
            (minute, hour, day, month, weekday, second, "*")
        }
        [minute, hour, day, month, weekday, second, year] => {
            (minute, hour, day, month, weekday, second, year)
        }
        _ => return None,
    };
    let day_set = days(day, weekday.contains('*') || weekday == "?")?;
    let weekday_set = weekdays(weekday, day.contains('*') || day == "?")?;
    Some(
        [
            plain(second, &MINUTE)?,
            plain(minute, &MINUTE)?,
            plain(hour, &HOUR)?,
            day_set,
            plain(month, &MONTH)?,
            weekday_set,
            plain(year, &YEAR)?,
        ]
        .join(" "),
    )
}

/// A field of numbers only; a complete set is `*`.
fn plain(text: &str, field: &Field) -> Option<String> {
    let set = items(text, field)?;
    Some(written(&set, field, true))
}

/// Days of the month, perhaps the last one. A complete set is `*` only beside a weekday
/// field with a star in it: else the two fields stay alternatives.
fn days(text: &str, beside_star: bool) -> Option<String> {
    if text == "?" {
        return Some("*".to_owned());
    }
    let (last, rest): (Vec<_>, Vec<_>) = text.split(',').partition(|item| *item == "l");
    if last.is_empty() {
        let star = text.split(',').any(|item| item == "*");
        return Some(written(&items(text, &DAY)?, &DAY, beside_star || star));
    }
    if rest.is_empty() {
        return Some("L".to_owned());
    }
    let set = items(&rest.join(","), &DAY)?;
    Some(format!("{},L", written(&set, &DAY, false)))
}

/// Days of the week, or of the weeks of a month (`5#3`, `L5`), but not both.
fn weekdays(text: &str, beside_star: bool) -> Option<String> {
    if text == "?" {
        return Some("*".to_owned());
    }
    let is_nth = |item: &str| item.contains('#') || item.starts_with('l');
    let nth = text.split(',').filter(|item| is_nth(item)).count();
    if nth == 0 {
        let star = text.split(',').any(|item| item == "*");
        return Some(written(
            &items(text, &WEEKDAY)?,
            &WEEKDAY,
            beside_star || star,
        ));
    }
    if nth != text.split(',').count() {
        return None;
    }
    let all: Option<Vec<_>> = text.split(',').map(nth_weekday).collect();
    Some(all?.join(","))
}

fn nth_weekday(item: &str) -> Option<String> {
    if let Some(day) = item.strip_prefix('l') {
        return Some(format!("{}#L", number(day, &WEEKDAY)?));
    }
    let (day, nth) = item.split_once('#')?;
    let day = number(day, &WEEKDAY)?;
    match nth {
        "1" | "2" | "3" | "4" | "5" => Some(format!("{day}#{nth}")),
        _ => None,
    }
}

fn items(text: &str, field: &Field) -> Option<BTreeSet<u32>> {
    let mut set = BTreeSet::new();
    for item in text.split(',') {
        set.extend(one(item, field)?);
    }
    Some(set)
}

/// `*`, `a`, `a-b`, and each with `/step`.
fn one(item: &str, field: &Field) -> Option<Vec<u32>> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (
            range,
            Some(step.parse::<u32>().ok().filter(|step| *step > 0)?),
        ),
        None => (item, None),
    };
    let (first, last) = match range.split_once('-') {
        _ if range == "*" => (field.least, field.most),
        Some((first, last)) => (number(first, field)?, end(last, field)?),
        // Without an end, a step runs to the field's.
        None if step.is_some() => (number(range, field)?, field.most),
        None => {
            let only = number(range, field)?;
            (only, only)
        }
    };
    let size = field.most - field.least + 1;
    let length = match last >= first {
        true => last - first,
        false => last + size - first,
    };
    let steps = (0..=length).step_by(usize::try_from(step.unwrap_or(1)).ok()?);
    Some(
        steps
            .map(|offset| field.least + (first - field.least + offset) % size)
            .collect(),
    )
}

/// A range's end; for weekdays, 7 after a range's start means the week's end.
fn end(text: &str, field: &Field) -> Option<u32> {
    match text {
        "7" if field.most == WEEKDAY.most => Some(7),
        _ => number(text, field),
    }
}

fn number(text: &str, field: &Field) -> Option<u32> {
    if let Some(index) = field.names.iter().position(|name| *name == text) {
        return Some(u32::try_from(index).ok()? + field.least);
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = text.parse().ok()?;
    match number {
        7 if field.most == WEEKDAY.most => Some(0),
        _ => (field.least..=field.most)
            .contains(&number)
            .then_some(number),
    }
}

fn written(set: &BTreeSet<u32>, field: &Field, star: bool) -> String {
    let size = field.most - field.least + 1;
    if star && set.len() == usize::try_from(size).unwrap_or(usize::MAX) {
        return "*".to_owned();
    }
    let numbers: Vec<_> = set.iter().map(u32::to_string).collect();
    numbers.join(",")
}
