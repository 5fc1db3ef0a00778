//! Pages of events. A page names the next by a token, which says all that is needed to find it.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::filter::{EventFilter, EventQuery};
use super::wire::{EventOut, EventPage};
use crate::app::{App, Cursor};
use crate::domain::error::Result;
use crate::domain::time::Timestamp;

/// A page of what a filter asks for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Token {
    filter: EventFilter,
    /// How many events there were that it asks for.
    total: u64,
    limit: u64,
    /// After which event it begins: when that happened, in microseconds, and its place.
    after: Option<(i64, i64)>,
}

impl Token {
    /// The first page.
    pub async fn first(query: EventQuery, app: &App) -> Result<Self> {
        let limit = query.limit()?;
        let mut filter = query.filter.unwrap_or_default();
        // What comes while somebody turns the pages is on none of them.
        filter.fix(app.now());
        let asked = filter.clone().asked(app.now())?;
        Ok(Self {
            filter,
            total: app.count_events(asked).await?,
            limit,
            after: None,
        })
    }

    /// The page that a token names, if it is one.
    pub fn read(text: &str) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text).ok()?;
        let token: Self = super::super::extract::read(&json).ok()?.into_value();
        (token.limit <= EventQuery::MOST).then_some(token)
    }

    /// The page itself.
    pub async fn page(self, app: &App, headers: &HeaderMap) -> Result<EventPage> {
        let after = self.after.map(|(occurred, place)| Cursor {
            occurred: Timestamp::from_micros(occurred),
            place,
        });
        let asked = self.filter.clone().asked(app.now())?;
        let page = app.events(asked, after, self.limit).await?;
        let total = self.total;
        let next = page.next.map(|cursor| Self {
            after: Some((cursor.occurred.micros(), cursor.place)),
            ..self
        });
        Ok(EventPage {
            events: page.events.iter().map(EventOut::from).collect(),
            total,
            next_page: next.map(|token| token.address(headers)),
        })
    }

    /// Where the page is found, at the address that the client knows this API by.
    fn address(&self, headers: &HeaderMap) -> String {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let host = host.unwrap_or("localhost");
        let token = serde_json::to_vec(self).unwrap_or_default();
        let token = URL_SAFE_NO_PAD.encode(token);
        format!("http://{host}/api/events/filter/next?page-token={token}")
    }
}
