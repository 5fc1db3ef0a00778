//! Why a run is not further than it is: the one reason that counts at this moment.

mod full;
mod queue;

use super::agent::{EMBEDDED, KnownAgent};
use super::flow_run::{Claim, FlowRun};
use super::ids::FlowRunId;
use super::node::OnCluster;
use super::runner::RunnerKind;
use super::state::{State, StateType};
use super::time::{Span, Timestamp};

pub use full::Full;
pub use queue::{Waiting, Within};

/// What the answer is drawn from, all of one moment.
#[derive(Clone, Debug)]
pub struct WhyFacts<'a> {
    /// The run.
    pub run: &'a FlowRun,
    /// The moment.
    pub now: Timestamp,
    /// The agents that are there, each with the number of runs that it holds.
    pub agents: &'a [(KnownAgent, u64)],
    /// The runs that they hold.
    pub holders: &'a [Holder],
    /// How many runs became due before this one and wait, too.
    pub ahead: u64,
    /// The queue that it waits in, if it does.
    pub waiting: Option<Waiting>,
    /// The limit of its deployment, where it has one that is reached.
    pub deployment: Option<Full>,
}

/// A run that uses a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub id: FlowRunId,
    /// Its name.
    pub name: String,
    /// The agent that holds it; none where it is none of prefectd's.
    pub agent: Option<String>,
}

/// The reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// For programs: a word that stays the same from version to version.
    pub code: Code,
    /// For people.
    pub reason: String,
    /// When it may start, where that is known.
    pub may_start: Option<Timestamp>,
    /// Who uses the slots that it waits for.
    pub holders: Vec<Holder>,
    /// How many more do than these.
    pub more_holders: u64,
    /// How many runs are served before it.
    pub ahead: u64,
}

/// The reasons that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// No agent ever takes it: it belongs to no deployment.
    NotDeployed,
    /// Its time has not come.
    NotDue,
    /// It failed and is tried again later.
    RetryDelay,
    /// There is no agent.
    NoAgent,
    /// The agent that holds it has gone.
    AgentGone,
    /// No agent reaches a container engine.
    EngineAway,
    /// Its queue, or its pool, is paused.
    QueuePaused,
    /// Its queue, its pool, or its deployment has as many runs under way as it may.
    LimitReached,
    /// It is for a worker of its pool.
    ServedByWorker,
    /// It is for a worker, and there is none.
    NoWorker,
    /// It is for the process that serves its deployment.
    ServedByProcess,
    /// Every slot is in use.
    SlotsTaken,
    /// Its image is being pulled.
    PullingImage,
    /// No node of the cluster takes it.
    Unplaced,
    /// It is about to start.
    Starting,
    /// It runs.
    Running,
    /// It waits to be resumed.
    Paused,
    /// It was asked to stop.
    Stopping,
    /// It has ended.
    Ended,
}

impl Code {
    /// The word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Code::NotDeployed => "not_deployed",
            Code::NotDue => "not_due",
            Code::RetryDelay => "retry_delay",
            Code::NoAgent => "no_agent",
            Code::AgentGone => "agent_gone",
            Code::EngineAway => "engine_away",
            Code::QueuePaused => "queue_paused",
            Code::LimitReached => "limit_reached",
            Code::ServedByWorker => "served_by_worker",
            Code::NoWorker => "no_worker",
            Code::ServedByProcess => "served_by_process",
            Code::SlotsTaken => "slots_taken",
            Code::PullingImage => "pulling_image",
            Code::Unplaced => "unplaced",
            Code::Starting => "starting",
            Code::Running => "running",
            Code::Paused => "paused",
            Code::Stopping => "stopping",
            Code::Ended => "ended",
        }
    }
}

impl Why {
    /// Whether it matters where on a cluster the run is.
    pub fn is_about_its_place(&self) -> bool {
        matches!(self.code, Code::Starting | Code::Running)
    }

    /// The same, with where on the cluster the run is.
    #[must_use]
    pub fn on_cluster(self, place: &OnCluster) -> Self {
        match (self.code, place) {
            (Code::Starting, OnCluster::Unplaced(told)) => plain(
                Code::Unplaced,
                format!("No node of the swarm takes the run yet: {told}."),
            ),
            (Code::Starting | Code::Running, OnCluster::Node(name)) => {
                let reason = format!("{} It is on the node {name}.", self.reason);
                Self { reason, ..self }
            }
            _ => self,
        }
    }
}

/// The reason for a run.
pub fn why(facts: &WhyFacts<'_>) -> Why {
    let Some(state) = &facts.run.state else {
        return plain(Code::Starting, "The run is being created.");
    };
    match state.kind {
        StateType::Scheduled => scheduled(facts, state),
        StateType::Pending => pending(facts),
        StateType::Running => plain(
            Code::Running,
            format!("The run is running{}.", queue::taken_by(facts)),
        ),
        StateType::Paused => plain(Code::Paused, "The run is paused until somebody resumes it."),
        StateType::Cancelling => plain(
            Code::Stopping,
            "The run was asked to stop; its process has not ended yet.",
        ),
        StateType::Completed | StateType::Failed | StateType::Cancelled | StateType::Crashed => {
            plain(Code::Ended, ended(state))
        }
    }
}

fn plain(code: Code, reason: impl Into<String>) -> Why {
    Why {
        code,
        reason: reason.into(),
        may_start: None,
        holders: Vec::new(),
        more_holders: 0,
        ahead: 0,
    }
}

fn scheduled(facts: &WhyFacts<'_>, state: &State) -> Why {
    if facts.run.deployment_id.is_none() {
        return plain(
            Code::NotDeployed,
            "The run belongs to no deployment, so that no agent takes it; the script that \
             created it has to run it.",
        );
    }
    let due = state.details.scheduled_time.filter(|due| *due > facts.now);
    if let Some(due) = due {
        return Why {
            may_start: Some(due),
            ..due_later(facts, &state.name, due)
        };
    }
    Why {
        ahead: facts.ahead,
        ..due_now(facts)
    }
}

/// Of a run whose time has not come. The moment itself is for whoever tells it to people, in
/// their zone.
fn due_later(facts: &WhyFacts<'_>, state: &str, due: Timestamp) -> Why {
    let when = distance(due - facts.now);
    let (code, words) = match (state, &facts.deployment) {
        ("AwaitingConcurrencySlot", Some(full)) => return full.reason_of_deployment(),
        ("AwaitingConcurrencySlot", None) => {
            (Code::NotDue, "The run looks for a slot of its deployment")
        }
        ("AwaitingRetry", _) => (Code::RetryDelay, "The run failed and is tried again"),
        _ => (Code::NotDue, "The run is due"),
    };
    plain(code, format!("{words} {when}."))
}

fn due_now(facts: &WhyFacts<'_>) -> Why {
    if facts.run.infrastructure.kind == Some(RunnerKind::Served) {
        return plain(
            Code::ServedByProcess,
            "The run is for the process that serves its deployment (`serve()`), which has not \
             taken it yet.",
        );
    }
    if let Some(why) = facts.waiting.as_ref().and_then(Waiting::reason) {
        return why;
    }
    if let Some(full) = &facts.deployment {
        return full.reason_of_deployment();
    }
    let serving: Vec<_> = facts.agents.iter().filter(|it| serves(it, facts)).collect();
    if serving.is_empty() {
        return facts
            .waiting
            .as_ref()
            .map_or_else(no_agent, Waiting::unserved);
    }
    let able: Vec<_> = { serving.iter().copied() }
        .filter(|(agent, _)| can_run(agent, facts.run))
        .collect();
    let Some((first, _)) = able.first() else {
        return engine_away(serving.iter().map(|(agent, _)| agent));
    };
    if able.iter().any(|(agent, used)| *used < agent.report.slots) {
        return plain(Code::Starting, about_to_be_taken(&first.name, facts));
    }
    let is_able = |holder: &&Holder| able.iter().any(|(agent, _)| is_of(holder, agent));
    let holders: Vec<_> = facts.holders.iter().filter(is_able).cloned().collect();
    let slots: u64 = able.iter().map(|(agent, _)| agent.report.slots).sum();
    let turn = match facts.ahead {
        0 => "the run starts as soon as one of them ends".to_owned(),
        1 => "one other run is served first".to_owned(),
        ahead => format!("{ahead} other runs are served first"),
    };
    let words = format!(
        "All {slots} slots are taken: {}; {turn}.",
        taken_by(&able, &holders)
    );
    Why {
        holders,
        ..plain(Code::SlotsTaken, words)
    }
}

/// Whether an agent takes runs such as this. Those of pools are for the daemon's own.
fn serves((agent, _): &(KnownAgent, u64), facts: &WhyFacts<'_>) -> bool {
    facts.waiting.is_none() || agent.name == EMBEDDED
}

fn about_to_be_taken(agent: &str, facts: &WhyFacts<'_>) -> String {
    match &facts.waiting {
        Some(waiting) => format!(
            "The run is about to be taken by the daemon's own agent, which serves the work pool \
             '{}'.",
            waiting.pool.name
        ),
        None => format!("The run is about to be taken by an agent such as '{agent}'."),
    }
}

/// The most runs of one agent, or of one limit, that are named.
pub const MOST_NAMED: usize = 10;

fn is_of(holder: &Holder, agent: &KnownAgent) -> bool {
    holder.agent.as_ref() == Some(&agent.name)
}

/// Who takes the slots of which agent.
fn taken_by(able: &[&(KnownAgent, u64)], holders: &[Holder]) -> String {
    let told = able.iter().map(|(agent, _)| {
        let of_agent = holders.iter().filter(|holder| is_of(holder, agent));
        let named = full::named(of_agent, 0);
        format!("{} of '{}' by {named}", agent.report.slots, agent.name)
    });
    told.collect::<Vec<_>>().join("; ")
}

/// How a run ended, in the words of whoever ended it.
fn ended(state: &State) -> String {
    match state.message.as_deref().map(str::trim) {
        Some(message) if !message.is_empty() => {
            format!("The run has ended: {}. {message}", state.name)
        }
        _ => format!("The run has ended: {}.", state.name),
    }
}

/// How far off it is, in the two largest units that matter.
fn distance(left: Span) -> String {
    let secs = left.whole_secs().max(0);
    let units = [
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let mut rest = secs;
    let mut parts = Vec::new();
    for (size, name) in units {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            parts.push(format!("{count} {name}{plural}"));
        }
    }
    match parts.as_slice() {
        [] => "in less than a second".to_owned(),
        parts => format!(
            "in {}",
            parts.iter().take(2).cloned().collect::<Vec<_>>().join(" ")
        ),
    }
}

fn pending(facts: &WhyFacts<'_>) -> Why {
    let Some(claim) = &facts.run.claim else {
        return plain(Code::Starting, queue::taken_by_others(facts));
    };
    let holder = facts
        .agents
        .iter()
        .find(|(agent, _)| agent.name == claim.agent);
    let Some((agent, _)) = holder else {
        return holder_gone(claim);
    };
    if let Some(image) = agent.report.pulling.get(&facts.run.id) {
        let words = format!("The agent '{}' is pulling the image {image}.", agent.name);
        return plain(Code::PullingImage, words);
    }
    if can_run(agent, facts.run) {
        let served = queue::served(facts);
        let words = format!("The agent '{}'{served} is starting it.", agent.name);
        plain(Code::Starting, words)
    } else {
        engine_away(std::iter::once(agent))
    }
}

fn holder_gone(claim: &Claim) -> Why {
    match claim.agent.as_str() {
        EMBEDDED => no_agent(),
        name => plain(
            Code::AgentGone,
            format!(
                "The agent '{name}', which took the run, does not report; when its lease is over \
                 the run ends as Crashed."
            ),
        ),
    }
}

fn no_agent() -> Why {
    plain(
        Code::NoAgent,
        "There is no agent: prefectd runs without its own. Start one with `prefectctl agent \
         start`, or prefectd without --no-agent.",
    )
}

fn can_run(agent: &KnownAgent, run: &FlowRun) -> bool {
    !run.infrastructure.is_container() || agent.report.engine_trouble.is_none()
}

fn engine_away<'a>(agents: impl Iterator<Item = &'a KnownAgent>) -> Why {
    let troubles = agents.filter_map(|agent| {
        let trouble = agent.report.engine_trouble.as_ref()?;
        Some(format!("{}: {trouble}", agent.name))
    });
    let troubles: Vec<_> = troubles.collect();
    let words = format!(
        "The run needs a container engine, and none answers ({}). It starts when the engine \
         does.",
        troubles.join("; ")
    );
    plain(Code::EngineAway, words)
}

#[cfg(test)]
mod tests;
