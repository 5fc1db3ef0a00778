//! Whose turn it is among what is due.

/// A queue of which something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueQueue<P, Q> {
    /// Its pool.
    pub pool: P,
    /// How many more runs the pool may have under way; absent: any number.
    pub pool_room: Option<u64>,
    /// The queue.
    pub queue: Q,
    /// How many more runs the queue may have under way.
    pub room: Option<u64>,
}

/// How many more there may be.
pub fn room(limit: Option<i64>, used: i64) -> Option<u64> {
    limit.map(|limit| u64::try_from(limit.saturating_sub(used)).unwrap_or(0))
}

/// What is due of queues, which come pool by pool and by priority, up to `limit` of each pool:
/// a list a pool, each in the order in which its workers take from it. `of` says what is due of
/// a queue, up to a number, the longest due first.
///
/// # Errors
/// Those of `of`.
pub fn of_pools<P: PartialEq + Copy, Q: Copy, T, E>(
    queues: &[DueQueue<P, Q>],
    limit: u64,
    mut of: impl FnMut(Q, u64) -> Result<Vec<T>, E>,
) -> Result<Vec<Vec<T>>, E> {
    let mut pools = Vec::new();
    for pool in queues.chunk_by(|one, next| one.pool == next.pool) {
        let pool_room = pool.first().and_then(|queue| queue.pool_room);
        let mut left = pool_room.unwrap_or(limit).min(limit);
        let mut due = Vec::new();
        for queue in pool {
            let most = queue.room.unwrap_or(left).min(left);
            if most > 0 {
                let some = of(queue.queue, most)?;
                left = left.saturating_sub(some.len() as u64);
                due.extend(some);
            }
        }
        pools.push(due);
    }
    Ok(pools)
}

/// Up to `limit` of several lists, each of which keeps its order; among their heads the longest
/// due goes first.
pub fn merged<I, T: Ord + Copy>(lists: Vec<Vec<(I, T)>>, limit: u64) -> Vec<(I, T)> {
    let mut lists: Vec<_> = lists
        .into_iter()
        .map(|list| list.into_iter().peekable())
        .collect();
    let mut merged = Vec::new();
    while (merged.len() as u64) < limit {
        let heads = lists.iter_mut().enumerate();
        let first = heads
            .filter_map(|(place, list)| Some((list.peek()?.1, place)))
            .min();
        let Some((_, place)) = first else { break };
        merged.extend(lists.get_mut(place).and_then(Iterator::next));
    }
    merged
}
