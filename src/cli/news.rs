//! Word from the daemon that something has changed, so that nobody has to ask for it again and
//! again.

use std::time::{Duration, Instant};

use super::client::Client;
use super::failure::Result;
use crate::api::v3::wire::{NewsQuery, RunNews};

/// The most time between two looks while something happens.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// What was heard so far.
pub struct News {
    heard: Option<u64>,
    /// When the last look began.
    looked: Option<Instant>,
    /// The least time between two looks, however much happens.
    pause: Duration,
    /// How often is looked where the daemon does not tell.
    poll: Duration,
}

impl News {
    /// For whoever follows one run, whose lines come at once.
    pub fn of_run() -> Self {
        Self {
            heard: None,
            looked: None,
            pause: Duration::from_millis(30),
            poll: Duration::from_millis(200),
        }
    }

    /// For whoever watches a list, every look at which is several questions.
    pub fn of_list() -> Self {
        Self {
            heard: None,
            looked: None,
            pause: Duration::from_millis(500),
            poll: Duration::from_secs(2),
        }
    }

    /// Waits until something has been made, has changed, has gone or was said, or for some
    /// seconds. The first time it only asks what there is to be heard, so that what comes after
    /// that is.
    pub async fn wait(&mut self, client: &Client) {
        if let Some(began) = self.looked {
            // A look that is much work is not taken again and again.
            let pause = self.pause.max(began.elapsed() * 3).min(LONGEST_PAUSE);
            tokio::time::sleep(pause).await;
        }
        let query = NewsQuery { heard: self.heard };
        let news: Result<RunNews> = client.post_plain("/prefectd/runs/news", &query).await;
        match news {
            Ok(news) => self.heard = Some(news.number),
            // A daemon that does not tell, or that is gone for now.
            Err(_) if self.looked.is_some() => tokio::time::sleep(self.poll).await,
            // The first look tells why.
            Err(_) => {}
        }
        self.looked = Some(Instant::now());
    }
}
