//! Limits that let no further run begin, and who holds their slots.

use super::{Code, Holder, MOST_NAMED, Why, plain};

/// A limit of which every slot is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full {
    /// Its name, where deployments share it.
    pub shared: Option<String>,
    /// How many slots it has.
    pub slots: i64,
    /// How many are taken; more than there are where the limit was lowered since.
    pub taken: u64,
    /// The runs that hold them, or as many as are named.
    pub holders: Vec<Holder>,
}

impl Full {
    /// The reason of a run that waits for it as its deployment's.
    pub(super) fn reason_of_deployment(&self) -> Why {
        match &self.shared {
            Some(name) => self.reason(&format!(
                "The limit {name}, which its deployment shares with others,"
            )),
            None => self.reason("The run's deployment"),
        }
    }

    /// The reason of a run that waits for it; `whose` begins the sentence.
    pub(super) fn reason(&self, whose: &str) -> Why {
        let more = self.taken.saturating_sub(self.holders.len() as u64);
        let holders = named(self.holders.iter(), more);
        let by = match holders.as_str() {
            "" => String::new(),
            names => format!(": {names}"),
        };
        let slots = self.slots;
        let words = format!("{whose} has as many runs under way as it may, {slots}{by}.");
        Why {
            holders: self.holders.clone(),
            more_holders: more,
            ..plain(Code::LimitReached, words)
        }
    }
}

/// The first of some runs by name, and how many more there are, those that are not here included.
pub(super) fn named<'a>(holders: impl Iterator<Item = &'a Holder>, more: u64) -> String {
    let names: Vec<_> = holders.map(|holder| holder.name.as_str()).collect();
    let more = more + names.len().saturating_sub(MOST_NAMED) as u64;
    let first: Vec<_> = names.into_iter().take(MOST_NAMED).collect();
    let first = first.join(", ");
    match (first.as_str(), more) {
        (_, 0) => first,
        ("", more) => format!("{more} that are not known here"),
        (_, more) => format!("{first} and {more} more"),
    }
}
