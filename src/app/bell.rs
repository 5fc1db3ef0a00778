//! How a verb wakes a service.

use std::sync::Arc;

use tokio::sync::Notify;

/// A bell for one listener. A ring while nobody listens is heard by the next who does, so
/// that looking and then listening loses nothing.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    notify: Arc<Notify>,
}

impl Bell {
    /// Wakes the listener, now or when it next listens.
    pub fn ring(&self) {
        self.notify.notify_one();
    }

    /// Waits for a ring since the last time one was heard.
    pub async fn rung(&self) {
        self.notify.notified().await;
    }
}
