//! A saved search: a set of filters under a name.

use super::JsonMap;
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
    /// The filters, as the client wrote them.
    pub filters: JsonMap,
}
