//! Where the log goes: the journal under systemd, standard error elsewhere, never both.

use std::io::IsTerminal;
use std::sync::OnceLock;

use anyhow::Context;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::config::LogFormat;

type Filter = reload::Handle<EnvFilter, Registry>;

static FILTER: OnceLock<Filter> = OnceLock::new();

/// Starts logging; called once.
pub fn start(format: Option<LogFormat>, level: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(level).with_context(|| format!("bad log level {level:?}"))?;
    let (filter, handle) = reload::Layer::new(filter);
    let format = format.unwrap_or_else(suggested);
    let layer = match format {
        LogFormat::Journald => tracing_journald::layer()
            .context("the journal is not there; give --log-format text")?
            .with_field_prefix(None)
            .with_syslog_identifier("prefectd".to_owned())
            .boxed(),
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
            .with_target(false)
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .json()
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .init();
    // Only a second start could find it set, and there is none.
    let _ = FILTER.set(handle);
    Ok(())
}

/// Changes what is logged.
pub fn set_level(level: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(level).with_context(|| format!("bad log level {level:?}"))?;
    match FILTER.get() {
        Some(handle) => Ok(handle.reload(filter)?),
        None => Ok(()),
    }
}

/// The journal when systemd says that it takes our standard error.
fn suggested() -> LogFormat {
    match std::env::var_os("JOURNAL_STREAM") {
        Some(_) => LogFormat::Journald,
        None => LogFormat::Text,
    }
}
