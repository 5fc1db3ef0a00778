//! A change of a value that may be absent.

/// What to do with a value that may be absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is absent from here on.
    Clear,
    /// It is this from here on.
    Set(T),
}

impl<T> Patch<T> {
    /// The same of what `change` makes of the value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(change(value)),
        }
    }

    /// The value after the change.
    pub fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The same of something else, where that may fail.
    pub fn try_map<U, E>(self, change: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(change(value)?),
        })
    }
}

/// What was said of a value, where saying nothing keeps it: `null` or a value.
impl<T> From<Option<T>> for Patch<T> {
    fn from(said: Option<T>) -> Self {
        said.map_or(Self::Clear, Self::Set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_keeps_clears_or_sets() {
        for before in [None, Some(1)] {
            assert_eq!(Patch::Keep.over(before), before);
            assert_eq!(Patch::Clear.over(before), None);
            assert_eq!(Patch::from(Some(2)).over(before), Some(2));
        }
        assert_eq!(Patch::<()>::from(None), Patch::Clear);
    }
}
