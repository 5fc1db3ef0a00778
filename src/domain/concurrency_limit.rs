//! Limits on what goes on at once, by name, and how slots of them are taken.
//!
//! What is held by a lease is counted from the leases; the rest is a number in the limit's own
//! row. Of a limit that decays all is in that number: its slots come back by themselves as time
//! goes on, as of the 3.9 server's rate limits.

use super::error::{Error, Result};
use super::ids::LimitId;
use super::time::{Span, Timestamp};

/// How the name of a limit begins that is on the task runs of a tag.
pub const TAG: &str = "tag:";
/// How the name of a limit begins that is a deployment's.
pub const DEPLOYMENT: &str = "deployment:";
/// The most names that one request takes slots of.
pub const MOST_NAMES: usize = 500;
/// The most leases that a limit is held by at once.
pub const MOST_LEASES: i64 = 10_000;
/// How long a lease may last.
pub const LEASE_SECS: std::ops::RangeInclusive<f64> = 60.0..=86_400.0;

/// The most bytes of a name.
const LONGEST_NAME: usize = 1000;
/// The most slots of a limit.
const MOST_SLOTS: i64 = i32::MAX as i64;
/// How long somebody waits at most who finds no slot free, in seconds: for one of a tag, and
/// for any other.
const LONGEST_WAIT: (f64, f64) = (10.0, 30.0);
/// The shortest time that a slot counts as occupied, in seconds.
const SHORTEST_OCCUPANCY: f64 = 0.1;
/// Over how many times as many occupations as there are slots the average goes.
const SAMPLES: f64 = 2.0;

/// A limit.
#[derive(Clone, Debug, PartialEq)]
pub struct ConcurrencyLimit {
    /// Its id.
    pub id: LimitId,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed, or was last taken of.
    pub updated: Timestamp,
    /// Its name, unique among limits.
    pub name: String,
    /// So many slots it has.
    pub slots: i64,
    /// Whether it limits anything.
    pub active: bool,
    /// How many taken slots come back by themselves, per second.
    pub decay: f64,
    /// So many slots were taken without a lease, or of a limit that decays, at
    /// [`counted_at`](Self::counted_at).
    pub taken: i64,
    /// So many were refused, likewise.
    pub denied: i64,
    /// See [`taken`](Self::taken).
    pub counted_at: Timestamp,
    /// How long a slot is occupied on average, in seconds.
    pub occupancy: f64,
}

/// What a client says of a limit that it creates.
#[derive(Clone, Debug, PartialEq)]
pub struct NewLimit {
    /// See [`ConcurrencyLimit::name`].
    pub name: String,
    /// See [`ConcurrencyLimit::slots`].
    pub slots: i64,
    /// See [`ConcurrencyLimit::active`].
    pub active: bool,
    /// See [`ConcurrencyLimit::decay`].
    pub decay: f64,
    /// See [`ConcurrencyLimit::taken`].
    pub taken: i64,
    /// See [`ConcurrencyLimit::denied`].
    pub denied: i64,
}

/// Changes to a limit; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LimitUpdate {
    /// See [`ConcurrencyLimit::name`].
    pub name: Option<String>,
    /// See [`ConcurrencyLimit::slots`].
    pub slots: Option<i64>,
    /// See [`ConcurrencyLimit::active`].
    pub active: Option<bool>,
    /// See [`ConcurrencyLimit::decay`].
    pub decay: Option<f64>,
    /// How many slots count as taken. Those that leases hold are taken whatever is said.
    pub taken: Option<i64>,
    /// See [`ConcurrencyLimit::denied`].
    pub denied: Option<i64>,
}

impl NewLimit {
    /// A limit of that name that does not decay.
    pub fn named(name: String, slots: i64) -> Self {
        Self {
            name,
            slots,
            active: true,
            decay: 0.0,
            taken: 0,
            denied: 0,
        }
    }

    /// The limit.
    ///
    /// # Errors
    /// [`Kind::Invalid`](super::error::Kind::Invalid) where it cannot be.
    pub fn made(self, id: LimitId, now: Timestamp) -> Result<ConcurrencyLimit> {
        let limit = ConcurrencyLimit {
            id,
            created: now,
            updated: now,
            name: self.name,
            slots: self.slots,
            active: self.active,
            decay: self.decay,
            taken: self.taken,
            denied: self.denied,
            counted_at: now,
            occupancy: 2.0,
        };
        limit.check().map(|()| limit)
    }
}

impl ConcurrencyLimit {
    fn check(&self) -> Result<()> {
        let is_plain = |c: char| !matches!(c, '/' | '%' | '&' | '>' | '<');
        if self.name.is_empty() || !self.name.chars().all(is_plain) {
            return Err(Error::invalid("String should match pattern '^[^/%&><]+$'"));
        }
        if self.name.len() > LONGEST_NAME {
            return Err(Error::invalid(format!(
                "The name of a limit has at most {LONGEST_NAME} bytes."
            )));
        }
        let numbers = [self.slots, self.taken, self.denied];
        if !numbers
            .iter()
            .all(|number| (0..=MOST_SLOTS).contains(number))
        {
            return Err(Error::invalid(format!(
                "The slots of a limit are 0 to {MOST_SLOTS}."
            )));
        }
        match self.decay.is_finite() && self.decay >= 0.0 {
            true => Ok(()),
            false => Err(Error::invalid("The decay of slots is 0 or more.")),
        }
    }

    /// The same with what a client changes, while leases hold `leased` slots.
    ///
    /// # Errors
    /// [`Kind::Invalid`](super::error::Kind::Invalid) where it cannot be so.
    pub fn changed(mut self, update: LimitUpdate, leased: i64, now: Timestamp) -> Result<Self> {
        let taken = update.taken.unwrap_or(self.all_taken(leased, now));
        self.denied = update.denied.unwrap_or(self.denied_at(now));
        self.name = update.name.unwrap_or(self.name);
        self.slots = update.slots.unwrap_or(self.slots);
        self.active = update.active.unwrap_or(self.active);
        self.decay = update.decay.unwrap_or(self.decay);
        self.taken = match self.decays() {
            true => taken,
            false => (taken - leased).max(0),
        };
        self.counted_at = now;
        self.check().map(|()| self)
    }

    /// Whether taken slots come back by themselves.
    pub fn decays(&self) -> bool {
        self.decay > 0.0
    }

    /// How many slots are taken, while leases hold `leased`.
    pub fn all_taken(&self, leased: i64, now: Timestamp) -> i64 {
        match self.decays() {
            true => (self.taken - self.come_back(self.decay, now)).max(0),
            false => self.taken + leased,
        }
    }

    /// Takes slots: of the number in the row where nothing else counts them.
    pub fn take(&mut self, slots: i64, by_lease: bool, now: Timestamp) {
        self.denied = self.denied_at(now);
        self.taken = match self.decays() {
            true => self.all_taken(0, now) + slots,
            false if by_lease => self.taken,
            false => self.taken + slots,
        };
        self.counted_at = now;
    }

    /// Gives slots back that were occupied for as long as `occupied`, where that is known.
    pub fn give_back(
        &mut self,
        slots: i64,
        by_lease: bool,
        occupied: Option<Span>,
        now: Timestamp,
    ) {
        self.denied = self.denied_at(now);
        self.taken = match self.decays() {
            true => (self.all_taken(0, now) - slots).max(0),
            false if by_lease => self.taken,
            false => (self.taken - slots).max(0),
        };
        self.counted_at = now;
        let samples = self.slots as f64 * SAMPLES;
        if let Some(occupied) = occupied.filter(|it| *it > Span::ZERO)
            && slots > 0
            && samples > 0.0
        {
            let each = (occupied.as_secs_f64() / slots as f64).max(SHORTEST_OCCUPANCY);
            self.occupancy += (each - self.occupancy) / samples;
        }
    }

    /// Counts slots that were not free.
    pub fn deny(&mut self, slots: i64, now: Timestamp) {
        let denied = self.denied_at(now).saturating_add(slots);
        self.denied = denied.min(MOST_SLOTS);
        if self.decays() {
            self.taken = self.all_taken(0, now);
        }
        self.counted_at = now;
    }

    /// By how many times the slots are wanted that there are: the higher, the longer one waits.
    pub fn rush(&self, slots: i64) -> f64 {
        let wanted = (slots + self.denied) as f64;
        match self.decays() {
            true => wanted,
            false => wanted / self.slots as f64,
        }
    }

    /// How long to wait on average before asking for so many slots again, in seconds.
    pub fn wait_secs(&self, slots: i64) -> f64 {
        let longest = self.longest_wait();
        match self.decays() {
            true => self.rush(slots) / self.decay,
            false => (self.occupancy.min(longest) * self.rush(slots)).min(longest),
        }
    }

    /// How long a slot is occupied on average, as far as anybody waits for it: in whole seconds,
    /// at least one.
    pub fn mean_wait_secs(&self) -> i64 {
        // Of some seconds.
        self.occupancy.min(self.longest_wait()).round().max(1.0) as i64
    }

    fn longest_wait(&self) -> f64 {
        match self.name.starts_with(TAG) {
            true => LONGEST_WAIT.0,
            false => LONGEST_WAIT.1,
        }
    }

    fn denied_at(&self, now: Timestamp) -> i64 {
        let rate = match self.decays() {
            true => self.decay,
            false => {
                1.0 / self
                    .occupancy
                    .min(self.longest_wait())
                    .max(SHORTEST_OCCUPANCY)
            }
        };
        (self.denied - self.come_back(rate, now)).max(0)
    }

    /// How many have come back since they were counted, at that rate per second.
    fn come_back(&self, rate: f64, now: Timestamp) -> i64 {
        // Saturates, which is what all of them should do.
        (rate * (now - self.counted_at).as_secs_f64())
            .floor()
            .max(0.0) as i64
    }
}

/// A time about as long as `average`, so that those who wait do not all come at once: between
/// 0.7 and 1.3 times as long. `chance` lies between 0 and 1.
pub fn spread(average: f64, chance: f64) -> f64 {
    average * (0.7 + 0.6 * chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_micros(secs * 1_000_000)
    }

    fn limit(slots: i64, decay: f64) -> ConcurrencyLimit {
        let new = NewLimit {
            decay,
            ..NewLimit::named("a".to_owned(), slots)
        };
        new.made(LimitId::new(), at(0)).unwrap()
    }

    #[test]
    fn slots_of_leases_are_counted_elsewhere_unless_they_decay() {
        let mut plain = limit(5, 0.0);
        plain.take(2, true, at(1));
        assert_eq!((plain.taken, plain.all_taken(2, at(9))), (0, 2));
        plain.take(1, false, at(2));
        assert_eq!(plain.all_taken(2, at(900)), 3);
        plain.give_back(2, true, None, at(3));
        assert_eq!(plain.all_taken(0, at(3)), 1);
        plain.give_back(7, false, None, at(4));
        assert_eq!(plain.all_taken(0, at(4)), 0, "never less than none");

        let mut rate = limit(5, 0.5);
        rate.take(3, true, at(0));
        assert_eq!(rate.all_taken(3, at(1)), 3);
        assert_eq!(rate.all_taken(3, at(2)), 2);
        assert_eq!(rate.all_taken(3, at(600)), 0);
        // Turned into one that does not, leases count again.
        let update = LimitUpdate {
            decay: Some(0.0),
            ..LimitUpdate::default()
        };
        let plain = rate.changed(update, 1, at(2)).unwrap();
        assert_eq!(plain.all_taken(1, at(500)), 2);
    }

    #[test]
    fn who_is_refused_waits_the_longer_the_more_wait() {
        let mut one = limit(2, 0.0);
        assert_eq!(one.wait_secs(1), 1.0);
        one.deny(1, at(0));
        assert_eq!(one.wait_secs(1), 2.0);
        for _ in 0..100 {
            one.deny(2, at(0));
        }
        assert_eq!(one.wait_secs(1), 30.0, "and no longer than that");
        // What was refused is forgotten at the rate at which slots come free.
        one.take(1, false, at(2));
        assert_eq!(one.denied, 200);
        let mut rate = limit(2, 0.5);
        rate.deny(1, at(0));
        assert_eq!(rate.wait_secs(1), 4.0);
    }

    #[test]
    fn the_occupancy_goes_towards_what_is_seen() {
        let mut one = limit(1, 0.0);
        one.give_back(1, true, Some(at(10) - at(0)), at(10));
        assert_eq!(one.occupancy, 6.0);
        one.give_back(1, true, None, at(11));
        assert_eq!(one.occupancy, 6.0);
        let mut none = limit(0, 0.0);
        none.give_back(1, true, Some(at(10) - at(0)), at(10));
        assert_eq!(none.occupancy, 2.0);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (name, slots, decay, is_good) in [
            ("a b", 0, 0.0, true),
            ("tag:x", 1, 2.5, true),
            ("", 1, 0.0, false),
            ("a/b", 1, 0.0, false),
            ("a", -1, 0.0, false),
            ("a", 1 << 40, 0.0, false),
            ("a", 1, -0.5, false),
            ("a", 1, f64::INFINITY, false),
        ] {
            let new = NewLimit {
                decay,
                ..NewLimit::named(name.to_owned(), slots)
            };
            assert_eq!(new.made(LimitId::new(), at(0)).is_ok(), is_good, "{name}");
        }
    }
}
