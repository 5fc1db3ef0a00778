//! What administrators alert on.
//!
//! Each event has a fixed id, which the journal keeps as `MESSAGE_ID`: the words of a message
//! may change, its id never does. `systemd/prefectd.catalog` explains each to a reader.

/// The daemon is ready.
pub const STARTED: &str = "c361b675375848cfa0c48da77c9273e8";
/// The daemon has stopped in order.
pub const STOPPED: &str = "8da8521b6931413c8ac16cab5cd2443e";
/// New settings are refused; the old ones stay.
pub const CONFIG_REFUSED: &str = "bbde2c1e28e54ff5b3d81224bb7527e5";
/// A run's process ended before the run did, or could not be started.
pub const RUN_CRASHED: &str = "3a5cb93470e4453ea754d92a7e2ed36a";
/// The container engine does not answer.
pub const ENGINE_AWAY: &str = "d4ac7da7ac9e481985b8c3f6131b78c1";
/// The container engine answers again.
pub const ENGINE_BACK: &str = "eaa6a0ef9b5f45268e787a300e569fd6";
/// Nothing can be written, for the disk is full.
pub const DATABASE_FULL: &str = "9f215bad15934d11b499a23122727507";
/// A request was refused for who sent it.
pub const AUTH_REFUSED: &str = "9486e06490484aa087e5942dec9147b4";
