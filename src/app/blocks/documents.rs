//! Verbs on documents of blocks.

use uuid::Uuid;

use super::{read_schema, read_type, type_of_slug};
use crate::app::App;
use crate::app::events::emit;
use crate::app::request::Repeat;
use crate::app::tx::Tx;
use crate::domain::JsonMap;
use crate::domain::block::{
    BlockDocument, BlockDocumentUpdate, DEEPEST, MOST_WITHIN, NewBlockDocument, SealedDocument,
    kept, parted,
};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::event::{Happened, lifecycle};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::ids::BlockDocumentId;
use crate::domain::template::BlockName;
use crate::domain::weight;
use crate::storage::blocks::documents;
use crate::storage::seal::Seal;
use crate::storage::{Connection, Job, rows};

impl App {
    /// Creates a document.
    ///
    /// Fails as a conflict when its type has one of that name, or a document is to lie within it
    /// that there is not, and as refused where it would lie within itself.
    pub async fn create_block_document(&self, new: NewBlockDocument) -> Result<BlockDocument> {
        new.check()?;
        let seal = self.seal()?;
        let job = Job::prompt(weight::of_map(&new.data));
        let id = self
            .write_as(job, move |tx| create(tx, &seal, new).map(Made))
            .await?
            .0;
        self.block_document(id).await
    }

    /// One document.
    pub async fn block_document(&self, id: BlockDocumentId) -> Result<BlockDocument> {
        let seal = self.seal()?;
        self.scan(move |db| whole(db, &seal, read(db, id)?)).await
    }

    /// The document of that name among those of the type of that slug.
    pub async fn block_document_of(&self, slug: String, name: String) -> Result<BlockDocument> {
        let seal = self.seal()?;
        self.scan(move |db| {
            let kind = crate::storage::blocks::type_by_slug(db, &slug)?.ok_or_else(unknown)?;
            let found = documents::by_name(db, kind.id, &name)?.ok_or_else(unknown)?;
            whole(db, &seal, found)
        })
        .await
    }

    /// A page of documents.
    pub async fn block_documents(
        &self,
        filters: Filters,
        sort: Sort,
        page: Page,
    ) -> Result<Vec<BlockDocument>> {
        let seal = self.seal()?;
        self.scan(move |db| {
            let found = rows::page(db, &filters, sort, page)?;
            let found = found.into_iter();
            found.map(|one| whole(db, &seal, one)).collect()
        })
        .await
    }

    /// How many documents match.
    pub async fn count_block_documents(&self, filters: Filters) -> Result<u64> {
        self.scan(move |db| rows::count::<SealedDocument>(db, &filters))
            .await
    }

    /// Changes what the update names. A secret that is named by its mask stays.
    ///
    /// Fails as refused as [`Self::create_block_document`], and for a schema of another type.
    pub async fn update_block_document(
        &self,
        id: BlockDocumentId,
        update: BlockDocumentUpdate,
    ) -> Result<()> {
        let seal = self.seal()?;
        let bytes = update.data.as_ref().map_or(0, weight::of_map);
        self.write_as(Job::prompt(bytes), move |tx| change(tx, &seal, id, update))
            .await
    }

    /// Removes a document.
    pub async fn delete_block_document(&self, id: BlockDocumentId) -> Result<()> {
        let seal = self.seal()?;
        self.write(move |tx| {
            let known = read(tx.db, id)?;
            tell(tx, &seal, Happened::Deleted, known)?;
            rows::delete(tx.db, id)?;
            Ok(())
        })
        .await
    }

    /// The type of that slug, with a page of its documents by name, anonymous ones apart.
    pub async fn block_documents_of_type(&self, slug: String) -> Result<Vec<BlockDocument>> {
        let seal = self.seal()?;
        self.scan(move |db| {
            let kind = type_of_slug(db, &slug)?;
            let asked = vec![
                crate::domain::filter::block::BLOCK_TYPE_ID.is_one_of_ids([kind.id.uuid()]),
                crate::domain::filter::block::IS_ANONYMOUS
                    .asked(crate::domain::filter::Test::Is(false)),
            ];
            let filters = Filters {
                block_documents: Some(asked.into()),
                ..Filters::default()
            };
            let found = rows::page(db, &filters, Sort::NAME, Page::default())?;
            let found = found.into_iter();
            found.map(|one| whole(db, &seal, one)).collect()
        })
        .await
    }
}

/// A document that was made, by its id.
struct Made(BlockDocumentId);

impl Repeat for Made {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(vec![self.0.uuid()])
    }

    fn again(_: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let id = made.first().copied().map(BlockDocumentId::from_uuid);
        id.map(Self).ok_or_else(unknown)
    }
}

fn create(tx: &mut Tx<'_>, seal: &Seal, new: NewBlockDocument) -> Result<BlockDocumentId> {
    let kind = read_type(tx.db, new.block_type_id)?;
    let schema = read_schema(tx.db, new.block_schema_id)?;
    if schema.new.block_type_id != kind.id {
        return Err(Error::refused("The block schema is of another block type."));
    }
    let id = BlockDocumentId::new();
    let name = { new.name.filter(|name| !name.is_empty()) }
        .unwrap_or_else(|| format!("anonymous-{}", Uuid::new_v4()));
    if documents::by_name(tx.db, kind.id, &name)?.is_some() {
        return Err(Error::conflict("Block already exists"));
    }
    let (own, within) = parted(new.data)?;
    let document = SealedDocument {
        id,
        created: tx.now,
        updated: tx.now,
        name,
        sealed: sealed(seal, id, &own)?,
        block_schema_id: schema.id,
        block_type_id: kind.id,
        is_anonymous: new.is_anonymous,
    };
    documents::insert(tx.db, &document, &kind)?;
    put_within(tx.db, id, &within)?;
    tell(tx, seal, Happened::Created, document)?;
    Ok(id)
}

fn change(
    tx: &mut Tx<'_>,
    seal: &Seal,
    id: BlockDocumentId,
    update: BlockDocumentUpdate,
) -> Result<()> {
    let known = read(tx.db, id)?;
    let named = match (update.data, update.is_merged) {
        (Some(data), _) => data,
        (None, true) => return Ok(()),
        (None, false) => JsonMap::new(),
    };
    let schema = read_schema(tx.db, known.block_schema_id)?;
    let current = opened(seal, &known)?;
    let named = kept(named, &current, &schema.new.secret_fields());
    let values = match update.is_merged {
        true => {
            let mut merged = current;
            merged.extend(named);
            merged
        }
        false => named,
    };
    let (own, within) = parted(values)?;
    let other = update.block_schema_id.filter(|other| *other != schema.id);
    let schema = match other {
        Some(other) => read_schema(tx.db, other)?,
        None => schema,
    };
    if schema.new.block_type_id != known.block_type_id {
        return Err(Error::refused(
            "Must migrate block document to a block schema of the same block type.",
        ));
    }
    let sealed = sealed(seal, id, &own)?;
    documents::update(tx.db, id, &sealed, schema.id, tx.now)?;
    put_within(tx.db, id, &within)?;
    let changed = read(tx.db, id)?;
    tell(tx, seal, Happened::Updated, changed)
}

/// Tells the event of a document, unless that is anonymous: clients make and leave those unasked.
fn tell(tx: &mut Tx<'_>, seal: &Seal, happened: Happened, stored: SealedDocument) -> Result<()> {
    if stored.is_anonymous {
        return Ok(());
    }
    let document = BlockDocument {
        own: opened(seal, &stored)?,
        schema: read_schema(tx.db, stored.block_schema_id)?,
        kind: read_type(tx.db, stored.block_type_id)?,
        within: Vec::new(),
        stored,
    };
    let event = lifecycle::block_document(happened, &document, tx.now);
    emit(tx, event)
}

/// Puts documents into one, unless that would lie within itself then.
fn put_within(
    db: &Connection,
    id: BlockDocumentId,
    within: &[(String, BlockDocumentId)],
) -> Result<()> {
    for (name, other) in within {
        if !rows::exists(db, *other)? {
            let words = format!("There is no block document {other}, to which {name:?} refers.");
            return Err(Error::conflict(words));
        }
        if documents::leads_to(db, *other, id)? {
            return Err(Error::refused(format!(
                "Cannot create block document reference: it would introduce a cycle into the \
                 block_document_reference graph (parent={id}, reference={other})."
            )));
        }
    }
    documents::put_within(db, id, within)
}

fn sealed(seal: &Seal, id: BlockDocumentId, own: &JsonMap) -> Result<Vec<u8>> {
    let text = serde_json::to_vec(own).map_err(Error::internal)?;
    seal.seal(&text, id.as_bytes())
}

fn opened(seal: &Seal, document: &SealedDocument) -> Result<JsonMap> {
    let text = seal.open(&document.sealed, document.id.as_bytes())?;
    serde_json::from_slice(&text).map_err(Error::internal)
}

fn read(db: &Connection, id: BlockDocumentId) -> Result<SealedDocument> {
    rows::by_id(db, id)?.ok_or_else(unknown)
}

/// All values of a block that is named, secrets included; none where there is no such block.
pub(in crate::app) fn values_of(
    db: &Connection,
    seal: &Seal,
    name: &BlockName,
) -> Result<Option<JsonMap>> {
    let found = match name {
        BlockName::Named(slug, name) => match crate::storage::blocks::type_by_slug(db, slug)? {
            Some(kind) => documents::by_name(db, kind.id, name)?,
            None => None,
        },
        BlockName::Id(id) => match id.parse::<BlockDocumentId>() {
            Ok(id) => rows::by_id(db, id)?,
            Err(_) => None,
        },
    };
    let whole = found.map(|stored| whole(db, seal, stored)).transpose()?;
    Ok(whole.map(|document| document.data(true)))
}

/// A document with all that belongs to it, if it is there.
pub(in crate::app) fn by_id(
    db: &Connection,
    seal: &Seal,
    id: BlockDocumentId,
) -> Result<Option<BlockDocument>> {
    let stored = rows::by_id(db, id)?;
    stored.map(|stored| whole(db, seal, stored)).transpose()
}

/// A document with all that belongs to it.
fn whole(db: &Connection, seal: &Seal, stored: SealedDocument) -> Result<BlockDocument> {
    let mut left = MOST_WITHIN;
    put_together(db, seal, stored, DEEPEST, &mut left)
}

fn put_together(
    db: &Connection,
    seal: &Seal,
    stored: SealedDocument,
    levels: usize,
    left: &mut usize,
) -> Result<BlockDocument> {
    let too_much = || {
        Error::refused(format!(
            "More than {MOST_WITHIN} block documents, or more than {DEEPEST} levels of them, lie \
             within one."
        ))
    };
    *left = left.checked_sub(1).ok_or_else(too_much)?;
    let mut within = Vec::new();
    for (name, id) in documents::within(db, stored.id)? {
        let levels = levels.checked_sub(1).ok_or_else(too_much)?;
        let inner = put_together(db, seal, read(db, id)?, levels, left)?;
        within.push((name, inner));
    }
    Ok(BlockDocument {
        own: opened(seal, &stored)?,
        schema: read_schema(db, stored.block_schema_id)?,
        kind: read_type(db, stored.block_type_id)?,
        within,
        stored,
    })
}

fn unknown() -> Error {
    Error::new(Kind::NotFound, "Block document not found")
}
