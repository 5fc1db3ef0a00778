//! Verbs on blocks: on their types and schemas, and on documents.

pub(in crate::app) mod documents;
mod result_storage;

pub(in crate::app) use documents::values_of;

use std::sync::Arc;

use uuid::Uuid;

use super::App;
use super::events::emit;
use super::request::Repeat;
use super::tx::Tx;
use crate::domain::block::{
    BlockSchema, BlockType, BlockTypeUpdate, DEEPEST, NewBlockSchema, NewBlockType, checksum,
    system_blocks,
};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::event::{Happened, lifecycle};
use crate::domain::filter::{Filters, Page, Sort, block};
use crate::domain::flow::Created;
use crate::domain::ids::{BlockSchemaId, BlockTypeId};
use crate::storage::removal::Removal;
use crate::storage::seal::Seal;
use crate::storage::{Connection, blocks, rows};

/// The most that blocks are told to be able to do.
const MOST_CAPABILITIES: u64 = 1000;

/// A schema with its type.
pub type SchemaOfType = (BlockSchema, BlockType);

impl App {
    /// What seals the values of documents.
    pub(in crate::app) fn seal(&self) -> Result<Arc<Seal>> {
        if let Some(seal) = self.inner.seal.get() {
            return Ok(Arc::clone(seal));
        }
        let made = Arc::new(Seal::of_folder(self.inner.store.folder())?);
        Ok(Arc::clone(self.inner.seal.get_or_init(|| made)))
    }

    /// Creates a type.
    ///
    /// Fails as a conflict when there is one of that name or slug, and as forbidden when the name
    /// is one that Prefect keeps for itself.
    pub async fn create_block_type(&self, new: NewBlockType) -> Result<BlockType> {
        new.check()?;
        if new.is_reserved() {
            let words = "Block type names beginning with 'Prefect' are reserved.";
            return Err(Error::new(Kind::Forbidden, words));
        }
        self.write(move |tx| {
            let is_there = blocks::type_has_name(tx.db, &new.name)?
                || blocks::type_by_slug(tx.db, &new.slug)?.is_some();
            if is_there {
                let words = format!("Block type with name \"{}\" already exists", new.name);
                return Err(Error::conflict(words));
            }
            let id = blocks::insert_type(tx.db, &new, tx.now)?;
            let made = read_type(tx.db, id)?;
            emit(tx, lifecycle::block_type(Happened::Created, &made, tx.now))?;
            Ok(made)
        })
        .await
    }

    /// Creates the types that are to be there in any case, with their schemas, where they are not.
    pub async fn install_system_block_types(&self) -> Result<()> {
        self.write(|tx| {
            for block in system_blocks() {
                let id = match blocks::type_by_slug(tx.db, &block.kind.slug)? {
                    Some(known) => known.id,
                    None if blocks::type_has_name(tx.db, &block.kind.name)? => continue,
                    None => blocks::insert_type(tx.db, &block.kind, tx.now)?,
                };
                keep_schema(tx, block.schema(id), DEEPEST)?;
            }
            Ok(())
        })
        .await
    }

    /// One type.
    pub async fn block_type(&self, id: BlockTypeId) -> Result<BlockType> {
        self.by_key(move |db| read_type(db, id)).await
    }

    /// The type of that slug.
    pub async fn block_type_of_slug(&self, slug: String) -> Result<BlockType> {
        self.by_key(move |db| type_of_slug(db, &slug)).await
    }

    /// A page of types, by name.
    pub async fn block_types(&self, filters: Filters, page: Page) -> Result<Vec<BlockType>> {
        self.scan(move |db| rows::page(db, &filters, Sort::NAME, page))
            .await
    }

    /// Changes what the update names.
    pub async fn update_block_type(&self, id: BlockTypeId, update: BlockTypeUpdate) -> Result<()> {
        self.write(move |tx| {
            let known = read_type(tx.db, id)?.new;
            let changed = NewBlockType {
                logo_url: update.logo_url.over(known.logo_url.clone()),
                documentation_url: update
                    .documentation_url
                    .over(known.documentation_url.clone()),
                description: update.description.over(known.description.clone()),
                code_example: update.code_example.over(known.code_example.clone()),
                ..known.clone()
            };
            match changed == known {
                true => Ok(()),
                false => {
                    blocks::update_type(tx.db, id, &changed, tx.now)?;
                    let changed = read_type(tx.db, id)?;
                    emit(
                        tx,
                        lifecycle::block_type(Happened::Updated, &changed, tx.now),
                    )
                }
            }
        })
        .await
    }

    /// Removes a type with its schemas and documents.
    ///
    /// Fails as forbidden for one that is protected.
    pub async fn delete_block_type(&self, id: BlockTypeId) -> Result<()> {
        self.remove_if(Removal::BlockType(id), move |db| {
            let known = read_type(db, id)?;
            check_unprotected(&known, "protected block types cannot be deleted.")
        })
        .await
    }

    /// Keeps a schema, or answers the one of the same checksum and version, and keeps those of the
    /// blocks that it may refer to, where it defines them.
    ///
    /// Fails as a conflict where the type of one of these is not known.
    pub async fn create_block_schema(&self, new: NewBlockSchema) -> Result<Created<SchemaOfType>> {
        new.check()?;
        self.write(move |tx| {
            let kind = rows::by_id(tx.db, new.block_type_id)?.ok_or_else(|| {
                let words = format!("Block type {} not found.", new.block_type_id);
                Error::new(Kind::NotFound, words)
            })?;
            let made = keep_schema(tx, new, DEEPEST)?;
            Ok(match made {
                Created::New(schema) => Created::New((schema, kind)),
                Created::Known(schema) => {
                    let kind = read_type(tx.db, schema.new.block_type_id)?;
                    Created::Known((schema, kind))
                }
            })
        })
        .await
    }

    /// One schema.
    pub async fn block_schema(&self, id: BlockSchemaId) -> Result<SchemaOfType> {
        self.read(move |db| of_type(db, read_schema(db, id)?)).await
    }

    /// The schema of that checksum, and of that version where one is named.
    pub async fn block_schema_of(
        &self,
        checksum: String,
        version: Option<String>,
    ) -> Result<SchemaOfType> {
        self.read(move |db| {
            let found = blocks::schema_by_checksum(db, &checksum, version.as_deref())?;
            of_type(db, found.ok_or_else(unknown_schema)?)
        })
        .await
    }

    /// A page of schemas, the newest first.
    pub async fn block_schemas(&self, filters: Filters, page: Page) -> Result<Vec<SchemaOfType>> {
        self.scan(move |db| {
            let found = rows::page(db, &filters, block::NEWEST, page)?;
            found
                .into_iter()
                .map(|schema| of_type(db, schema))
                .collect()
        })
        .await
    }

    /// Removes a schema with its documents.
    ///
    /// Fails as forbidden for one of a type that is protected.
    pub async fn delete_block_schema(&self, id: BlockSchemaId) -> Result<()> {
        self.remove_if(Removal::BlockSchema(id), move |db| {
            let schema = read_schema(db, id)?;
            let kind = read_type(db, schema.new.block_type_id)?;
            let words = "Block schemas for protected block types cannot be deleted.";
            check_unprotected(&kind, words)
        })
        .await
    }

    /// What blocks of any schema can do.
    pub async fn block_capabilities(&self) -> Result<Vec<String>> {
        self.scan(|db| blocks::capabilities(db, MOST_CAPABILITIES))
            .await
    }
}

impl Repeat for BlockType {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(vec![self.id.uuid()])
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let id = made.first().copied().map(BlockTypeId::from_uuid);
        id.map_or_else(|| Err(unknown_type()), |id| read_type(tx.db, id))
    }
}

impl Repeat for Created<SchemaOfType> {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(vec![self.get().0.id.uuid()])
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let id = made.first().copied().map(BlockSchemaId::from_uuid);
        let schema = id.map_or_else(|| Err(unknown_schema()), |id| read_schema(tx.db, id))?;
        of_type(tx.db, schema).map(Self::Known)
    }
}

/// Keeps a schema and those within it, so many levels deep at most.
fn keep_schema(tx: &Tx<'_>, new: NewBlockSchema, levels: usize) -> Result<Created<BlockSchema>> {
    let sum = checksum(&new.fields);
    if let Some(known) = blocks::schema_by_checksum(tx.db, &sum, Some(&new.version))? {
        return Ok(Created::Known(known));
    }
    for (field, slug, wanted) in new.references() {
        let kind = blocks::type_by_slug(tx.db, &slug)?.ok_or_else(|| {
            Error::conflict(format!(
                "Cannot create block schema because block type '{slug}' was not found. Did you \
                 forget to register the block type?"
            ))
        })?;
        if blocks::schema_by_checksum(tx.db, &wanted, None)?.is_some() {
            continue;
        }
        let (Some(fields), Some(levels)) = (new.definition(&slug), levels.checked_sub(1)) else {
            return Err(Error::invalid(format!(
                "Unable to create the block schema of the field {field:?}: it is not defined."
            )));
        };
        let inner = NewBlockSchema {
            fields,
            block_type_id: kind.id,
            capabilities: Vec::new(),
            version: crate::domain::block::NO_VERSION.to_owned(),
        };
        keep_schema(tx, inner, levels)?;
    }
    let id = blocks::insert_schema(tx.db, &new, &sum, tx.now)?;
    read_schema(tx.db, id).map(Created::New)
}

fn check_unprotected(kind: &BlockType, words: &str) -> Result<()> {
    match kind.new.is_protected {
        true => Err(Error::new(Kind::Forbidden, words)),
        false => Ok(()),
    }
}

fn read_type(db: &Connection, id: BlockTypeId) -> Result<BlockType> {
    rows::by_id(db, id)?.ok_or_else(unknown_type)
}

fn type_of_slug(db: &Connection, slug: &str) -> Result<BlockType> {
    blocks::type_by_slug(db, slug)?.ok_or_else(unknown_type)
}

fn read_schema(db: &Connection, id: BlockSchemaId) -> Result<BlockSchema> {
    rows::by_id(db, id)?.ok_or_else(unknown_schema)
}

fn of_type(db: &Connection, schema: BlockSchema) -> Result<SchemaOfType> {
    let kind = read_type(db, schema.new.block_type_id)?;
    Ok((schema, kind))
}

fn unknown_type() -> Error {
    Error::not_found("Block type")
}

fn unknown_schema() -> Error {
    Error::not_found("Block schema")
}
