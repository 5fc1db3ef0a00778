//! Who may do what. One function decides, from who asks and what is asked.
//!
//! A request is admitted by what its sender *is*: a local user by the groups of the config, a
//! run by its own record. A run may do what a running flow needs: read, keep its results,
//! register flows, tell the states and the logs of itself and of what it began, begin sub-flows
//! and runs of deployments. It may aim at nothing else, and may not choose what anything runs
//! on: that would be a way out of its container.

mod secret;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;

use super::ids::{FlowRunId, TaskRunId};
use super::time::{Span, Timestamp};

pub use secret::{MASK, Secret, is_secret_name, masked, veil};
pub use text::masked_text;

/// How long after its end a run may still hand in log lines: the client sends the last of
/// them after the final state.
pub const GRACE: Span = Span::from_micros(60_000_000);

/// Who asks, as far as it matters to what may be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    /// May do everything.
    Operator,
    /// May look at everything but secrets.
    Viewer,
    /// A run's own process.
    Run(Standing),
    /// Nobody that is known here, and who that is.
    Stranger(&'static str),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Whether the daemon is alive.
    Health,
    /// To read flows, deployments, runs, their states and logs.
    Read,
    /// To look at the daemon itself: its status, agents, figures and descriptions.
    Inspect,
    /// To fetch a document, as the bytes that it is.
    Fetch,
    /// To keep a result.
    Persist,
    /// To register a flow by its name.
    RegisterFlow,
    /// To hand in log lines of these.
    Log(Targets),
    /// To change, or begin something below, these.
    Change(Targets),
    /// To choose what a run runs on.
    ChooseInfrastructure,
    /// Everything else.
    Administer,
}

/// The runs that a request aims at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Flow runs.
    pub flow_runs: Vec<FlowRunId>,
    /// Task runs.
    pub task_runs: Vec<TaskRunId>,
}

/// How a run that asks stands, by the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Whether what asks is what was made for the run, as its record has it.
    pub is_its_own: bool,
    /// When it ended; absent while it lives.
    pub ended: Option<Timestamp>,
    /// The present moment.
    pub now: Timestamp,
    /// Whether all that the request aims at is the run itself or was begun by it.
    pub aims_at_its_own: bool,
}

/// Whether it may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Permit,
    /// No, and why, in a sentence for whoever asked.
    Deny(&'static str),
}

/// What is known of a peer on the network: a container, or a process of this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// The run that it carries the name of.
    pub flow_run: Option<FlowRunId>,
    /// Who made it.
    pub maker: Maker,
    /// What a run's record calls it, such as `docker:<container id>`.
    pub infrastructure_id: String,
    /// What it is, for the log.
    pub described: String,
}

/// Who made a container or a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// An agent of this daemon.
    Us,
    /// Somebody who names no daemon, such as Prefect's own agent.
    Unnamed,
    /// An agent of another daemon.
    AnotherDaemon,
}

/// Decides.
pub fn may(who: &Who, asked: &Asked) -> Verdict {
    match (who, asked) {
        (_, Asked::Health) | (Who::Operator, _) => Verdict::Permit,
        (Who::Viewer, Asked::Read | Asked::Inspect) => Verdict::Permit,
        (Who::Viewer, Asked::Fetch) => {
            Verdict::Deny("Your group may not read documents: secrets in them cannot be masked.")
        }
        (Who::Viewer, _) => Verdict::Deny("Your group may only read."),
        (Who::Run(standing), asked) => run_may(standing, asked),
        (Who::Stranger(why), _) => Verdict::Deny(why),
    }
}

fn run_may(run: &Standing, asked: &Asked) -> Verdict {
    if !run.is_its_own {
        return Verdict::Deny("This is not what executes the run that it names.");
    }
    let is_over = run.ended.is_some();
    match asked {
        Asked::Log(_) if !run.aims_at_its_own => Verdict::Deny(NOT_ITS_OWN),
        Asked::Log(_) if is_within_grace(run) => Verdict::Permit,
        _ if is_over => Verdict::Deny("The run has ended."),
        Asked::Read | Asked::Fetch | Asked::Persist | Asked::RegisterFlow => Verdict::Permit,
        Asked::Change(_) if run.aims_at_its_own => Verdict::Permit,
        Asked::Change(_) => Verdict::Deny(NOT_ITS_OWN),
        Asked::ChooseInfrastructure => Verdict::Deny("A run may not choose what runs run on."),
        _ => Verdict::Deny("A run may not do this."),
    }
}

const NOT_ITS_OWN: &str = "A run may only aim at itself and at what it began.";

fn is_within_grace(run: &Standing) -> bool {
    run.ended.is_none_or(|ended| run.now < ended + GRACE)
}

/// Whether a neighbour is what executes the run that it names: what an agent of ours made and
/// recorded, or what somebody else made for a run that no agent of ours has taken.
pub fn executes(neighbour: &Neighbour, taken: bool, recorded: Option<&str>) -> bool {
    match neighbour.maker {
        Maker::Us => recorded == Some(neighbour.infrastructure_id.as_str()),
        Maker::Unnamed => !taken,
        Maker::AnotherDaemon => false,
    }
}

/// The groups of local users that may come in; everybody whom the socket's mode lets in when
/// neither is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// May do everything.
    pub operators: Vec<String>,
    /// May read.
    pub viewers: Vec<String>,
}

/// A local user at the other end of the Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The user's id.
    pub uid: u32,
    /// The process, where the kernel tells.
    pub pid: Option<i32>,
    /// The user's name, or its id where it has none.
    pub user: String,
    /// The names of all its groups.
    pub groups: Vec<String>,
}

impl Groups {
    /// Whether nobody is told apart.
    pub fn are_open(&self) -> bool {
        self.operators.is_empty() && self.viewers.is_empty()
    }

    /// What a local user is; root and the daemon's own user (`own_uid`) are always operators.
    pub fn role(&self, peer: &Peer, own_uid: u32) -> Who {
        let is_in = |groups: &[String]| peer.groups.iter().any(|one| groups.contains(one));
        if self.are_open() || peer.uid == 0 || peer.uid == own_uid || is_in(&self.operators) {
            Who::Operator
        } else if is_in(&self.viewers) {
            Who::Viewer
        } else {
            Who::Stranger("You are in none of the groups that may use this daemon.")
        }
    }
}

/// Who created or changed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A local user, by name.
    User(String),
    /// A run.
    FlowRun(FlowRunId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::User(name) => write!(f, "user:{name}"),
            Actor::FlowRun(id) => write!(f, "flow-run:{id}"),
        }
    }
}

impl std::str::FromStr for Actor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(':') {
            Some(("user", name)) => Ok(Actor::User(name.to_owned())),
            Some(("flow-run", id)) => id.parse().map(Actor::FlowRun).map_err(|_| ()),
            _ => Err(()),
        }
    }
}
