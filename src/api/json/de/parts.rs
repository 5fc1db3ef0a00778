//! What lists and objects are made of.

use std::borrow::Cow;
use std::vec;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess};

use super::{At, Place, Unknown};
use crate::api::json::misfit::{Misfit, shortened};
use crate::api::json::value::JsonValue;

/// The items of a list.
pub(super) struct Items<'p, 'de> {
    pub items: std::iter::Enumerate<vec::IntoIter<JsonValue<'de>>>,
    pub place: &'p Place<'p>,
    pub unknown: &'p Unknown,
}

impl Items<'_, '_> {
    /// That all have been taken.
    pub fn end(self) -> Result<(), Misfit> {
        match self.items.len() {
            0 => Ok(()),
            left => Err(Misfit::custom(format!("{left} items too many"))),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de> {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misfit> {
        let Some((index, value)) = self.items.next() else {
            return Ok(None);
        };
        let place = Place::Index(self.place, index);
        let made = seed.deserialize(At {
            value,
            place: &place,
            unknown: self.unknown,
        });
        made.map(Some).map_err(|misfit| misfit.within(index.into()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The members of an object.
pub(super) struct Entries<'p, 'de> {
    pub members: vec::IntoIter<(Cow<'de, str>, JsonValue<'de>)>,
    /// That whose name has been taken.
    pub current: Option<(Cow<'de, str>, JsonValue<'de>)>,
    pub place: &'p Place<'p>,
    pub unknown: &'p Unknown,
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Misfit;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misfit> {
        self.current = self.members.next();
        let Some((key, _)) = &self.current else {
            return Ok(None);
        };
        match key {
            Cow::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
            Cow::Owned(key) => seed.deserialize(key.as_str().into_deserializer()),
        }
        .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        let Some((key, value)) = self.current.take() else {
            return Err(Misfit::custom("a value was asked for before its name"));
        };
        let place = Place::Key(self.place, &key);
        let made = seed.deserialize(At {
            value,
            place: &place,
            unknown: self.unknown,
        });
        made.map_err(|misfit| misfit.within(shortened(&key).into()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.members.len())
    }
}
