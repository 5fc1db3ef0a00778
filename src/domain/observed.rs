//! States that runs were in.

use super::state::StateType;
use super::time::Timestamp;

/// A kind of state that some run was in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedState {
    /// Its type.
    pub kind: StateType,
    /// Its name.
    pub name: String,
    /// When a run was first in one.
    pub first: Timestamp,
    /// When a run was last in one.
    pub last: Timestamp,
}

/// Their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The one that was last seen first.
    #[default]
    LastSeen,
    /// By type and name.
    Name,
}

/// Those whose type or name begins with that, whatever its case, in that order, `limit` at most.
pub fn chosen(
    mut all: Vec<ObservedState>,
    beginning: &str,
    order: Order,
    limit: usize,
) -> Vec<ObservedState> {
    let beginning = beginning.trim().to_lowercase();
    let begins = |text: &str| text.to_lowercase().starts_with(&beginning);
    all.retain(|state| begins(state.kind.word()) || begins(&state.name));
    all.sort_by(|a, b| {
        let by_name = (a.kind.word(), &a.name).cmp(&(b.kind.word(), &b.name));
        match order {
            Order::LastSeen => b.last.cmp(&a.last).then(by_name),
            Order::Name => by_name,
        }
    });
    all.truncate(limit);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_chosen_by_how_they_begin() {
        let state = |kind, name: &str, last| ObservedState {
            kind,
            name: name.to_owned(),
            first: Timestamp::from_micros(0),
            last: Timestamp::from_micros(last),
        };
        let all = vec![
            state(StateType::Scheduled, "AwaitingRetry", 2),
            state(StateType::Completed, "Cached", 3),
            state(StateType::Completed, "Completed", 1),
        ];
        let names = |beginning, order, limit| {
            let found = chosen(all.clone(), beginning, order, limit);
            found.into_iter().map(|it| it.name).collect::<Vec<_>>()
        };
        assert_eq!(
            names("", Order::LastSeen, 9),
            ["Cached", "AwaitingRetry", "Completed"]
        );
        assert_eq!(names(" comp ", Order::Name, 9), ["Cached", "Completed"]);
        assert_eq!(names("await", Order::Name, 9), ["AwaitingRetry"]);
        assert_eq!(names("", Order::Name, 1), ["Cached"]);
        assert!(names("%", Order::Name, 9).is_empty());
    }
}
