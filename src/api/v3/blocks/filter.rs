//! What is asked of blocks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::v3::wire::operators::{
    ByFlag, ByName, ByPart, ByText, Holding, Operator, all, asked,
};
use crate::api::v3::wire::{ById, or_default, page, sort};
use crate::domain::error::Result;
use crate::domain::filter::{Criteria, Filters, Page, Sort, block};

/// Whether secrets are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// They are.
    Shown,
    /// Their masks are.
    Masked,
}

/// About types of blocks.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TypeFilter {
    /// By a part of their names.
    name: Option<ByPart>,
    /// By their slugs.
    slug: Option<ByText>,
}

/// About schemas of blocks.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SchemaFilter {
    /// How these go together.
    operator: Operator,
    /// By type.
    block_type_id: Option<ById>,
    /// By what their blocks can do.
    block_capabilities: Option<Holding>,
    /// By id.
    id: Option<ById>,
    /// By version.
    version: Option<ByText>,
}

/// About blocks.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DocumentFilter {
    /// How these go together.
    operator: Operator,
    /// By id.
    id: Option<ById>,
    /// By whether they are anonymous; where nothing is said those that are not are meant.
    is_anonymous: Option<ByFlag>,
    /// By type.
    block_type_id: Option<ById>,
    /// By name.
    name: Option<ByName>,
}

impl Default for DocumentFilter {
    fn default() -> Self {
        let named = ByFlag {
            eq_: Some(false),
            ..ByFlag::default()
        };
        Self {
            operator: Operator::default(),
            id: None,
            is_anonymous: Some(named),
            block_type_id: None,
            name: None,
        }
    }
}

impl TypeFilter {
    fn criteria(self) -> Result<Criteria> {
        let Self { name, slug } = self;
        let parts = [asked(&block::NAME, name), asked(&block::SLUG, slug)];
        all(Operator::And, parts)
    }
}

impl SchemaFilter {
    fn criteria(self) -> Result<Criteria> {
        let Self {
            operator,
            block_type_id,
            block_capabilities,
            id,
            version,
        } = self;
        all(
            operator,
            [
                asked(&block::BLOCK_TYPE_ID, block_type_id),
                asked(&block::CAPABILITIES, block_capabilities),
                asked(&block::ID, id),
                asked(&block::VERSION, version),
            ],
        )
    }
}

impl DocumentFilter {
    fn criteria(self) -> Result<Criteria> {
        let Self {
            operator,
            id,
            is_anonymous,
            block_type_id,
            name,
        } = self;
        all(
            operator,
            [
                asked(&block::ID, id),
                asked(&block::IS_ANONYMOUS, is_anonymous),
                asked(&block::BLOCK_TYPE_ID, block_type_id),
                asked(&block::NAME, name),
            ],
        )
    }
}

/// Which types of blocks.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TypeQuery {
    /// About types.
    block_types: Option<TypeFilter>,
    /// About their schemas.
    block_schemas: Option<SchemaFilter>,
    /// At most so many.
    limit: Option<i64>,
    /// After skipping so many.
    #[serde(deserialize_with = "or_default")]
    offset: u64,
}

/// Which schemas of blocks.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SchemaQuery {
    /// About schemas.
    block_schemas: Option<SchemaFilter>,
    /// At most so many.
    limit: Option<i64>,
    /// After skipping so many.
    #[serde(deserialize_with = "or_default")]
    offset: u64,
}

/// Which blocks.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DocumentQuery {
    /// About blocks; absent: those that are not anonymous.
    block_documents: Option<DocumentFilter>,
    /// About their types.
    block_types: Option<TypeFilter>,
    /// About their schemas.
    block_schemas: Option<SchemaFilter>,
    /// Whether secrets are asked for.
    #[serde(deserialize_with = "or_default")]
    pub include_secrets: bool,
    /// `NAME_ASC`, `NAME_DESC` or `BLOCK_TYPE_AND_NAME_ASC`.
    sort: Option<String>,
    /// At most so many.
    limit: Option<i64>,
    /// After skipping so many.
    #[serde(deserialize_with = "or_default")]
    offset: u64,
}

impl TypeQuery {
    /// What is asked, and which part of it.
    pub fn parts(self) -> Result<(Filters, Page)> {
        let filters = Filters {
            block_types: self.block_types.map(TypeFilter::criteria).transpose()?,
            block_schemas: self.block_schemas.map(SchemaFilter::criteria).transpose()?,
            ..Filters::default()
        };
        Ok((filters, page(self.limit, self.offset)?))
    }
}

impl SchemaQuery {
    /// What is asked, and which part of it.
    pub fn parts(self) -> Result<(Filters, Page)> {
        let filters = Filters {
            block_schemas: self.block_schemas.map(SchemaFilter::criteria).transpose()?,
            ..Filters::default()
        };
        Ok((filters, page(self.limit, self.offset)?))
    }
}

impl DocumentQuery {
    /// What is asked, in what order, and which part of it.
    pub fn parts(self) -> Result<(Filters, Sort, Page)> {
        let sort = sort(self.sort.as_deref(), block::SORTS)?;
        let page = page(self.limit, self.offset)?;
        let documents = self.block_documents.unwrap_or_default();
        let filters = Filters {
            block_documents: Some(documents.criteria()?),
            block_types: self.block_types.map(TypeFilter::criteria).transpose()?,
            block_schemas: self.block_schemas.map(SchemaFilter::criteria).transpose()?,
            ..Filters::default()
        };
        Ok((filters, sort, page))
    }
}
