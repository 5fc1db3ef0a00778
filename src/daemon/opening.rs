//! Opening the database, and saying in one line why it cannot be and what helps.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::anyhow;

use super::parts::INSTANCE;
use crate::app::App;
use crate::clock::SharedClock;
use crate::config::Settings;
use crate::domain::error::{Error, Kind};
use crate::state_dir;
use crate::storage::Store;
use crate::storage::blobs::Blobs;

/// Opens it; bringing an old database up to date may take long.
pub(super) async fn open_app(settings: Settings, clock: SharedClock) -> anyhow::Result<App> {
    let opened = tokio::task::spawn_blocking(move || {
        let database = state_dir::database(&settings.state_dir);
        check_not_lost(&settings.state_dir, &database)?;
        let store = Store::open(&database).map_err(|error| why_not(&database, &error))?;
        let blobs = Blobs::open(&state_dir::blobs(&settings.state_dir))?
            .at_most(settings.document_max_bytes);
        Ok(App::new(store, blobs, clock, settings.agent_lease))
    });
    opened.await?
}

/// Refuses to begin with an empty database where there was another one: its runs may still be
/// running, and what is left of its log would be thrown away.
fn check_not_lost(state_dir: &Path, database: &Path) -> anyhow::Result<()> {
    let known = state_dir.join(INSTANCE);
    let lost = match std::fs::metadata(database) {
        Err(error) if error.kind() == ErrorKind::NotFound => "gone",
        Ok(found) if found.len() == 0 => "empty",
        _ => return Ok(()),
    };
    if known.exists() {
        anyhow::bail!(
            "the database {} is {lost}, though this directory has been in use; put it back or \
             restore a backup (`prefectctl restore --force FILE`), or remove {} to begin with an empty one",
            database.display(),
            known.display()
        );
    }
    Ok(())
}

fn why_not(database: &Path, error: &Error) -> anyhow::Error {
    let shown = database.display();
    let dir = database.parent().unwrap_or(database).display();
    // Nobody has asked for anything yet: the sentence for callers says nothing here.
    let detail = error.context().unwrap_or(error.message());
    let restore = format!("`prefectctl restore --force --state-dir {dir} FILE`");
    if error.kind() == Kind::StorageFull {
        return anyhow!("the disk with the database {shown} is full: make room and start again");
    }
    if detail.contains("newer version") {
        return anyhow!("cannot open the database {shown}: {detail} by {restore}");
    }
    if error.kind() == Kind::StorageDamaged {
        return anyhow!(
            "the database {shown} is damaged ({detail}); put a backup in its place by {restore}, \
             which keeps the damaged file under another name"
        );
    }
    anyhow!("cannot open the database {shown}: {detail}")
}
