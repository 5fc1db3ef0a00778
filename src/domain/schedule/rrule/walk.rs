//! From a rule to its dates, one period after another.
//!
//! A walk begins where it is asked to, not at the rule's start: periods are found by
//! arithmetic. Only a rule that counts its dates has them counted, a period at a time.

use std::sync::Arc;

use super::super::budget::{Budget, TooCostly};
use super::reading::{DAY, Reading, date_of};
use super::rule::{Frequency, Rule, nth};
use super::year::Year;

/// The dates of one rule, rising.
#[derive(Debug)]
pub(super) struct Walk {
    rule: Rule,
    /// Dates after this are not looked for.
    stop: Reading,
    period: i64,
    year: Option<Year>,
    block: Option<Block>,
    at: usize,
    /// How many dates the periods before had.
    counted: u64,
    /// The times of days of one shape, for periods shorter than a day.
    last_times: Option<(i64, Arc<Vec<u32>>)>,
}

/// The dates of one period, or of one day of shorter periods.
#[derive(Debug)]
enum Block {
    /// Each time on each day.
    Grid {
        days: Vec<i64>,
        times: Arc<Vec<u32>>,
    },
    Listed(Vec<Reading>),
}

impl Block {
    fn len(&self) -> usize {
        match self {
            Self::Grid { days, times } => days.len() * times.len(),
            Self::Listed(dates) => dates.len(),
        }
    }

    fn get(&self, at: usize) -> Option<Reading> {
        match self {
            Self::Grid { days, times } => {
                let day = days.get(at.checked_div(times.len())?)?;
                let time = times.get(at % times.len())?;
                Some(Reading(day * DAY + i64::from(*time)))
            }
            Self::Listed(dates) => dates.get(at).copied(),
        }
    }

    /// How many of its dates are before a reading.
    fn before(&self, reading: Reading) -> usize {
        match self {
            Self::Grid { days, times } => {
                let whole = days.partition_point(|day| *day < reading.day());
                let second = reading.second();
                let partly = match days.get(whole) == Some(&reading.day()) {
                    true => times.partition_point(|time| i64::from(*time) < second),
                    false => 0,
                };
                whole * times.len() + partly
            }
            Self::Listed(dates) => dates.partition_point(|date| *date < reading),
        }
    }
}

impl Walk {
    /// The dates of a rule up to `stop`.
    pub fn new(rule: Rule, stop: Reading) -> Self {
        let stop = stop.min(Reading::LAST).min(rule.until.unwrap_or(stop));
        let start = rule.start;
        let (year, month, _) = start.date();
        let period = match rule.frequency {
            Frequency::Yearly => i64::from(year),
            Frequency::Monthly => i64::from(year) * 12 + i64::from(month) - 1,
            _ => start.day(),
        };
        Self {
            rule,
            stop,
            period,
            year: None,
            block: None,
            at: 0,
            counted: 0,
            last_times: None,
        }
    }

    /// The first date that is not before `from`; no later question may be about an earlier
    /// one.
    pub fn seek(
        &mut self,
        from: Reading,
        budget: &mut Budget,
    ) -> Result<Option<Reading>, TooCostly> {
        let from = from.max(self.rule.start);
        loop {
            budget.spend(1)?;
            let Some(block) = &self.block else {
                if !self.open(from, budget)? {
                    return Ok(None);
                }
                continue;
            };
            self.at = self.at.max(block.before(from));
            let early = block.before(self.rule.start);
            let Some(date) = block.get(self.at) else {
                self.counted += block.len().saturating_sub(early) as u64;
                self.block = None;
                if !self.advance() {
                    return Ok(None);
                }
                continue;
            };
            let index = self.counted + self.at.saturating_sub(early) as u64;
            let spent = self.rule.count.is_some_and(|count| index >= count);
            return Ok((date <= self.stop && !spent).then_some(date));
        }
    }

    /// Opens the period of `from`, or the next one; `false` when there is none.
    fn open(&mut self, from: Reading, budget: &mut Budget) -> Result<bool, TooCostly> {
        if self.rule.times.is_empty() {
            return Ok(false);
        }
        if self.is_counted() {
            self.count_up_to(from, budget)?;
        } else {
            self.jump(from);
        }
        if self.begins().is_none_or(|begins| begins > self.stop) {
            return Ok(false);
        }
        self.block = self.make(budget)?;
        self.at = 0;
        Ok(self.block.is_some())
    }

    /// Whether the count can end the walk: there is at most one date a second.
    fn is_counted(&self) -> bool {
        let span = u64::try_from(self.stop.0.saturating_sub(self.rule.start.0)).unwrap_or(0);
        self.rule.count.is_some_and(|count| count <= span)
    }

    /// Counts the dates of days before that of `from`, for periods shorter than a day.
    fn count_up_to(&mut self, from: Reading, budget: &mut Budget) -> Result<(), TooCostly> {
        let Some(unit) = self.rule.frequency.unit() else {
            return Ok(());
        };
        while self.period < from.day() && self.period > self.rule.start.day() {
            budget.spend(1)?;
            if self.wants_day(self.period) {
                let units = match self.rule.has_all_units() {
                    true => {
                        let (first, step) = self.units(unit);
                        let left = DAY / unit - first;
                        let units = (left + step - 1).div_euclid(step).max(0);
                        u64::try_from(units).unwrap_or(0) * self.rule.times.len() as u64
                    }
                    false => self.times_of_day(unit, budget)?.len() as u64,
                };
                self.counted += units;
            }
            if !self.advance() {
                break;
            }
        }
        Ok(())
    }

    /// Goes on to the period that `from` is in, or the last one before it.
    fn jump(&mut self, from: Reading) {
        let interval = self.rule.interval;
        let (year, month, _) = from.date();
        let to = |wanted: i64, period: i64, step: i64| {
            let steps = (wanted - period).max(0) / step;
            period + steps * step
        };
        let period = self.period;
        self.period = match self.rule.frequency {
            Frequency::Yearly => to(year.into(), period, interval),
            Frequency::Monthly => to(
                i64::from(year) * 12 + i64::from(month) - 1,
                period,
                interval,
            ),
            Frequency::Daily => to(from.day(), period, interval),
            Frequency::Weekly => {
                // All weeks but the first begin on the week's own first day.
                let start = self.week_start(period);
                let there = to(from.day(), start, 7 * interval);
                if there == start { period } else { there }
            }
            _ if from.day() > period => {
                self.period = from.day();
                self.first_day_with_unit().unwrap_or(i64::MAX)
            }
            _ => period,
        };
    }

    /// The first moment of the period; `None` beyond the calendar.
    fn begins(&self) -> Option<Reading> {
        let day = match self.rule.frequency {
            Frequency::Yearly => super::reading::first_of(self.period, 1)?,
            Frequency::Monthly => {
                let month = u32::try_from(self.period % 12).ok()? + 1;
                super::reading::first_of(self.period / 12, month)?
            }
            _ => self.period,
        };
        let begins = Reading(day.checked_mul(DAY)?);
        (begins <= Reading::LAST).then_some(begins)
    }

    /// On to the next period; `false` beyond the calendar.
    fn advance(&mut self) -> bool {
        let interval = self.rule.interval;
        self.period = match self.rule.frequency {
            Frequency::Yearly | Frequency::Monthly | Frequency::Daily => self.period + interval,
            Frequency::Weekly => self.week_start(self.period) + 7 * interval,
            _ => {
                self.period += 1;
                self.first_day_with_unit().unwrap_or(i64::MAX)
            }
        };
        self.begins().is_some()
    }

    fn week_start(&self, day: i64) -> i64 {
        day - (super::reading::week_day(day) - self.rule.week_start).rem_euclid(7)
    }

    /// The first day, from the present one on, in which a period shorter than a day begins.
    fn first_day_with_unit(&self) -> Option<i64> {
        let unit = self.rule.frequency.unit()?;
        let (first, _) = self.units(unit);
        Some(self.period + first / (DAY / unit))
    }

    /// The first period from the present day's beginning on, counted in periods, and how many
    /// lie between one and the next.
    fn units(&self, unit: i64) -> (i64, i64) {
        let step = self.rule.interval;
        let begins = self.period * (DAY / unit);
        let start = self.rule.start.0.div_euclid(unit);
        let first = match start >= begins {
            true => start - begins,
            false => (start - begins).rem_euclid(step),
        };
        (first, step)
    }

    /// The present period's dates; `None` beyond the calendar.
    fn make(&mut self, budget: &mut Budget) -> Result<Option<Block>, TooCostly> {
        let Some(days) = self.days(budget)? else {
            return Ok(None);
        };
        let times = match self.rule.frequency.unit() {
            Some(_) if days.is_empty() => Arc::default(),
            Some(unit) => self.times_of_day(unit, budget)?,
            None => match &self.last_times {
                Some((_, times)) => Arc::clone(times),
                None => {
                    let times = Arc::new(self.rule.times.clone());
                    self.last_times = Some((0, Arc::clone(&times)));
                    times
                }
            },
        };
        let grid = Block::Grid { days, times };
        if self.rule.set_pos.is_empty() || self.rule.frequency >= Frequency::Daily {
            return Ok(Some(grid));
        }
        budget.spend(self.rule.set_pos.len() as u64)?;
        let positions = self.rule.set_pos.iter();
        let chosen = positions.filter_map(|pos| grid.get(nth(grid.len(), *pos)?));
        let mut chosen: Vec<_> = chosen.collect();
        chosen.sort_unstable();
        chosen.dedup();
        Ok(Some(Block::Listed(chosen)))
    }

    /// The days of the present period that the rule wants, as numbers.
    fn days(&mut self, budget: &mut Budget) -> Result<Option<Vec<i64>>, TooCostly> {
        let period = self.period;
        if self.rule.frequency >= Frequency::Daily {
            return Ok(Some(match self.wants_day(period) {
                true => vec![period],
                false => Vec::new(),
            }));
        }
        let (year, month) = match self.rule.frequency {
            Frequency::Yearly => (period, 1),
            Frequency::Monthly => (period / 12, u32::try_from(period % 12).unwrap_or(0) + 1),
            _ => (year_of(period), 1),
        };
        let rule = &self.rule;
        let Some(year) = of_year(&mut self.year, rule, year, month) else {
            return Ok(None);
        };
        let (first, end) = match rule.frequency {
            Frequency::Yearly => (0, year.length),
            Frequency::Monthly => year.month(month),
            _ => {
                let first = period - year.first;
                let into = (super::reading::week_day(period) - rule.week_start).rem_euclid(7);
                (first, first + 7 - into)
            }
        };
        let numbered = rule.nth_week_days.len() as u64 * 12;
        budget.spend(u64::try_from(end - first).unwrap_or(0) + numbered)?;
        let wanted = (first..end).filter(|day| year.wants(rule, *day));
        Ok(Some(wanted.map(|day| year.first + day).collect()))
    }

    fn wants_day(&mut self, day: i64) -> bool {
        let rule = &self.rule;
        let year = of_year(&mut self.year, rule, year_of(day), 1);
        year.is_some_and(|year| year.wants(rule, day - year.first))
    }

    /// The times of the present day, for periods shorter than a day.
    fn times_of_day(&mut self, unit: i64, budget: &mut Budget) -> Result<Arc<Vec<u32>>, TooCostly> {
        let (first, step) = self.units(unit);
        if let Some((known, times)) = &self.last_times
            && *known == first
        {
            return Ok(Arc::clone(times));
        }
        let mut times = Vec::new();
        let mut at = first;
        while at < DAY / unit {
            budget.spend(1)?;
            let second = at * unit;
            if self.rule.has_unit(second) {
                budget.spend(self.rule.times.len() as u64)?;
                let second = u32::try_from(second).unwrap_or(0);
                times.extend(self.rule.times.iter().map(|time| second + time));
            }
            at += step;
        }
        let times = Arc::new(times);
        self.last_times = Some((first, Arc::clone(&times)));
        Ok(times)
    }
}

fn year_of(day: i64) -> i64 {
    date_of(day).map_or(i64::MAX, |date| chrono::Datelike::year(&date).into())
}

/// The year, kept from one period to the next.
fn of_year<'y>(
    known: &'y mut Option<Year>,
    rule: &Rule,
    year: i64,
    month: u32,
) -> Option<&'y mut Year> {
    if known.as_ref().is_none_or(|known| known.year != year) {
        *known = Some(Year::new(rule, year, month)?);
    } else if let Some(known) = known {
        known.set_month(rule, month);
    }
    known.as_mut()
}
