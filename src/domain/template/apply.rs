//! Values in place of placeholders.

use std::borrow::Cow;

use serde_json::Value;

use super::blocks::referred;
use super::placeholder::{Name, Piece, pieces, whole};
use super::{LARGEST, Surroundings, TemplateError, Values, python};
use crate::domain::JsonMap;
use crate::domain::weight;

/// Fills templates in, as long as what that makes is not too large.
pub(super) struct Filler<'a> {
    surroundings: &'a Surroundings<'a>,
    left: usize,
}

/// Fills one text in; nothing where it is to go, with its key.
type Fill<'f, 'a> = dyn Fn(&mut Filler<'a>, &str) -> Result<Option<Value>, TemplateError> + 'f;

impl<'a> Filler<'a> {
    /// For one job.
    pub fn new(surroundings: &'a Surroundings<'a>) -> Self {
        Self {
            surroundings,
            left: LARGEST,
        }
    }

    /// A template with the values of variables in place of their placeholders, and the
    /// environment's. What values bring along is no template.
    ///
    /// # Errors
    /// [`TemplateError::TooLarge`].
    pub fn apply(&mut self, template: &Value, values: &Values) -> Result<Value, TemplateError> {
        let fill = |filler: &mut Self, text: &str| filler.applied(text, values);
        let filled = self.each_text(template, &fill)?;
        Ok(filled.unwrap_or(Value::Null))
    }

    /// The same for stored variables. One that does not exist is an empty text.
    ///
    /// # Errors
    /// [`TemplateError::TooLarge`].
    pub fn settle(&mut self, template: &Value) -> Result<Value, TemplateError> {
        let fill = |filler: &mut Self, text: &str| filler.settled(text).map(Some);
        let filled = self.each_text(template, &fill)?;
        Ok(filled.unwrap_or(Value::Null))
    }

    /// The same for blocks.
    ///
    /// # Errors
    /// [`TemplateError::TooLarge`], and where there is no such block, or part of one.
    pub fn put_blocks(&mut self, template: &Value) -> Result<Value, TemplateError> {
        match template {
            Value::String(text) => self.blocks_in(text),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.put_blocks(item));
                items.collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            Value::Object(map) => match referred(map) {
                Some(id) => self.taken(self.surroundings.blocks.by_id(id)?),
                None => {
                    let mut filled = JsonMap::new();
                    for (key, value) in map {
                        filled.insert(key.clone(), self.put_blocks(value)?);
                    }
                    Ok(Value::Object(filled))
                }
            },
            plain => Ok(plain.clone()),
        }
    }

    fn blocks_in(&mut self, text: &str) -> Result<Value, TemplateError> {
        let blocks = self.surroundings.blocks;
        if let Some(found) = whole(text)
            && let Name::Block(path) = found.name
        {
            return self.taken(blocks.value(path)?);
        }
        self.within(text, |name| match name {
            Name::Block(path) => match blocks.value(path)? {
                Value::Array(_) | Value::Object(_) => {
                    Err(TemplateError::BlockInText(path.to_owned()))
                }
                value => Ok(Some(Cow::Owned(python::text(&value)))),
            },
            Name::Plain(_) | Name::Variable(_) | Name::Environment(_) => Ok(None),
        })
    }

    fn taken(&mut self, value: Value) -> Result<Value, TemplateError> {
        self.take(weight::of_value(&value))?;
        Ok(value)
    }

    fn each_text(
        &mut self,
        template: &Value,
        fill: &Fill<'_, 'a>,
    ) -> Result<Option<Value>, TemplateError> {
        match template {
            Value::String(text) => fill(self, text),
            Value::Array(items) => {
                let mut filled = Vec::new();
                for item in items {
                    filled.extend(self.each_text(item, fill)?);
                }
                Ok(Some(Value::Array(filled)))
            }
            Value::Object(map) => {
                let mut filled = JsonMap::new();
                for (key, value) in map {
                    self.take(key.len())?;
                    if let Some(value) = self.each_text(value, fill)? {
                        filled.insert(key.clone(), value);
                    }
                }
                Ok(Some(Value::Object(filled)))
            }
            plain => self.kept(plain),
        }
    }

    fn applied(&mut self, text: &str, values: &Values) -> Result<Option<Value>, TemplateError> {
        if let Some(found) = whole(text)
            && let Name::Plain(path) = found.name
        {
            return match part(values, path) {
                Some(value) => self.kept(value),
                None => Ok(None),
            };
        }
        let environment = self.surroundings.environment;
        self.within(text, |name| match name {
            Name::Plain(path) => Ok(Some(written(part(values, path)))),
            Name::Environment(name) => Ok(Some(Cow::Owned(environment(name).unwrap_or_default()))),
            Name::Block(_) | Name::Variable(_) => Ok(None),
        })
        .map(Some)
    }

    fn settled(&mut self, text: &str) -> Result<Value, TemplateError> {
        let variables = self.surroundings.variables;
        if let Some(found) = whole(text)
            && let Name::Variable(name) = found.name
        {
            let none = Value::String(String::new());
            let value = variables.get(name).unwrap_or(&none);
            return Ok(self.kept(value)?.unwrap_or_default());
        }
        self.within(text, |name| match name {
            Name::Variable(name) => Ok(Some(written(variables.get(name)))),
            Name::Block(_) | Name::Plain(_) | Name::Environment(_) => Ok(None),
        })
    }

    /// A text with what `of` says in place of its placeholders; nothing: one stays.
    fn within<'v>(
        &mut self,
        text: &str,
        of: impl Fn(Name<'_>) -> Result<Option<Cow<'v, str>>, TemplateError>,
    ) -> Result<Value, TemplateError> {
        let mut filled = String::new();
        for piece in pieces(text) {
            let (stays, name) = match piece {
                Piece::Text(text) => (text, None),
                Piece::Placeholder(found) => (found.whole, Some(found.name)),
            };
            let instead = name.map(&of).transpose()?.flatten();
            let instead = instead.as_deref().unwrap_or(stays);
            self.take(instead.len())?;
            filled.push_str(instead);
        }
        Ok(Value::String(filled))
    }

    /// A copy of a value.
    fn kept(&mut self, value: &Value) -> Result<Option<Value>, TemplateError> {
        self.take(weight::of_value(value))?;
        Ok(Some(value.clone()))
    }

    fn take(&mut self, bytes: usize) -> Result<(), TemplateError> {
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or(TemplateError::TooLarge)?;
        Ok(())
    }
}

/// A value within text; none is no text.
fn written(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        None => Cow::Borrowed(""),
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(other) => Cow::Owned(python::text(other)),
    }
}

/// The value at a path such as `a.b[0]`: members of objects, and items of lists, from the end on
/// where an index is negative.
pub(super) fn part<'v>(values: &'v Values, path: &str) -> Option<&'v Value> {
    let mut steps = steps(path);
    let first = values.get(steps.next()?)?;
    steps.try_fold(first, within)
}

/// What lies a step within a value.
pub(super) fn within<'v>(value: &'v Value, step: &str) -> Option<&'v Value> {
    match value {
        Value::Object(map) => map.get(step),
        Value::Array(items) => item(items, step.parse().ok()?),
        _ => None,
    }
}

/// The steps of a path.
pub(super) fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '['])
        .map(|step| step.strip_suffix(']').unwrap_or(step))
}

fn item(items: &[Value], index: i64) -> Option<&Value> {
    let from_start = match index {
        0.. => usize::try_from(index).ok()?,
        _ => items
            .len()
            .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    items.get(from_start)
}
