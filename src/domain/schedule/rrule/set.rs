//! Several rules and single dates, less those that are excepted.

use super::super::budget::{Budget, TooCostly};
use super::reading::Reading;
use super::rule::Rule;
use super::walk::Walk;

/// What a rule's text says in all.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleSet {
    pub rules: Vec<Rule>,
    pub dates: Vec<Reading>,
    pub except_rules: Vec<Rule>,
    pub except_dates: Vec<Reading>,
}

/// The dates of a set, rising, each once.
#[derive(Debug)]
pub(super) struct Dates {
    walks: Vec<Walk>,
    single: Vec<Reading>,
    except_walks: Vec<Walk>,
    except: Vec<Reading>,
    next: Reading,
}

impl RuleSet {
    /// The dates from one reading up to another.
    pub fn dates(self, from: Reading, stop: Reading) -> Dates {
        let walks = |rules: Vec<Rule>| rules.into_iter().map(|rule| Walk::new(rule, stop));
        let mut single = self.dates;
        let mut except = self.except_dates;
        single.retain(|date| *date <= stop);
        single.sort_unstable();
        except.sort_unstable();
        Dates {
            walks: walks(self.rules).collect(),
            single,
            except_walks: walks(self.except_rules).collect(),
            except,
            next: from,
        }
    }
}

impl Dates {
    /// The next date.
    pub fn next(&mut self, budget: &mut Budget) -> Result<Option<Reading>, TooCostly> {
        loop {
            let single = self.single.partition_point(|date| *date < self.next);
            let mut found = self.single.get(single).copied();
            for walk in &mut self.walks {
                let date = walk.seek(self.next, budget)?;
                found = [found, date].into_iter().flatten().min();
            }
            let Some(date) = found else {
                return Ok(None);
            };
            self.next = Reading(date.0.saturating_add(1));
            let mut excepted = self.except.binary_search(&date).is_ok();
            for walk in &mut self.except_walks {
                excepted = excepted || walk.seek(date, budget)? == Some(date);
            }
            if !excepted {
                return Ok(Some(date));
            }
        }
    }
}
