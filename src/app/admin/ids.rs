//! Verbs on ids of any noun.

use uuid::Uuid;

use crate::app::App;
use crate::domain::error::{Error, Result};
use crate::domain::filter::Noun;
use crate::storage::ids;

/// How many hexadecimal digits an id has.
const DIGITS: usize = 32;

impl App {
    /// Up to `limit` things of a noun whose ids begin so, hyphens left aside, each with its
    /// name.
    ///
    /// Fails as invalid when the beginning is not hexadecimal or longer than an id.
    pub async fn ids_that_begin(
        &self,
        noun: Noun,
        beginning: &str,
        limit: u64,
    ) -> Result<Vec<(Uuid, String)>> {
        let digits: String = beginning.chars().filter(|c| *c != '-').collect();
        let within = (1..=DIGITS).contains(&digits.len());
        let bound = |fill: char| {
            let padded = format!("{digits}{}", fill.to_string().repeat(DIGITS - digits.len()));
            Uuid::parse_str(&padded).ok()
        };
        let bounds = within.then(|| bound('0').zip(bound('f'))).flatten();
        let Some((first, last)) = bounds else {
            return Err(Error::invalid("This is not the beginning of an id."));
        };
        self.read(move |db| ids::between(db, noun, first, last, limit))
            .await
    }

    /// For each id, how many of its characters, hyphens counted, tell it from all others of its
    /// noun.
    pub async fn telling_lengths(&self, noun: Noun, all: Vec<Uuid>) -> Result<Vec<u64>> {
        self.read(move |db| {
            let lengths = all.into_iter().map(|id| {
                let others = ids::neighbours(db, noun, id)?;
                let shared = others.iter().map(|other| in_common(id, *other)).max();
                Ok(shared.unwrap_or_default() + 1)
            });
            lengths.collect()
        })
        .await
    }
}

/// How many characters two ids have in common from the first on.
fn in_common(one: Uuid, other: Uuid) -> u64 {
    let (one, other) = (one.to_string(), other.to_string());
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b);
    same.count() as u64
}
