//! Makes what serde describes of a value as it was sent.

use serde::de::value::{Error, MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::value::{Exact, JsonValue, Numeral};

impl<'de> Deserializer<'de> for JsonValue<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            JsonValue::Null => visitor.visit_unit(),
            JsonValue::Bool(flag) => visitor.visit_bool(flag),
            JsonValue::Number(number) => visit(number, visitor),
            JsonValue::String(text) => text.into_deserializer().deserialize_any(visitor),
            JsonValue::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter());
                let all = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(all)
            }
            JsonValue::Object(members) => {
                let mut members = MapDeserializer::new(members.into_all().into_iter());
                let all = visitor.visit_map(&mut members)?;
                members.end()?;
                Ok(all)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            JsonValue::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self {
            JsonValue::Number(number) => match number.as_f64() {
                Some(float) => visitor.visit_f64(float),
                None => Err(Error::custom("the number is too large")),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    /// An object; its fields are not taken by their order from a list.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            JsonValue::Array(_) => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            value => value.deserialize_any(visitor),
        }
    }

    /// A word, or an object whose only member is named by it.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            JsonValue::String(text) => {
                let word: serde::de::value::CowStrDeserializer<'_, Error> =
                    text.into_deserializer();
                word.deserialize_enum(name, variants, visitor)
            }
            JsonValue::Object(members) => {
                let members = MapDeserializer::new(members.into_all().into_iter());
                MapAccessDeserializer::new(members).deserialize_enum(name, variants, visitor)
            }
            value => value.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The name under which serde_json's own types take a number's text.
const TEXT: &str = "$serde_json::private::Number";

/// A number that a machine's numbers do not hold exactly keeps its text.
fn visit<'de, V: Visitor<'de>>(number: Numeral<'de>, visitor: V) -> Result<V::Value, Error> {
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

impl<'de> IntoDeserializer<'de, Error> for JsonValue<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::Value;

    use super::super::parse;

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
        let read = Model::deserialize(parse(text).unwrap()).unwrap();
        assert_eq!((read.small, read.length, read.absent), (3, Some(2.0), None));
        assert_eq!(read.names, ["a", "ü"]);
        let more = Value::Object(read.more).to_string();
        assert_eq!(more, r#"{"n":202402144809161001040,"deep":[{"x":1.50}]}"#);
        let text = r#"{"small": 3, "length": 2.50, "names": []}"#;
        let read = Model::deserialize(parse(text).unwrap()).unwrap();
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
        let read = |text| Choice::deserialize(parse(text).unwrap());
        assert_eq!(read(r#""plain""#), Ok(Choice::Plain));
        assert_eq!(read(r#"{"with": {"n": 3}}"#), Ok(Choice::With { n: 3 }));
        for text in [r#""other""#, "3", "null", "{}", r#"{"with": 3}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for text in ["-1", "1.5", "1e300", "99999999999", "\"x\"", "{}", "null"] {
            assert!(u32::deserialize(parse(text).unwrap()).is_err(), "{text}");
        }
    }
}
