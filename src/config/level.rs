//! What to log: a level, or a filter.

/// The levels, and the word for nothing at all.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Accepts `error`, `warn`, `info`, `debug`, `trace`, `off`, in any case, or a filter: parts
/// separated by commas, each a level or `module=level`. A bare word that is no level would
/// silence everything else, so it is refused.
pub fn level(text: &str) -> Result<String, String> {
    let is_level = |word: &str| LEVELS.contains(&word.to_ascii_lowercase().as_str());
    let is_part = |part: &str| match part.rsplit_once('=') {
        Some((module, word)) => !module.trim().is_empty() && is_level(word.trim()),
        None => is_level(part),
    };
    if text.split(',').map(str::trim).all(is_part) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{text:?} is no level (error, warn, info, debug, trace, off) and no filter such as \
             info,prefectd::services=debug"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_levels_and_filters_are_filters() {
        for good in [
            "info",
            "WARN",
            "off",
            "prefectd=debug",
            "info,prefectd::api=trace",
            "warn, prefectd[span]=debug",
        ] {
            assert!(level(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "inof",
            "prefectd",
            "info,",
            "prefectd=inof",
            "=info",
            "info;debug",
            "debug trace",
        ] {
            assert!(level(bad).is_err(), "{bad}");
        }
    }
}
