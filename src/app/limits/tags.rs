//! Slots of the limits on the task runs of a tag.

use uuid::Uuid;

use super::slots::{Asked, Mode, chance, named, names_of, take};
use super::{LimitKey, read};
use crate::app::tx::Tx;
use crate::domain::concurrency_limit::{ConcurrencyLimit, MOST_LEASES, MOST_NAMES, TAG, spread};
use crate::domain::error::{Error, Result};
use crate::domain::ids::LeaseId;
use crate::domain::rules::TagSlots;
use crate::domain::task_run::TaskRun;
use crate::storage::concurrency_limits;
use crate::storage::leases::{self, Holder, Lease};

/// How the limits of a task run's tags stand.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::app) enum OfTags {
    /// It is limited by none, or holds its slots already.
    Unlimited,
    /// Each has a slot free.
    Free,
    /// Some have none; the tags that are limited, and how many seconds to wait.
    Full(String, i64),
    /// That of this tag has no slot at all.
    Never(String),
}

impl OfTags {
    /// As the rules look at it.
    pub fn facts(&self) -> TagSlots<'_> {
        match self {
            Self::Unlimited => TagSlots::Unlimited,
            Self::Free => TagSlots::Free,
            Self::Full(tags, delay_secs) => TagSlots::Full {
                tags,
                delay_secs: *delay_secs,
            },
            Self::Never(tag) => TagSlots::Never(tag),
        }
    }
}

/// How the limits of a task run's tags stand, where it would run.
pub(in crate::app) fn of_tags(tx: &Tx<'_>, run: &TaskRun) -> Result<OfTags> {
    if run.spec.tags.is_empty() || leases::is_holder(tx.db, run.id.uuid())? {
        return Ok(OfTags::Unlimited);
    }
    let mut limits = named(tx, &names_of(&run.spec.tags))?;
    limits.retain(|limit| limit.active);
    let tag = |limit: &ConcurrencyLimit| limit.name.trim_start_matches(TAG).to_owned();
    if let Some(none) = limits.iter().find(|limit| limit.slots == 0) {
        return Ok(OfTags::Never(tag(none)));
    }
    let mut full = None;
    for limit in &limits {
        let (leased, leases) = leases::leased(tx.db, limit.id.uuid(), tx.now)?;
        if limit.all_taken(leased, tx.now) >= limit.slots || leases >= MOST_LEASES {
            full = full.max(Some(limit.mean_wait_secs()));
        }
    }
    Ok(match (full, limits.is_empty()) {
        (Some(secs), _) => {
            let tags: Vec<_> = limits.iter().map(tag).collect();
            let secs = spread(secs as f64, chance()).round().max(1.0);
            // Of a few seconds.
            OfTags::Full(tags.join(", "), secs as i64)
        }
        (None, true) => OfTags::Unlimited,
        (None, false) => OfTags::Free,
    })
}

/// Has a task run hold a slot of each of the limits of its tags.
pub(in crate::app) fn take_of_tags(tx: &mut Tx<'_>, run: &TaskRun) -> Result<()> {
    let asked = Asked {
        names: names_of(&run.spec.tags),
        slots: 1,
        mode: Mode::Concurrency,
    };
    let holder = Holder {
        kind: "task_run".to_owned(),
        id: run.id.uuid(),
    };
    take(tx, &asked, Some((None, Some(holder)))).map(drop)
}

/// Gives back what a task run holds.
pub(in crate::app) fn give_back_all(tx: &mut Tx<'_>, run: &TaskRun) -> Result<()> {
    for lease in leases::of_any(tx.db, run.id.uuid())? {
        super::ends::release(tx, lease)?;
    }
    Ok(())
}

/// Gives task runs one slot each until they give it back, free or not.
pub(super) fn hold_by_tasks(tx: &Tx<'_>, key: &LimitKey, task_runs: &[Uuid]) -> Result<()> {
    let mut limit = read(tx.db, key)?;
    if task_runs.len() > MOST_NAMES {
        return Err(Error::invalid(format!(
            "At most {MOST_NAMES} task runs are given a slot at once."
        )));
    }
    limit.taken = 0;
    concurrency_limits::update(tx.db, &limit, tx.now)?;
    for id in task_runs {
        let lease = Lease {
            id: LeaseId::new(),
            created: tx.now,
            expires: None,
            slots: 1,
        };
        let holder = Holder {
            kind: "task_run".to_owned(),
            id: *id,
        };
        leases::grant(tx.db, lease, &[limit.id.uuid()], Some(&holder))?;
    }
    Ok(())
}
