//! Parameters against schemas, as the reference checks them.

use serde_json::{Value, json};

use super::{Required, Unfit, check, check_as_written, check_schema};
use crate::domain::JsonMap;

fn map(value: Value) -> JsonMap {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

fn checked(parameters: Value, schema: Value) -> Result<(), Unfit> {
    check(&map(parameters), &map(schema), Required::Yes)
}

/// As pydantic writes it for a flow of these parameters.
fn schema() -> Value {
    json!({
        "title": "Parameters",
        "type": "object",
        "properties": {
            "n": { "title": "n", "position": 0, "type": "integer" },
            "name": { "title": "name", "position": 1, "type": "string" },
            "person": { "title": "person", "position": 2, "$ref": "#/definitions/Person" },
            "pair": { "type": "array", "items": [{ "type": "integer" }, { "type": "string" }] },
        },
        "required": ["n"],
        "definitions": {
            "Person": {
                "title": "Person",
                "type": "object",
                "properties": {
                    "age": { "type": "integer", "exclusiveMinimum": 0 },
                    "friends": { "type": "array", "items": { "$ref": "#/definitions/Person" } },
                },
                "required": ["age"],
            },
        },
    })
}

#[test]
fn what_conforms_and_what_does_not() {
    let good = [
        json!({ "n": 1 }),
        json!({ "n": 1.0, "name": "x", "more": [1] }),
        // It may be left out, so it may be null.
        json!({ "n": 1, "name": null }),
        json!({ "n": 1, "person": { "age": 3, "friends": [{ "age": 4 }] } }),
        json!({ "n": 1, "pair": [1, "x"] }),
    ];
    for parameters in good {
        assert_eq!(
            checked(parameters.clone(), schema()),
            Ok(()),
            "{parameters}"
        );
    }
    let bad = [
        (json!({}), "Validation failed. Failure reason: "),
        (
            json!({ "n": "x" }),
            "Validation failed for field 'n'. Failure reason: ",
        ),
        (
            json!({ "n": null }),
            "Validation failed for field 'n'. Failure reason: ",
        ),
        (
            json!({ "n": 1, "person": { "age": 3, "friends": [{ "age": 0 }] } }),
            "Validation failed for field 'person.friends[0].age'. Failure reason: ",
        ),
        (
            json!({ "n": 1, "pair": ["x"] }),
            "Validation failed for field 'pair",
        ),
    ];
    for (parameters, words) in bad {
        let Err(Unfit::Misfit(why)) = checked(parameters.clone(), schema()) else {
            panic!("{parameters}");
        };
        assert!(why.starts_with(words), "{parameters}: {why}");
    }
    let nothing = check(&JsonMap::new(), &map(schema()), Required::No);
    assert_eq!(nothing, Ok(()));
}

/// By Python's `jsonschema` 4.26.
#[test]
fn misfits_are_told_in_the_reference_s_words() {
    let cases = [
        (
            json!({ "type": "integer" }),
            json!("it's"),
            "\"it's\" is not of type 'integer'",
        ),
        (
            json!({ "type": ["null", "integer"] }),
            json!({ "a": [true, null, 1.5] }),
            "{'a': [True, None, 1.5]} is not of type 'null', 'integer'",
        ),
        (
            json!({ "enum": ["a", 1] }),
            json!("b"),
            "'b' is not one of ['a', 1]",
        ),
        (json!({ "const": "a" }), json!("b"), "'a' was expected"),
        (
            json!({ "minimum": 3 }),
            json!(2),
            "2 is less than the minimum of 3",
        ),
        (
            json!({ "maximum": 3 }),
            json!(4.5),
            "4.5 is greater than the maximum of 3",
        ),
        (
            json!({ "exclusiveMinimum": 3 }),
            json!(3),
            "3 is less than or equal to the minimum of 3",
        ),
        (
            json!({ "exclusiveMaximum": 3 }),
            json!(3),
            "3 is greater than or equal to the maximum of 3",
        ),
        (json!({ "minItems": 2 }), json!([1]), "[1] is too short"),
        (
            json!({ "minLength": 1 }),
            json!(""),
            "'' should be non-empty",
        ),
        (json!({ "maxLength": 1 }), json!("ab"), "'ab' is too long"),
        (
            json!({ "maxItems": 0 }),
            json!([1]),
            "[1] is expected to be empty",
        ),
        (
            json!({ "pattern": "^a$" }),
            json!("b"),
            "'b' does not match '^a$'",
        ),
        (
            json!({ "anyOf": [{ "minimum": 3 }, { "minimum": 4 }] }),
            json!(1),
            "1 is not valid under any of the given schemas",
        ),
        (
            json!({ "additionalProperties": false }),
            json!({ "b": 1 }),
            "Additional properties are not allowed ('b' was unexpected)",
        ),
        (
            json!({ "required": ["a"] }),
            json!({}),
            "'a' is a required property",
        ),
    ];
    for (schema, value, words) in cases {
        let schema = json!({ "properties": { "x": schema }, "required": ["x"] });
        let told = checked(json!({ "x": value }), schema);
        let why = format!("Validation failed for field 'x'. Failure reason: {words}");
        assert_eq!(told, Err(Unfit::Misfit(why)));
    }
}

#[test]
fn circles_and_explosions_are_refused_in_time() {
    let itself = json!({ "$ref": "#" });
    assert_eq!(checked(json!({}), itself), Err(Unfit::Circular));
    let round = json!({
        "allOf": [{ "$ref": "#/$defs/a" }],
        "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/b" }] }, "b": { "$ref": "#/$defs/a" } },
    });
    assert_eq!(checked(json!({}), round), Err(Unfit::Circular));
    // Each refers twice to the next: a million million steps.
    let mut defs = JsonMap::new();
    for level in 0..40 {
        let next = json!({ "$ref": format!("#/$defs/{}", level + 1) });
        defs.insert(level.to_string(), json!({ "anyOf": [next, next] }));
    }
    defs.insert("40".to_owned(), json!(false));
    let doubling = json!({ "$ref": "#/$defs/0", "$defs": defs });
    assert_eq!(checked(json!({}), doubling), Err(Unfit::TooCostly));
    // Within the value as well.
    let node = json!({ "additionalProperties": { "anyOf": vec![json!({ "$ref": "#" }); 10] } });
    let mut deep = json!({ "x": 1 });
    for _ in 0..30 {
        deep = json!({ "x": deep });
    }
    assert_eq!(checked(deep, node), Err(Unfit::TooCostly));
    let patterns: JsonMap = (0..200).map(|n| (format!("^a{n}"), json!(true))).collect();
    let patterns = json!({ "patternProperties": patterns });
    assert_eq!(checked(json!({}), patterns), Err(Unfit::TooCostly));
}

#[test]
fn what_lies_elsewhere_is_not_followed() {
    for reference in [
        "#/$defs/none",
        "http://example.com/schema",
        "other.json",
        "#name",
    ] {
        let schema = json!({ "properties": { "x": { "$ref": reference } } });
        let Err(unfit) = checked(json!({ "x": 1 }), schema) else {
            panic!("{reference}");
        };
        assert!(
            matches!(unfit, Unfit::Unresolvable(_)),
            "{reference}: {unfit}"
        );
    }
}

#[test]
fn numbers_of_any_length_are_compared() {
    let schema = json!({ "properties": { "x": { "type": "number", "maximum": 5 } } });
    for text in [
        "1e400",
        "123456789012345678901234567890",
        "-1e400",
        "0.1e-400",
    ] {
        let parameters: Value = serde_json::from_str(&format!("{{\"x\": {text}}}")).unwrap();
        // Whatever comes of it, it is an answer.
        let _ = checked(parameters, schema.clone());
    }
}

#[test]
fn schemas_are_told_from_what_is_none() {
    assert_eq!(check_schema(&map(schema())), Ok(()));
    assert_eq!(check_schema(&JsonMap::new()), Ok(()));
    for none in [
        json!({ "type": "whole" }),
        json!({ "properties": 3 }),
        json!({ "pattern": "(" }),
    ] {
        let refused = check_schema(&map(none.clone()));
        assert!(
            matches!(refused, Err(Unfit::NoSchema(_))),
            "{none}: {refused:?}"
        );
    }
}

#[test]
fn parameters_that_come_with_their_schema_are_checked_as_it_is_written() {
    let parameters = map(json!({ "x": 1 }));
    let schema = map(json!({ "properties": { "x": { "type": "string" } }, "required": ["y"] }));
    let told = |words: &str| {
        let why = format!("Validation failed for field 'x'. Failure reason: {words}");
        Err(Unfit::Misfit(why))
    };
    let written = check_as_written(&parameters, &schema);
    assert_eq!(written, told("1 is not of type 'string'"));
    let mended = check(&parameters, &schema, Required::No);
    assert_eq!(
        mended,
        told("1 is not valid under any of the given schemas")
    );
    let schema = map(json!({ "properties": { "x": { "type": "blork" } } }));
    assert_eq!(
        check_schema(&schema),
        Err(Unfit::NoSchema(
            "'blork' is not valid under any of the given schemas".to_owned()
        ))
    );
}
