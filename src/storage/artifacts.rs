//! Artifacts in the store, and of each key the latest.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::column::Json;
use super::query::{self, Columns};
use super::rows::{self, Filtered, Row, key};
use super::sql::{self, Statement, statement};
use crate::domain::artifact::{Artifact, Collection, Content, NewArtifact};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::ids::{ArtifactCollectionId, ArtifactId, FlowRunId, TaskRunId};
use crate::domain::time::Timestamp;

const INSERT: &str = include_str!("../../sql/queries/artifacts/insert.sql");
const UPDATE: &str = include_str!("../../sql/queries/artifacts/update.sql");
const COLLECT: &str = include_str!("../../sql/queries/artifacts/collect.sql");
const BEFORE: &str = include_str!("../../sql/queries/artifacts/before.sql");
const SET_LATEST: &str = include_str!("../../sql/queries/artifacts/set_latest.sql");
const FORGET: &str = include_str!("../../sql/queries/artifacts/forget.sql");
const RUNS_OF: &str = include_str!("../../sql/queries/artifacts/runs_of.sql");
const SOME_OF_FLOW_RUN: &str = include_str!("../../sql/queries/artifacts/some_of_flow_run.sql");
const SOME: &str = include_str!("../../sql/queries/removal/some_artifacts.sql");
static LATEST: Statement = statement!("artifacts/latest.sql");
static LATEST_BY_ARTIFACT: Statement = statement!("artifacts/latest_by_artifact.sql");

/// What has become of the collection of an artifact that is gone.
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// It was not the latest of any.
    AsItWas,
    /// The one before it is the latest now.
    Earlier(Collection),
    /// Nothing; this is what it was.
    Nothing(Collection),
}

/// Stores an artifact, the latest of its key from here on.
pub fn insert(db: &Connection, new: &NewArtifact, now: Timestamp) -> Result<ArtifactId> {
    let NewArtifact { key, content } = new;
    let id = ArtifactId::new();
    let params = named_params! {
        ":id": id,
        ":now": now,
        ":key": key,
        ":type": content.kind,
        ":description": content.description,
        ":data": content.data.as_ref().map(Json),
        ":metadata": content.metadata.as_ref().map(Json),
        ":flow_run_id": content.flow_run_id,
        ":task_run_id": content.task_run_id,
    };
    query::change(db, INSERT, params)?;
    if let Some(key) = key {
        let params = named_params! {
            ":id": ArtifactCollectionId::new(), ":now": now, ":key": key, ":latest_id": id,
        };
        query::change(db, COLLECT, params)?;
    }
    Ok(id)
}

/// Changes what can be changed of an artifact.
pub fn update(db: &Connection, id: ArtifactId, content: &Content, now: Timestamp) -> Result<()> {
    let params = named_params! {
        ":id": id,
        ":now": now,
        ":description": content.description,
        ":data": content.data.as_ref().map(Json),
        ":metadata": content.metadata.as_ref().map(Json),
    };
    query::change(db, UPDATE, params)?;
    Ok(())
}

/// The collection of that key.
pub fn latest(db: &Connection, key: &str) -> Result<Option<Collection>> {
    query::one(db, &LATEST, named_params! {":key": key}, Collection::read)
}

/// Removes an artifact; the latest of its key is the one before it then.
pub fn delete(db: &Connection, id: ArtifactId) -> Result<Left> {
    let params = named_params! {":id": id};
    let collection = query::one(db, &LATEST_BY_ARTIFACT, params, Collection::read)?;
    let left = match collection {
        Some(collection) => step_back(db, collection)?,
        None => Left::AsItWas,
    };
    rows::delete(db, id)?;
    Ok(left)
}

fn step_back(db: &Connection, collection: Collection) -> Result<Left> {
    let params = named_params! {":key": collection.key, ":id": collection.latest_id};
    let read = |row: &SqlRow<'_>| Ok((row.get(0)?, row.get(1)?));
    let before: Option<(ArtifactId, Timestamp)> = query::one(db, BEFORE, params, read)?;
    let Some((latest_id, created)) = before else {
        query::change(db, FORGET, named_params! {":id": collection.id})?;
        return Ok(Left::Nothing(collection));
    };
    let params = named_params! {
        ":id": collection.id, ":latest_id": latest_id, ":created": created,
    };
    query::change(db, SET_LATEST, params)?;
    let now = latest(db, &collection.key)?;
    Ok(now.map_or(Left::AsItWas, Left::Earlier))
}

/// The runs that left an artifact; `None` where there is no such artifact.
pub fn runs_of(
    db: &Connection,
    id: ArtifactId,
) -> Result<Option<(Option<FlowRunId>, Option<TaskRunId>)>> {
    query::one(db, RUNS_OF, named_params! {":id": id}, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// Up to `limit` of a flow run's artifacts.
pub fn some_of_flow_run(db: &Connection, id: FlowRunId, limit: i64) -> Result<Vec<ArtifactId>> {
    let params = named_params! {":id": id, ":limit": limit};
    query::all(db, SOME_OF_FLOW_RUN, params, |row| row.get(0))
}

/// Up to `limit` artifacts.
pub fn some(db: &Connection, limit: i64) -> Result<Vec<ArtifactId>> {
    query::all(db, SOME, named_params! {":limit": limit}, |row| row.get(0))
}

key!(ArtifactId, Artifact);

impl Row for Artifact {
    const TABLE: &'static str = "artifacts";

    fn columns() -> &'static str {
        &sql::ARTIFACT
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            created: columns.next()?,
            updated: columns.next()?,
            key: columns.next()?,
            content: content(&mut columns)?,
        })
    }
}

impl Filtered for Artifact {
    const NOUN: Noun = Noun::Artifact;
    const TIES_BY_ID: bool = true;
}

impl Row for Collection {
    const TABLE: &'static str = "latest_artifacts";

    fn columns() -> &'static str {
        &sql::LATEST_ARTIFACT
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            created: columns.next()?,
            updated: columns.next()?,
            key: columns.next()?,
            latest_id: columns.next()?,
            content: content(&mut columns)?,
        })
    }
}

impl Filtered for Collection {
    const NOUN: Noun = Noun::LatestArtifact;
    const TIES_BY_ID: bool = true;
}

fn content(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Content> {
    Ok(Content {
        kind: columns.next()?,
        description: columns.text()?,
        data: columns.next::<Option<Json<_>>>()?.map(|Json(data)| data),
        metadata: columns.next::<Option<Json<_>>>()?.map(|Json(all)| all),
        flow_run_id: columns.next()?,
        task_run_id: columns.next()?,
    })
}
