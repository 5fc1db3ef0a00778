//! The modern dialect as its clients speak it.

mod deployments;
mod filters;
mod pools;
mod recorded;
mod server;
