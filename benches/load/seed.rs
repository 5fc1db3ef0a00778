//! Fills a database that the daemon itself has made with stored runs, in one transaction.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use rusqlite::Connection;

use super::server::Server;

const SEED: &str = include_str!("seed.sql");

/// Notes that the directory is not what it was: the next time it is made anew.
pub fn spent(dir: &Path) -> anyhow::Result<()> {
    Ok(std::fs::remove_dir_all(dir)?)
}

/// A state directory with so many stored runs. One that is there from an earlier time is
/// taken as it is.
pub async fn state_dir(program: &Path, dir: &Path, runs: u64) -> anyhow::Result<()> {
    let whole = dir.join("seeded");
    if whole.exists() {
        return Ok(());
    }
    Server::prefectd(program, dir, &[]).await?.stop()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let script = SEED
        .replace(":runs", &runs.to_string())
        .replace(":now", &now.to_string());
    let db = Connection::open(dir.join("prefectd.db"))?;
    // Nobody else uses the file, and a seed that breaks off is made anew.
    db.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;",
    )?;
    db.execute_batch(&format!(
        "BEGIN; {script} COMMIT; PRAGMA journal_mode = WAL;"
    ))
    .context("seeding")?;
    std::fs::write(whole, "")?;
    Ok(())
}
