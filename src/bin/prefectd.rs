//! The daemon's entry: parse, log, run, exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use prefectd::config::{self, Flags, Settings};
use prefectd::{daemon, logging, relay};
use tikv_jemallocator::Jemalloc;

/// Rust's part and SQLite's allocate by it. Its settings are in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Stopped cleanly.
const DONE: u8 = 0;
/// Could not start, or failed.
const FAILED: u8 = 1;
/// Wrong usage, wrong settings included.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == relay::FLAG) {
        return ended(relay::run(words));
    }
    let flags = Flags::parse();
    if flags.only_checks() {
        return match config::report(&flags) {
            Ok(text) => said(&text),
            Err(error) => told(USAGE, &error.to_string()),
        };
    }
    let settings = match Settings::load(flags.clone()) {
        Ok(settings) => settings,
        Err(error) => return told(USAGE, &error.to_string()),
    };
    if let Err(error) = logging::start("prefectd", settings.log_format, &settings.log_level) {
        return told(USAGE, &format!("{error:#}"));
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return told(FAILED, &error.to_string()),
    };
    ended(runtime.block_on(daemon::run(settings, flags)))
}

fn ended(how: anyhow::Result<()>) -> ExitCode {
    match how {
        Ok(()) => ExitCode::from(DONE),
        Err(error) => told(FAILED, &format!("{error:#}")),
    }
}

fn said(text: &str) -> ExitCode {
    // Whoever does not read it does not want it.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(DONE)
}

fn told(code: u8, why: &str) -> ExitCode {
    eprintln!("prefectd: {why}");
    ExitCode::from(code)
}
