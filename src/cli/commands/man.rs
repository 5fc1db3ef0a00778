//! The man pages, made from what the commands say of themselves.

use std::path::Path;

use clap::CommandFactory;

use super::super::args::Args;
use super::super::failure::{Failure, Result};
use crate::config::Flags;

/// Writes a page for each program and each command.
pub fn write(folder: &Path) -> Result<()> {
    for command in [Args::command(), Flags::command()] {
        clap_mangen::generate_to(command, folder).map_err(|error| {
            let shown = folder.display();
            Failure::new(format!(
                "the man pages cannot be written to {shown}: {error}"
            ))
        })?;
    }
    Ok(())
}
