//! The store answers a question as the domain does of each event.

use proptest::prelude::*;

use super::*;
use crate::domain::event::filter::{Label, MOST_VALUES, Names, OfRelated, OfResource, Pattern};
use crate::domain::event::{ID, ROLE};
use crate::domain::filter::TextQuery;
use crate::domain::ids::EventId;
use crate::storage::{connection, migrate};

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn database() -> (tempfile::TempDir, Connection) {
    let dir = tempfile::tempdir().unwrap();
    let mut db = connection::open_writer(&dir.path().join("t.db")).unwrap();
    migrate::run(&mut db).unwrap();
    (dir, db)
}

fn store(db: &Connection, event: &Event) -> Option<i64> {
    let texts = Texts::of(event).unwrap();
    let mut place = None;
    let stored = counting(db, |added| {
        place = insert(db, event, &texts, at(1), added)?;
        Ok(())
    });
    stored.unwrap();
    place
}

/// Few words, so that questions meet events.
fn word() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "a", "ab", "abc", "b*", "[a]", "A", "ü", "x.y", "100%", "_", "",
    ];
    prop::sample::select(WORDS).prop_map(str::to_owned)
}

fn some_word() -> impl Strategy<Value = String> {
    word().prop_map(|word| {
        if word.is_empty() {
            "e".to_owned()
        } else {
            word
        }
    })
}

fn resource(role: bool) -> impl Strategy<Value = Resource> {
    (some_word(), some_word(), prop::option::of(word())).prop_map(move |(id, role_is, label)| {
        let mut resource = Resource::of([(ID, id)]);
        if role {
            resource = resource.with(ROLE, role_is);
        }
        match label {
            Some(value) => resource.with("l", value),
            None => resource,
        }
    })
}

fn event() -> impl Strategy<Value = Event> {
    let related = prop::collection::vec(resource(true), 0..4);
    let payload = prop::option::of(word());
    (0..6_i64, some_word(), resource(false), related, payload).prop_map(
        |(occurred, name, resource, related, said)| Event {
            id: EventId::new(),
            occurred: at(occurred),
            name,
            resource,
            related,
            payload: said
                .into_iter()
                .map(|said| ("said".to_owned(), said.into()))
                .collect(),
            follows: None,
        },
    )
}

fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(word(), 0..3)
}

fn labels() -> impl Strategy<Value = Vec<Label>> {
    let name = prop::sample::select(&["l", ID, ROLE, "none"][..]);
    let pattern = prop::sample::select(&["a*", "?", "!a*", "ab", "*", "[a]", "b\\*", ""][..]);
    let label = (name, prop::collection::vec(pattern, 0..3)).prop_map(|(name, patterns)| Label {
        name: name.to_owned(),
        patterns: patterns.into_iter().map(Pattern::of).collect(),
    });
    prop::collection::vec(label, 0..2)
}

fn of_resource() -> impl Strategy<Value = OfResource> {
    (words(), words(), labels()).prop_map(|(ids, id_prefixes, labels)| OfResource {
        ids,
        id_prefixes,
        labels,
    })
}

fn of_related() -> impl Strategy<Value = OfRelated> {
    let pairs = prop::collection::vec((word(), word()), 0..2);
    (words(), words(), pairs, labels()).prop_map(|(ids, roles, in_roles, labels)| OfRelated {
        ids,
        roles,
        in_roles,
        labels,
    })
}

fn names() -> impl Strategy<Value = Names> {
    (words(), words(), words(), words()).prop_map(|(prefixes, not_prefixes, names, not_names)| {
        Names {
            prefixes,
            not_prefixes,
            names,
            not_names,
        }
    })
}

/// Mostly little is asked, so that something is found.
fn rarely<T: Default + std::fmt::Debug + Clone + 'static>(
    asked: impl Strategy<Value = T>,
) -> impl Strategy<Value = T> {
    (prop::bool::weighted(0.3), asked).prop_map(|(is, asked)| if is { asked } else { T::default() })
}

fn filter() -> impl Strategy<Value = Filter> {
    let span = (0..3_i64, 2..7_i64);
    let text = prop::sample::select(&["", "ab", "-a", "+a b", "\"x.y\"", "Ü"][..]);
    let many = (
        rarely(prop::collection::vec(of_related(), 0..3)),
        rarely(prop::collection::vec(of_resource(), 0..3)),
    );
    let parts = (
        span,
        rarely(names()),
        rarely(of_resource()),
        many,
        text,
        any::<bool>(),
    );
    parts.prop_map(|(span, name, resource, many, text, newest_first)| Filter {
        name,
        resource,
        related: many.0,
        any_resource: many.1,
        text: TextQuery::read(text),
        newest_first,
        ..Filter::within(at(span.0), at(span.1))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn questions_have_one_meaning(
        events in prop::collection::vec(event(), 1..24),
        filters in prop::collection::vec(filter(), 24),
    ) {
        let (_dir, db) = database();
        events.iter().for_each(|event| assert!(store(&db, event).is_some()));
        for filter in filters {
            let mut wanted: Vec<_> = events.iter().enumerate().collect();
            wanted.retain(|(_, event)| filter.takes(event));
            wanted.sort_by_key(|(place, event)| (event.occurred, *place));
            if filter.newest_first {
                wanted.reverse();
            }
            let wanted: Vec<_> = wanted.into_iter().map(|(_, event)| event.clone()).collect();
            // Page by page.
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let part = Part { after, up_to: None, limit: 5 };
                let some = page(&db, &filter, part).unwrap();
                after = some.last().map(Cursor::after);
                if some.is_empty() {
                    break;
                }
                found.extend(some.into_iter().map(|stored| stored.event));
            }
            prop_assert_eq!(count(&db, &filter).unwrap(), wanted.len() as u64);
            prop_assert_eq!(found, wanted, "{:?}", filter);
        }
    }
}

#[test]
fn events_are_kept_once_and_go_with_all_that_they_have() {
    let (_dir, db) = database();
    let event = |name: &str| Event {
        id: EventId::new(),
        occurred: at(3),
        name: name.to_owned(),
        resource: Resource::of([(ID, "r")]),
        related: vec![
            Resource::in_role("flow", "f"),
            Resource::in_role("tag", "f"),
        ],
        payload: JsonMap::new(),
        follows: None,
    };
    let (first, second) = (event("first"), event("second"));
    let place = store(&db, &first).unwrap();
    assert_eq!(store(&db, &first), None);
    let later = store(&db, &second).unwrap();
    assert_eq!(last(&db).unwrap(), later);
    let after = after(&db, place, 10).unwrap();
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].event, second);
    let related = || -> i64 {
        db.query_row("SELECT count(*) FROM event_related", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(related(), 2);
    delete(&db, place).unwrap();
    assert_eq!(related(), 1);
    delete(&db, later).unwrap();
    assert_eq!(related(), 0);
    // A place is not given again.
    assert!(store(&db, &event("third")).unwrap() > later);
}

#[test]
fn only_the_first_of_each_resource_where_that_is_asked() {
    let (_dir, db) = database();
    for (occurred, resource) in [(1, "a"), (2, "b"), (3, "a"), (4, "b"), (5, "a")] {
        let event = Event {
            id: EventId::new(),
            occurred: at(occurred),
            name: "n".to_owned(),
            resource: Resource::of([(ID, resource)]),
            related: Vec::new(),
            payload: JsonMap::new(),
            follows: None,
        };
        store(&db, &event);
    }
    let asked = |newest_first| {
        let filter = Filter {
            distinct: true,
            newest_first,
            ..Filter::within(at(0), at(4))
        };
        assert_eq!(count(&db, &filter).unwrap(), 2);
        let part = Part {
            limit: 10,
            ..Part::default()
        };
        let found = page(&db, &filter, part).unwrap().into_iter();
        found
            .map(|stored| stored.event.occurred.micros())
            .collect::<Vec<_>>()
    };
    assert_eq!(asked(true), [4, 3]);
    assert_eq!(asked(false), [1, 2]);
}

/// SQLite takes no expression that is deeper than a thousand.
#[test]
fn questions_of_as_many_values_as_may_be_are_answered() {
    let (_dir, db) = database();
    let all = || Filter::within(at(0), at(9));
    let words = || vec!["a".to_owned(); MOST_VALUES];
    let labels = || {
        let label = |name| Label {
            name,
            patterns: Vec::new(),
        };
        words().into_iter().map(label).collect::<Vec<_>>()
    };
    let mut asked = vec![all(), all(), all(), all(), all(), all()];
    asked[0].name.prefixes = words();
    asked[1].name.not_prefixes = words();
    asked[2].resource.id_prefixes = words();
    asked[3].resource.labels = labels();
    let by_prefix = OfResource {
        id_prefixes: words(),
        ..OfResource::default()
    };
    asked[4].any_resource = vec![by_prefix];
    let by_id = |id| OfResource {
        ids: vec![id],
        ..OfResource::default()
    };
    asked[5].any_resource = words().into_iter().map(by_id).collect();
    for filter in asked {
        filter.check().unwrap();
        assert_eq!(count(&db, &filter).unwrap(), 0, "{filter:?}");
    }
}
