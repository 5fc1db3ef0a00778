use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn parsed(text: &str) -> Result<Value, Malformed> {
    parse(text).map(|given| Value::from(&given))
}

fn fault(msg: &'static str, position: usize, line: usize, column: usize) -> Malformed {
    Malformed {
        msg,
        position,
        line,
        column,
        is_excess: EXCESSES.contains(&msg),
    }
}

#[test]
fn a_value_is_read_as_serde_json_reads_it() {
    for text in [
        r#"{"b": [1, -2, 2.5, 1e3, true, null], "a": {"ü\n": "\u00fc"}, "b": 18446744073709551615}"#,
        r#""plain""#,
        r#""\"\\\/\b\f\n\r\t\ud83d\ude00 and some more text, so that it is long""#,
        "[]",
        "-0",
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parsed(text).unwrap().to_string(), value.to_string());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_as_serde_json_does(text in r#"([\[\]{},:"\\ue01 -]|"[a-z\\"]{0,20}"|true|[0-9]\.?){0,12}"#) {
        let value: Result<Value, _> = serde_json::from_str(&text);
        match (parsed(&text), value) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            (Err(_), Err(_)) => {}
            (ours, theirs) => prop_assert!(false, "{:?} {:?}", ours, theirs),
        }
    }

    #[test]
    fn texts_come_back(text in "\\PC{0,40}", other in any::<String>()) {
        let value = json!({ text: other });
        prop_assert_eq!(parsed(&value.to_string()), Ok(value));
    }
}

#[test]
fn half_a_surrogate_pair_is_a_replacement_character() {
    for (text, read) in [
        (r#""a\ud800b""#, "a\u{fffd}b"),
        (r#""\udc00\ud83d\ude00\ud83d""#, "\u{fffd}😀\u{fffd}"),
        (r#""\ud800\u0041""#, "\u{fffd}A"),
        (r#""\ud800\n""#, "\u{fffd}\n"),
    ] {
        assert_eq!(parsed(text), Ok(json!(read)), "{text}");
    }
}

#[test]
fn faults_are_told_by_character_line_and_column() {
    assert_eq!(parsed("\u{feff}{}"), Ok(json!({})));
    assert_eq!(parsed("[\n1,\n]"), Err(fault("Expecting value", 5, 3, 1)));
    assert_eq!(parsed("\"ü\" x"), Err(fault("Extra data", 4, 1, 5)));
    assert_eq!(parsed("NaN"), Err(fault("Expecting value", 0, 1, 1)));
}

#[test]
fn depth_number_and_length_are_bounded() {
    let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parsed(&nested(MOST_DEEP)).is_ok());
    let deep = Err(fault("Nested too deep", 100, 1, 101));
    assert_eq!(parsed(&nested(MOST_DEEP + 1)), deep);
    assert_eq!(parsed(&"[".repeat(100_000)), deep);
    let many = format!("[{}0]", "0,".repeat(MOST_VALUES));
    assert_eq!(parsed(&many).unwrap_err().msg, "Too many values");
    let many = format!("[{}0]", "[],".repeat(MOST_VALUES / CONTAINER));
    assert_eq!(parsed(&many).unwrap_err().msg, "Too many values");
    let number = "9".repeat(LONGEST_NUMBER);
    assert!(parsed(&number).is_ok());
    assert_eq!(parsed(&(number + "9")).unwrap_err().msg, "Number too long");
}
