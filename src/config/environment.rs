//! The variables that the programs read, as `--help` and the man pages list them.

/// A variable's name, and what it says.
pub type Variable = (&'static str, &'static str);

/// What the daemon reads.
pub const DAEMON: &[Variable] = &[
    (
        "PREFECTD_<SECTION>__<KEY>",
        "A setting, such as PREFECTD_AGENT__SLOTS=8; lists with commas.",
    ),
    ("STATE_DIRECTORY", "The state directory."),
    ("XDG_STATE_HOME", "Where a user's own daemon has that."),
    ("RUNTIME_DIRECTORY", "Where the socket is."),
    ("XDG_RUNTIME_DIR", "Where a user's own daemon has that."),
    (
        "CREDENTIALS_DIRECTORY",
        "Where the credentials api-key, basic and block-key are.",
    ),
    DOCKER_HOST,
    DOCKER_TLS_VERIFY,
    DOCKER_CERT_PATH,
    DOCKER_CONFIG,
    HTTPS_PROXY,
    ALL_PROXY,
    NO_PROXY,
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        "Whom automations' messages trust, not the machine's choice.",
    ),
    NO_COLOR,
];

/// What `prefectctl` reads.
pub const CLIENT: &[Variable] = &[
    (
        "PREFECTD_SOCKET",
        "The daemon's Unix socket, where --socket and --api name no other.",
    ),
    (
        "PREFECT_API_URL",
        "The API's URL, where nothing of that names the daemon.",
    ),
    (
        "PREFECT_ORION_HOST",
        "The same, by the name that Prefect 2.0a7 knows.",
    ),
    (
        "PREFECT_API_KEY",
        "The API key for a URL, where --api-key-file names no other.",
    ),
    (
        "CREDENTIALS_DIRECTORY",
        "Where that is as the credential api-key.",
    ),
    (
        "VIRTUAL_ENV",
        "Whose Python `deployment create` and `deployment run` use.",
    ),
    ("TZ", "The zone in which times are read and shown."),
    (
        "PREFECTD_<SECTION>__<KEY>",
        "A setting of `agent start`, as for prefectd itself.",
    ),
    (
        "STATE_DIRECTORY",
        "The agent's state directory; for `restore` and `ui` the daemon's.",
    ),
    ("XDG_STATE_HOME", "Where a user's own have that."),
    (
        "RUNTIME_DIRECTORY",
        "Where the daemon's socket is looked for.",
    ),
    ("XDG_RUNTIME_DIR", "Where that of a user's own daemon is."),
    DOCKER_HOST,
    DOCKER_TLS_VERIFY,
    DOCKER_CERT_PATH,
    DOCKER_CONFIG,
    HTTPS_PROXY,
    ALL_PROXY,
    NO_PROXY,
    NO_COLOR,
];

const DOCKER_HOST: Variable = (
    "DOCKER_HOST",
    "The Docker engine, where it is not at /var/run/docker.sock.",
);
const DOCKER_TLS_VERIFY: Variable = (
    "DOCKER_TLS_VERIFY",
    "When set, an engine by tcp:// is spoken to by TLS.",
);
const DOCKER_CERT_PATH: Variable = (
    "DOCKER_CERT_PATH",
    "The folder of ca.pem, cert.pem and key.pem for that.",
);
const DOCKER_CONFIG: Variable = (
    "DOCKER_CONFIG",
    "The folder of config.json, with the logins of registries.",
);
const HTTPS_PROXY: Variable = (
    "HTTP_PROXY, HTTPS_PROXY",
    "Proxies for messages and for what is started, never for the API.",
);
const ALL_PROXY: Variable = ("ALL_PROXY", "The same, where neither of them is set.");
const NO_PROXY: Variable = ("NO_PROXY", "Hosts that are reached without them.");
const NO_COLOR: Variable = ("NO_COLOR", "When set, no line of the log is coloured.");

/// The end of a program's `--help`: its variables, a line each.
pub fn listed(variables: &[Variable]) -> String {
    let width = variables.iter().map(|(name, _)| name.len()).max();
    let width = width.unwrap_or_default();
    let lines = { variables.iter() }.map(|(name, about)| format!("\n  {name:width$}  {about}"));
    format!("Environment:{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use regex::Regex;

    use super::*;

    /// What is read and is no setting of anybody's: of the machine, of systemd between the
    /// daemon and its parts, and of tests.
    const NOT_FOR_PEOPLE: &[&str] = &[
        "HOME",
        "PATH",
        "JOURNAL_STREAM",
        "NOTIFY_SOCKET",
        "PREFECTD_FAULT",
    ];

    fn sources(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, text);
            } else if path.extension().is_some_and(|end| end == "rs") {
                text.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    #[test]
    fn every_variable_that_is_read_is_listed() {
        let mut text = String::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        sources(&root, &mut text);
        let read = Regex::new(r#"\b(?:var|var_os|variable)\(\s*"([A-Z_]+)""#).unwrap();
        let read: Vec<_> = read
            .captures_iter(&text)
            .map(|it| it[1].to_owned())
            .collect();
        assert!(read.len() > 10, "{read:?}");
        let listed = [DAEMON, CLIENT].concat();
        let listed: Vec<_> = { listed.iter() }
            .flat_map(|(names, _)| names.split(", "))
            .chain(NOT_FOR_PEOPLE.iter().copied())
            .collect();
        for name in read {
            assert!(listed.contains(&name.as_str()), "{name} is not listed");
        }
        for name in ["PREFECTD_SOCKET", "PREFECT_API_URL", "PREFECT_ORION_HOST"] {
            assert!(listed.contains(&name), "{name}");
        }
    }

    #[test]
    fn a_line_of_help_fits_a_usual_terminal() {
        for variables in [DAEMON, CLIENT] {
            let text = listed(variables);
            assert!(text.starts_with("Environment:\n  PREFECTD_"), "{text}");
            assert!(text.lines().all(|line| line.len() <= 100), "{text}");
        }
    }
}
