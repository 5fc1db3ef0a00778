//! Criteria put together.

use super::Criterion;

/// What is asked of a thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Criteria {
    /// That.
    One(Criterion),
    /// All of these; nothing asks nothing.
    All(Vec<Criteria>),
    /// One of these at least.
    Any(Vec<Criteria>),
}

/// How parts are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Joined {
    /// All have to hold.
    #[default]
    And,
    /// One has to.
    Or,
}

impl Criteria {
    /// Nothing.
    pub const NOTHING: Self = Self::All(Vec::new());

    /// Parts put together. As on the reference a part that asks nothing holds always, and so does
    /// whatever it is one of.
    pub fn joined(how: Joined, parts: Vec<Criteria>) -> Self {
        match how {
            Joined::And => Self::All(parts),
            Joined::Or if parts.iter().any(Self::is_nothing) => Self::NOTHING,
            Joined::Or if parts.is_empty() => Self::NOTHING,
            Joined::Or => Self::Any(parts),
        }
    }

    /// Whether nothing is asked.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::One(_) => false,
            Self::All(parts) => parts.iter().all(Self::is_nothing),
            Self::Any(parts) => parts.is_empty(),
        }
    }

    /// The criteria that have to hold whatever becomes of others.
    pub fn certain(&self) -> Vec<&Criterion> {
        match self {
            Self::One(criterion) => vec![criterion],
            Self::All(parts) => parts.iter().flat_map(Self::certain).collect(),
            Self::Any(_) => Vec::new(),
        }
    }

    /// The one criterion, where nothing else is asked.
    pub fn only(&self) -> Option<&Criterion> {
        match self {
            Self::One(criterion) => Some(criterion),
            Self::All(parts) => {
                let mut asking = parts.iter().filter(|part| !part.is_nothing());
                let only = asking.next()?.only();
                only.filter(|_| asking.next().is_none())
            }
            Self::Any(_) => None,
        }
    }
}

impl Default for Criteria {
    fn default() -> Self {
        Self::NOTHING
    }
}

impl From<Vec<Criterion>> for Criteria {
    fn from(criteria: Vec<Criterion>) -> Self {
        criteria.into_iter().collect()
    }
}

impl FromIterator<Criterion> for Criteria {
    fn from_iter<I: IntoIterator<Item = Criterion>>(criteria: I) -> Self {
        Self::All(criteria.into_iter().map(Self::One).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Test, flow};
    use super::*;

    #[test]
    fn parts_are_put_together() {
        let name = || Criteria::One(flow::NAME.is_one_of(["x"]));
        let tags = || Criteria::One(flow::TAGS.asked(Test::IsNull(true)));
        let both = Criteria::joined(Joined::And, vec![name(), tags()]);
        assert_eq!(both.certain().len(), 2);
        assert_eq!(both.only(), None);
        let one = Criteria::joined(Joined::And, vec![Criteria::NOTHING, name()]);
        assert_eq!(one.only(), Some(&flow::NAME.is_one_of(["x"])));
        let either = Criteria::joined(Joined::Or, vec![name(), tags()]);
        assert_eq!(either, Criteria::Any(vec![name(), tags()]));
        assert!(either.certain().is_empty() && !either.is_nothing());
        for parts in [vec![], vec![name(), Criteria::NOTHING]] {
            assert!(Criteria::joined(Joined::Or, parts).is_nothing());
        }
    }
}
