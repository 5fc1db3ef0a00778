//! What the engine's errors mean. All guessing at its words is here.

use bollard::errors::Error;

use crate::runners::RunnerError;

/// The engine's own words, or that there is no engine to speak.
pub(in crate::runners) fn classify(error: Error) -> RunnerError {
    match error {
        // An engine that is shutting down.
        Error::DockerResponseServerError {
            status_code: 503,
            message,
        } => RunnerError::Away(message.trim().to_owned()),
        Error::DockerResponseServerError { message, .. } => refused(&message),
        Error::DockerStreamError { error } => refused(&error),
        Error::JsonDataError { .. }
        | Error::JsonSerdeError { .. }
        | Error::StrParseError { .. } => refused(&format!(
            "The Docker engine's answer makes no sense: {error}"
        )),
        Error::RequestTimeoutError => {
            RunnerError::Away("The Docker engine did not answer in time.".to_owned())
        }
        other => RunnerError::Away(unreachable_engine(&other)),
    }
}

fn refused(words: &str) -> RunnerError {
    RunnerError::Refused(words.trim().to_owned())
}

/// In the words of the innermost cause: those around it are a library's.
fn unreachable_engine(error: &Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    let advice = match innermost
        .downcast_ref::<std::io::Error>()
        .map(std::io::Error::kind)
    {
        Some(std::io::ErrorKind::PermissionDenied) => {
            "This user may not use it: add it to the group docker."
        }
        _ => "Is it running? systemctl start docker",
    };
    let address = super::connect::address();
    format!("The Docker engine at {address} is not reachable ({innermost}). {advice}")
}

fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

fn says(error: &Error, words: &str) -> bool {
    matches!(error, Error::DockerResponseServerError { message, .. } if message.contains(words))
}

/// There is no such thing (any more).
pub(in crate::runners) fn is_gone(error: &Error) -> bool {
    status(error) == Some(404)
}

/// It is in the wanted state already.
pub(super) fn is_already_so(error: &Error) -> bool {
    status(error) == Some(304)
}

/// Somebody else is removing it.
pub(super) fn is_being_removed(error: &Error) -> bool {
    status(error) == Some(409) && says(error, "removal")
}

/// Another container has that name.
pub(super) fn is_name_taken(error: &Error) -> bool {
    status(error) == Some(409) && says(error, "Conflict") && says(error, "name")
}

/// The image is not on this machine.
pub(super) fn is_no_such_image(error: &Error) -> bool {
    status(error) == Some(404) && says(error, "No such image")
}

/// The program that was to be the container's first process is not installed beside the engine:
/// Docker's words name its file, Podman's its kind.
pub(super) fn is_without_init(told: &str) -> bool {
    told.contains("docker-init") || told.contains("container-init")
}

/// Another service has that name.
pub(in crate::runners) fn is_service_name_taken(error: &Error) -> bool {
    status(error) == Some(409) && says(error, "name conflicts")
}

/// Somebody else has changed the service since it was read.
pub(in crate::runners) fn is_out_of_sequence(error: &Error) -> bool {
    says(error, "out of sequence")
}

/// The engine is in no swarm, or not one of its managers; one that is only starting says otherwise.
pub(in crate::runners) fn is_no_manager(told: &str) -> bool {
    told.contains("not a swarm manager")
        && !told.contains("being prepared")
        && !told.contains("trouble connecting")
}
