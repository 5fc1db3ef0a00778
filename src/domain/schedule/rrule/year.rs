//! Which days of a year a rule wants.
//!
//! Days are counted from 0, the 1st of January; up to seven days of the next year are in it,
//! for weeks that go on there.

use super::reading::{first_of, week_day};
use super::rule::{Frequency, Rule};

/// The days after a year's end that its last week may have.
const SPILL: i64 = 7;

/// A year, and of a rule's parts those that are about whole days.
#[derive(Debug)]
pub(super) struct Year {
    pub year: i64,
    /// The number of the 1st of January.
    pub first: i64,
    /// How many days it has.
    pub length: i64,
    next_length: i64,
    /// The first day of each month, and of the next year.
    months: [i64; 13],
    /// Whether a day is in a week that the rule names; empty where it names none.
    in_week: Vec<bool>,
    /// Whether a day is a numbered weekday that the rule names; empty where it names none.
    is_nth: Vec<bool>,
    /// The days so far from Easter Sunday.
    easter: Vec<i64>,
}

impl Year {
    /// `month` (1 to 12) is the rule's period where that is a month. `None` beyond the
    /// calendar.
    pub fn new(rule: &Rule, year: i64, month: u32) -> Option<Self> {
        let first = first_of(year, 1)?;
        let mut months = [0; 13];
        for (start, number) in months.iter_mut().zip(1..=12) {
            *start = first_of(year, number)? - first;
        }
        let length = length_of(year);
        if let Some(end) = months.last_mut() {
            *end = length;
        }
        let mut made = Self {
            year,
            first,
            length,
            next_length: length_of(year + 1),
            months,
            in_week: Vec::new(),
            is_nth: Vec::new(),
            easter: Vec::new(),
        };
        if !rule.weeks.is_empty() {
            made.in_week = made.weeks(rule);
        }
        made.set_month(rule, month);
        if !rule.easter.is_empty() {
            let sunday = easter_sunday(year)? - first;
            let offsets = rule.easter.iter();
            made.easter = offsets.map(|offset| sunday + i64::from(*offset)).collect();
        }
        Some(made)
    }

    /// The first day of a month (1 to 12) and of the one after.
    pub fn month(&self, month: u32) -> (i64, i64) {
        let at = |month: u32| {
            let index = usize::try_from(month).unwrap_or(usize::MAX);
            self.months.get(index).copied().unwrap_or(self.length)
        };
        (at(month.saturating_sub(1)), at(month))
    }

    /// Numbers weekdays anew, where the period is a month.
    pub fn set_month(&mut self, rule: &Rule, month: u32) {
        if rule.nth_week_days.is_empty() {
            return;
        }
        let ranges: Vec<_> = match rule.frequency {
            Frequency::Monthly => vec![self.month(month)],
            _ if rule.months == 0 => vec![(0, self.length)],
            _ => (1..=12)
                .filter(|month| rule.months & (1 << month) != 0)
                .map(|month| self.month(month))
                .collect(),
        };
        let mut is_nth = vec![false; usize::try_from(self.length).unwrap_or(0)];
        for (first, end) in ranges {
            for (weekday, n) in &rule.nth_week_days {
                let day = match *n < 0 {
                    true => {
                        let day = end - 1 + (n + 1) * 7;
                        day - (self.week_day(day) - weekday).rem_euclid(7)
                    }
                    false => {
                        let day = first + (n - 1) * 7;
                        day + (weekday - self.week_day(day)).rem_euclid(7)
                    }
                };
                if (first..end).contains(&day) {
                    set(&mut is_nth, day);
                }
            }
        }
        self.is_nth = is_nth;
    }

    /// Whether the rule wants a day.
    pub fn wants(&self, rule: &Rule, day: i64) -> bool {
        let (month, month_day, left) = self.of_month(day);
        (rule.months == 0 || has(rule.months, month))
            && (rule.week_days == 0 || has(rule.week_days, self.week_day(day)))
            && (!rule.by_month_day
                || has(rule.month_days, month_day)
                || has(rule.last_month_days, left))
            && (self.in_week.is_empty() || get(&self.in_week, day))
            && (self.is_nth.is_empty() || get(&self.is_nth, day))
            && (rule.easter.is_empty() || self.easter.binary_search(&day).is_ok())
            && (rule.year_days.is_empty() || self.is_year_day(rule, day))
    }

    fn is_year_day(&self, rule: &Rule, day: i64) -> bool {
        let (after, before) = match day < self.length {
            true => (day + 1, day - self.length),
            false => (day + 1 - self.length, day - self.length - self.next_length),
        };
        let named = |day: &i64| {
            i32::try_from(*day).is_ok_and(|day| rule.year_days.binary_search(&day).is_ok())
        };
        [after, before].iter().any(named)
    }

    /// The month, the day in it from 1, and the day from its end, the last being 1.
    fn of_month(&self, day: i64) -> (i64, i64, i64) {
        if day >= self.length {
            let day = day - self.length;
            return (1, day + 1, 31 - day);
        }
        // No month begins later than 31 days a month, nor earlier than 28.
        let mut month = usize::try_from(day / 31).unwrap_or(0);
        while self.months.get(month + 1).is_some_and(|end| *end <= day) {
            month += 1;
        }
        let first = self.months.get(month).copied().unwrap_or(0);
        let end = self.months.get(month + 1).copied().unwrap_or(self.length);
        (month as i64 + 1, day - first + 1, end - day)
    }

    /// Monday is 0.
    fn week_day(&self, day: i64) -> i64 {
        week_day(self.first + day)
    }

    /// The days in the weeks that the rule numbers: those of ISO 8601, but for its own first
    /// weekday.
    fn weeks(&self, rule: &Rule) -> Vec<bool> {
        let wanted = |week: i64| rule.weeks.iter().any(|no| i64::from(*no) == week);
        let mut days = vec![false; usize::try_from(self.length + SPILL).unwrap_or(0)];
        let first_start = (rule.week_start - self.week_day(0)).rem_euclid(7);
        let week_of_last_year = (self.week_day(0) - rule.week_start).rem_euclid(7);
        let (first, length) = match first_start >= 4 {
            true => (0, self.length + week_of_last_year),
            false => (first_start, self.length - first_start),
        };
        let count = length / 7 + length % 7 / 4;
        let start_of = |week: i64| match first == first_start || week == 1 {
            true => first + (week - 1) * 7,
            false => first + (week - 1) * 7 - (7 - first_start),
        };
        for no in &rule.weeks {
            let no = i64::from(*no);
            let week = if no < 0 { no + count + 1 } else { no };
            if (1..=count).contains(&week) {
                self.fill_week(&mut days, start_of(week), rule.week_start);
            }
        }
        if wanted(1) {
            let start = start_of(count + 1);
            if start < self.length {
                self.fill_week(&mut days, start, rule.week_start);
            }
        }
        if first > 0 {
            let last = match wanted(-1) {
                true => -1,
                false => self.weeks_of_last_year(rule, first),
            };
            if wanted(last) {
                (0..first).for_each(|day| set(&mut days, day));
            }
        }
        days
    }

    fn fill_week(&self, days: &mut [bool], start: i64, week_start: i64) {
        for day in start..start + 7 {
            set(days, day);
            if self.week_day(day + 1) == week_start {
                break;
            }
        }
    }

    fn weeks_of_last_year(&self, rule: &Rule, first: i64) -> i64 {
        let length = length_of(self.year - 1);
        let weekday = week_day(self.first - length);
        match (rule.week_start - weekday).rem_euclid(7) >= 4 {
            true => 52 + (length + (weekday - rule.week_start).rem_euclid(7)) % 7 / 4,
            false => 52 + (self.length - first) % 7 / 4,
        }
    }
}

fn length_of(year: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    365 + i64::from(leap)
}

fn has(mask: u64, value: i64) -> bool {
    u32::try_from(value).is_ok_and(|value| mask.checked_shr(value).unwrap_or(0) & 1 != 0)
}

fn set(days: &mut [bool], day: i64) {
    let index = usize::try_from(day).unwrap_or(usize::MAX);
    if let Some(day) = days.get_mut(index) {
        *day = true;
    }
}

fn get(days: &[bool], day: i64) -> bool {
    let index = usize::try_from(day).unwrap_or(usize::MAX);
    days.get(index).copied().unwrap_or(false)
}

/// The number of the day that is Easter Sunday by the Gregorian calendar.
fn easter_sunday(year: i64) -> Option<i64> {
    let century = year / 100;
    let golden = year % 19;
    let h = (century - century / 4 - (8 * century + 13) / 25 + 19 * golden + 15) % 30;
    let full_moon = h - (h / 28) * (1 - (h / 28) * (29 / (h + 1)) * ((21 - golden) / 11));
    let weekday = (year + year / 4 + full_moon + 2 - century + century / 4) % 7;
    let p = full_moon - weekday;
    let day = 1 + (p + 27 + (p + 6) / 40) % 31;
    let month = 3 + (p + 26) / 30;
    Some(first_of(year, u32::try_from(month).ok()?)? + day - 1)
}
