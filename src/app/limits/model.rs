//! Slots beside a model of them, in random steps: never more are held than there are, what is free
//! is granted, and what ends is free again.

use std::collections::BTreeMap;

use super::ends::release;
use super::slots::take;
use super::*;
use crate::app::testing::{Ahead, app};
use crate::domain::ids::LeaseId;
use crate::domain::time::Span;

/// How many steps there are, and how many of them one transaction makes.
const STEPS: usize = 100_000;
const AT_ONCE: usize = 1_000;
/// After how many transactions the database is opened anew.
const OPENED_FOR: usize = 20;
/// The slots of the limits.
const SLOTS: [i64; 4] = [1, 3, 7, 20];

const SEC: i64 = 1_000_000;

/// Numbers at random, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap()
    }
}

/// What a lease should be like.
struct Held {
    on: Vec<usize>,
    slots: i64,
    /// When it ends, in microseconds after the beginning.
    end: Option<i64>,
}

struct Model {
    dice: Dice,
    /// Microseconds after the beginning.
    now: i64,
    held: BTreeMap<LeaseId, Held>,
    /// Some that are over.
    over: Vec<LeaseId>,
    granted: usize,
    refused: usize,
}

fn name(limit: usize) -> String {
    format!("l{limit}")
}

impl Model {
    fn taken(&self, limit: usize) -> i64 {
        let holds = self.held.values().filter(|it| it.on.contains(&limit));
        holds.map(|it| it.slots).sum()
    }

    fn let_time_pass(&mut self) {
        self.now += i64::try_from(self.dice.below(4)).unwrap() * SEC;
        let now = self.now;
        let is_over = |held: &Held| held.end.is_some_and(|end| end <= now);
        let over: Vec<_> = { self.held.iter() }
            .filter(|(_, held)| is_over(held))
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: LeaseId) {
        self.held.remove(&id);
        self.over.push(id);
        if self.over.len() > 50 {
            self.over.swap_remove(0);
        }
    }

    /// A lease: mostly one that is held.
    fn some_lease(&mut self) -> Option<LeaseId> {
        let (held, over) = (self.held.len(), self.over.len());
        match self.dice.below(4) {
            0 if over > 0 => Some(self.over[self.dice.below(over)]),
            _ if held > 0 => {
                let nth = self.dice.below(held);
                self.held.keys().nth(nth).copied()
            }
            _ => None,
        }
    }

    fn step(&mut self, tx: &mut Tx<'_>, began: Timestamp) -> Result<()> {
        self.let_time_pass();
        tx.now = began + Span::from_micros(self.now);
        match self.dice.below(10) {
            0..=4 => self.takes(tx),
            5..=6 => self.renews(tx),
            7..=8 => {
                if let Some(id) = self.some_lease() {
                    release(tx, id)?;
                    self.forget(id);
                }
                Ok(())
            }
            _ => {
                for id in leases::over(tx.db, tx.now, 100)? {
                    assert!(!self.held.contains_key(&id), "it is not over");
                    release(tx, id)?;
                }
                Ok(())
            }
        }
    }

    fn takes(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let mut on: Vec<_> = (0..SLOTS.len())
            .filter(|_| self.dice.below(2) == 0)
            .collect();
        if on.is_empty() {
            on.push(self.dice.below(SLOTS.len()));
        }
        let most = on.iter().map(|limit| SLOTS[*limit]).min().unwrap();
        let slots = 1 + i64::try_from(self.dice.below(3)).unwrap().min(most - 1);
        let time = match self.dice.below(5) {
            0 => None,
            _ => Some(i64::try_from(60 + self.dice.below(60)).unwrap() * SEC),
        };
        let asked = Asked {
            names: on.iter().copied().map(name).collect(),
            slots,
            mode: Mode::Concurrency,
        };
        let got = take(tx, &asked, Some((time.map(Span::from_micros), None)))?;
        let is_free = on.iter().all(|it| self.taken(*it) + slots <= SLOTS[*it]);
        match got {
            Taken::Granted(granted) => {
                assert!(is_free, "granted twice");
                let end = time.map(|time| self.now + time);
                let held = Held { on, slots, end };
                self.held.insert(granted.lease.unwrap(), held);
                self.granted += 1;
            }
            Taken::Full { .. } => {
                assert!(!is_free, "leaked");
                self.refused += 1;
            }
            Taken::Never(_) => panic!("each has slots"),
        }
        Ok(())
    }

    fn renews(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let Some(id) = self.some_lease() else {
            return Ok(());
        };
        let until = self.now + 90 * SEC;
        let end = tx.now + Span::from_micros(90 * SEC);
        let is_renewed = leases::renew(tx.db, id, Some(end), tx.now)?;
        assert_eq!(is_renewed, self.held.contains_key(&id));
        if let Some(held) = self.held.get_mut(&id) {
            held.end = Some(until);
        }
        Ok(())
    }

    fn check(&self, tx: &Tx<'_>) -> Result<()> {
        for limit in 0..SLOTS.len() {
            let known = read(tx.db, &LimitKey::Name(name(limit)))?;
            let standing = standing(tx.db, known, tx.now)?;
            assert_eq!(standing.taken, self.taken(limit), "of {limit}");
        }
        Ok(())
    }
}

#[tokio::test]
async fn slots_are_held_as_in_a_model() {
    let dir = tempfile::tempdir().unwrap();
    let mut model = Model {
        dice: Dice(7),
        now: 0,
        held: BTreeMap::new(),
        over: Vec::new(),
        granted: 0,
        refused: 0,
    };
    let mut store = app(dir.path(), Ahead::default());
    for (limit, slots) in SLOTS.into_iter().enumerate() {
        let new = NewLimit::named(name(limit), slots);
        store.create_limit(new).await.unwrap();
    }
    let began = store.now();
    for round in 0..STEPS / AT_ONCE {
        if round % OPENED_FOR == OPENED_FOR - 1 {
            store.close();
            store = app(dir.path(), Ahead::default());
        }
        let steps = store.write(move |tx| {
            for _ in 0..AT_ONCE {
                model.step(tx, began)?;
            }
            model.check(tx)?;
            Ok(Stepped(model))
        });
        model = steps.await.unwrap().0;
    }
    assert!(model.granted > STEPS / 20, "{}", model.granted);
    assert!(model.refused > STEPS / 20, "{}", model.refused);
}

struct Stepped(Model);

comes_to_the_same!(Stepped);
