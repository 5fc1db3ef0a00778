//! `server.hosts` and `server.cors_origins`: by which names, and from which pages, the API is
//! used.

use super::ConfigError;

/// Checks names, and answers them in lower case.
pub(super) fn hosts(given: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let checked = given.into_iter().map(|host| {
        let name = host.strip_prefix("*.").unwrap_or(&host);
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if is_name {
            Ok(host.to_ascii_lowercase())
        } else {
            Err(ConfigError(format!(
                "server.hosts: {host:?} should be a name without scheme and port, such as \
                 flows.example.com, or *.example.com for all below one"
            )))
        }
    });
    checked.collect()
}

/// Checks origins.
pub(super) fn origins(given: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let checked = given.into_iter().map(|origin| {
        let place = ["http://", "https://"];
        let place = place.iter().find_map(|scheme| origin.strip_prefix(scheme));
        let is_origin = place.is_some_and(|place| {
            !place.is_empty() && !place.contains(|c: char| "/?#@*".contains(c) || c.is_whitespace())
        });
        if is_origin {
            Ok(origin.to_ascii_lowercase())
        } else {
            Err(ConfigError(format!(
                "server.cors_origins: {origin:?} should be an origin, such as \
                 https://ui.example.com:8080, with nothing after it"
            )))
        }
    });
    checked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_origins_are_checked() {
        for (host, is_right) in [
            ("Flows.example.com", true),
            ("*.example.com", true),
            ("*", false),
            ("", false),
            ("http://a", false),
            ("a:80", false),
        ] {
            assert_eq!(hosts(vec![host.to_owned()]).is_ok(), is_right, "{host}");
        }
        for (origin, is_right) in [
            ("https://ui.example.com", true),
            ("http://localhost:3000", true),
            ("*", false),
            ("null", false),
            ("https://ui.example.com/", false),
            ("https://*.example.com", false),
            ("ui.example.com", false),
        ] {
            assert_eq!(
                origins(vec![origin.to_owned()]).is_ok(),
                is_right,
                "{origin}"
            );
        }
    }
}
