//! States, each with a shape and a colour of its own and with its word.

use super::{Html, short};
use crate::domain::state::{State, StateType};

/// How a state looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Names its colour and its shape.
    pub class: &'static str,
    /// Its name.
    pub word: Html,
}

/// The class of a type of states, and of that name within it.
pub fn class(kind: Option<StateType>, name: &str) -> &'static str {
    match kind {
        Some(StateType::Scheduled) if name == "Late" => "late",
        Some(StateType::Scheduled) | None => "scheduled",
        Some(StateType::Pending) => "pending",
        Some(StateType::Running) => "running",
        Some(StateType::Completed) => "completed",
        Some(StateType::Failed) => "failed",
        Some(StateType::Cancelled) => "cancelled",
        Some(StateType::Crashed) => "crashed",
        Some(StateType::Paused) => "paused",
        Some(StateType::Cancelling) => "cancelling",
    }
}

impl Look {
    /// That of a state of that type and name.
    pub fn new(kind: Option<StateType>, name: Option<&str>) -> Self {
        let usual = kind.map(StateType::default_name).unwrap_or_default();
        let name = name.filter(|name| !name.is_empty()).unwrap_or(&usual);
        Self {
            class: class(kind, name),
            word: match name {
                "AwaitingRetry" => Html::fixed("Awaiting retry"),
                "AwaitingConcurrencySlot" => Html::fixed("Awaiting a slot"),
                name => short(name),
            },
        }
    }

    /// That of a run's state.
    pub fn of(state: Option<&State>) -> Self {
        Self::new(
            state.map(|state| state.kind),
            state.map(|state| state.name.as_str()),
        )
    }

    /// Its shape, with its word for those who do not see it.
    pub fn icon(&self) -> Html {
        let Self { class, word } = self;
        let moves = match *class {
            "running" => " pulse",
            _ => "",
        };
        Html::of(format!(
            "<svg class=\"i s-{class}{moves}\" role=\"img\" aria-label=\"{word}\"><use \
             href=\"#i-{class}\"/></svg>"
        ))
    }

    /// Its shape beside its word.
    pub fn badge(&self) -> Html {
        let Self { class, word } = self;
        Html::of(format!(
            "<span class=\"badge big s-{class}\" id=\"state\"><svg class=\"i s-{class}\" \
             aria-hidden=\"true\"><use href=\"#i-{class}\"/></svg>{word}</span>"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_look() {
        for kind in StateType::ALL {
            let look = Look::new(Some(kind), None);
            assert_eq!(look.word.as_str().to_lowercase(), look.class);
        }
        let late = Look::new(Some(StateType::Scheduled), Some("Late"));
        assert_eq!(late.class, "late");
        let wild = Look::new(Some(StateType::Failed), Some("<b>"));
        assert!(wild.icon().as_str().contains("aria-label=\"&lt;b&gt;\""));
    }
}
