//! `prefectctl`: a thin client that speaks the modern dialect over the Unix socket, or by
//! HTTP to another host.

mod agent;
mod args;
mod client;
mod commands;
mod confirm;
mod failure;
mod find;
mod lines;
mod names;
mod news;
mod pages;
mod pattern;
mod render;
mod select;
mod several;
mod when;

use std::io::{Write, stderr};

use clap::Parser;

pub use args::Args;
pub use failure::Failure;

/// Done.
const DONE: u8 = 0;
/// Failed; the reason is on standard error.
const FAILED: u8 = 1;
/// Wrong usage.
const USAGE: u8 = 2;

/// Carries the command line out and answers the exit code.
pub fn run() -> u8 {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(commands::carry_out(args)),
        Err(error) => Err(Failure::new(error.to_string())),
    };
    match outcome {
        Ok(()) => DONE,
        Err(failure) if failure.is_unread() => DONE,
        Err(failure) => {
            // Nobody may read that either.
            let _ = writeln!(stderr(), "prefectctl: {failure}");
            if failure.is_usage() { USAGE } else { FAILED }
        }
    }
}
