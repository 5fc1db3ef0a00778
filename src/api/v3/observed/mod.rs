//! Routes of what was seen of states.

use axum::extract::{Request, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::in_query;
use super::wire::Instant;
use super::{Answer, ok};
use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact};
use crate::api::{Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::error::{Error, Result};
use crate::domain::observed::{self, Order};

/// The most characters of what a name begins with.
const LONGEST: usize = 100;
/// The most states that are told.
const MOST: usize = 200;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/observed-states", "Tells which states runs were in")
            .asks_query("query")
            .lists::<ObservedState>()
            .needs(Need::Read, list),
    ]
}

/// A kind of state.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObservedState {
    state_type: &'static str,
    state_name: String,
    first_seen: Instant,
    last_seen: Instant,
}

impl From<observed::ObservedState> for ObservedState {
    fn from(state: observed::ObservedState) -> Self {
        let observed::ObservedState {
            kind,
            name,
            first,
            last,
        } = state;
        Self {
            state_type: kind.word(),
            state_name: name,
            first_seen: first.into(),
            last_seen: last.into(),
        }
    }
}

impl Redact for ObservedState {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            state_type: _,
            state_name,
            first_seen: _,
            last_seen: _,
        } = self;
        reader.of_nobody().over(state_name);
    }
}

pub async fn list(State(ctx): State<Ctx>, who: Requester, request: Request) -> Answer {
    let (beginning, order, limit) = asked(&request)?;
    let states = ctx.app.observed_states(beginning, order, limit).await?;
    let states = states.into_iter().map(ObservedState::from);
    ok(&who, states.collect::<Vec<_>>()).await
}

fn asked(request: &Request) -> Result<(String, Order, usize)> {
    let of = |name| in_query(request.uri(), name);
    let beginning = of("query").unwrap_or_default().into_owned();
    if beginning.chars().count() > LONGEST {
        return Err(Error::invalid(format!(
            "query must have at most {LONGEST} characters."
        )));
    }
    let order = match of("order_by").as_deref() {
        None | Some("LAST_SEEN_DESC") => Order::LastSeen,
        Some("NAME_ASC") => Order::Name,
        Some(_) => return Err(Error::invalid("order_by is NAME_ASC or LAST_SEEN_DESC.")),
    };
    let limit = of("limit").map_or(Ok(MOST), |text| text.parse());
    match limit {
        Ok(limit) if (1..=MOST).contains(&limit) => Ok((beginning, order, limit)),
        _ => Err(Error::invalid(format!("limit must be from 1 to {MOST}."))),
    }
}
