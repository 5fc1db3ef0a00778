//! The client's entry: carry out, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(prefectd::cli::run())
}
