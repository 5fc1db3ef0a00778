//! What the verbs can tell `prefectctl doctor`.

use std::time::Duration;

use crate::app::App;
use crate::domain::checkup::Check;
use crate::domain::error::{Kind, Result};
use crate::storage::deployments;

/// How long the database may be looked at.
const LOOK: Duration = Duration::from_secs(10);

impl App {
    /// Whether the database takes writes, and is sound as far as can be seen in a few seconds.
    pub async fn examine_database(&self) -> Vec<Check> {
        let written = self.check_writer().await;
        let is_full = matches!(&written, Err(error) if error.kind() == Kind::StorageFull);
        let writer = match written {
            Ok(()) => Check::ok("writes", "a transaction went through"),
            Err(error) if is_full => {
                let advice =
                    "make room on the disk of the state directory; nothing needs a restart";
                Check::fail("writes", error.message(), advice)
            }
            Err(error) => Check::fail("writes", error.message(), "see what the daemon's log says"),
        };
        let restore = "stop the daemon and restore a backup: `prefectctl restore --force FILE`";
        if is_full {
            // A daemon that began on a full disk has the file for itself, and lets nobody look.
            let why = "it is looked at once there is room on the disk";
            return vec![writer, Check::skip("database", why)];
        }
        let database = match self.inner.store.quick_check(LOOK).await {
            Ok(Some(None)) => Check::ok("database", "its structure is sound"),
            Ok(Some(Some(trouble))) => Check::fail("database", trouble, restore),
            Ok(None) => {
                let secs = LOOK.as_secs();
                Check::skip("database", format!("too large to be looked at in {secs} s"))
            }
            Err(error) => Check::fail("database", error.to_string(), restore),
        };
        vec![writer, database]
    }

    /// The networks that deployments name for their containers.
    pub async fn networks_in_use(&self) -> Result<Vec<String>> {
        self.read(deployments::networks).await
    }
}
