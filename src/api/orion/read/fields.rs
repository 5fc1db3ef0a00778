//! An object's fields, in the order of the model.

use std::borrow::Cow;

use super::scalars::dict;
use super::{Cursor, Given, Members, Step};

/// What a field asks for when it is absent or null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must be there and not null.
    Required,
    /// It may be absent, which means its default, but not null.
    Default,
    /// It may be absent or null, which mean the same.
    Optional,
}

/// What a field was.
pub enum Field<T> {
    /// Absent (or null where that means the same).
    Absent,
    /// There and well.
    Read(T),
    /// Refused; the fault is noted.
    Faulty,
}

impl<T> Field<T> {
    /// The value, its default, or nothing when it was refused.
    pub fn or(self, default: impl FnOnce() -> T) -> Option<T> {
        match self {
            Field::Absent => Some(default()),
            Field::Read(value) => Some(value),
            Field::Faulty => None,
        }
    }

    /// The value as an option, or nothing when it was refused.
    pub fn optional(self) -> Option<Option<T>> {
        match self {
            Field::Absent => Some(None),
            Field::Read(value) => Some(Some(value)),
            Field::Faulty => None,
        }
    }
}

/// What kind of object is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// A model.
    Model,
    /// The parameters of a route: null means absent, also where a value is required.
    Parameters,
    /// No object where the parameters of a route should be: that server misses each of them,
    /// even those with a default.
    Nothing,
}

/// How many fields a model has, seldom more.
const USUAL: usize = 12;

/// Walks an object; whoever has read all fields calls [`Fields::finish`].
pub struct Fields<'v, 'c> {
    map: Cow<'v, Members<'v>>,
    of: Of,
    cursor: &'c mut Cursor,
    known: Vec<&'static str>,
}

impl<'v, 'c> Fields<'v, 'c> {
    /// Over an object, or what passes for one; anything else is refused.
    pub fn of(value: &'v Given<'v>, cursor: &'c mut Cursor) -> Option<Self> {
        let map = dict(value, cursor)?;
        Some(Self::over(map, Of::Model, cursor))
    }

    /// Over an object. Anything else is an object without fields, as for those models of that
    /// server which are also read from database rows.
    pub fn of_row(value: &'v Given<'v>, cursor: &'c mut Cursor) -> Self {
        let map = match value {
            Given::Object(map) => Cow::Borrowed(map),
            _ => Cow::Owned(Members::default()),
        };
        Self::over(map, Of::Model, cursor)
    }

    /// Over the parameters of a route.
    pub fn of_parameters(value: &'v Given<'v>, cursor: &'c mut Cursor) -> Self {
        match value {
            Given::Object(map) => Self::over(Cow::Borrowed(map), Of::Parameters, cursor),
            _ => Self::over(Cow::Owned(Members::default()), Of::Nothing, cursor),
        }
    }

    fn over(map: Cow<'v, Members<'v>>, of: Of, cursor: &'c mut Cursor) -> Self {
        Self {
            map,
            of,
            cursor,
            known: Vec::with_capacity(USUAL),
        }
    }

    /// A field that must be there.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Given<'_>, &mut Cursor) -> Option<T>,
    ) -> Option<T> {
        match self.field(name, Need::Required, read) {
            Field::Read(value) => Some(value),
            Field::Absent | Field::Faulty => None,
        }
    }

    /// A field that may be absent or null.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Given<'_>, &mut Cursor) -> Option<T>,
    ) -> Option<Option<T>> {
        self.field(name, Need::Optional, read).optional()
    }

    /// A field with a default, which null is not.
    pub fn default<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Given<'_>, &mut Cursor) -> Option<T>,
        default: impl FnOnce() -> T,
    ) -> Option<T> {
        self.field(name, Need::Default, read).or(default)
    }

    /// Any field.
    pub fn field<T>(
        &mut self,
        name: &'static str,
        need: Need,
        read: impl FnOnce(&Given<'_>, &mut Cursor) -> Option<T>,
    ) -> Field<T> {
        self.known.push(name);
        let value = self.map.get(name);
        let (value, need) = match self.of {
            Of::Model => (value, need),
            Of::Parameters => (value.filter(|value| !value.is_null()), need),
            Of::Nothing => (None, Need::Required),
        };
        self.cursor
            .within(Step::Key(name.into()), |cursor| match (value, need) {
                (None, Need::Required) => {
                    cursor.missing::<T>();
                    Field::Faulty
                }
                (None, _) | (Some(Given::Null), Need::Optional) => Field::Absent,
                (Some(Given::Null), _) => {
                    let msg = "none is not an allowed value";
                    cursor.fault::<T>(msg, "type_error.none.not_allowed");
                    Field::Faulty
                }
                (Some(value), _) => read(value, cursor).map_or(Field::Faulty, Field::Read),
            })
    }

    /// True when the object has the field at all, null included.
    pub fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some()
    }

    /// Refuses every field that was not read.
    pub fn finish(self) {
        let names = self.map.names();
        let mut extra: Vec<_> = names.filter(|name| !self.known.contains(name)).collect();
        extra.sort_unstable();
        extra.dedup();
        for name in extra {
            if self.cursor.is_full() {
                break;
            }
            let step = Step::Key(name.to_owned().into());
            self.cursor.within(step, |cursor| {
                cursor.fault::<()>("extra fields not permitted", "value_error.extra")
            });
        }
    }
}
