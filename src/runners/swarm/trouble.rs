//! What a manager's errors mean.

use bollard::errors::Error;

use crate::runners::RunnerError;
use crate::runners::docker::errors;

/// What a manager says that has no leader now, or does not reach the others.
const PASSING: &[&str] = &[
    "does not have a leader",
    "no elected cluster leader",
    "raft: failed to process",
    "not yet part of a raft cluster",
    "deadline exceeded",
    "context canceled",
    "lost quorum",
    "transport",
    "connection",
    "Unavailable",
];

/// As of any engine; a swarm that is ill says nothing about what was asked.
pub(super) fn of(error: Error) -> RunnerError {
    match &error {
        Error::DockerResponseServerError {
            status_code: 500..,
            message,
        } if PASSING.iter().any(|words| message.contains(words)) => {
            RunnerError::Away(message.trim().to_owned())
        }
        _ => errors::classify(error),
    }
}

/// What is to be done where the engine is in no swarm.
pub(super) fn explained(error: RunnerError) -> RunnerError {
    match error {
        RunnerError::Away(told) if errors::is_no_manager(&told) => RunnerError::Refused(format!(
            "{told} Runs are to be on a swarm (docker.placement, or a pool of type docker-swarm), \
             and prefectd needs the engine of one of its managers."
        )),
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_in_no_swarm_is_told_from_one_that_starts() {
        let no_swarm = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker \
                        swarm join\" to connect this node to swarm and try again.";
        let away = |told: &str| explained(RunnerError::Away(told.to_owned()));
        assert!(
            matches!(away(no_swarm), RunnerError::Refused(told) if told.contains("docker-swarm"))
        );
        let starts = "This node is not a swarm manager. Manager is being prepared or has trouble \
                      connecting to the cluster.";
        assert!(matches!(away(starts), RunnerError::Away(_)));
    }

    #[test]
    fn a_swarm_without_a_leader_decides_nothing() {
        let of = |status_code, message: &str| {
            of(Error::DockerResponseServerError {
                status_code,
                message: message.to_owned(),
            })
        };
        for passing in [
            "rpc error: code = Unknown desc = The swarm does not have a leader.",
            "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
            "rpc error: code = Unknown desc = raft: failed to process the request: node lost leader \
             status",
        ] {
            assert!(
                matches!(of(500, passing), RunnerError::Away(_)),
                "{passing}"
            );
        }
        assert!(matches!(
            of(500, "name must be valid"),
            RunnerError::Refused(_)
        ));
        assert!(matches!(of(400, "no connection"), RunnerError::Refused(_)));
    }
}
