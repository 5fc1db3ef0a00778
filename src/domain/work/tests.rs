use proptest::prelude::*;

use super::*;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_micros(secs * 1_000_000)
}

fn pool(kind: &str, is_paused: bool, online_until: Option<Timestamp>) -> WorkPool {
    WorkPool {
        id: WorkPoolId::new(),
        created: at(0),
        updated: at(0),
        name: "p".to_owned(),
        description: None,
        kind: kind.to_owned().into(),
        base_job_template: JsonMap::new(),
        is_paused,
        concurrency_limit: None,
        storage: JsonMap::new(),
        default_queue_id: WorkQueueId::new(),
        online_until,
        active_slots: 0,
        told: None,
    }
}

fn queue(of: &WorkPool, is_paused: bool, last_polled: Option<Timestamp>) -> WorkQueue {
    WorkQueue {
        id: of.default_queue_id,
        created: at(0),
        updated: at(0),
        work_pool_id: of.id,
        name: DEFAULT_QUEUE.to_owned(),
        description: None,
        is_paused,
        concurrency_limit: None,
        priority: 1,
        filter: None,
        last_polled,
        pool_name: of.name.clone(),
        pool_kind: of.kind.clone(),
        online_until: of.online_until,
        active_slots: 0,
        told: None,
    }
}

#[test]
fn what_is_ready_follows_from_who_was_heard_of() {
    let (now, past, future) = (at(1000), Some(at(999)), Some(at(1000)));
    let old = Some(at(939));
    // type, paused, worker until, polled, our agent → pool, queue
    for (kind, paused, until, polled, has_agent, of_pool, of_queue) in [
        ("docker", false, None, None, true, "READY", "READY"),
        ("process", false, None, None, true, "READY", "READY"),
        ("docker", false, None, None, false, "NOT_READY", "NOT_READY"),
        ("docker", false, past, old, false, "NOT_READY", "NOT_READY"),
        ("docker", false, past, old, true, "READY", "READY"),
        ("docker", false, future, old, true, "READY", "NOT_READY"),
        ("docker", false, future, past, true, "READY", "READY"),
        ("docker", true, future, past, true, "PAUSED", "PAUSED"),
        ("docker", true, None, None, false, "PAUSED", "PAUSED"),
        (
            "kubernetes",
            false,
            None,
            None,
            true,
            "NOT_READY",
            "NOT_READY",
        ),
        ("kubernetes", false, future, past, false, "READY", "READY"),
        ("prefect-agent", false, None, None, true, "", "READY"),
        ("prefect-agent", true, None, None, false, "", "PAUSED"),
        ("prefect-agent", false, None, past, false, "", "READY"),
    ] {
        let service = Service { now, has_agent };
        let pool = pool(kind, paused, until);
        let queue = queue(&pool, paused, polled);
        let case = format!("{kind} {paused} {until:?} {polled:?} {has_agent}");
        let word = service.of_pool(&pool).map_or("", PoolStatus::word);
        assert_eq!(word, of_pool, "{case}");
        assert_eq!(service.of_queue(&queue).word(), of_queue, "{case}");
    }
}

#[test]
fn a_worker_is_believed_for_three_heartbeats() {
    for (heartbeat, secs) in [(None, 90), (Some(10), 30), (Some(86_400), 259_200)] {
        assert_eq!(online_until(at(0), heartbeat), at(secs));
    }
    let worker = Worker {
        id: WorkerId::new(),
        created: at(0),
        updated: at(0),
        work_pool_id: WorkPoolId::new(),
        name: "w".to_owned(),
        last_heartbeat: at(0),
        heartbeat_secs: Some(10),
        online_until: at(30),
    };
    for (now, status) in [(0, "ONLINE"), (30, "ONLINE"), (31, "OFFLINE")] {
        let service = Service {
            now: at(now),
            has_agent: true,
        };
        assert_eq!(service.of_worker(&worker).word(), status, "{now}");
    }
}

#[test]
fn names_are_checked_as_prefect_does() {
    let long = "n".repeat(LONGEST_NAME + 1);
    for (name, is_good) in [
        ("p", true),
        ("my pool", true),
        ("é\"", true),
        ("", false),
        (" ", false),
        ("' \"", false),
        ("a/b", false),
        ("a%", false),
        ("a&", false),
        ("a>", false),
        ("a<", false),
        (&long, false),
    ] {
        assert_eq!(check_name(name).is_ok(), is_good, "{name}");
    }
    for (name, reserved) in [
        ("prefect", true),
        ("Prefect-x", true),
        ("PREFECTS", true),
        ("prefec", false),
        ("my-prefect", false),
        ("préfect", false),
    ] {
        assert_eq!(is_reserved(name), reserved, "{name}");
    }
}

#[test]
fn a_priority_that_is_taken_is_given_way_to() {
    for (queues, moved, expected) in [
        (vec![], None, vec![]),
        (vec![('a', 1)], Some(('b', 1)), vec![('b', 1), ('a', 2)]),
        (
            vec![('a', 1), ('b', 2)],
            Some(('b', 1)),
            vec![('b', 1), ('a', 2)],
        ),
        (
            vec![('a', 1), ('b', 2), ('c', 5)],
            Some(('d', 2)),
            vec![('a', 1), ('d', 2), ('b', 3), ('c', 5)],
        ),
        (
            vec![('a', 1), ('b', 2)],
            Some(('a', 7)),
            vec![('b', 2), ('a', 7)],
        ),
        (vec![('a', 2), ('b', 2)], None, vec![('a', 2), ('b', 3)]),
    ] {
        assert_eq!(reordered(&queues, moved), expected, "{queues:?} {moved:?}");
    }
    for (taken, free) in [
        (vec![], 1),
        (vec![1], 2),
        (vec![2], 1),
        (vec![1, 2, 4], 3),
        (vec![3, 1, 2], 4),
        (vec![1, 1], 2),
    ] {
        assert_eq!(first_free(&taken), free, "{taken:?}");
    }
}

proptest! {
    /// Every queue keeps a number of its own, the moved one gets the number that it wants, and
    /// the others keep their order and never come earlier.
    #[test]
    fn numbers_stay_apart_and_in_order(
        numbers in prop::collection::btree_set(1i64..40, 0..20),
        moved in any::<prop::sample::Index>(),
        wanted in 1i64..40,
    ) {
        let queues: Vec<_> = numbers.iter().copied().enumerate().collect();
        let moved = match queues.is_empty() {
            true => 0,
            false => moved.index(queues.len() + 1),
        };
        let after = reordered(&queues, Some((moved, wanted)));
        prop_assert!(after.windows(2).all(|pair| pair[0].1 < pair[1].1));
        prop_assert!(after.contains(&(moved, wanted)));
        let others = |all: &[(usize, i64)]| all.iter().map(|one| one.0).filter(|it| *it != moved).collect::<Vec<_>>();
        prop_assert_eq!(others(&queues), others(&after));
        for (queue, number) in &queues {
            let now = after.iter().find(|one| one.0 == *queue).unwrap().1;
            prop_assert!(*queue == moved || now >= *number);
        }
        let free = first_free(&numbers.iter().copied().collect::<Vec<_>>());
        prop_assert!(!numbers.contains(&free) && (1..free).all(|number| numbers.contains(&number)));
    }
}

#[test]
fn what_is_due_is_taken_by_priority_within_limits_and_by_time_between_pools() {
    let queue = |pool, pool_room, queue, room| turn::DueQueue {
        pool,
        pool_room,
        queue,
        room,
    };
    // What is due of each queue, by time.
    let due = |name: char| match name {
        'a' => vec![("a1", 5), ("a2", 6), ("a3", 7)],
        'b' => vec![("b1", 1), ("b2", 2)],
        'c' => vec![("c1", 3)],
        _ => vec![],
    };
    for (queues, limit, expected) in [
        (vec![], 9, vec!["f1", "f2"]),
        // The queue of the higher priority goes first, however long the other waits.
        (
            vec![queue('p', None, 'a', None), queue('p', None, 'b', None)],
            9,
            vec!["f1", "f2", "a1", "a2", "a3", "b1", "b2"],
        ),
        (
            vec![queue('p', None, 'a', Some(1)), queue('p', None, 'b', None)],
            9,
            vec!["f1", "f2", "a1", "b1", "b2"],
        ),
        (
            vec![
                queue('p', Some(2), 'a', Some(1)),
                queue('p', Some(2), 'b', None),
            ],
            9,
            vec!["f1", "f2", "a1", "b1"],
        ),
        (vec![queue('p', Some(0), 'a', None)], 9, vec!["f1", "f2"]),
        (
            vec![queue('p', None, 'b', None), queue('q', None, 'c', None)],
            4,
            vec!["f1", "b1", "b2", "c1"],
        ),
    ] {
        let mut lists = turn::of_pools(&queues, limit, |name, most| {
            let most = usize::try_from(most).unwrap();
            Ok::<_, ()>(due(name).into_iter().take(most).collect())
        })
        .unwrap();
        lists.push(vec![("f1", 0), ("f2", 4)]);
        let merged = turn::merged(lists, limit);
        let names: Vec<_> = merged.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, expected, "{queues:?}");
    }
    for (limit, used, left) in [
        (None, 5, None),
        (Some(3), 1, Some(2)),
        (Some(1), 4, Some(0)),
    ] {
        assert_eq!(turn::room(limit, used), left);
    }
}
