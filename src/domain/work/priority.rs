//! The order of a pool's queues: each has a number of its own, and the smallest comes first.

/// The first number that is free.
pub fn first_free(taken: &[i64]) -> i64 {
    let mut taken = taken.to_vec();
    taken.sort_unstable();
    let mut free = 1;
    for number in taken {
        if number > free {
            break;
        }
        free = free.max(number.saturating_add(1));
    }
    free
}

/// The numbers of queues after one of them, `moved`, was given the number `wanted`, in place of
/// the one that it has here: whoever has that already gives way by one, and so on, and nobody
/// else moves. Without `moved` only numbers that several have are set right.
pub fn reordered<Q: Copy + PartialEq>(
    queues: &[(Q, i64)],
    moved: Option<(Q, i64)>,
) -> Vec<(Q, i64)> {
    let is_moved = |queue: Q| moved.is_some_and(|(moved, _)| moved == queue);
    let mut order: Vec<_> = queues
        .iter()
        .copied()
        .filter(|(queue, _)| !is_moved(*queue))
        .collect();
    order.sort_by_key(|(_, number)| *number);
    if let Some((queue, wanted)) = moved {
        let place = order.partition_point(|(_, number)| *number < wanted);
        order.insert(place, (queue, wanted));
    }
    let mut last = 0i64;
    for (_, number) in &mut order {
        *number = (*number).max(last.saturating_add(1));
        last = *number;
    }
    order
}
