//! How many steps a check takes, counted by walking through schema and value as the check would,
//! without its short cuts, and given up when there are too many.

use serde_json::Value;

use super::Unfit;

/// The most steps: some tenths of a second.
const MOST_STEPS: usize = 1_000_000;
/// How deep the walk may go, references included.
const DEEPEST: usize = 200;
/// The most patterns of a schema, and the most bytes of one.
const MOST_PATTERNS: usize = 100;
const LONGEST_PATTERN: usize = 1000;

/// What is asked for by name where nothing here follows it.
const UNSUPPORTED: [&str; 7] = [
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveRef",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$vocabulary",
];

/// Fails where a value takes too many steps to check against a schema, or no number of them is
/// enough.
pub(super) fn weigh(schema: &Value, value: &Value) -> Result<(), Unfit> {
    let mut walk = Walk {
        root: schema,
        steps: 0,
    };
    walk.through(schema, value, At::default())
}

/// Fails where the patterns of a schema are too many or too long.
pub(super) fn check_patterns(schema: &Value) -> Result<(), Unfit> {
    let mut count = 0;
    let mut rest = vec![schema];
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(items) => rest.extend(items),
            Value::Object(map) => {
                let one = map.get("pattern").and_then(Value::as_str);
                let several = map.get("patternProperties").and_then(Value::as_object);
                let several = several.into_iter().flat_map(|map| map.keys());
                for pattern in one.into_iter().chain(several.map(String::as_str)) {
                    count += 1;
                    if count > MOST_PATTERNS || pattern.len() > LONGEST_PATTERN {
                        return Err(Unfit::TooCostly);
                    }
                }
                rest.extend(map.values());
            }
            _ => {}
        }
    }
    Ok(())
}

struct Walk<'s> {
    root: &'s Value,
    steps: usize,
}

/// How deep the walk is.
#[derive(Clone, Copy, Default)]
struct At {
    /// In all.
    depth: usize,
    /// Since it last went into the value. What goes deep there goes in a circle.
    here: usize,
}

impl At {
    /// A step to another schema for the same value.
    const fn aside(self) -> Self {
        Self {
            depth: self.depth + 1,
            here: self.here + 1,
        }
    }

    /// A step into the value.
    const fn into(self) -> Self {
        Self {
            depth: self.depth + 1,
            here: 0,
        }
    }
}

impl Walk<'_> {
    fn spend(&mut self, steps: usize) -> Result<(), Unfit> {
        self.steps = self.steps.saturating_add(steps);
        match self.steps > MOST_STEPS {
            true => Err(Unfit::TooCostly),
            false => Ok(()),
        }
    }

    fn through(&mut self, schema: &Value, value: &Value, at: At) -> Result<(), Unfit> {
        self.spend(1)?;
        match at {
            At { here, .. } if here > DEEPEST / 2 => return Err(Unfit::Circular),
            At { depth, .. } if depth > DEEPEST => return Err(Unfit::TooCostly),
            _ => {}
        }
        let Value::Object(keywords) = schema else {
            return Ok(());
        };
        for (keyword, inner) in keywords {
            self.spend(1)?;
            let keyword = keyword.as_str();
            if UNSUPPORTED.contains(&keyword) {
                return Err(Unfit::NoSchema(format!("{keyword} is not checked here.")));
            }
            match keyword {
                "$ref" => {
                    let target = target(self.root, inner)?;
                    self.through(target, value, at.aside())?;
                }
                "allOf" | "anyOf" | "oneOf" => self.each(inner, value, at.aside())?,
                "not" | "if" | "then" | "else" => self.through(inner, value, at.aside())?,
                "dependentSchemas" => {
                    let mut schemas = inner.as_object().into_iter().flat_map(|map| map.values());
                    schemas.try_for_each(|schema| self.through(schema, value, at.aside()))?;
                }
                _ => self.within(keyword, inner, value, at.into())?,
            }
        }
        Ok(())
    }

    /// Through the schemas of a list.
    fn each(&mut self, schemas: &Value, value: &Value, at: At) -> Result<(), Unfit> {
        let mut schemas = schemas.as_array().into_iter().flatten();
        schemas.try_for_each(|schema| self.through(schema, value, at))
    }

    /// Through what a keyword says of the parts of a value.
    fn within(&mut self, word: &str, inner: &Value, value: &Value, at: At) -> Result<(), Unfit> {
        match (word, value) {
            ("properties", Value::Object(members)) => {
                let Value::Object(schemas) = inner else {
                    return Ok(());
                };
                for (name, schema) in schemas {
                    self.spend(1)?;
                    if let Some(member) = members.get(name) {
                        self.through(schema, member, at)?;
                    }
                }
                Ok(())
            }
            ("patternProperties", Value::Object(members)) => {
                let schemas = inner.as_object().into_iter().flat_map(|map| map.values());
                for schema in schemas {
                    for (name, member) in members {
                        self.spend(1 + name.len() / 16)?;
                        self.through(schema, member, at)?;
                    }
                }
                Ok(())
            }
            ("propertyNames", Value::Object(members)) => {
                for name in members.keys() {
                    self.through(inner, &Value::String(name.clone()), at)?;
                }
                Ok(())
            }
            ("additionalProperties", Value::Object(members)) => members
                .values()
                .try_for_each(|member| self.through(inner, member, at)),
            ("items" | "contains" | "additionalItems", Value::Array(items)) => items
                .iter()
                .try_for_each(|item| self.through(inner, item, at)),
            ("prefixItems", Value::Array(items)) => {
                let schemas = inner.as_array().into_iter().flatten();
                let mut pairs = schemas.zip(items);
                pairs.try_for_each(|(schema, item)| self.through(schema, item, at))
            }
            ("pattern", Value::String(text)) => self.spend(text.len() / 16),
            ("uniqueItems", Value::Array(items)) => self.spend(items.len()),
            ("enum" | "required", _) => self.spend(inner.as_array().map_or(0, Vec::len)),
            ("dependentRequired", _) => self.spend(inner.to_string().len()),
            _ => Ok(()),
        }
    }
}

/// What a reference leads to. Only what lies in the schema itself is followed.
fn target<'s>(root: &'s Value, reference: &Value) -> Result<&'s Value, Unfit> {
    let unknown = || Unfit::Unresolvable(reference.to_string());
    let text = reference.as_str().ok_or_else(unknown)?;
    let pointer = text.strip_prefix('#').ok_or_else(unknown)?;
    // Names may be written as in URLs.
    let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
    root.pointer(&pointer).ok_or_else(unknown)
}
