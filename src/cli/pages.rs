//! Lists that are longer than a page.

use serde::de::DeserializeOwned;

use super::client::Client;
use super::failure::Result;
use crate::api::v3::wire::Query;
use crate::domain::filter::MAX_PAGE;

/// Up to `most` of what a query finds, page after page.
pub async fn all<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    query: &Query,
    most: u64,
) -> Result<Vec<T>> {
    fitting(client, path, query, most, |_| true).await
}

/// Up to `most` of those that fit among what a query finds.
pub async fn fitting<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    query: &Query,
    most: u64,
    fits: impl Fn(&T) -> bool,
) -> Result<Vec<T>> {
    let mut found: Vec<T> = Vec::new();
    let (mut read, mut at_once) = (0, MAX_PAGE);
    loop {
        let left = most.saturating_sub(found.len() as u64).min(at_once);
        if left == 0 {
            return Ok(found);
        }
        let query = Query {
            limit: i64::try_from(left).ok(),
            offset: read,
            ..query.clone()
        };
        let page: Vec<T> = match client.post(path, &query).await {
            Err(failure) if failure.is_too_large() && left > 1 => {
                at_once = left / 2;
                continue;
            }
            page => page?,
        };
        let is_last = (page.len() as u64) < left;
        read += page.len() as u64;
        found.extend(page.into_iter().filter(&fits));
        if is_last {
            return Ok(found);
        }
    }
}
