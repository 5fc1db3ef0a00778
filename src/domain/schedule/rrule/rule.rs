//! One recurrence rule, read and completed.

use std::collections::BTreeSet;

use super::reading::{DAY, Reading};

/// How often a rule's period comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Frequency {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
    Minutely,
    Secondly,
}

/// What a rule says, before its start completes it. Absent lists are `None`.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    pub frequency: Option<Frequency>,
    pub interval: Option<u32>,
    pub week_start: u8,
    pub count: Option<u64>,
    pub until: Option<Reading>,
    pub set_pos: Option<Vec<i32>>,
    pub month: Option<Vec<i32>>,
    pub month_day: Option<Vec<i32>>,
    pub year_day: Option<Vec<i32>>,
    pub week_no: Option<Vec<i32>>,
    pub easter: Option<Vec<i32>>,
    /// Days of the week, Monday is 0, each perhaps with its number in the period.
    pub week_day: Option<Vec<(u8, Option<i32>)>>,
    pub hour: Option<Vec<i32>>,
    pub minute: Option<Vec<i32>>,
    pub second: Option<Vec<i32>>,
}

/// A complete rule. Masks have the bit of each value that is allowed; 0 allows all.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub frequency: Frequency,
    pub interval: i64,
    /// Monday is 0.
    pub week_start: i64,
    pub count: Option<u64>,
    pub until: Option<Reading>,
    pub start: Reading,
    pub months: u64,
    pub week_days: u64,
    pub month_days: u64,
    /// Days counted from the month's end: bit 1 is the last.
    pub last_month_days: u64,
    /// Whether days of the month are asked for at all.
    pub by_month_day: bool,
    pub year_days: Vec<i32>,
    pub weeks: Vec<i32>,
    pub easter: Vec<i32>,
    /// The n-th (or, below 0, n-th last) of a weekday within the period.
    pub nth_week_days: Vec<(i64, i64)>,
    pub set_pos: Vec<i32>,
    pub hours: u64,
    pub minutes: u64,
    pub seconds: u64,
    /// Seconds since the beginning of the period's day (or hour, minute, second, where the
    /// period is that short), rising.
    pub times: Vec<u32>,
}

impl Frequency {
    /// The length in seconds of a period shorter than a day.
    pub fn unit(self) -> Option<i64> {
        match self {
            Self::Hourly => Some(3600),
            Self::Minutely => Some(60),
            Self::Secondly => Some(1),
            _ => None,
        }
    }
}

impl Rule {
    /// Completes a rule by its start, as Prefect's library does: what no part names is as the
    /// start has it.
    pub fn new(mut parts: Parts, start: Reading) -> Result<Self, &'static str> {
        let frequency = parts.frequency.ok_or("it has no FREQ")?;
        let (_, month, day) = start.date();
        let bare = parts.week_no.is_none()
            && parts.year_day.is_none()
            && parts.month_day.is_none()
            && parts.week_day.is_none()
            && parts.easter.is_none();
        if bare && frequency <= Frequency::Monthly {
            parts.month_day = Some(vec![day]);
            if frequency == Frequency::Yearly && parts.month.is_none() {
                parts.month = Some(vec![month]);
            }
        }
        if bare && frequency == Frequency::Weekly {
            parts.week_day = Some(vec![(start.week_day(), None)]);
        }
        let (hour, minute, second) = start.time();
        let of_start = |given: Option<Vec<i32>>, own: i32, below: Frequency| match given {
            None if frequency < below => Some(vec![own]),
            given => given,
        };
        let hours = of_start(parts.hour, hour, Frequency::Hourly);
        let minutes = of_start(parts.minute, minute, Frequency::Minutely);
        let seconds = of_start(parts.second, second, Frequency::Secondly);
        // A number within the period means something for years and months only.
        let numbered = |n: &Option<i32>| n.filter(|n| *n != 0 && frequency <= Frequency::Monthly);
        let week_days = parts.week_day.unwrap_or_default();
        let plain = week_days.iter().filter(|(_, n)| numbered(n).is_none());
        let nth_week_days = week_days.iter();
        let nth_week_days: BTreeSet<(i64, i64)> = nth_week_days
            .filter_map(|(day, n)| Some(((*day).into(), numbered(n)?.into())))
            .collect();
        let month_days = parts.month_day.unwrap_or_default();
        let mut rule = Self {
            frequency,
            interval: parts.interval.unwrap_or(1).into(),
            week_start: parts.week_start.into(),
            count: parts.count,
            until: parts.until,
            start,
            months: mask(parts.month.iter().flatten().copied()),
            week_days: mask(plain.map(|(day, _)| i32::from(*day))),
            by_month_day: month_days.iter().any(|day| *day != 0),
            month_days: mask(month_days.iter().copied().filter(|day| *day > 0)),
            last_month_days: mask(month_days.iter().filter(|day| **day < 0).map(|day| -day)),
            year_days: sorted(parts.year_day),
            weeks: sorted(parts.week_no),
            easter: sorted(parts.easter),
            nth_week_days: nth_week_days.into_iter().collect(),
            set_pos: sorted(parts.set_pos),
            hours: mask(hours.iter().flatten().copied()),
            minutes: mask(minutes.iter().flatten().copied()),
            seconds: mask(seconds.iter().flatten().copied()),
            times: Vec::new(),
        };
        rule.times = rule.times_within();
        Ok(rule)
    }

    /// The times within a period, or within its days. Where a period has one day at most, its
    /// positions are the same in all of them.
    fn times_within(&self) -> Vec<u32> {
        let of = |mask: u64, most: u32, own: bool| -> Vec<u32> {
            match own {
                true => vec![0],
                false => (0..most).filter(|value| mask & (1 << value) != 0).collect(),
            }
        };
        let hours = of(self.hours, 24, self.frequency >= Frequency::Hourly);
        let minutes = of(self.minutes, 60, self.frequency >= Frequency::Minutely);
        let seconds = of(self.seconds, 60, self.frequency >= Frequency::Secondly);
        let mut times = Vec::new();
        for hour in &hours {
            for minute in &minutes {
                let minute = hour * 3600 + minute * 60;
                times.extend(seconds.iter().map(|second| minute + second));
            }
        }
        if self.frequency < Frequency::Daily || self.set_pos.is_empty() {
            return times;
        }
        let chosen = self.set_pos.iter().filter_map(|pos| nth(times.len(), *pos));
        let mut chosen: Vec<_> = chosen.filter_map(|at| times.get(at).copied()).collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// Whether the period that begins so many seconds after its day does is wanted, by the
    /// parts that are as long as it or longer.
    pub fn has_unit(&self, second: i64) -> bool {
        let in_mask = |mask: u64, value: i64| mask == 0 || mask & (1 << value) != 0;
        let unit = self.frequency.unit().unwrap_or(DAY);
        in_mask(self.hours, second / 3600)
            && (unit > 60 || in_mask(self.minutes, second / 60 % 60))
            && (unit > 1 || in_mask(self.seconds, second % 60))
    }

    /// Whether [`Rule::has_unit`] holds for all.
    pub fn has_all_units(&self) -> bool {
        let unit = self.frequency.unit().unwrap_or(DAY);
        self.hours == 0 && (unit > 60 || self.minutes == 0) && (unit > 1 || self.seconds == 0)
    }
}

/// The index of the `pos`-th of so many, from 1 or, from the end, from -1.
pub(super) fn nth(len: usize, pos: i32) -> Option<usize> {
    let distance = usize::try_from(pos.unsigned_abs()).ok()?;
    let at = match pos > 0 {
        true => distance.checked_sub(1)?,
        false => len.checked_sub(distance)?,
    };
    (at < len).then_some(at)
}

/// Each once, so that a list is no longer than its range.
fn sorted(values: Option<Vec<i32>>) -> Vec<i32> {
    let values: BTreeSet<_> = values.into_iter().flatten().collect();
    values.into_iter().collect()
}

fn mask(values: impl Iterator<Item = i32>) -> u64 {
    values.fold(0, |mask, value| {
        mask | 1u64.checked_shl(value.unsigned_abs()).unwrap_or(0)
    })
}
