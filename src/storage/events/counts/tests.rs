//! What is counted beforehand is what there is.

use proptest::prelude::*;

use super::*;
use crate::domain::JsonMap;
use crate::domain::event::{Event, ID, Resource};
use crate::domain::ids::EventId;
use crate::domain::time::{Span, Timestamp};
use crate::storage::events::{Texts, counting, delete, insert};
use crate::storage::{connection, migrate};

/// Near where hours and minutes begin and end, before 1970, too.
fn moment() -> impl Strategy<Value = i64> {
    (-2_i64..3, 0_i64..3, -2_i64..3, -1_i64..2).prop_map(|(hour, thirds, minute, apart)| {
        hour * HOUR + thirds * 20 * MINUTE + minute * MINUTE + apart
    })
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["a.one", "a.two", "b"][..])
}

fn names() -> impl Strategy<Value = Names> {
    let of = |text: &str| vec![text.to_owned()];
    prop::sample::select(vec![
        Names::default(),
        Names {
            names: of("b"),
            ..Names::default()
        },
        Names {
            not_names: of("a.one"),
            ..Names::default()
        },
        Names {
            prefixes: of("a."),
            ..Names::default()
        },
        Names {
            not_prefixes: of("a."),
            ..Names::default()
        },
    ])
}

fn event(occurred: i64, name: &str) -> Event {
    Event {
        id: EventId::new(),
        occurred: Timestamp::from_micros(occurred),
        name: name.to_owned(),
        resource: Resource::of([(ID, "r")]),
        related: Vec::new(),
        payload: JsonMap::new(),
        follows: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn counts_are_those_of_the_events_that_there_are(
        events in prop::collection::vec((moment(), name(), any::<bool>()), 0..40),
        together in 1_usize..20,
        questions in prop::collection::vec((moment(), moment(), names()), 12),
        step in prop::sample::select(&[10 * MINUTE, 25 * MINUTE, HOUR, 24 * HOUR][..]),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut db = connection::open_writer(&dir.path().join("t.db")).unwrap();
        migrate::run(&mut db).unwrap();
        let (mut there, mut going) = (Vec::new(), Vec::new());
        for together in events.chunks(together) {
            let store = |added: &mut _| together.iter().try_for_each(|&(occurred, name, goes)| {
                let event = event(occurred, name);
                let texts = Texts::of(&event)?;
                let mut stored = || insert(&db, &event, &texts, event.occurred, added);
                let place = stored()?;
                // What is told twice is counted once.
                assert_eq!(stored()?, None);
                match goes {
                    true => going.extend(place),
                    false => there.push(event),
                }
                Ok(())
            });
            counting(&db, store).unwrap();
            going.drain(..).for_each(|place| delete(&db, place).unwrap());
        }
        for (since, until, names) in questions {
            let (since, until) = (Ord::min(since, until), Ord::max(since, until));
            let filter = Filter {
                name: names,
                ..Filter::within(Timestamp::from_micros(since), Timestamp::from_micros(until))
            };
            let fits: Vec<_> = there.iter().filter(|event| filter.takes(event)).collect();
            prop_assert_eq!(count(&db, &filter).unwrap(), Some(fits.len() as u64));
            let range = (filter.since, filter.until);
            let buckets = Buckets::of_at_most(500, range, Span::from_micros(step));
            let mut wanted = Vec::new();
            for (number, start, end) in buckets.each() {
                let within = fits.iter().filter(|it| start <= it.occurred && it.occurred < end);
                match within.count() as u64 {
                    0 => {}
                    count => wanted.push((number, count)),
                }
            }
            prop_assert_eq!(over_time(&db, &filter, buckets).unwrap(), Some(wanted));
        }
        // Nothing is kept of minutes without any event.
        let empty = "SELECT count(*) FROM event_counts WHERE count < 1";
        prop_assert_eq!(db.query_row(empty, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }
}

/// What triggers do is in no file of queries.
#[test]
fn no_trigger_goes_through_the_counts() {
    let dir = tempfile::tempdir().unwrap();
    let mut db = connection::open_writer(&dir.path().join("t.db")).unwrap();
    migrate::run(&mut db).unwrap();
    let sql: String = db
        .query_row(
            "SELECT sql FROM sqlite_schema WHERE name = 'events_are_counted_no_more'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let (_, body) = sql.split_once("BEGIN").unwrap();
    let (body, _) = body.rsplit_once("END").unwrap();
    let statements: Vec<_> = body
        .split(';')
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect();
    assert_eq!(statements.len(), 4);
    for statement in statements {
        let plain = statement
            .replace("old.occurred", "1")
            .replace("old.name", "'n'");
        let plan: String = db
            .query_row(&format!("EXPLAIN QUERY PLAN {plain}"), [], |row| {
                row.get("detail")
            })
            .unwrap();
        assert!(plan.contains("SEARCH"), "{statement}: {plan}");
    }
}
