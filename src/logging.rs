//! Where the log goes: the journal under systemd, standard error elsewhere, never both.

use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use anyhow::Context;
use tracing::field::Field;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::config::LogFormat;

type Filter = reload::Handle<EnvFilter, Registry>;

static FILTER: OnceLock<Filter> = OnceLock::new();

/// Starts logging, in the journal under `name`; called once.
pub fn start(name: &str, format: Option<LogFormat>, level: &str) -> anyhow::Result<()> {
    let (filter, handle) = reload::Layer::new(filter(level)?);
    let format = format.unwrap_or_else(suggested);
    let layer = match format {
        LogFormat::Journald => tracing_journald::layer()
            .context("the journal is not there; give --log-format text")?
            .with_field_prefix(None)
            .with_syslog_identifier(name.to_owned())
            .boxed(),
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
            .with_target(false)
            .fmt_fields(debug_fn(show_field))
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

/// Shows a field to people: `MESSAGE_ID` is for programs, and whose the fields are is clear.
fn show_field(
    out: &mut Writer<'_>,
    field: &Field,
    value: &dyn std::fmt::Debug,
) -> std::fmt::Result {
    match field.name() {
        "message" => write!(out, "{value:?}"),
        "message_id" => Ok(()),
        name => write!(
            out,
            " {}={value:?}",
            name.strip_prefix("prefect.").unwrap_or(name)
        ),
    }
}

/// Changes what is logged.
pub fn set_level(level: &str) -> anyhow::Result<()> {
    let filter = filter(level)?;
    match FILTER.get() {
        Some(handle) => Ok(handle.reload(filter)?),
        None => Ok(()),
    }
}

/// The journal when standard error is the very stream that systemd connected to it.
fn suggested() -> LogFormat {
    match is_journal() {
        Some(true) => LogFormat::Journald,
        _ => LogFormat::Text,
    }
}

/// `JOURNAL_STREAM` names the stream's device and inode; a child that was given another
/// standard error inherits the variable all the same.
fn is_journal() -> Option<bool> {
    let stream = std::env::var("JOURNAL_STREAM").ok()?;
    let (device, inode) = stream.split_once(':')?;
    let ours = std::fs::metadata("/proc/self/fd/2").ok()?;
    Some(device.parse() == Ok(ours.dev()) && inode.parse() == Ok(ours.ino()))
}

/// The wanted filter; what the migrations say of themselves is no news.
fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(format!("refinery_core=warn,{level}"))
        .with_context(|| format!("{level:?} is no filter"))
}
