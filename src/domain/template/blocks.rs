//! Blocks that jobs refer to: `{{ prefect.blocks.TYPE.NAME }}` for all of one, with a path behind
//! for a part of it, and `{"$ref": {"block_document_id": …}}`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::TemplateError;
use super::apply::{steps, within};
use super::placeholder::{BLOCKS, Name, placeholders};
use crate::domain::JsonMap;

/// The most blocks that one job refers to.
pub const MOST_BLOCKS: usize = 100;

/// How a block is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockName {
    /// By the slug of its type, and its name.
    Named(String, String),
    /// By its id.
    Id(String),
}

/// The blocks that a job refers to; as many as [`MOST_BLOCKS`] and one.
pub type BlocksNamed = BTreeSet<BlockName>;

/// The values of blocks, secrets among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blocks(pub BTreeMap<BlockName, JsonMap>);

/// The blocks that values refer to.
pub fn blocks_named<'v>(values: impl IntoIterator<Item = &'v Value>) -> BlocksNamed {
    let mut named = BlocksNamed::new();
    for value in values {
        gather(value, &mut named);
    }
    named
}

fn gather(value: &Value, named: &mut BlocksNamed) {
    if named.len() > MOST_BLOCKS {
        return;
    }
    match value {
        Value::String(text) => {
            let found = placeholders(text).filter_map(|found| match found.name {
                Name::Block(path) => parted(path).map(|(slug, name, _)| BlockName::of(slug, name)),
                _ => None,
            });
            named.extend(found);
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, named)),
        Value::Object(map) => match referred(map) {
            Some(id) => drop(named.insert(BlockName::Id(id.to_owned()))),
            None => map.values().for_each(|value| gather(value, named)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The document that an object stands for.
pub(super) fn referred(map: &JsonMap) -> Option<&str> {
    map.get("$ref")?.get("block_document_id")?.as_str()
}

/// The slug of the type, the name of the document, and the path to a part of it.
fn parted(path: &str) -> Option<(&str, &str, Option<&str>)> {
    let (slug, rest) = path.strip_prefix(BLOCKS)?.split_once('.')?;
    let (name, part) = match rest.split_once('.') {
        Some((name, part)) => (name, Some(part)),
        None => (rest, None),
    };
    Some((slug, name, part))
}

impl BlockName {
    fn of(slug: &str, name: &str) -> Self {
        Self::Named(slug.to_owned(), name.to_owned())
    }
}

impl Blocks {
    /// What a placeholder stands for. Of a block that has but one value, named `value`, that is
    /// meant where no other is named.
    pub(super) fn value(&self, path: &str) -> Result<Value, TemplateError> {
        let missing = || TemplateError::NoBlock(path.to_owned());
        let (slug, name, part) = parted(path).ok_or_else(missing)?;
        let data = self.0.get(&BlockName::of(slug, name)).ok_or_else(missing)?;
        let names_it = part.is_some_and(|part| {
            let rest = part.strip_prefix("value");
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        let only = data.get("value").filter(|_| data.len() == 1 && !names_it);
        let found = match (only, part) {
            (Some(only), None) => Some(only.clone()),
            (Some(only), Some(part)) => steps(part).try_fold(only, within).cloned(),
            (None, None) => Some(data.clone().into()),
            (None, Some(part)) => {
                let mut steps = steps(part);
                let first = steps.next().and_then(|step| data.get(step));
                first
                    .and_then(|first| steps.try_fold(first, within))
                    .cloned()
            }
        };
        found.ok_or_else(|| TemplateError::NoBlockPart(path.to_owned()))
    }

    /// What a reference by id stands for.
    pub(super) fn by_id(&self, id: &str) -> Result<Value, TemplateError> {
        let found = self.0.get(&BlockName::Id(id.to_owned()));
        let found = found.ok_or_else(|| TemplateError::NoBlock(id.to_owned()))?;
        Ok(found.clone().into())
    }
}
