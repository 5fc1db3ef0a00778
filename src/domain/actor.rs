//! Who created or changed something.

use uuid::Uuid;

use super::ids::{FlowRunId, ScheduleId};

/// Somebody who is recorded as having done something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What it is.
    pub kind: ActorKind,
    /// Its id, where it has one.
    pub id: Option<Uuid>,
    /// How people know it.
    pub name: String,
}

/// What does things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// A local user.
    User,
    /// A flow run.
    FlowRun,
    /// A deployment.
    Deployment,
    /// A schedule of a deployment.
    Schedule,
    /// An automation.
    Automation,
}

impl ActorKind {
    const ALL: [ActorKind; 5] = [
        ActorKind::User,
        ActorKind::FlowRun,
        ActorKind::Deployment,
        ActorKind::Schedule,
        ActorKind::Automation,
    ];

    /// The word by which rows and the modern API know it.
    pub const fn word(self) -> &'static str {
        match self {
            ActorKind::User => "USER",
            ActorKind::FlowRun => "FLOW_RUN",
            ActorKind::Deployment => "DEPLOYMENT",
            ActorKind::Schedule => "SCHEDULE",
            ActorKind::Automation => "AUTOMATION",
        }
    }

    /// What a word names; `None` for any other word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl Actor {
    /// A local user.
    pub fn user(name: impl Into<String>) -> Self {
        Self {
            kind: ActorKind::User,
            id: None,
            name: name.into(),
        }
    }

    /// A flow run, known to people by its id.
    pub fn flow_run(id: FlowRunId) -> Self {
        Self {
            kind: ActorKind::FlowRun,
            id: Some(id.uuid()),
            name: id.to_string(),
        }
    }

    /// A schedule, known to people by its kind.
    pub fn schedule(id: ScheduleId, kind: &str) -> Self {
        Self {
            kind: ActorKind::Schedule,
            id: Some(id.uuid()),
            name: kind.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_its_own_kind() {
        for kind in ActorKind::ALL {
            assert_eq!(ActorKind::from_word(kind.word()), Some(kind));
        }
        assert_eq!(ActorKind::from_word("user"), None);
    }
}
