//! When triggers fire, by tables: the events in the order of their arrival, and what comes of each.

use serde_json::{Value, json};
use uuid::Uuid;

use super::window::{Seen, Step, Window};
use super::*;
use crate::domain::JsonMap;
use crate::domain::event::{Event, Resource};
use crate::domain::ids::EventId;

fn trigger(document: Value) -> EventTrigger {
    let Trigger::Event(mut trigger) = tagged::parsed(document).unwrap() else {
        panic!("no event trigger");
    };
    trigger.completed();
    trigger
}

fn at(secs: f64) -> Timestamp {
    // An hour after the epoch, so that what was before can be told.
    Timestamp::from_micros(((3600.0 + secs) * 1e6) as i64)
}

/// A trigger that is shown events and the time.
struct Shown {
    trigger: EventTrigger,
    window: Option<Window>,
    held: Vec<Timestamp>,
    places: i64,
}

impl Shown {
    fn new(document: Value) -> Self {
        let trigger = trigger(document);
        let window = trigger
            .waits_from_the_start()
            .then(|| trigger.window_from(at(0.0)));
        Self {
            trigger,
            window,
            held: Vec::new(),
            places: 0,
        }
    }

    fn take(&mut self, step: Step) -> usize {
        self.window = step.window;
        step.firings.len()
    }

    /// How often it fires at an event; the time has not passed beyond that.
    fn event(&mut self, name: &str, secs: f64) -> usize {
        self.places += 1;
        if self.trigger.is_held(name) {
            self.held.push(at(secs));
        }
        let held = self.held.clone();
        let mut held = |from, to| {
            let within = held.iter().filter(|one| (from..to).contains(*one));
            Ok(within.count() as i64)
        };
        let seen = Seen {
            name,
            occurred: at(secs),
            place: self.places,
        };
        let step = self.trigger.on_event(self.window, seen, &mut held).unwrap();
        self.take(step)
    }

    /// How often it fires because the time has passed up to a moment.
    fn time(&mut self, secs: f64) -> usize {
        let mut count = 0;
        while let Some(window) = self.window.filter(|window| window.end <= at(secs)) {
            let held = self.held.clone();
            let mut held = |from, to| {
                let within = held.iter().filter(|one| (from..to).contains(*one));
                Ok(within.count() as i64)
            };
            let now = window.end;
            let step = self.trigger.on_time(window, now, &mut held).unwrap();
            count += self.take(step);
        }
        count
    }
}

/// What happens, and how often it fires then.
type Row<'a> = (&'a str, f64, usize);

fn check(document: Value, rows: &[Row<'_>]) {
    let mut shown = Shown::new(document.clone());
    for (index, (name, secs, fires)) in rows.iter().enumerate() {
        let fired = match *name {
            "" => shown.time(*secs),
            name => shown.event(name, *secs),
        };
        assert_eq!(
            fired, *fires,
            "row {index} {name} of {document}: {:?}",
            shown.window
        );
    }
}

fn reactive(threshold: i64, within: f64) -> Value {
    json!({"type": "event", "posture": "Reactive", "expect": ["a"], "threshold": threshold,
        "within": within})
}

#[test]
fn reactive_triggers_count_in_one_window_at_a_time() {
    check(
        reactive(1, 0.0),
        &[
            ("a", 0.0, 1),
            ("a", 0.0, 1),
            ("b", 1.0, 0),
            ("a", -800.0, 1),
        ],
    );
    // Without a window what has come counts, whenever that was.
    check(
        reactive(3, 0.0),
        &[
            ("a", 0.0, 0),
            ("a", 50.0, 0),
            ("a", 51.0, 1),
            ("a", 52.0, 0),
        ],
    );
    // After it has fired it waits for the rest of its window.
    check(
        reactive(1, 10.0),
        &[
            ("a", 0.0, 1),
            ("a", 5.0, 0),
            ("a", 10.0, 1),
            ("a", 19.9, 0),
            ("a", 20.0, 1),
        ],
    );
    check(
        reactive(2, 10.0),
        &[
            ("a", 0.0, 0),
            ("a", 9.9, 1),
            ("a", 9.95, 0),
            ("a", 12.0, 0),
            ("a", 13.0, 1),
        ],
    );
    // An event after the window begins the next one.
    check(
        reactive(2, 10.0),
        &[
            ("a", 0.0, 0),
            ("a", 11.0, 0),
            ("a", 20.9, 1),
            ("a", 21.0, 0),
            ("a", 22.0, 1),
        ],
    );
    // Those that arrive late count as far as a quarter of an hour back.
    check(reactive(2, 10.0), &[("a", 0.0, 0), ("a", -899.0, 1)]);
    check(
        reactive(2, 10.0),
        &[("a", 0.0, 0), ("a", -901.0, 0), ("a", 1.0, 1)],
    );
    // One that is older than the window that it waits for does not count.
    check(
        reactive(1, 10.0),
        &[("a", 0.0, 1), ("a", -1.0, 0), ("a", 9.0, 0), ("a", 30.0, 1)],
    );
}

#[test]
fn reactive_triggers_wait_for_what_comes_before() {
    let after = |expect: Value, threshold: i64, within: f64| {
        json!({"type": "event", "posture": "Reactive", "after": ["s"], "expect": expect,
            "threshold": threshold, "within": within})
    };
    check(
        after(json!(["a"]), 1, 10.0),
        &[
            ("a", 0.0, 0),
            ("s", 1.0, 0),
            ("a", 2.0, 1),
            ("a", 3.0, 0),
            ("s", 4.0, 0),
            ("a", 20.0, 0),
        ],
    );
    // What opens a window does not begin another one, and what was before it does not count.
    check(
        after(json!(["a"]), 2, 10.0),
        &[
            ("s", 1.0, 0),
            ("a", 2.0, 0),
            ("a", 0.5, 0),
            ("s", 5.0, 0),
            ("a", 9.0, 1),
        ],
    );
    // An event that does both opens a window, and counts from the second time on.
    check(
        after(json!(["s"]), 1, 10.0),
        &[("s", 0.0, 0), ("s", 5.0, 1), ("s", 6.0, 0), ("s", 7.0, 1)],
    );
    // Without names all that comes counts.
    check(
        after(json!([]), 1, 10.0),
        &[("x", 0.0, 0), ("s", 1.0, 0), ("x", 2.0, 1)],
    );
}

fn proactive(more: Value) -> Value {
    let mut document = json!({"type": "event", "posture": "Proactive", "expect": ["a"],
        "within": 10.0});
    document
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    document
}

#[test]
fn proactive_triggers_fire_where_too_little_has_come() {
    // One that is about nothing in particular waits always.
    check(
        proactive(json!({})),
        &[
            ("", 9.9, 0),
            ("", 10.0, 1),
            ("", 20.0, 1),
            ("a", 25.0, 0),
            ("", 30.0, 0),
            ("", 40.0, 1),
        ],
    );
    check(
        proactive(json!({"threshold": 2})),
        &[
            ("a", 1.0, 0),
            ("", 10.0, 1),
            ("a", 11.0, 0),
            ("a", 12.0, 0),
            ("", 20.0, 0),
        ],
    );
    // About each of something it waits from the first event on, and forgets what came as it should.
    check(
        proactive(json!({"for_each": ["k"]})),
        &[("", 50.0, 0), ("a", 50.0, 0), ("", 99.0, 0)],
    );
    check(
        proactive(json!({"for_each": ["k"], "threshold": 2})),
        &[
            ("a", 0.0, 0),
            ("", 10.0, 1),
            ("a", 11.0, 0),
            ("a", 12.0, 0),
            ("", 40.0, 0),
        ],
    );
    // Less than ten seconds is none.
    assert_eq!(
        trigger(proactive(json!({"within": 0}))).within.whole_secs(),
        10
    );
}

#[test]
fn proactive_triggers_wait_from_what_comes_before() {
    let after = proactive(json!({"after": ["s"]}));
    check(
        after.clone(),
        &[
            ("", 99.0, 0),
            ("a", 99.0, 0),
            ("s", 100.0, 0),
            ("", 110.0, 1),
            ("", 200.0, 0),
        ],
    );
    check(
        after.clone(),
        &[
            ("s", 0.0, 0),
            ("a", 9.0, 0),
            ("", 99.0, 0),
            ("s", 100.0, 0),
            ("", 110.0, 1),
        ],
    );
    // What has come as it should is over, so that the next one is waited for again.
    check(
        after.clone(),
        &[
            ("s", 0.0, 0),
            ("a", 1.0, 0),
            ("s", 5.0, 0),
            ("", 14.9, 0),
            ("", 15.0, 1),
        ],
    );
    // Whichever arrives first.
    check(
        after.clone(),
        &[("a", 5.0, 0), ("s", 1.0, 0), ("", 99.0, 0)],
    );
    check(
        after.clone(),
        &[("a", 0.5, 0), ("s", 1.0, 0), ("", 99.0, 1)],
    );
    // Too late is not in time.
    check(after, &[("s", 0.0, 0), ("a", 10.0, 1)]);
}

#[test]
fn heartbeats_roll_the_window() {
    let beats = proactive(json!({"after": ["beat"], "expect": ["beat", "end"],
        "for_each": ["k"]}));
    check(
        beats.clone(),
        &[
            ("beat", 0.0, 0),
            ("beat", 9.0, 0),
            ("", 18.0, 0),
            ("beat", 18.5, 0),
            ("", 28.5, 1),
            ("", 99.0, 0),
        ],
    );
    // The end of a run is the end of it, in whatever order it and the last beat arrive.
    check(
        beats.clone(),
        &[("beat", 0.0, 0), ("end", 5.0, 0), ("", 99.0, 0)],
    );
    check(
        beats.clone(),
        &[
            ("beat", 0.0, 0),
            ("end", 5.0, 0),
            ("beat", 4.0, 0),
            ("", 99.0, 0),
        ],
    );
    check(
        beats.clone(),
        &[("end", 5.0, 0), ("beat", 4.0, 0), ("", 99.0, 0)],
    );
    // A beat after the end of a run waits again.
    check(
        beats,
        &[
            ("beat", 0.0, 0),
            ("end", 5.0, 0),
            ("beat", 6.0, 0),
            ("", 99.0, 1),
        ],
    );
}

#[test]
fn firings_name_the_event_that_they_are_because_of() {
    let mut shown = Shown::new(proactive(json!({"after": ["s"]})));
    shown.event("s", 0.0);
    let step = shown
        .trigger
        .on_time(shown.window.unwrap(), at(10.0), &mut |_, _| Ok(0));
    assert_eq!(step.unwrap().firings, [Some(1)]);
    let mut shown = Shown::new(proactive(json!({})));
    let step = shown
        .trigger
        .on_time(shown.window.take().unwrap(), at(10.0), &mut |_, _| Ok(0));
    assert_eq!(step.unwrap().firings, [None]);
}

fn event(name: &str, resource: Value, related: Value) -> Event {
    let map = |value: &Value| Resource::from(value.as_object().unwrap().clone());
    Event {
        id: EventId::new(),
        occurred: at(0.0),
        name: name.to_owned(),
        resource: map(&resource),
        related: related.as_array().unwrap().iter().map(map).collect(),
        payload: JsonMap::new(),
        follows: None,
    }
}

#[test]
fn triggers_look_at_the_events_that_fit() {
    let happened = event(
        "prefect.flow-run.Failed",
        json!({"prefect.resource.id": "prefect.flow-run.1", "kind": "big"}),
        json!([
            {"prefect.resource.id": "prefect.flow.7", "prefect.resource.role": "flow"},
            {"prefect.resource.id": "prefect.tag.x", "prefect.resource.role": "tag"},
        ]),
    );
    for (more, covers) in [
        (json!({}), true),
        (json!({"expect": ["prefect.flow-run.*"]}), true),
        (json!({"expect": ["prefect.flow-run.Fail"]}), false),
        (json!({"expect": ["other"], "after": ["prefect.*"]}), true),
        (
            json!({"match": {"prefect.resource.id": "prefect.flow-run.*"}}),
            true,
        ),
        (
            json!({"match": {"prefect.resource.id": "prefect.task-run.*"}}),
            false,
        ),
        (json!({"match": {"kind": ["small", "big"]}}), true),
        (json!({"match": {"kind": "!big"}}), false),
        (json!({"match": {"kind": "!small"}}), true),
        (json!({"match": {"missing": "!small"}}), false),
        (
            json!({"match_related": {"prefect.resource.id": "prefect.flow.7"}}),
            true,
        ),
        (
            json!({"match_related": {"prefect.resource.id": "prefect.flow.7",
                "prefect.resource.role": "tag"}}),
            false,
        ),
        (
            json!({"match_related": [{"prefect.resource.role": "flow"},
                {"prefect.resource.id": "prefect.tag.x"}]}),
            true,
        ),
        (
            json!({"match_related": [{"prefect.resource.role": "flow"},
                {"prefect.resource.id": "prefect.tag.y"}]}),
            false,
        ),
    ] {
        let mut document = json!({"type": "event", "posture": "Reactive"});
        document
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        assert_eq!(trigger(document).covers(&happened), covers, "{more}");
    }
    let labels = json!({"type": "event", "posture": "Reactive",
        "for_each": ["related:flow:prefect.resource.id", "kind", "none", "related:x:kind"]});
    let key = trigger(labels).key(&happened);
    assert_eq!(key, ["big", "", "prefect.flow.7", ""]);
}

#[test]
fn triggers_that_are_made_of_others_wait_for_enough_of_them() {
    let parts = || vec![Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3)];
    let of = |kind: &str, more: Value| {
        let part = |id: Uuid| json!({"type": "event", "posture": "Reactive", "id": id});
        let triggers: Vec<_> = parts().into_iter().map(part).collect();
        let mut document = json!({"type": kind, "triggers": triggers, "within": null});
        document
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        tagged::parsed::<Trigger>(document).unwrap()
    };
    let ready = |trigger: &Trigger, order: &[usize]| {
        let firings = order
            .iter()
            .map(|part| Firing::of_events(parts()[*part - 1], JsonMap::new(), None, at(0.0)));
        // They lie in the store in the order of their triggers.
        let mut firings: Vec<_> = firings.collect();
        firings.sort_by_key(|firing| firing.trigger);
        trigger.composite().unwrap().is_ready(&firings)
    };
    for (require, wanted) in [(json!("any"), 1), (json!("all"), 3), (json!(2), 2)] {
        let trigger = of("compound", json!({"require": require}));
        assert_eq!(trigger.composite().unwrap().wanted(), wanted);
        for order in [&[2][..], &[3, 1], &[1, 2, 3]] {
            assert_eq!(
                ready(&trigger, order),
                order.len() >= wanted,
                "{require} {order:?}"
            );
        }
    }
    let sequence = of("sequence", json!({}));
    for (order, is_ready) in [
        (&[1, 2, 3][..], true),
        (&[1, 3, 2], false),
        (&[2, 3, 1], false),
        (&[1, 2], false),
        (&[2, 3], false),
    ] {
        assert_eq!(ready(&sequence, order), is_ready, "{order:?}");
    }
}

fn plan(trigger: Value, actions: Value) -> Result<Plan, String> {
    let document = json!({"name": "n", "trigger": trigger, "actions": actions});
    let plan: Plan = serde_json::from_value(document).map_err(|error| error.to_string())?;
    plan.checked().map_err(|error| error.message().to_owned())
}

#[test]
fn plans_are_answered_as_they_are_written_and_in_full() {
    let written = json!({"type": "compound", "triggers": [
            {"type": "event", "posture": "Reactive", "match": {"a": "b"}, "match_related": [],
                "expect": ["x", "x"], "within": "PT30S"},
            {"type": "sequence", "triggers": [{"type": "event", "posture": "Proactive"}],
                "within": null}
        ], "require": "all", "within": 30.5});
    let id = Uuid::from_u128(7);
    let exact: Value = serde_json::from_str("0.1000000000000000055").unwrap();
    let actions = json!([{"type": "do-nothing"},
        {"type": "run-deployment", "deployment_id": id, "parameters": {"n": exact}},
        {"type": "change-flow-run-state", "state": "FAILED"}]);
    let plan = plan(written, actions).unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    let again: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(again, plan);
    let answered = serde_json::to_value(&plan).unwrap();
    let part = answered.pointer("/trigger/triggers/0").unwrap();
    for (name, value) in [
        ("type", json!("event")),
        ("match", json!({"a": "b"})),
        ("match_related", json!([])),
        ("expect", json!(["x"])),
        ("after", json!([])),
        ("within", json!(30.0)),
        ("threshold", json!(1)),
    ] {
        assert_eq!(part[name], value, "{name}");
    }
    assert_eq!(
        answered.pointer("/trigger/triggers/1/triggers/0/within"),
        Some(&json!(10.0))
    );
    assert_eq!(
        answered.pointer("/actions/1/source"),
        Some(&json!("selected"))
    );
    assert!(text.contains("0.1000000000000000055"));
    assert_eq!(answered.pointer("/actions/2/force"), Some(&json!(false)));
}

#[test]
fn what_is_no_plan_is_refused_with_a_reason() {
    let event = |more: Value| {
        let mut document = json!({"type": "event", "posture": "Reactive"});
        document
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        document
    };
    let nested = (0..6).fold(
        event(json!({})),
        |inner, _| json!({"type": "sequence", "triggers": [inner], "within": null}),
    );
    let run = |more: Value| {
        let mut document = json!({"type": "run-deployment"});
        document
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!([document])
    };
    let id = Uuid::from_u128(7);
    for (trigger, actions, why) in [
        (
            json!({"type": "metric"}),
            json!([]),
            "unknown variant `metric`",
        ),
        (json!({"type": "event"}), json!([]), "posture"),
        (event(json!({"within": null})), json!([]), "length of time"),
        (event(json!({"within": "30"})), json!([]), "length of time"),
        (event(json!({"within": -1})), json!([]), "0 or more"),
        (
            event(json!({"posture": "Proactive", "within": 9})),
            json!([]),
            "10 seconds",
        ),
        (event(json!({"threshold": -1})), json!([]), "threshold"),
        (
            json!({"type": "sequence", "triggers": []}),
            json!([]),
            "within",
        ),
        (
            json!({"type": "compound", "triggers": [], "within": null, "require": "all"}),
            json!([]),
            "require",
        ),
        (
            json!({"type": "compound", "triggers": [event(json!({}))], "within": null,
                "require": 2}),
            json!([]),
            "require",
        ),
        (nested, json!([]), "within each other"),
        (
            event(json!({"match": {"a": "*a*a*a*a*a*a*a*a*a"}})),
            json!([]),
            "pattern",
        ),
        (
            event(json!({})),
            json!([{"type": "declare-incident"}]),
            "unknown variant",
        ),
        (
            event(json!({})),
            run(json!({})),
            "deployment_id is required",
        ),
        (
            event(json!({})),
            run(json!({"source": "inferred", "deployment_id": id})),
            "not allowed",
        ),
        (
            event(json!({})),
            run(json!({"deployment_id": id, "parameters": {"a": "{{ b"}})),
            "valid template",
        ),
        (
            event(json!({"expect": ["prefect.flow-run.Running"]})),
            run(json!({"source": "inferred"})),
            "begin another",
        ),
        (
            event(json!({"expect": ["prefect.flow-run.*"]})),
            run(json!({"deployment_id": id})),
            "begin another",
        ),
        (
            event(json!({})),
            json!([{"type": "change-flow-run-state", "state": "GONE"}]),
            "GONE",
        ),
    ] {
        let refused = plan(trigger.clone(), actions.clone()).unwrap_err();
        assert!(refused.contains(why), "{trigger} {actions}: {refused}");
    }
    let narrow = event(json!({"expect": ["prefect.flow-run.*"],
        "match_related": {"prefect.resource.id": "prefect.flow.1"}}));
    assert!(plan(narrow, run(json!({"deployment_id": id}))).is_ok());
}

#[test]
fn templates_see_labels_by_their_names() {
    let mut context = jinja::Context::default();
    let labels = json!({"prefect.resource.id": "x", "prefect.resource.name": "n", "prefect": "p"});
    context.put_labels("labels", labels.as_object().unwrap());
    context.put("n", &json!({"a": [1, 2.5, null, "t<"]}));
    let long = "x".repeat(100_000);
    context.put("long", &json!(long));
    for (template, text) in [
        ("plain", "plain"),
        ("{{ labels.prefect.resource.id }}", "x"),
        ("{{ labels['prefect.resource.name'] }}", "n"),
        ("{{ labels.prefect }}", "p"),
        ("{{ nothing.at.all }}", ""),
        (
            "{{ n.a[1] }}{% for x in n.a %}[{{ x }}]{% endfor %}",
            "2.5[1][2.5][None][t<]",
        ),
        ("{{ n.a | tojson }}", "[1,2.5,null,\"t<\"]"),
        (
            "{{ 'go to /runs/flow-run/01234567-89ab-cdef-0123-456789abcdef' | flow_run_id }}",
            "01234567-89ab-cdef-0123-456789abcdef",
        ),
        ("{{ 'a,b' | split(',') | join('+') | upper }}", "A+B"),
    ] {
        assert_eq!(context.render(template).as_deref(), Ok(text), "{template}");
    }
    for template in [
        "{% set x = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{{ range(101) }}",
        "{% for a in range(99) %}{% for b in range(99) %}{{ long }}{% endfor %}{% endfor %}",
        "{{ long | replace('x', long) }}",
        "{{ a",
        "{{ 'x' * 1000000000 }}",
        "{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}",
    ] {
        assert!(context.render(template).is_err(), "{template}");
    }
}

#[test]
fn parameters_are_made_of_templates_and_variables() {
    let mut context = jinja::Context::default();
    context.put("event", &json!({"n": 7, "m": {"k": [true]}, "t": "x"}));
    let variables = [("v".to_owned(), json!({"any": 1}))].into();
    let with = parameters::Surroundings {
        context: &context,
        variables: &variables,
    };
    let given = json!({
        "plain": {"a": [1, "b"]},
        "whole": "{{ event.n }}",
        "deep": ["{{ event.m }}", {"x": "{{ event.t }}"}],
        "text": "n is {{ event.n }}",
        "jinja": {"__prefect_kind": "jinja", "template": "{{ event.n }}"},
        "json": {"__prefect_kind": "json", "value": "[1, 2]"},
        "variable": {"__prefect_kind": "workspace_variable", "variable_name": "v"},
        "none": {"__prefect_kind": "none", "value": 3},
    });
    let made = parameters::made(given.as_object().unwrap(), &with).unwrap();
    assert_eq!(
        Value::Object(made),
        json!({
            "plain": {"a": [1, "b"]},
            "whole": 7,
            "deep": [{"k": [true]}, {"x": "x"}],
            "text": "n is 7",
            "jinja": "7",
            "json": [1, 2],
            "variable": {"any": 1},
            "none": 3,
        })
    );
    let missing = json!({"x": {"__prefect_kind": "workspace_variable", "variable_name": "w"}});
    let refused = parameters::made(missing.as_object().unwrap(), &with).unwrap_err();
    assert!(refused.contains("'w'"), "{refused}");
}
