//! What the triggers of automations have counted.

use rusqlite::{Connection, Row as SqlRow, named_params};
use uuid::Uuid;

use super::super::column::Json;
use super::super::query::{self, Columns};
use crate::domain::automation::Firing;
use crate::domain::automation::window::Window;
use crate::domain::error::Result;
use crate::domain::ids::AutomationId;
use crate::domain::time::{Span, Timestamp};

const WINDOW: &str = include_str!("../../../sql/queries/automations/window.sql");
const PUT_WINDOW: &str = include_str!("../../../sql/queries/automations/put_window.sql");
const DELETE_WINDOW: &str = include_str!("../../../sql/queries/automations/delete_window.sql");
const ENDED: &str = include_str!("../../../sql/queries/automations/ended_windows.sql");
const NEXT_END: &str = include_str!("../../../sql/queries/automations/next_end.sql");
const DELETE_OLD: &str = include_str!("../../../sql/queries/automations/delete_old_windows.sql");
const FORGET: [&str; 3] = [
    include_str!("../../../sql/queries/automations/forget_windows.sql"),
    include_str!("../../../sql/queries/automations/forget_held.sql"),
    include_str!("../../../sql/queries/automations/forget_parts.sql"),
];
const HAS_OLD: &str = include_str!("../../../sql/queries/automations/has_old.sql");
const HOLD: &str = include_str!("../../../sql/queries/automations/hold.sql");
const COUNT_HELD: &str = include_str!("../../../sql/queries/automations/count_held.sql");
const DROP_SURPLUS: &str = include_str!("../../../sql/queries/automations/drop_surplus_held.sql");
const DELETE_OLD_HELD: &str = include_str!("../../../sql/queries/automations/delete_old_held.sql");
const PUT_PART: &str = include_str!("../../../sql/queries/automations/put_part.sql");
const PARTS: &str = include_str!("../../../sql/queries/automations/parts.sql");
const DROP_PARTS: &str = include_str!("../../../sql/queries/automations/drop_parts.sql");

/// For what a trigger counts: itself, and values of the labels that it goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counting {
    /// The automation.
    pub automation: AutomationId,
    /// The trigger in it.
    pub trigger: Uuid,
    /// The values.
    pub labels: Vec<String>,
}

/// A window of something that is counted.
pub type Counted = (Counting, Window);

/// The window of what is counted, if there is one.
pub fn get(db: &Connection, of: &Counting) -> Result<Option<Window>> {
    let params = named_params! {
        ":automation_id": of.automation,
        ":trigger_id": of.trigger.as_bytes(),
        ":labels": Json(&of.labels),
    };
    query::one(db, WINDOW, params, |row| read(&mut Columns::of(row)))
}

/// Has the window of what is counted be that one, or none.
pub fn put(
    db: &Connection,
    of: &Counting,
    window: Option<Window>,
    is_proactive: bool,
) -> Result<()> {
    let Some(window) = window else {
        let params = named_params! {
            ":automation_id": of.automation,
            ":trigger_id": of.trigger.as_bytes(),
            ":labels": Json(&of.labels),
        };
        query::change(db, DELETE_WINDOW, params)?;
        return Ok(());
    };
    let params = named_params! {
        ":automation_id": of.automation,
        ":trigger_id": of.trigger.as_bytes(),
        ":labels": Json(&of.labels),
        ":starts": window.start,
        ":ends": window.end,
        ":is_proactive": is_proactive,
        ":count": window.count,
        ":last_event": window.last,
    };
    query::change(db, PUT_WINDOW, params)?;
    Ok(())
}

/// Proactive windows that had passed at a moment, those that passed first.
pub fn ended(db: &Connection, now: Timestamp, limit: i64) -> Result<Vec<Counted>> {
    let params = named_params! {":now": now, ":limit": limit};
    query::all(db, ENDED, params, counted)
}

fn counted(row: &SqlRow<'_>) -> rusqlite::Result<Counted> {
    let mut columns = Columns::of(row);
    let counting = Counting {
        automation: columns.next()?,
        trigger: Uuid::from_bytes(columns.next()?),
        labels: columns.next::<Json<_>>()?.0,
    };
    Ok((counting, read(&mut columns)?))
}

fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Window> {
    Ok(Window {
        start: columns.next()?,
        end: columns.next()?,
        count: columns.next()?,
        last: columns.next()?,
    })
}

/// When the next proactive window will have passed.
pub fn next_end(db: &Connection) -> Result<Option<Timestamp>> {
    query::one(db, NEXT_END, [], |row| row.get(0))
}

/// Whether there are reactive windows that had passed before a moment, or events that are held
/// since before another.
pub fn has_old(db: &Connection, ended: Timestamp, held: Timestamp) -> Result<bool> {
    query::any(db, HAS_OLD, named_params! {":ended": ended, ":held": held})
}

/// Forgets reactive windows that had passed before a moment, some; answers how many.
pub fn delete_old(db: &Connection, before: Timestamp, limit: i64) -> Result<usize> {
    query::change(
        db,
        DELETE_OLD,
        named_params! {":before": before, ":limit": limit},
    )
}

/// Forgets all that the triggers of an automation have counted.
pub fn forget(db: &Connection, id: AutomationId) -> Result<()> {
    for sql in FORGET {
        query::change(db, sql, named_params! {":id": id})?;
    }
    Ok(())
}

/// Holds an event for windows that open later. In each span of time of that width no more are kept
/// than decide whether so many came in it, however it lies: the first and the last ones.
pub fn hold(
    db: &Connection,
    of: &Counting,
    (occurred, place): (Timestamp, i64),
    (width, threshold): (Span, i64),
    now: Timestamp,
) -> Result<()> {
    let params = named_params! {
        ":automation_id": of.automation,
        ":trigger_id": of.trigger.as_bytes(),
        ":labels": Json(&of.labels),
        ":occurred": occurred,
        ":place": place,
        ":now": now,
    };
    query::change(db, HOLD, params)?;
    let width = width.micros().max(1);
    let from = Timestamp::from_micros(occurred.micros().div_euclid(width).saturating_mul(width));
    let to = from + Span::from_micros(width);
    let threshold = threshold.max(1);
    if count_held(db, of, from, to)? > threshold.saturating_mul(2) {
        let params = named_params! {
            ":automation_id": of.automation,
            ":trigger_id": of.trigger.as_bytes(),
            ":labels": Json(&of.labels),
            ":from": from,
            ":to": to,
            ":threshold": threshold,
        };
        query::change(db, DROP_SURPLUS, params)?;
    }
    Ok(())
}

/// How many events are held that happened from a moment on and before another.
pub fn count_held(db: &Connection, of: &Counting, from: Timestamp, to: Timestamp) -> Result<i64> {
    let params = named_params! {
        ":automation_id": of.automation,
        ":trigger_id": of.trigger.as_bytes(),
        ":labels": Json(&of.labels),
        ":from": from,
        ":to": to,
    };
    let count = query::count(db, COUNT_HELD, params)?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Forgets events that are held since before a moment, some, where no window is open any more.
pub fn delete_old_held(
    db: &Connection,
    before: Timestamp,
    now: Timestamp,
    limit: i64,
) -> Result<usize> {
    let params = named_params! {":before": before, ":now": now, ":limit": limit};
    query::change(db, DELETE_OLD_HELD, params)
}

/// Keeps the latest firing of a part of a trigger.
pub fn put_part(db: &Connection, id: AutomationId, whole: Uuid, part: &Firing) -> Result<()> {
    let params = named_params! {
        ":automation_id": id,
        ":whole_id": whole.as_bytes(),
        ":part_id": part.trigger.as_bytes(),
        ":triggered": part.triggered(),
        ":firing": Json(part),
    };
    query::change(db, PUT_PART, params)?;
    Ok(())
}

/// The latest firings of the parts of a trigger.
pub fn parts(db: &Connection, id: AutomationId, whole: Uuid) -> Result<Vec<Firing>> {
    let params = named_params! {":automation_id": id, ":whole_id": whole.as_bytes()};
    query::all(db, PARTS, params, |row| Ok(row.get::<_, Json<_>>(0)?.0))
}

/// Forgets those that are from before a moment; without one, all.
pub fn drop_parts(
    db: &Connection,
    id: AutomationId,
    whole: Uuid,
    before: Option<Timestamp>,
) -> Result<()> {
    let before = before.unwrap_or(Timestamp::from_micros(i64::MAX));
    let params = named_params! {
        ":automation_id": id,
        ":whole_id": whole.as_bytes(),
        ":before": before,
    };
    query::change(db, DROP_PARTS, params)?;
    Ok(())
}
