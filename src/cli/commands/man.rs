//! The man pages, made from what the commands and the settings say of themselves.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::cli::args::Args;
use crate::cli::failure::{Failure, Result};
use crate::config::{self, Flags, environment};

/// Where things are, for both programs.
const FILES: &[(&str, &str)] = &[
    (
        "/etc/prefectd/prefectd.toml",
        "Settings; see prefectd.toml(5).",
    ),
    (
        "/etc/prefectd/prefectd.toml.d/*.toml",
        "Drop-ins, laid over them by name.",
    ),
    (
        "/run/prefectd/prefectd.sock",
        "The socket of the system's daemon, for root and the group prefect; a user's own daemon has it in $XDG_RUNTIME_DIR/prefectd.",
    ),
    (
        "/var/lib/prefectd",
        "The state directory: prefectd.db (SQLite), blobs/ (documents), prefectd.lock. A user's own is $XDG_STATE_HOME/prefectd.",
    ),
    ("/var/backups/prefectd", "The nightly backups."),
];

const DAEMON_STATUS: &[(&str, &str)] = &[
    ("0", "Stopped cleanly, or the settings are in order."),
    ("1", "It could not start, or failed."),
    ("2", "Wrong usage or wrong settings."),
];

const CLIENT_STATUS: &[(&str, &str)] = &[
    ("0", "Done."),
    ("1", "Failed; the reason is one line on standard error."),
    ("2", "Wrong usage."),
];

/// Writes prefectd(8), prefectd.toml(5), prefectctl(1) and a page for each of its commands.
pub fn write(folder: &Path) -> Result<()> {
    let told = |error: std::io::Error| {
        let shown = folder.display();
        Failure::new(format!(
            "the man pages cannot be written to {shown}: {error}"
        ))
    };
    clap_mangen::generate_to(Args::command(), folder).map_err(told)?;
    for page in pages(&Args::command(), "prefectctl") {
        let path = folder.join(page);
        let text = fs::read_to_string(&path).map_err(told)?;
        fs::write(path, text + &environment_elsewhere()).map_err(told)?;
    }
    let client = [
        section("ENVIRONMENT", environment::CLIENT),
        section("FILES", FILES),
        section("EXIT STATUS", CLIENT_STATUS),
        see_also("prefectd(8), prefectd.toml(5)"),
    ];
    let page = rendered(Man::new(Args::command())).map_err(told)?;
    fs::write(folder.join("prefectctl.1"), page + &client.concat()).map_err(told)?;
    let daemon = [
        section("ENVIRONMENT", environment::DAEMON),
        section("FILES", FILES),
        section("EXIT STATUS", DAEMON_STATUS),
        see_also("prefectctl(1), prefectd.toml(5), journalctl(1)"),
    ];
    let page = rendered(Man::new(Flags::command()).section("8")).map_err(told)?;
    fs::write(folder.join("prefectd.8"), page + &daemon.concat()).map_err(told)?;
    fs::write(folder.join("prefectd.toml.5"), settings()).map_err(told)
}

/// The pages of the commands below one.
fn pages(command: &Command, name: &str) -> Vec<String> {
    let under = { command.get_subcommands() }.filter(|under| !under.is_hide_set());
    let pages = under.flat_map(|under| {
        let name = format!("{name}-{}", under.get_name());
        let mut pages = pages(under, &name);
        pages.push(format!("{name}.1"));
        pages
    });
    pages.collect()
}

/// Every command reads the same.
fn environment_elsewhere() -> String {
    let names = environment::CLIENT.iter().map(|(name, _)| *name);
    let names = names.collect::<Vec<_>>().join(", ");
    let words = escaped(&format!("{names}; prefectctl(1) says what they mean."));
    format!(".SH \"ENVIRONMENT\"\n{words}\n")
}

fn rendered(man: Man) -> std::io::Result<String> {
    let mut page = Vec::new();
    man.render(&mut page)?;
    String::from_utf8(page).map_err(std::io::Error::other)
}

/// The page about the configuration, every setting under its section.
fn settings() -> String {
    let mut page = format!(
        ".TH prefectd.toml 5 \"\" \"prefectd {}\"\n.SH NAME\nprefectd.toml \\- settings of \
         prefectd\n.SH DESCRIPTION\n",
        env!("CARGO_PKG_VERSION")
    );
    for words in [
        "prefectd reads /etc/prefectd/prefectd.toml, or what --config names, then the drop-ins \
         *.toml in the folder of that name with .d at its end, then the environment, then its \
         flags; what comes later wins. Agents started by prefectctl agent start read the sections \
         agent, docker and runners in the same way.",
        "`prefectd check-config` checks all of it, `prefectctl config show` tells what the running \
         daemon goes by and who said it, and `systemctl reload prefectd` has it read again.",
        "Sizes may be written as \"512m\" or \"2g\". Where a list is meant, one value will do.",
    ] {
        let _ = writeln!(page, ".PP\n{}", escaped(words));
    }
    let mut section = String::new();
    for known in config::known() {
        let (of, name) = known.key.rsplit_once('.').unwrap_or(("", &known.key));
        if of != section {
            of.clone_into(&mut section);
            let _ = writeln!(page, ".SH \"[{}]\"", escaped(of));
        }
        let _ = writeln!(
            page,
            ".TP\n\\fB{}\\fR\n{}\n.br\nDefault: {}. For example {}. Variable: {}.",
            escaped(name),
            escaped(&without_default(&known.about)),
            escaped(&known.default),
            escaped(&format!("{name} = {}", known.example)),
            escaped(&known.variable())
        );
    }
    let files = FILES.get(..2).unwrap_or_default();
    page + &section_and_rest(files)
}

fn section_and_rest(files: &[(&str, &str)]) -> String {
    section("FILES", files) + &see_also("prefectd(8), prefectctl(1)")
}

fn without_default(about: &str) -> String {
    let words = about
        .split_once("Default: ")
        .map_or(about, |(words, _)| words);
    words.trim_end().to_owned()
}

fn section(title: &str, items: &[(&str, &str)]) -> String {
    let mut text = format!(".SH \"{title}\"\n");
    for (name, about) in items {
        // Writing to a string cannot fail.
        let _ = writeln!(text, ".TP\n\\fB{}\\fR\n{}", escaped(name), escaped(about));
    }
    text
}

fn see_also(pages: &str) -> String {
    format!(".SH \"SEE ALSO\"\n{}\n", escaped(pages))
}

/// As roff takes it literally.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}
