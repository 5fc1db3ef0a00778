//! Verbs on the whole: what goes, what is kept, and how things stand.

pub(super) mod backup;
mod bulk;
mod examine;
mod health;
mod ids;
mod removal;
pub(super) mod retention;
mod saved_searches;
pub(super) mod tokens;
pub(super) mod vitals;
