//! Makes what serde describes of a value as it was sent, and says where something does not fit
//! and which members nobody asked for.
//!
//! One deserializer does all of it, so that each type is compiled for one. Places cost nothing
//! where all fits: on the way in they are links on the stack, and an error collects its steps on
//! its way out.

use std::borrow::Cow;
use std::cell::RefCell;
use std::vec;

use serde::de::value::{
    BorrowedStrDeserializer, CowStrDeserializer, MapAccessDeserializer, MapDeserializer,
};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::lax;
use super::misfit::{Location, Misfit, shortened};
use super::value::{Exact, JsonValue, Members, Numeral};

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

/// The items of a list.
struct Items<'p, 'de> {
    items: std::iter::Enumerate<vec::IntoIter<JsonValue<'de>>>,
    place: &'p Place<'p>,
    unknown: &'p Unknown,
}

impl Items<'_, '_> {
    /// That all have been taken.
    fn end(self) -> Result<(), Misfit> {
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
struct Entries<'p, 'de> {
    members: vec::IntoIter<(Cow<'de, str>, JsonValue<'de>)>,
    /// That whose name has been taken.
    current: Option<(Cow<'de, str>, JsonValue<'de>)>,
    place: &'p Place<'p>,
    unknown: &'p Unknown,
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::Value;

    use super::super::parse;
    use super::*;

    fn made<T: DeserializeOwned>(text: &str) -> Result<T, String> {
        let value = make(parse(text).unwrap());
        value
            .map(|(value, _)| value)
            .map_err(|misfit| misfit.to_string())
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Model {
        small: u32,
        length: Option<f64>,
        absent: Option<String>,
        names: Vec<String>,
        #[serde(flatten)]
        more: serde_json::Map<String, Value>,
    }

    #[test]
    fn models_are_read_with_numbers_to_the_last_digit() {
        let text = r#"{"small": 3, "length": 2, "absent": null, "names": ["a", "\u00fc"],
            "n": 202402144809161001040, "deep": [{"x": 1.50}]}"#;
        let read = made::<Model>(text).unwrap();
        assert_eq!((read.small, read.length, read.absent), (3, Some(2.0), None));
        assert_eq!(read.names, ["a", "ü"]);
        let more = Value::Object(read.more).to_string();
        assert_eq!(more, r#"{"n":202402144809161001040,"deep":[{"x":1.50}]}"#);
        let text = r#"{"small": 3, "length": 2.50, "names": []}"#;
        let read = made::<Model>(text).unwrap();
        assert_eq!(read.length, Some(2.5));
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Choice {
        Plain,
        With { n: u32 },
    }

    #[test]
    fn choices_are_read_by_their_words() {
        let read = made::<Choice>;
        assert_eq!(read(r#""plain""#), Ok(Choice::Plain));
        assert_eq!(read(r#"{"with": {"n": 3}}"#), Ok(Choice::With { n: 3 }));
        for text in [r#""other""#, "3", "null", "{}", r#"{"with": 3}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn whole_numbers_may_have_a_fraction_of_nothing() {
        for (text, number) in [
            ("30.0", 30),
            ("3e1", 30),
            ("-0.0", 0),
            ("-7.00", -7),
            ("5", 5),
        ] {
            assert_eq!(made::<i64>(text), Ok(number), "{text}");
            let maybe = made::<Option<i64>>(text);
            assert_eq!(maybe, Ok(Some(number)));
        }
        assert!(made::<i64>("30.5").is_err());
        assert!(made::<i64>("1e17").is_err());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for text in [
            "-1.0",
            "-1",
            "1.5",
            "1e300",
            "99999999999",
            "\"x\"",
            "\"-1\"",
            "{}",
            "null",
        ] {
            assert!(made::<u32>(text).is_err(), "{text}");
        }
    }
}
