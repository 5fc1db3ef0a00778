//! Makes what serde describes of a value as it was sent, and says where something does not fit
//! and which members nobody asked for.
//!
//! One deserializer does all of it, so that each type is compiled for one. Places cost nothing
//! where all fits: on the way in they are links on the stack, and an error collects its steps on
//! its way out.

mod parts;

use std::borrow::Cow;
use std::cell::RefCell;

use serde::de::value::{CowStrDeserializer, MapAccessDeserializer, MapDeserializer};
use serde::de::{
    DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::lax;
use super::misfit::{Location, Misfit, shortened};
use super::value::{Exact, JsonValue, Members, Numeral};
use parts::{Entries, Items};

/// The most members that are told to be unknown.
const MOST_UNKNOWN: usize = 100;

/// Makes a `T` of a value. With it come the places of members that it does not know, at most
/// [`MOST_UNKNOWN`] of them.
///
/// # Errors
/// Why the value is no `T`, and where.
pub fn make<T: DeserializeOwned>(value: JsonValue<'_>) -> Result<(T, Vec<Location>), Misfit> {
    let unknown = Unknown::default();
    let made = T::deserialize(At {
        value,
        place: &Place::Body,
        unknown: &unknown,
    })?;
    Ok((made, unknown.0.into_inner()))
}

/// A place in a body, from the inside out.
enum Place<'p> {
    Body,
    Key(&'p Place<'p>, &'p str),
    Index(&'p Place<'p>, usize),
}

impl Place<'_> {
    /// From the body on.
    fn to_location(&self) -> Location {
        let mut steps = Vec::new();
        let mut at = self;
        loop {
            at = match *at {
                Place::Body => break,
                Place::Key(outer, key) => {
                    steps.push(shortened(key).into());
                    outer
                }
                Place::Index(outer, index) => {
                    steps.push(index.into());
                    outer
                }
            };
        }
        steps.reverse();
        steps
    }
}

/// The members that nobody asked for.
#[derive(Default)]
struct Unknown(RefCell<Vec<Location>>);

impl Unknown {
    fn note(&self, place: &Place<'_>) {
        let mut noted = self.0.borrow_mut();
        if noted.len() < MOST_UNKNOWN {
            noted.push(place.to_location());
        }
    }
}

/// A value where it is.
struct At<'p, 'de> {
    value: JsonValue<'de>,
    place: &'p Place<'p>,
    unknown: &'p Unknown,
}

impl<'p, 'de> At<'p, 'de> {
    fn items(&self, items: Vec<JsonValue<'de>>) -> Items<'p, 'de> {
        Items {
            items: items.into_iter().enumerate(),
            place: self.place,
            unknown: self.unknown,
        }
    }

    fn entries(&self, members: Members<'de>) -> Entries<'p, 'de> {
        Entries {
            members: members.into_all().into_iter(),
            current: None,
            place: self.place,
            unknown: self.unknown,
        }
    }

    /// A whole number.
    fn whole<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match lax::whole(&self.value) {
            Some(whole) => visitor.visit_i64(whole),
            None => self.deserialize_any(visitor),
        }
    }
}

impl<'de> Deserializer<'de> for At<'_, 'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Misfit> {
        match std::mem::replace(&mut self.value, JsonValue::Null) {
            JsonValue::Null => visitor.visit_unit(),
            JsonValue::Bool(flag) => visitor.visit_bool(flag),
            JsonValue::Number(number) => visit(number, visitor),
            JsonValue::String(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            JsonValue::String(Cow::Owned(text)) => visitor.visit_string(text),
            JsonValue::Array(items) => {
                let mut items = self.items(items);
                let all = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(all)
            }
            JsonValue::Object(members) => visitor.visit_map(self.entries(members)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            JsonValue::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match (lax::float(&self.value), &self.value) {
            (Some(float), _) => visitor.visit_f64(float),
            (None, JsonValue::Number(_)) => Err(Misfit::custom("the number is too large")),
            (None, _) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match lax::truth(&self.value) {
            Some(truth) => visitor.visit_bool(truth),
            None => self.deserialize_any(visitor),
        }
    }

    /// An object, which null is none of.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            JsonValue::Null => Err(Misfit::invalid_type(Unexpected::Unit, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    /// An object; its fields are not taken by their order from a list.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.value {
            JsonValue::Array(_) => Err(Misfit::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    /// A word, or an object whose only member is named by it.
    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match std::mem::replace(&mut self.value, JsonValue::Null) {
            JsonValue::String(word) => {
                let word: CowStrDeserializer<'_, Misfit> = word.into_deserializer();
                visitor.visit_enum(word)
            }
            JsonValue::Object(members) => {
                visitor.visit_enum(MapAccessDeserializer::new(self.entries(members)))
            }
            value => Self { value, ..self }.deserialize_any(visitor),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.whole(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.whole(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.whole(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.whole(visitor)
    }

    /// Of a member that nobody asked for.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.unknown.note(self.place);
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u128 f32 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct identifier
    }
}

/// The name under which serde_json's own types take a number's text.
const TEXT: &str = "$serde_json::private::Number";

/// A number that a machine's numbers do not hold exactly keeps its text.
fn visit<'de, V: Visitor<'de>>(number: Numeral<'de>, visitor: V) -> Result<V::Value, Misfit> {
    match number.exact() {
        Exact::Signed(number) => visitor.visit_i64(number),
        Exact::Unsigned(number) => visitor.visit_u64(number),
        Exact::Float(number) => visitor.visit_f64(number),
        Exact::Text => {
            let text = number.to_number().to_string();
            visitor.visit_map(MapDeserializer::new(std::iter::once((TEXT, text))))
        }
    }
}

#[cfg(test)]
mod tests;
