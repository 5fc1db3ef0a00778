//! Templates that people write into automations.
//!
//! The language is Jinja's, as on the reference, less what could take long or much: `set`, macros,
//! blocks and inclusion are refused, loops are few, and both the steps and the output are bounded.

mod seen;

use std::collections::BTreeMap;
use std::io;

use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, filters, tests};

use crate::domain::JsonMap;
use crate::domain::event::Stored;
use seen::{event, labelled, value};

pub use seen::written;

/// The most bytes of a template.
const LONGEST: usize = 64 * 1024;
/// The most bytes that come of a template, and of each value on the way.
const MOST_BYTES: usize = 256 * 1024;
/// The most steps of a template.
const FUEL: u64 = 50_000;
/// The most loops of a template.
const MOST_LOOPS: usize = 10;
/// How many loops lie within each other at most.
const DEEPEST: usize = 2;
/// The longest range of numbers.
const LONGEST_RANGE: usize = 100;
/// The most that texts are put together.
const MOST_JOINTS: usize = 100;
/// What there is no need for here, and what memory could be filled with.
const REFUSED: [&str; 9] = [
    "set", "with", "macro", "call", "filter", "import", "from", "include", "extends",
];

/// Whether a text is a template at all.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Refuses a template that is none, or that asks for too much.
///
/// # Errors
/// What is wrong, in a sentence.
pub fn check(template: &str) -> Result<(), String> {
    if template.len() > LONGEST {
        return Err(format!("A template has at most {LONGEST} bytes."));
    }
    if !is_template(template) {
        return Ok(());
    }
    check_tags(template)?;
    if template.matches(['~', '+', '*']).count() > MOST_JOINTS {
        return Err("A template puts too much together.".to_owned());
    }
    let parsed = environment().template_from_str(template).map(drop);
    parsed.map_err(|error| format!("This is not a valid template: {error}"))
}

fn check_tags(template: &str) -> Result<(), String> {
    let (mut loops, mut depth) = (0, 0_usize);
    for tag in template.split("{%").skip(1) {
        let tag = tag.trim_start_matches(['-', '+']).trim_start();
        let word = tag.split(|c: char| !c.is_alphanumeric()).next();
        match word {
            Some("for") => (loops, depth) = (loops + 1, depth + 1),
            Some("endfor") => depth = depth.saturating_sub(1),
            Some(word) if REFUSED.contains(&word) || word == "block" => {
                return Err(format!("Templates of automations have no `{word}`."));
            }
            _ => {}
        }
        if loops > MOST_LOOPS || depth > DEEPEST {
            return Err(format!(
                "A template has at most {MOST_LOOPS} loops, of which {DEEPEST} lie within each \
                 other."
            ));
        }
    }
    Ok(())
}

/// What a template is made text by.
#[derive(Clone, Default)]
pub struct Context(BTreeMap<&'static str, Value>);

impl Context {
    /// With a value under a name.
    pub fn put(&mut self, name: &'static str, json: &serde_json::Value) {
        self.0.insert(name, value(json));
    }

    /// With labels, which are found by their dotted names, too.
    pub fn put_labels(&mut self, name: &'static str, labels: &JsonMap) {
        self.0.insert(name, labelled(labels));
    }

    /// With an event, or with none.
    pub fn put_event(&mut self, name: &'static str, stored: Option<&Stored>) {
        let event = stored.map_or(Value::from(()), event);
        self.0.insert(name, event);
    }

    /// With events.
    pub fn put_events(&mut self, name: &'static str, all: &[Stored]) {
        let events: Vec<_> = all.iter().map(event).collect();
        self.0.insert(name, events.into());
    }

    /// A template as text.
    ///
    /// # Errors
    /// Where that fails, or is too much.
    pub fn render(&self, template: &str) -> Result<String, String> {
        if !is_template(template) {
            return Ok(template.to_owned());
        }
        check(template)?;
        let mut output = Bounded(Vec::new());
        let environment = environment();
        let parsed = environment.template_from_str(template);
        parsed
            .and_then(|parsed| parsed.render_captured_to(&self.0, &mut output).map(drop))
            .map_err(|error| error.to_string())?;
        String::from_utf8(output.0).map_err(|error| error.to_string())
    }
}

/// Takes so much and no more.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.len() + bytes.len() > MOST_BYTES {
            true => Err(io::Error::other(format!(
                "more than {MOST_BYTES} bytes would come of it"
            ))),
            false => self.0.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn environment() -> Environment<'static> {
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::Chainable);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(50);
    // As Python writes them.
    env.set_formatter(|output, state, value| match value.kind() {
        ValueKind::None => Ok(output.write_str("None")?),
        ValueKind::Bool if value.is_true() => Ok(output.write_str("True")?),
        ValueKind::Bool => Ok(output.write_str("False")?),
        _ => minijinja::escape_formatter(output, state, value),
    });
    env.add_filter("lower", filters::lower);
    env.add_filter("upper", filters::upper);
    env.add_filter("title", filters::title);
    env.add_filter("capitalize", filters::capitalize);
    env.add_filter("trim", filters::trim);
    env.add_filter("length", filters::length);
    env.add_filter("count", filters::length);
    env.add_filter("default", filters::default);
    env.add_filter("d", filters::default);
    env.add_filter("first", filters::first);
    env.add_filter("last", filters::last);
    env.add_filter("int", filters::int);
    env.add_filter("float", filters::float);
    env.add_filter("abs", filters::abs);
    env.add_filter("round", filters::round);
    env.add_filter("min", filters::min);
    env.add_filter("max", filters::max);
    env.add_filter("items", filters::items);
    env.add_filter("dictsort", filters::dictsort);
    env.add_filter("sort", filters::sort);
    env.add_filter("reverse", filters::reverse);
    env.add_filter("unique", filters::unique);
    env.add_filter("split", filters::split);
    env.add_filter("string", |text: &Value| bounded(text.to_string()));
    env.add_filter("replace", replace);
    env.add_filter("join", join);
    env.add_filter("tojson", |value: &Value, rest: Rest<Value>| {
        tojson(value, &rest)
    });
    env.add_filter("flow_run_id", flow_run_id);
    env.add_filter("ui_url", |of: &Value| ui_url(of));
    env.add_filter("ui_resource_events_url", |of: &Value| events_url(of));
    env.add_test("defined", tests::is_defined);
    env.add_test("undefined", tests::is_undefined);
    env.add_test("none", tests::is_none);
    env.add_test("string", tests::is_string);
    env.add_test("number", tests::is_number);
    env.add_function("range", range);
    env
}

fn bounded(text: String) -> Result<Value, Error> {
    match text.len() > MOST_BYTES {
        true => Err(too_much()),
        false => Ok(text.into()),
    }
}

fn too_much() -> Error {
    let words = format!("a value has at most {MOST_BYTES} bytes");
    Error::new(ErrorKind::InvalidOperation, words)
}

fn replace(text: String, from: &str, to: &str) -> Result<Value, Error> {
    let more = text.matches(from).count().saturating_mul(to.len());
    match text.len().saturating_add(more) > MOST_BYTES {
        true => Err(too_much()),
        false => bounded(text.replace(from, to)),
    }
}

fn join(all: &Value, by: Option<&str>) -> Result<Value, Error> {
    let mut text = String::new();
    for (index, one) in all.try_iter()?.enumerate() {
        if index > 0 {
            text.push_str(by.unwrap_or_default());
        }
        text.push_str(&one.to_string());
        if text.len() > MOST_BYTES {
            return Err(too_much());
        }
    }
    Ok(text.into())
}

fn tojson(value: &Value, rest: &[Value]) -> Result<Value, Error> {
    let indent = rest.first().cloned();
    let written = match indent {
        None => serde_json::to_string(value),
        Some(_) => serde_json::to_string_pretty(value),
    };
    let text = written.map_err(|error| {
        Error::new(ErrorKind::BadSerialization, "this is no JSON").with_source(error)
    })?;
    bounded(text)
}

fn range(from: i64, to: Option<i64>, step: Option<i64>) -> Result<Vec<i64>, Error> {
    let (from, to) = to.map_or((0, from), |to| (from, to));
    let step = step.unwrap_or(1);
    let is_on = |at: &i64| if step > 0 { *at < to } else { *at > to };
    let next = |at: &i64| at.checked_add(step).filter(is_on);
    let first = Some(from).filter(is_on);
    let all: Vec<_> = std::iter::successors(first, next)
        .take(LONGEST_RANGE + 1)
        .collect();
    match step == 0 || all.len() > LONGEST_RANGE {
        true => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a range has at most {LONGEST_RANGE} numbers"),
        )),
        false => Ok(all),
    }
}

/// The id of the flow run whose address a text holds, such as a message that links to it.
fn flow_run_id(text: &Value) -> Value {
    let found = text.as_str().and_then(|text| {
        let rest = text.split("flow-run/").nth(1)?;
        let id = rest.get(..36)?;
        uuid::Uuid::parse_str(id).ok().map(|_| id.to_owned())
    });
    found.map_or(Value::from(()), Value::from)
}

/// Where the pages show something.
fn ui_url(of: &Value) -> Value {
    of.get_attr("__page")
        .ok()
        .filter(|page| !page.is_undefined())
        .unwrap_or_default()
}

/// Where the pages show the events of something.
fn events_url(of: &Value) -> Value {
    let resource = |name: &str| of.get_attr(name).ok().filter(|id| id.as_str().is_some());
    let id = resource("__resource").or_else(|| resource(crate::domain::event::ID));
    id.map_or(Value::from(()), |id| {
        format!("/events?resource={id}").into()
    })
}
