//! The table of shapes.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::Method;
use serde_json::Value;

/// The table, read when it is first needed.
pub static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let whole = serde_json::from_str(include_str!("table.json"));
    Table::read(&whole.unwrap_or_default())
});

/// All operations and models.
pub struct Table {
    operations: Vec<Operation>,
    models: HashMap<String, Model>,
}

/// What an operation takes.
pub struct Operation {
    method: String,
    path: Vec<Step>,
    /// Whether the body is an object of parameters, not the parameter itself.
    pub is_embedded: bool,
    /// In the order in which they are looked at.
    pub groups: Vec<Group>,
}

/// A step of a path; one that is named may have to be a UUID.
enum Step {
    Word(String),
    Named(String, bool),
}

/// What stands at a named step of a path.
pub struct InPath {
    /// The step's name.
    pub name: String,
    /// What stands there.
    pub given: String,
    /// Whether there is no such path where it is no UUID.
    pub is_id: bool,
}

impl InPath {
    /// Whether there is such a path.
    pub fn is_there(&self) -> bool {
        let is_id = || {
            let dashes = self.given.bytes().filter(|byte| *byte == b'-').count();
            let digits = self.given.bytes().filter(u8::is_ascii_hexdigit).count();
            digits == 32 && digits + dashes == self.given.len()
        };
        !self.is_id || is_id()
    }
}

/// Parameters that are looked at together.
pub struct Group {
    /// What asks for them, if it is not the operation itself.
    pub name: String,
    /// The parameters.
    pub parameters: Vec<Parameter>,
}

/// A parameter of an operation.
pub struct Parameter {
    /// `path`, `query` or `body`.
    pub place: String,
    /// Its name and shape.
    pub field: Field,
}

/// A named part of something.
pub struct Field {
    /// Its name.
    pub name: String,
    /// Whether it has to be there.
    pub is_required: bool,
    /// What it may be.
    pub shape: Shape,
}

/// An object.
pub struct Model {
    /// Whether it has no other fields.
    pub forbids_more: bool,
    /// The functions that look at all of it first.
    pub before: Vec<String>,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// How a text looks; the reference knows one kind, `^[^abc]+$`: some characters, none of these.
pub struct Pattern(pub String);

impl Pattern {
    /// Whether the text looks like that.
    pub fn fits(&self, text: &str) -> bool {
        let none_of = self
            .0
            .strip_prefix("^[^")
            .and_then(|it| it.strip_suffix("]+$"));
        none_of.is_none_or(|none_of| !text.is_empty() && !text.contains(|c| none_of.contains(c)))
    }
}

/// Within what a number has to be.
#[derive(Default)]
pub struct Bounds {
    /// The bound's name and the bound.
    pub all: Vec<(String, Value)>,
    /// Whether it has to be a number as it stands.
    pub is_strict: bool,
}

/// What a value may be.
pub enum Shape {
    /// Anything.
    Any,
    /// Text of at most so many characters, that looks like this.
    Text(Option<usize>, Option<Pattern>),
    /// A whole number.
    Whole(Bounds),
    /// A number.
    Number(Bounds),
    /// True or false; strictly.
    Truth(bool),
    /// A UUID.
    Id,
    /// A time, as the reference reads it itself.
    Time,
    /// A time, as pydantic reads it.
    Moment,
    /// A length of time.
    Span(Bounds),
    /// Text as bytes.
    Bytes,
    /// One of these; by themselves, or as members of an enumeration. Some are told with a prefix, not
    /// in quotes.
    One(Vec<Value>, bool, Option<String>),
    /// That or null.
    Null(Box<Shape>),
    /// A list of at least and at most so many.
    List(Box<Shape>, Option<usize>, Option<usize>),
    /// A list whose order does not matter.
    Set(Box<Shape>),
    /// Whatever is as a list.
    Sequence(Box<Shape>),
    /// An object by keys.
    Map(Box<Shape>, Box<Shape>),
    /// A list of these.
    Tuple(Vec<Shape>),
    /// One of these, each under a name.
    Union(Vec<(String, Shape)>),
    /// An object of that model.
    Model(String),
    /// Looked at by a function first.
    Before(String, Box<Shape>),
    /// Looked at by a function afterwards.
    After(String, Box<Shape>),
}

impl Table {
    fn read(whole: &Value) -> Self {
        let models = whole["models"].as_object().into_iter().flatten();
        Self {
            operations: list(&whole["operations"]).map(Operation::read).collect(),
            models: models
                .map(|(name, model)| (name.clone(), Model::read(model)))
                .collect(),
        }
    }

    /// The operation of a path below the API's, with what stands at the named steps.
    pub fn operation(&self, method: &Method, path: &str) -> Option<(&Operation, Vec<InPath>)> {
        let steps: Vec<_> = path.split('/').skip(1).collect();
        let mut fitting = self.operations.iter().filter_map(|operation| {
            let is_asked = operation.method == method.as_str();
            let named = is_asked.then(|| operation.at(&steps)).flatten()?;
            Some((operation, named))
        });
        fitting.next()
    }

    /// The model of that name.
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.get(name)
    }
}

impl Operation {
    fn read(line: &Value) -> Self {
        let path = text(&line[1]);
        Self {
            method: text(&line[0]),
            path: path.split('/').skip(1).map(Step::read).collect(),
            is_embedded: line[2].as_bool().unwrap_or_default(),
            groups: list(&line[3]).map(Group::read).collect(),
        }
    }

    fn at(&self, steps: &[&str]) -> Option<Vec<InPath>> {
        let mut named = Vec::new();
        if steps.len() != self.path.len() {
            return None;
        }
        for (known, given) in self.path.iter().zip(steps) {
            match known {
                Step::Word(word) if word == given => {}
                Step::Word(_) => return None,
                Step::Named(..) if given.is_empty() => return None,
                Step::Named(name, is_id) => {
                    let given = percent_encoding::percent_decode_str(given).decode_utf8_lossy();
                    named.push(InPath {
                        name: name.clone(),
                        given: given.into_owned(),
                        is_id: *is_id,
                    });
                }
            }
        }
        Some(named)
    }
}

impl Step {
    fn read(step: &str) -> Self {
        let named = step.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
        match named {
            Some(named) => match named.strip_suffix(":uuid") {
                Some(named) => Self::Named(named.to_owned(), true),
                None => Self::Named(named.to_owned(), false),
            },
            None => Self::Word(step.to_owned()),
        }
    }
}

impl Group {
    fn read(group: &Value) -> Self {
        let parameters = list(&group[1]).map(|it| Parameter {
            place: text(&it[0]),
            field: Field::read(&it[1], &it[2]),
        });
        Self {
            name: text(&group[0]),
            parameters: parameters.collect(),
        }
    }
}

impl Field {
    fn read(name: &Value, shape: &Value) -> Self {
        let name = text(name);
        Self {
            is_required: name.ends_with('!'),
            name: name.trim_end_matches('!').to_owned(),
            shape: Shape::read(shape),
        }
    }
}

impl Model {
    fn read(model: &Value) -> Self {
        Self {
            forbids_more: model[0] == "forbid",
            before: list(&model[1]).map(text).collect(),
            fields: list(&model[2])
                .map(|it| Field::read(&it[0], &it[1]))
                .collect(),
        }
    }
}

impl Bounds {
    fn read(bounds: &Value) -> Self {
        let all = bounds.as_object().into_iter().flatten();
        let all = all.filter(|(name, _)| *name != "strict");
        Self {
            all: all
                .map(|(name, bound)| (name.clone(), bound.clone()))
                .collect(),
            is_strict: bounds["strict"].as_bool().unwrap_or_default(),
        }
    }
}

impl Shape {
    fn read(shape: &Value) -> Self {
        match shape {
            Value::String(word) => Self::of_word(word),
            shape => Self::of_list(shape),
        }
    }

    fn of_word(word: &str) -> Self {
        if let Some(of) = word.strip_suffix('?') {
            return Self::Null(Self::of_word(of).into());
        }
        let list = word.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        if let Some(of) = list {
            return Self::List(Self::of_word(of).into(), None, None);
        }
        match word {
            "any" => Self::Any,
            "text" => Self::Text(None, None),
            "whole" => Self::Whole(Bounds::default()),
            "number" => Self::Number(Bounds::default()),
            "truth" => Self::Truth(false),
            "id" => Self::Id,
            "time" => Self::Time,
            "moment" => Self::Moment,
            "span" => Self::Span(Bounds::default()),
            "bytes" => Self::Bytes,
            model => Self::Model(model.to_owned()),
        }
    }

    fn of_list(shape: &Value) -> Self {
        let more = &shape[1];
        let size = |it: &Value| it.as_u64().and_then(|it| usize::try_from(it).ok());
        let within = || Box::new(Self::read(more));
        match shape[0].as_str().unwrap_or_default() {
            "text" => {
                let pattern = more["pattern"].as_str().map(str::to_owned);
                Self::Text(size(&more["most"]), pattern.map(Pattern))
            }
            "whole" => Self::Whole(Bounds::read(more)),
            "number" => Self::Number(Bounds::read(more)),
            "truth" => Self::Truth(more["strict"] == true),
            "span" => Self::Span(Bounds::read(more)),
            "one" => {
                let prefix = shape[3].as_str().map(str::to_owned);
                Self::One(list(more).cloned().collect(), shape[2] == true, prefix)
            }
            "null" => Self::Null(within()),
            "list" => {
                let bounds = &shape[2];
                Self::List(within(), size(&bounds["least"]), size(&bounds["most"]))
            }
            "set" => Self::Set(within()),
            "sequence" => Self::Sequence(within()),
            "map" => Self::Map(within(), Self::read(&shape[2]).into()),
            "tuple" => Self::Tuple(list(more).map(Self::read).collect()),
            "union" => {
                let named = list(more).map(|it| (text(&it[0]), Self::read(&it[1])));
                Self::Union(named.collect())
            }
            "before" => Self::Before(text(more), Self::read(&shape[2]).into()),
            "after" => Self::After(text(more), Self::read(&shape[2]).into()),
            _ => Self::Any,
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
