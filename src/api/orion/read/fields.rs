//! An object's fields, in the order of the model.

use std::borrow::Cow;

use super::scalars::dict;
use super::{JsonValue, Members, ReadContext, Step};

/// What a field asks for when it is absent or null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
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
    context: &'c mut ReadContext,
    known: Vec<&'static str>,
}

impl<'v, 'c> Fields<'v, 'c> {
    /// Over an object, or what passes for one; anything else is refused.
    pub fn of(value: &'v JsonValue<'v>, context: &'c mut ReadContext) -> Option<Self> {
        let map = dict(value, context)?;
        Some(Self::over(map, Of::Model, context))
    }

    /// Over an object. Anything else is an object without fields, as for those models of that
    /// server which are also read from database rows.
    pub fn of_row(value: &'v JsonValue<'v>, context: &'c mut ReadContext) -> Self {
        let map = match value {
            JsonValue::Object(map) => Cow::Borrowed(map),
            _ => Cow::Owned(Members::default()),
        };
        Self::over(map, Of::Model, context)
    }

    /// Over the parameters of a route.
    pub fn of_parameters(value: &'v JsonValue<'v>, context: &'c mut ReadContext) -> Self {
        match value {
            JsonValue::Object(map) => Self::over(Cow::Borrowed(map), Of::Parameters, context),
            _ => Self::over(Cow::Owned(Members::default()), Of::Nothing, context),
        }
    }

    fn over(map: Cow<'v, Members<'v>>, of: Of, context: &'c mut ReadContext) -> Self {
        Self {
            map,
            of,
            context,
            known: Vec::with_capacity(USUAL),
        }
    }

    /// A field that must be there.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&JsonValue<'_>, &mut ReadContext) -> Option<T>,
    ) -> Option<T> {
        match self.field(name, Presence::Required, read) {
            Field::Read(value) => Some(value),
            Field::Absent | Field::Faulty => None,
        }
    }

    /// A field that may be absent or null.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&JsonValue<'_>, &mut ReadContext) -> Option<T>,
    ) -> Option<Option<T>> {
        self.field(name, Presence::Optional, read).optional()
    }

    /// A field with a default, which null is not.
    pub fn default<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&JsonValue<'_>, &mut ReadContext) -> Option<T>,
        default: impl FnOnce() -> T,
    ) -> Option<T> {
        self.field(name, Presence::Default, read).or(default)
    }

    /// Any field.
    pub fn field<T>(
        &mut self,
        name: &'static str,
        need: Presence,
        read: impl FnOnce(&JsonValue<'_>, &mut ReadContext) -> Option<T>,
    ) -> Field<T> {
        self.known.push(name);
        let value = self.map.get(name);
        let (value, need) = match self.of {
            Of::Model => (value, need),
            Of::Parameters => (value.filter(|value| !value.is_null()), need),
            Of::Nothing => (None, Presence::Required),
        };
        self.context
            .within(Step::Key(name.into()), |context| match (value, need) {
                (None, Presence::Required) => {
                    context.missing::<T>();
                    Field::Faulty
                }
                (None, _) | (Some(JsonValue::Null), Presence::Optional) => Field::Absent,
                (Some(JsonValue::Null), _) => {
                    let msg = "none is not an allowed value";
                    context.fault::<T>(msg, "type_error.none.not_allowed");
                    Field::Faulty
                }
                (Some(value), _) => read(value, context).map_or(Field::Faulty, Field::Read),
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
            if self.context.is_full() {
                break;
            }
            let step = Step::Key(name.to_owned().into());
            self.context.within(step, |context| {
                context.fault::<()>("extra fields not permitted", "value_error.extra")
            });
        }
    }
}
