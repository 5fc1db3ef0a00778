//! What a client says that it is.

use axum::http::{HeaderMap, header};

/// Where modern clients name the version of the API that they speak.
pub const API_VERSION: &str = "x-prefect-api-version";

/// The most characters of a version that is repeated.
const LONGEST: usize = 40;

/// The Prefect version that the sender names, such as `3.9.1` of `prefect/3.9.1 (API 0.8.4)`.
/// What does not look like one is none.
pub fn prefect_version(headers: &HeaderMap) -> Option<&str> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    let named = agent.strip_prefix("prefect/")?.split(' ').next()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '_');
    let is_version = named.starts_with(|c: char| c.is_ascii_digit());
    (is_version && named.len() <= LONGEST && named.chars().all(is_plain)).then_some(named)
}

/// Whether the sender is a Prefect client of any version: it names itself so, or says which
/// version of the API it speaks.
pub fn is_prefect(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT);
    headers.contains_key(API_VERSION)
        || agent.is_some_and(|agent| agent.as_bytes().starts_with(b"prefect/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::USER_AGENT, text.parse().unwrap())])
    }

    #[test]
    fn versions_are_told_where_they_look_like_one() {
        let cases = [
            ("prefect/3.9.1 (API 0.8.4)", Some("3.9.1")),
            ("prefect/2.20.26 (API 0.8.4)", Some("2.20.26")),
            (
                "prefect/3.4.0.dev1+g12-dirty (API 0.8.4)",
                Some("3.4.0.dev1+g12-dirty"),
            ),
            ("prefect/", None),
            ("prefect/latest", None),
            ("prefect/3\"x", None),
            ("python-httpx/0.28.1", None),
        ];
        for (text, version) in cases {
            assert_eq!(prefect_version(&agent(text)), version, "{text}");
            assert_eq!(is_prefect(&agent(text)), text.starts_with("prefect/"));
        }
        let long = "prefect/3.1111111111111111111111111111111111111111";
        assert_eq!(prefect_version(&agent(long)), None);
        let version =
            HeaderMap::from_iter([(API_VERSION.parse().unwrap(), "0.8.4".parse().unwrap())]);
        assert!(is_prefect(&version) && !is_prefect(&HeaderMap::new()));
    }
}
