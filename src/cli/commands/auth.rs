//! `prefectctl auth`.

use std::io::Read;

use argon2::{Argon2, PasswordHasher};
use serde_json::json;

use crate::cli::args::Output;
use crate::cli::failure::{Failure, Result};
use crate::cli::render;

/// Prints the hash of what comes in, for the configuration file.
pub fn hash(output: Output) -> Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let secret = text.trim();
    if secret.is_empty() {
        let line = "nothing to hash came in; write the key to standard input";
        return Err(Failure::usage(line));
    }
    let hash = Argon2::default()
        .hash_password(secret.as_bytes())
        .map_err(|error| Failure::new(error.to_string()))?
        .to_string();
    render::print(output, &json!({ "hash": hash }), |_| hash.clone())
}
