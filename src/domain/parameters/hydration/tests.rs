//! What is made of parameters, and what is not.

use serde_json::json;

use super::*;

fn of(value: Value) -> Result<JsonMap, Dry> {
    let Value::Object(parameters) = value else {
        panic!("{value}");
    };
    assert!(is_dry(&parameters), "{parameters:?}");
    let variables = [("open", Some(json!([1, "{{ 2 }}"]))), ("hidden", None)];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    hydrate(parameters, &variables.into())
}

#[test]
fn values_are_made_wherever_they_stand() {
    let json = |text: &str| json!({ KIND: "json", "value": text });
    for (dry, made) in [
        (json("42"), json!(42)),
        (json("{\"a\": [1e400, 9007199254740993]}"), {
            serde_json::from_str("{\"a\": [1e400, 9007199254740993]}").unwrap()
        }),
        (json!({ KIND: "json", "value": [1] }), json!([1])),
        (
            json!({ KIND: "json", "value": json("\"[7]\"") }),
            json!([7]),
        ),
        (
            json!({ KIND: "none", "value": [json("1"), 2] }),
            json!([1, 2]),
        ),
        (
            json!({ KIND: "jinja", "template": "plain" }),
            json!("plain"),
        ),
        (
            json!({ KIND: "jinja", "template": "{{ 1 + 2 }}{{ nothing }}" }),
            json!("3"),
        ),
        (
            json!({ KIND: "jinja", "template": json("\"{{ 1 }}\"") }),
            json!("1"),
        ),
        (
            json!({ KIND: "workspace_variable", "variable_name": "open" }),
            json!([1, "{{ 2 }}"]),
        ),
        (
            json!({ KIND: "workspace_variable", "variable_name": json("\"open\"") }),
            json!([1, "{{ 2 }}"]),
        ),
        (json!({ KIND: "other", "value": json("1") }), json("1")),
        (json!({ KIND: null }), Value::Null),
    ] {
        for (around, expected) in [
            (json!({ "x": dry }), json!({ "x": made })),
            (
                json!({ "x": [[dry]], "y": 1 }),
                json!({ "x": [[made]], "y": 1 }),
            ),
            (json!({ "x": { "y": dry } }), json!({ "x": { "y": made } })),
        ] {
            assert_eq!(Value::Object(of(around).unwrap()), expected);
        }
    }
}

#[test]
fn what_is_not_there_goes_with_its_key() {
    for kind in ["json", "workspace_variable"] {
        let nothing = json!({ KIND: kind });
        let made = of(json!({ "x": nothing, "y": [nothing, 1] })).unwrap();
        assert_eq!(Value::Object(made), json!({ "y": [1] }));
        assert!(of(nothing).unwrap().is_empty());
    }
}

#[test]
fn what_cannot_be_made_is_told() {
    let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
    for (dry, why) in [
        (
            json!({ KIND: "none" }),
            "Missing 'value' key in __prefect object",
        ),
        (json!({ KIND: "json", "value": "{" }), "Invalid JSON: EOF"),
        (
            json!({ KIND: "json", "value": "{\"a\": b}" }),
            "Invalid JSON: Expecting value: line 1 column 7 (char 6)",
        ),
        (
            json!({ KIND: "json", "value": "" }),
            "Invalid JSON: Expecting value: line 1 column 1 (char 0)",
        ),
        (
            json!({ KIND: "json", "value": "1\n2" }),
            "Invalid JSON: Extra data: line 2 column 1 (char 2)",
        ),
        (
            json!({ KIND: "json", "value": deep }),
            "The value is nested",
        ),
        (json!({ KIND: "jinja" }), "Missing 'template' key"),
        (
            json!({ KIND: "jinja", "template": "{{ 1" }),
            "Invalid jinja: ",
        ),
        (json!({ KIND: "jinja", "template": 1 }), "Invalid jinja: "),
        (
            json!({ KIND: "workspace_variable", "variable_name": "a" }),
            "Variable 'a' not found in workspace.",
        ),
        (
            json!({ KIND: "workspace_variable", "variable_name": "hidden" }),
            "The variable 'hidden' is a secret",
        ),
    ] {
        let told = of(json!({ "x": [dry] })).unwrap_err().to_string();
        assert!(told.starts_with(why), "{told}");
    }
    assert_eq!(
        of(json!({ KIND: "json", "value": "1" })),
        Err(Dry::NoObject)
    );
}

#[test]
fn what_templates_and_variables_come_to_is_bounded() {
    let template =
        json!({ KIND: "jinja", "template": "{% for i in range(99) %}word {% endfor %}" });
    let variable = json!({ KIND: "workspace_variable", "variable_name": "open" });
    for (one, few, many) in [(template, 100, 300), (variable, 1000, 200_000)] {
        assert!(of(json!({ "x": vec![one.clone(); few] })).is_ok());
        let much = of(json!({ "x": vec![one; many] }));
        assert_eq!(much, Err(Dry::TooMuch));
    }
}

#[test]
fn plain_parameters_are_let_be() {
    let Value::Object(plain) = json!({ "a": [{ "kind": "json", "value": "1" }], "b": null }) else {
        unreachable!()
    };
    assert!(!is_dry(&plain));
    assert_eq!(hydrate(plain.clone(), &Variables::new()), Ok(plain));
}
