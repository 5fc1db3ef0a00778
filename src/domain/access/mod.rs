//! Who may do what: decided from who asks, what the operation needs, and what the request, once
//! it is read, aims at.
//!
//! A request is admitted by what its sender *is*: a local user by the groups of the config, a
//! run by its own record. A run may do what a running flow needs: read, keep its results,
//! register flows, tell the states and the logs of itself and of what it began, begin sub-flows
//! and runs of deployments. It may aim at nothing else, and may not choose what anything runs
//! on: that would be a way out of its container.

mod aim;
pub mod run_key;
mod secret;
#[cfg(test)]
mod tests;
mod text;

use super::ids::{DeploymentId, FlowRunId};
use super::time::{Span, Timestamp};

pub use aim::{Aim, Aims, AtPath, Targets};
pub use run_key::{KeptRunKey, RunKey, RunKeyDigest};
pub use secret::{MASK, Secret, is_secret_name, mask_runners, masked};
pub use text::masked_text;

/// How long after its end a run may still hand in log lines and events: the client sends the last
/// of them after the final state, and a client with thousands of them on a busy machine takes
/// minutes.
pub const GRACE: Span = Span::from_micros(15 * 60 * 1_000_000);

/// Who asks, as far as it matters to what may be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    /// May do everything.
    Operator,
    /// May look at everything but secrets.
    Viewer,
    /// A run's own process.
    Run(RunIdentity),
    /// Nobody that is known here, and who that is.
    Stranger(&'static str),
}

/// What an operation needs of who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it tells whether the daemon is alive.
    Open,
    /// Somebody who may read flows, deployments, runs, their states and logs.
    Read,
    /// Somebody who may look at the daemon itself: its status, agents, figures, descriptions.
    Inspect,
    /// Somebody who may have a document, as the bytes that it is.
    Fetch,
    /// Somebody who may keep a result.
    Persist,
    /// Somebody who may register a flow by its name.
    Register,
    /// Somebody who may take slots of concurrency limits and give them back.
    Take,
    /// Somebody who may set variables, by which flows hand values on. Where a pool's template names
    /// one, the operator has handed that choice over; the rules on containers hold all the same.
    Set,
    /// Somebody who may aim at what the request names: see [`may_aim`], which decides once the
    /// request is read.
    Aim,
    /// An operator.
    Operate,
}

/// A run that asks, as the store knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunIdentity {
    /// The run.
    pub id: FlowRunId,
    /// Its deployment.
    pub deployment: Option<DeploymentId>,
    /// Whether what asks is what was made for the run, as its record has it.
    pub is_its_own: bool,
    /// When it ended; absent while it lives.
    pub ended: Option<Timestamp>,
    /// The present moment.
    pub now: Timestamp,
}

/// It may not be done, and why, in a sentence for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied(pub &'static str);

/// What is known of a peer on the network: a container, or a process of this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerIdentity {
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

/// Whether somebody meets a need. Who meets [`Need::Aim`] has yet to be asked about what is aimed
/// at.
///
/// # Errors
/// Why not.
pub fn may(who: &Who, need: Need) -> Result<(), Denied> {
    match (who, need) {
        (_, Need::Open) | (Who::Operator, _) => Ok(()),
        (Who::Viewer, Need::Read | Need::Inspect) => Ok(()),
        (Who::Viewer, Need::Fetch) => Err(Denied(
            "Your group may not read documents: secrets in them cannot be masked.",
        )),
        (Who::Viewer, _) => Err(Denied("Your group may only read.")),
        (Who::Run(run), need) => run_may(run, need),
        (Who::Stranger(why), _) => Err(Denied(why)),
    }
}

/// Whether somebody who asks for the secrets of blocks is shown them: whoever may do everything,
/// and a run, which loads its settings so. Who only looks is not.
pub fn may_see_secrets(who: &Who) -> bool {
    matches!(who, Who::Operator | Who::Run(_))
}

fn run_may(run: &RunIdentity, need: Need) -> Result<(), Denied> {
    if !run.is_its_own {
        return Err(Denied("This is not what executes the run that it names."));
    }
    match need {
        // Lines and events are handed in for a while after the end, and clients look up what an
        // event is related to before they send it.
        Need::Aim | Need::Read if is_within_grace(run) => Ok(()),
        _ if run.ended.is_some() => Err(ENDED),
        Need::Open
        | Need::Read
        | Need::Fetch
        | Need::Persist
        | Need::Register
        | Need::Take
        | Need::Set
        | Need::Aim => Ok(()),
        Need::Inspect | Need::Operate => Err(Denied("A run may not do this.")),
    }
}

/// Whether somebody who may make requests of this kind may aim one at that. `is_own` says of a
/// run whether all the targets are itself or were begun by it.
///
/// # Errors
/// Why not.
pub fn may_aim(who: &Who, aim: &Aim, is_own: bool) -> Result<(), Denied> {
    may(who, Need::Aim)?;
    let Who::Run(run) = who else {
        return Ok(());
    };
    match aim {
        Aim::Log(_) | Aim::Change(_) if !is_own => Err(NOT_ITS_OWN),
        Aim::Log(_) => Ok(()),
        _ if run.ended.is_some() => Err(ENDED),
        Aim::Change(_) => Ok(()),
        Aim::Infrastructure => Err(Denied("A run may not choose what runs run on.")),
        Aim::Elsewhere => Err(Denied("A run may not do this.")),
    }
}

const ENDED: Denied = Denied("The run has ended.");
const NOT_ITS_OWN: Denied = Denied("A run may only aim at itself and at what it began.");

/// Whether a run has ended for so long that it has nothing more to say.
pub fn is_silent(run: &RunIdentity) -> bool {
    !is_within_grace(run)
}

fn is_within_grace(run: &RunIdentity) -> bool {
    run.ended.is_none_or(|ended| run.now < ended + GRACE)
}

/// Whether a peer is what executes the run that it names: what an agent of ours made and
/// recorded, or what somebody else made for a run that no agent of ours has taken.
pub fn executes(peer: &PeerIdentity, taken: bool, recorded: Option<&str>) -> bool {
    match peer.maker {
        Maker::Us => recorded == Some(peer.infrastructure_id.as_str()),
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
pub struct LocalUser {
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
    pub fn role(&self, peer: &LocalUser, own_uid: u32) -> Who {
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
