use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::placeholder::{Piece, pieces};
use super::*;

fn map(value: Value) -> JsonMap {
    value.as_object().cloned().unwrap()
}

fn resolved(base: Value, deployment: Value, run: Value) -> Result<Value, TemplateError> {
    let variables = BTreeMap::from([
        ("city".to_owned(), json!("Paris")),
        ("list".to_owned(), json!([1, "a"])),
        ("none".to_owned(), Value::Null),
    ]);
    let environment = |name: &str| (name == "HOME").then(|| "/root".to_owned());
    let named = |slug: &str, name: &str| BlockName::Named(slug.to_owned(), name.to_owned());
    let id = "6a3b8a5c-5e64-4c0e-8c1c-0b2a4f6f8f10";
    let blocks = Blocks(BTreeMap::from([
        (named("secret", "token"), map(json!({ "value": "zz" }))),
        (
            named("secret", "deep"),
            map(json!({ "value": { "a": [1, 2] } })),
        ),
        (named("s3", "b"), map(json!({ "key": "k", "value": "v" }))),
        (
            BlockName::Id(id.to_owned()),
            map(json!({ "x": "in {{ prefect.variables.city }}" })),
        ),
    ]));
    let surroundings = Surroundings {
        variables: &variables,
        environment: &environment,
        blocks: &blocks,
    };
    let job = resolve(&map(base), &map(deployment), &map(run), &surroundings)?;
    Ok(job.into())
}

/// A template whose job is one setting.
fn setting(template: Value, variables: Value) -> Result<Option<Value>, TemplateError> {
    let base = json!({ "job_configuration": { "x": template }, "variables": {} });
    let job = resolved(base, variables, json!({}))?;
    Ok(job.get("x").cloned())
}

#[test]
fn a_placeholder_alone_gives_way_to_a_value_of_its_type_and_within_text_to_its_words() {
    let variables = json!({
        "text": "t", "number": 1.50, "yes": true, "nothing": null,
        "list": [1, "it's", {"a": null}], "map": {"k": [true, "q\"'"]},
        "{{ text }}": "never",
    });
    for (template, expected) in [
        (json!("{{ number }}"), Some(json!(1.50))),
        (json!("{{yes}}"), Some(json!(true))),
        (json!("{{   nothing\t}}"), Some(Value::Null)),
        (json!("{{ list }}"), Some(json!([1, "it's", {"a": null}]))),
        (json!("{{ list[2].a }}"), Some(Value::Null)),
        (json!("{{ list[-3] }}"), Some(json!(1))),
        (json!("{{ map.k[1] }}"), Some(json!("q\"'"))),
        (json!("{{ map.k.0 }}"), Some(json!(true))),
        (json!("{{ absent }}"), None),
        (json!("{{ map.absent }}"), None),
        (json!("{{ text.part }}"), None),
        (
            json!("a {{ text }}/{{ number }} b"),
            Some(json!("a t/1.5 b")),
        ),
        (json!("{{ text }}{{ text }}"), Some(json!("tt"))),
        (json!("<{{ yes }}{{ nothing }}>"), Some(json!("<TrueNone>"))),
        (json!("<{{ absent }}>"), Some(json!("<>"))),
        (
            json!("={{ list }}"),
            Some(json!("=[1, \"it's\", {'a': None}]")),
        ),
        (json!("={{ map }}"), Some(json!("={'k': [True, 'q\"\\'']}"))),
        (json!("{{ $HOME }}/x"), Some(json!("/root/x"))),
        (json!("{{ $HOME }}"), Some(json!("/root"))),
        (json!("{{ $UNSET }}"), Some(json!(""))),
        (json!("{{ prefect.variables.city }}"), Some(json!("Paris"))),
        (json!("{{ prefect.variables.list }}"), Some(json!([1, "a"]))),
        (json!("{{ prefect.variables.none }}"), Some(Value::Null)),
        (json!("{{ prefect.variables.absent }}"), Some(json!(""))),
        (
            json!("{{ text }} in {{ prefect.variables.city }}"),
            Some(json!("t in Paris")),
        ),
        (json!("{{{ text }}}"), Some(json!("{t}"))),
        (
            json!("{{ a b }} {{}} {{ }} {{"),
            Some(json!("{{ a b }} {{}} {{ }} {{")),
        ),
        (
            json!({"a": "{{ absent }}", "b": ["{{ absent }}", "{{ number }}", 7]}),
            Some(json!({"b": [1.50, 7]})),
        ),
    ] {
        let made = setting(template.clone(), variables.clone()).unwrap();
        assert_eq!(made, expected, "{template}");
    }
}

#[test]
fn what_values_bring_along_is_no_template_but_may_name_stored_variables() {
    let variables = json!({
        "first": "{{ second }}", "second": "never", "env": "{{ $HOME }}",
        "stored": "in {{ prefect.variables.city }}",
    });
    for (template, expected) in [
        ("{{ first }}", "{{ second }}"),
        ("<{{ first }}>", "<{{ second }}>"),
        ("{{ env }}", "{{ $HOME }}"),
        ("{{ stored }}", "in Paris"),
    ] {
        let made = setting(json!(template), variables.clone()).unwrap();
        assert_eq!(made, Some(json!(expected)), "{template}");
    }
}

#[test]
fn blocks_give_their_values() {
    let id = "6a3b8a5c-5e64-4c0e-8c1c-0b2a4f6f8f10";
    for (template, expected) in [
        (json!("{{ prefect.blocks.secret.token }}"), Ok(json!("zz"))),
        (
            json!("{{ prefect.blocks.secret.token.value }}"),
            Ok(json!("zz")),
        ),
        (
            json!("Bearer {{ prefect.blocks.secret.token }}!"),
            Ok(json!("Bearer zz!")),
        ),
        (json!("{{ prefect.blocks.secret.deep.a[1] }}"), Ok(json!(2))),
        (
            json!("{{ prefect.blocks.secret.deep }}"),
            Ok(json!({ "a": [1, 2] })),
        ),
        (
            json!("{{ prefect.blocks.s3.b }}"),
            Ok(json!({ "key": "k", "value": "v" })),
        ),
        (
            json!("{{ prefect.blocks.s3.b.key }}-{{ prefect.variables.city }}"),
            Ok(json!("k-Paris")),
        ),
        (
            json!({ "$ref": { "block_document_id": id } }),
            Ok(json!({ "x": "in Paris" })),
        ),
        (json!("{{ of_job }}"), Ok(json!("zz"))),
        (
            json!("{{ prefect.blocks.secret.none }}"),
            Err("prefect.blocks.secret.none, which"),
        ),
        (
            json!("{{ prefect.blocks.secret }}"),
            Err("prefect.blocks.secret, which"),
        ),
        (
            json!("{{ prefect.blocks.s3.b.none }}"),
            Err("no such value"),
        ),
        (
            json!("a {{ prefect.blocks.s3.b }}"),
            Err("more than one value"),
        ),
        (
            json!({ "$ref": { "block_document_id": "other" } }),
            Err("other, which"),
        ),
    ] {
        let variables = json!({ "of_job": "{{ prefect.blocks.secret.token }}" });
        match (setting(template.clone(), variables), expected) {
            (Ok(made), Ok(expected)) => assert_eq!(made, Some(expected), "{template}"),
            (Err(error), Err(words)) => {
                assert!(error.to_string().contains(words), "{template}: {error}");
            }
            (made, expected) => panic!("{template}: {made:?}, {expected:?}"),
        }
    }
}

#[test]
fn the_blocks_that_values_refer_to_are_known() {
    let named = blocks_named(&[
        json!({ "a": ["{{ prefect.blocks.s.n.x }} {{ prefect.blocks.s.m }} {{ b }}"] }),
        json!({ "r": { "$ref": { "block_document_id": "i" } } }),
    ]);
    let name = |name: &str| BlockName::Named("s".to_owned(), name.to_owned());
    let expected = [name("m"), name("n"), BlockName::Id("i".to_owned())];
    assert_eq!(named, BlocksNamed::from(expected));
    let many = (0..500).map(|n| json!(format!("{{{{ prefect.blocks.s.n{n} }}}}")));
    assert_eq!(
        blocks_named(&many.collect::<Vec<_>>()).len(),
        MOST_BLOCKS + 1
    );
}

fn base() -> Value {
    json!({
        "job_configuration": {
            "image": "{{ image }}", "env": "{{ env }}", "labels": {"team": "{{ team }}"},
            "mem_limit": "{{ mem_limit }}",
        },
        "variables": {"properties": {
            "image": {"default": "from-template"},
            "env": {"default": {"A": "template", "B": "template"}},
            "team": {"default": null},
            "mem_limit": {},
        }},
    })
}

#[test]
fn a_run_s_variables_win_over_its_deployment_s_and_those_over_the_template_s() {
    for (deployment, run, expected) in [
        (
            json!({}),
            json!({}),
            json!({"image": "from-template", "env": {"A": "template", "B": "template"}, "labels": {}}),
        ),
        (
            json!({"image": "d", "env": {"B": "d", "C": "d"}, "team": "t"}),
            json!({}),
            json!({"image": "d", "env": {"A": "template", "B": "d", "C": "d"}, "labels": {"team": "t"}}),
        ),
        (
            json!({"image": "d", "env": {"B": "d", "C": "d"}}),
            json!({"image": "r", "env": {"C": "r"}, "mem_limit": "1g"}),
            json!({
                "image": "r", "env": {"A": "template", "B": "d", "C": "r"}, "labels": {},
                "mem_limit": "1g",
            }),
        ),
        (
            json!({"env.B": "dot", "env": {"C": "d"}}),
            json!({"env.C": "dot"}),
            json!({
                "image": "from-template", "env": {"A": "template", "B": "dot", "C": "d"},
                "labels": {},
            }),
        ),
    ] {
        let made = resolved(base(), deployment.clone(), run.clone()).unwrap();
        assert_eq!(made, expected, "{deployment} {run}");
    }
}

#[test]
fn an_environment_of_the_template_itself_stays_under_all_others() {
    let base = json!({
        "job_configuration": {"env": {"OWN": "{{ own }}", "A": "own"}},
        "variables": {"properties": {"own": {"default": 7}, "env": {"default": {"A": "default"}}}},
    });
    let made = resolved(base, json!({"env": {"B": "d"}}), json!({})).unwrap();
    assert_eq!(made, json!({"env": {"OWN": 7, "A": "default", "B": "d"}}));
}

#[test]
fn a_dotted_name_needs_something_that_has_parts() {
    let deep = vec!["a"; 40].join(".");
    for variables in [json!({"a.b": 1, "a.b.c": 2}), json!({ deep: 1 })] {
        let refused = setting(json!("{{ a }}"), variables).unwrap_err();
        assert!(matches!(refused, TemplateError::NoParts(_)), "{refused}");
    }
}

#[test]
fn what_would_grow_beyond_measure_is_refused() {
    let large = "x".repeat(100_000);
    let within = "{{ large }} ".repeat(100);
    let alone = vec!["{{ large }}"; 100];
    for template in [json!(within), json!(alone)] {
        let refused = setting(template, json!({ "large": large })).unwrap_err();
        assert_eq!(refused, TemplateError::TooLarge);
    }
}

#[test]
fn a_name_may_refer_to_the_flow_and_the_run() {
    let surroundings = Surroundings {
        variables: &BTreeMap::new(),
        environment: &|_| None,
        blocks: &Blocks::default(),
    };
    let ctx = json!({"flow": {"name": "f"}, "flow_run": {"name": "r"}});
    for (name, expected) in [
        ("plain", Some("plain")),
        ("{{ ctx.flow.name }}-{{ ctx.flow_run.name }}", Some("f-r")),
        ("{{ ctx.flow_run.name }}", Some("r")),
        ("{{ ctx.absent }}", None),
        ("x{{ absent }}", Some("x")),
    ] {
        let made = named(name, ctx.clone(), &surroundings).unwrap();
        assert_eq!(made.as_deref(), expected, "{name}");
    }
}

#[test]
fn a_base_template_declares_what_it_uses() {
    let variables = json!({"properties": {"a": {}, "b": {}}});
    for (template, is_good) in [
        (json!({}), true),
        (
            json!({"job_configuration": {"x": "{{ a }}"}, "variables": variables}),
            true,
        ),
        (
            json!({"job_configuration": {"x": ["{{a}}", {"k": "-{{ b }}"}]}, "variables": variables}),
            true,
        ),
        (
            json!({"job_configuration": {"x": "{{ c }}"}, "variables": variables}),
            false,
        ),
        (
            json!({"job_configuration": {"x": {"{{ c }}": 1}}, "variables": variables}),
            false,
        ),
        (
            json!({"job_configuration": {"x": "{{ prefect.variables.a }}"}, "variables": variables}),
            false,
        ),
        (json!({"job_configuration": {"x": 1}}), false),
        (json!({"variables": variables}), false),
        (
            json!({"job_configuration": {}, "variables": variables}),
            false,
        ),
        (
            json!({"job_configuration": {"x": 1}, "variables": {"properties": 7}}),
            false,
        ),
        (json!({"other": 1}), false),
    ] {
        assert_eq!(
            check_base(&map(template.clone())).is_ok(),
            is_good,
            "{template}"
        );
    }
}

#[test]
fn the_stored_variables_are_known_that_a_job_refers_to() {
    let values = [json!({"a": ["{{ prefect.variables.x }}", "y{{ prefect.variables.y }}{{ z }}"]})];
    let named = variables_named(&values);
    assert_eq!(named.into_iter().collect::<Vec<_>>(), ["x", "y"]);
    let many: String = (0..1000)
        .map(|number| format!("{{{{ prefect.variables.v{number} }}}}"))
        .collect();
    assert_eq!(variables_named(&[json!(many)]).len(), MOST_VARIABLES + 1);
}

/// Text that is likely to have placeholders.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{{".to_owned()),
        Just("}}".to_owned()),
        Just("{".to_owned()),
        Just(" ".to_owned()),
        Just("name".to_owned()),
        Just("é.[0]".to_owned()),
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// The pieces of a text are that text, and the same pattern is found as by the expression
    /// that Prefect looks for.
    #[test]
    fn pieces_are_the_text_and_placeholders_are_those_of_the_reference(text in text()) {
        let pieces = pieces(&text);
        let whole: String = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => *text,
            Piece::Placeholder(found) => found.whole,
        }).collect();
        prop_assert_eq!(&whole, &text);
        let expression = regex::Regex::new(r"\{\{\s*([\p{Alphabetic}\p{N}_.\-\[\]$]+)\s*\}\}").unwrap();
        let expected: Vec<_> = expression
            .captures_iter(&text)
            .map(|found| (found[0].to_owned(), found[1].to_owned()))
            .collect();
        let found: Vec<_> = super::placeholder::placeholders(&text)
            .map(|found| (found.whole.to_owned(), found.inner.to_owned()))
            .collect();
        prop_assert_eq!(found, expected);
    }

    /// Text without variables stays as it is, but for placeholders, and nothing panics.
    #[test]
    fn any_text_is_resolved_or_refused(text in text(), value in "\\PC{0,8}") {
        let variables = json!({ "name": value });
        let made = setting(json!(text), variables);
        if !text.contains("{{") {
            prop_assert_eq!(made.unwrap(), Some(json!(text)));
        }
    }

    /// What is resolved is never larger than the bound, whatever is repeated.
    #[test]
    fn nothing_grows_beyond_the_bound(times in 1usize..400, size in 0usize..20_000) {
        let variables = json!({ "v": "x".repeat(size) });
        if let Ok(Some(Value::String(made))) = setting(json!("{{ v }}.".repeat(times)), variables) {
            prop_assert!(made.len() <= LARGEST);
        }
    }
}
