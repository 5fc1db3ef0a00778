//! A saved search: a set of filters under a name.

use serde_json::Value;

use super::ids::SavedSearchId;
use super::time::Timestamp;

/// A saved search as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedSearch {
    /// Its id.
    pub id: SavedSearchId,
    /// When it was first saved.
    pub created: Timestamp,
    /// When it was last saved.
    pub updated: Timestamp,
    /// Unique among saved searches.
    pub name: String,
    /// The filters, as the client wrote them: an object of the 2.0a7 generation, a list of the
    /// modern one.
    pub filters: Value,
}
