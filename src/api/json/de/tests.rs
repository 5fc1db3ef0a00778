//! What is made of values, and what is refused.

use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::api::json::parse;

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
