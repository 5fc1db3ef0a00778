//! The daemon's settings, as it tells them.

/// A setting as it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Its name with its section, such as `agent.slots`.
    pub key: String,
    /// Its value, a secret masked.
    pub value: serde_json::Value,
    /// Who said it: a file's path, a variable's name, a flag, or `default`.
    pub source: String,
}
