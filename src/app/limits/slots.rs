//! Taking slots of limits, and giving them back.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::app::App;
use crate::app::request::Repeat;
use crate::app::tx::{Effect, Tx};
use crate::domain::concurrency_limit::{ConcurrencyLimit, MOST_LEASES, MOST_NAMES, TAG, spread};
use crate::domain::error::{Error, Result};
use crate::domain::ids::{LeaseId, LimitId};
use crate::domain::time::Span;
use crate::storage::leases::{self, Holder, Lease};
use crate::storage::{concurrency_limits, rows};

/// What slots are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Something that goes on for some time.
    Concurrency,
    /// Something of which there may be so many in a time; only of limits that decay.
    RateLimit,
}

/// What is asked of limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Of which; names that there are not, and limits that are not active, are passed over.
    pub names: Vec<String>,
    /// How many slots of each.
    pub slots: i64,
    /// What for.
    pub mode: Mode,
}

/// Slots that were taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Granted {
    /// Of which limits, those that are not active included.
    pub limits: Vec<ConcurrencyLimit>,
    /// By which lease.
    pub lease: Option<LeaseId>,
}

/// How it went to take slots.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// All of them were free.
    Granted(Granted),
    /// Some were not, and none was taken.
    Full {
        /// Which limit lacked them most, by its name.
        of: String,
        /// After how many seconds to ask again.
        retry_after: f64,
    },
    /// This limit, by its name, has no slot at all.
    Never(String),
}

impl App {
    /// Takes slots of each of some limits, or none of any: until they are given back, or by a
    /// lease that lasts as long as said, for somebody.
    ///
    /// Fails as invalid where more are asked for than there are.
    pub async fn take_slots(
        &self,
        asked: Asked,
        lease: Option<(Option<Span>, Option<Holder>)>,
    ) -> Result<Taken> {
        self.write(move |tx| take(tx, &asked, lease)).await
    }

    /// Gives slots back that were taken without a lease; `occupied` says for how long they
    /// were taken.
    pub async fn give_slots_back(
        &self,
        asked: Asked,
        occupied: Option<Span>,
    ) -> Result<Vec<ConcurrencyLimit>> {
        self.write(move |tx| {
            let limits = named(tx, &asked.names)?;
            for mut limit in limits.iter().filter(|limit| limit.active).cloned() {
                limit.give_back(asked.slots, false, occupied, tx.now);
                concurrency_limits::update(tx.db, &limit, tx.now)?;
            }
            Ok(GivenBack(limits))
        })
        .await
        .map(|given| given.0)
    }

    /// Gives the slots of a lease back; one that is not there holds none.
    pub async fn release_lease(&self, id: LeaseId) -> Result<()> {
        self.write(move |tx| super::ends::release(tx, id)).await
    }

    /// Has a lease last as long from here on; false where it is over.
    pub async fn renew_lease(&self, id: LeaseId, time: Span) -> Result<bool> {
        self.write(move |tx| {
            let until = tx.now + time;
            leases::renew(tx.db, id, Some(until), tx.now)
        })
        .await
    }

    /// Takes a slot of each of the limits of some tags for a task run, or none of any. It has
    /// them until it gives them back.
    pub async fn take_tag_slots(&self, tags: Vec<String>, task_run: Uuid) -> Result<Taken> {
        self.write(move |tx| {
            let asked = Asked {
                names: names_of(&tags),
                slots: 1,
                mode: Mode::Concurrency,
            };
            let limits = named(tx, &asked.names)?;
            let mut as_asked = { asked.names.iter() }
                .filter_map(|name| limits.iter().find(|limit| limit.name == *name));
            if let Some(none) = as_asked.clone().find(|limit| limit.slots == 0) {
                return Ok(Taken::Never(none.name.clone()));
            }
            let first = as_asked.find(|limit| limit.active);
            let holder = Holder {
                kind: "task_run".to_owned(),
                id: task_run,
            };
            let taken = take(tx, &asked, Some((None, Some(holder))))?;
            Ok(match (taken, first) {
                // As on the reference, whichever of them it is.
                (Taken::Full { retry_after, .. }, Some(first)) => Taken::Full {
                    of: first.name.clone(),
                    retry_after,
                },
                (taken, _) => taken,
            })
        })
        .await
    }

    /// Gives back what a task run holds of the limits of tags; answers those limits.
    pub async fn release_tags(
        &self,
        tags: Vec<String>,
        task_run: Uuid,
    ) -> Result<Vec<ConcurrencyLimit>> {
        self.write(move |tx| {
            let limits = named(tx, &names_of(&tags))?;
            for limit in &limits {
                let holders = leases::holders(tx.db, limit.id.uuid(), tx.now, MOST_LEASES)?;
                let own = holders.into_iter().filter(|(_, it)| it.id == task_run);
                for (lease, _) in own {
                    super::ends::release(tx, lease)?;
                }
            }
            Ok(GivenBack(limits))
        })
        .await
        .map(|given| given.0)
    }
}

/// Stands for no lease.
const NIL: Uuid = Uuid::nil();

/// The names of the limits of tags.
pub(super) fn names_of(tags: &[String]) -> Vec<String> {
    tags.iter().map(|tag| format!("{TAG}{tag}")).collect()
}

/// Limits whose slots were given back.
struct GivenBack(Vec<ConcurrencyLimit>);

fn ids_of(limits: &[ConcurrencyLimit]) -> Vec<Uuid> {
    limits.iter().map(|limit| limit.id.uuid()).collect()
}

fn again(tx: &Tx<'_>, ids: &[Uuid]) -> Result<Vec<ConcurrencyLimit>> {
    let found = ids
        .iter()
        .map(|id| rows::by_id(tx.db, LimitId::from_uuid(*id)));
    found.filter_map(Result::transpose).collect()
}

impl Repeat for GivenBack {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(ids_of(&self.0))
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        again(tx, made).map(Self)
    }
}

impl Repeat for Taken {
    /// The lease, or nil, and the limits. What was not free may be free the next time.
    fn made(&self) -> Option<Vec<Uuid>> {
        let Self::Granted(granted) = self else {
            return None;
        };
        let mut made = vec![granted.lease.map_or(NIL, LeaseId::uuid)];
        made.extend(ids_of(&granted.limits));
        Some(made)
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let (lease, limits) = made.split_first().unwrap_or((&NIL, &[]));
        Ok(Self::Granted(Granted {
            limits: again(tx, limits)?,
            lease: (!lease.is_nil()).then(|| LeaseId::from_uuid(*lease)),
        }))
    }
}

/// The limits of these names, each once, by name.
pub(super) fn named(tx: &Tx<'_>, names: &[String]) -> Result<Vec<ConcurrencyLimit>> {
    if names.len() > MOST_NAMES {
        return Err(Error::invalid(format!(
            "Slots are taken of at most {MOST_NAMES} limits at once."
        )));
    }
    let names: BTreeSet<_> = names.iter().collect();
    let found = names
        .into_iter()
        .map(|name| concurrency_limits::by_name(tx.db, name));
    found.filter_map(Result::transpose).collect()
}

pub(super) fn take(
    tx: &mut Tx<'_>,
    asked: &Asked,
    lease: Option<(Option<Span>, Option<Holder>)>,
) -> Result<Taken> {
    let limits = named(tx, &asked.names)?;
    let active: Vec<_> = limits.iter().filter(|it| it.active).cloned().collect();
    check(&active, asked)?;
    if let Some((of, retry_after)) = refused(tx, &active, asked.slots)? {
        return Ok(Taken::Full { of, retry_after });
    }
    let by_lease = lease.is_some();
    for mut limit in active.iter().cloned() {
        limit.take(asked.slots, by_lease, tx.now);
        concurrency_limits::update(tx.db, &limit, tx.now)?;
    }
    let lease = match lease {
        Some((time, holder)) => {
            let lease = Lease {
                id: LeaseId::new(),
                created: tx.now,
                expires: time.map(|time| tx.now + time),
                slots: asked.slots,
            };
            leases::grant(tx.db, lease, &ids_of(&active), holder.as_ref())?;
            tx.entail(Effect::WakeDeadlines);
            Some(lease.id)
        }
        None => None,
    };
    Ok(Taken::Granted(Granted { limits, lease }))
}

fn check(active: &[ConcurrencyLimit], asked: &Asked) -> Result<()> {
    if active.iter().any(|limit| limit.slots < asked.slots) {
        return Err(Error::invalid("Slots requested is greater than the limit"));
    }
    let steady: Vec<_> = active.iter().filter(|limit| !limit.decays()).collect();
    if asked.mode == Mode::RateLimit && !steady.is_empty() {
        let names: Vec<_> = steady.iter().map(|limit| limit.name.as_str()).collect();
        return Err(Error::invalid(format!(
            "Only concurrency limits with slot decay can be used for rate limiting. The following \
             limits do not have a decay configured: '{}'",
            names.join(",")
        )));
    }
    Ok(())
}

/// Counts the slots as refused where one of the limits has not that many free, and says which
/// lacks them most, and after how many seconds to ask again.
fn refused(tx: &Tx<'_>, active: &[ConcurrencyLimit], slots: i64) -> Result<Option<(String, f64)>> {
    let mut is_full = false;
    for limit in active {
        let (leased, leases) = leases::leased(tx.db, limit.id.uuid(), tx.now)?;
        is_full |= limit.all_taken(leased, tx.now) + slots > limit.slots || leases >= MOST_LEASES;
    }
    let rush = |limit: &&ConcurrencyLimit| limit.rush(slots);
    let busiest = active
        .iter()
        .max_by(|one, other| rush(one).total_cmp(&rush(other)));
    let Some(busiest) = busiest.filter(|_| is_full) else {
        return Ok(None);
    };
    for mut limit in active.iter().cloned() {
        limit.deny(slots, tx.now);
        concurrency_limits::update(tx.db, &limit, tx.now)?;
    }
    let retry_after = spread(busiest.wait_secs(slots), chance());
    Ok(Some((busiest.name.clone(), retry_after)))
}

/// Between 0 and 1.
pub(super) fn chance() -> f64 {
    f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}
