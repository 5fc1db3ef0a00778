//! How the daemon has the C library keep memory, for Rust's part and SQLite's alike.
//!
//! glibc keeps what is freed, the more the larger the blocks are that it has seen, in each of its
//! arenas: a few requests with large bodies on several threads leave a multiple of what they held
//! at once. With fixed thresholds large blocks go back to the kernel as soon as they are freed.
//! They are read from the environment as a program begins, so the daemon executes itself once.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// From how many bytes on a block is mapped by itself, and how many free ones may lie at the end
/// of a heap.
const THRESHOLD: &str = "1048576";
/// What is told to glibc.
const VARIABLES: [&str; 2] = ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"];
/// Tells that the variables are ours, not the operator's. It has not the prefix of settings.
const MARK: &str = "MALLOC_SET_BY";
const US: &str = "prefectd";

/// Executes this program anew, as the same process and with the same arguments, with the
/// thresholds set. Does nothing where that is done, where the operator has said anything on glibc's
/// allocator, and where it fails: more memory is no reason not to start.
///
/// To be called before anything is opened or started.
pub fn settle() {
    let told = |(name, _): (std::ffi::OsString, _)| is_of_malloc(&name);
    if !cfg!(target_env = "gnu") || std::env::vars_os().any(told) {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let mut words = std::env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = words.next() {
        command.arg0(name);
    }
    command.args(words).env(MARK, US);
    // It comes back only where it failed.
    let _ = command.envs(VARIABLES.map(|name| (name, THRESHOLD))).exec();
}

/// Takes what [`settle`] added out of what a command will get.
pub fn forget(command: &mut Command) {
    if std::env::var_os(MARK).is_some_and(|by| by == US) {
        for name in VARIABLES.into_iter().chain([MARK]) {
            command.env_remove(name);
        }
    }
}

/// Whether glibc's allocator reads that variable. Of its tunables any counts.
fn is_of_malloc(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"MALLOC_") || name == b"GLIBC_TUNABLES"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_says_of_malloc_is_known() {
        for name in [
            "MALLOC_ARENA_MAX",
            "MALLOC_TRIM_THRESHOLD_",
            "GLIBC_TUNABLES",
        ] {
            assert!(is_of_malloc(OsStr::new(name)), "{name}");
        }
        for name in ["PATH", "MALLOC", "PREFECTD_MALLOC_X"] {
            assert!(!is_of_malloc(OsStr::new(name)), "{name}");
        }
    }
}
