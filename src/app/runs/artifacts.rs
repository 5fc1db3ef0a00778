//! Verbs on artifacts.

use uuid::Uuid;

use crate::app::App;
use crate::app::events::emit;
use crate::app::request::Repeat;
use crate::app::tx::Tx;
use crate::domain::artifact::{Artifact, ArtifactUpdate, Collection, NewArtifact};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::event::Happened;
use crate::domain::event::artifact::told;
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::ids::ArtifactId;
use crate::storage::artifacts::{self, Left};
use crate::storage::{Job, rows};

impl App {
    /// Leaves an artifact, the latest of its key from here on.
    ///
    /// Fails as invalid where its key is none.
    pub async fn create_artifact(&self, new: NewArtifact) -> Result<Artifact> {
        let new = new.checked()?;
        let bytes = new
            .content
            .data
            .as_ref()
            .map_or(0, |data| data.to_string().len());
        self.write_as(Job::prompt(bytes), move |tx| {
            let id = artifacts::insert(tx.db, &new, tx.now)?;
            if let Some(key) = &new.key {
                let collection = artifacts::latest(tx.db, key)?.ok_or_else(unknown)?;
                let happened = match collection.created == tx.now {
                    true => Happened::Created,
                    false => Happened::Updated,
                };
                emit(tx, told(happened, &collection, tx.now))?;
            }
            read(tx, id)
        })
        .await
    }

    /// One artifact.
    pub async fn artifact(&self, id: ArtifactId) -> Result<Artifact> {
        self.by_key(move |db| rows::by_id(db, id)?.ok_or_else(unknown))
            .await
    }

    /// The collection of that key.
    pub async fn latest_artifact(&self, key: String) -> Result<Collection> {
        self.by_key(move |db| artifacts::latest(db, &key)?.ok_or_else(unknown))
            .await
    }

    /// A page of artifacts.
    pub async fn artifacts(
        &self,
        filters: Filters,
        sort: Sort,
        page: Page,
    ) -> Result<Vec<Artifact>> {
        self.scan(move |db| rows::page(db, &filters, sort, page))
            .await
    }

    /// How many artifacts match.
    pub async fn count_artifacts(&self, filters: Filters) -> Result<u64> {
        self.scan(move |db| rows::count::<Artifact>(db, &filters))
            .await
    }

    /// A page of collections.
    pub async fn latest_artifacts(
        &self,
        filters: Filters,
        sort: Sort,
        page: Page,
    ) -> Result<Vec<Collection>> {
        self.scan(move |db| rows::page(db, &filters, sort, page))
            .await
    }

    /// How many collections match.
    pub async fn count_latest_artifacts(&self, filters: Filters) -> Result<u64> {
        self.scan(move |db| rows::count::<Collection>(db, &filters))
            .await
    }

    /// Changes what the update names.
    pub async fn update_artifact(&self, id: ArtifactId, update: ArtifactUpdate) -> Result<()> {
        self.write(move |tx| {
            let known = read(tx, id)?;
            artifacts::update(tx.db, id, &update.over(known.content), tx.now)
        })
        .await
    }

    /// Removes an artifact; the latest of its key is the one before it then.
    pub async fn delete_artifact(&self, id: ArtifactId) -> Result<()> {
        self.write(move |tx| {
            read(tx, id)?;
            let (happened, collection) = match artifacts::delete(tx.db, id)? {
                Left::AsItWas => return Ok(()),
                Left::Earlier(collection) => (Happened::Updated, collection),
                Left::Nothing(collection) => (Happened::Deleted, collection),
            };
            emit(tx, told(happened, &collection, tx.now))
        })
        .await
    }
}

impl Repeat for Artifact {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(vec![self.id.uuid()])
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let id = made.first().copied().map(ArtifactId::from_uuid);
        id.map_or_else(|| Err(unknown()), |id| read(tx, id))
    }
}

fn read(tx: &Tx<'_>, id: ArtifactId) -> Result<Artifact> {
    rows::by_id(tx.db, id)?.ok_or_else(unknown)
}

fn unknown() -> Error {
    Error::new(Kind::NotFound, "Artifact not found.")
}
