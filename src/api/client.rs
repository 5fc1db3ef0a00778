//! What a client says that it is.

use axum::http::{HeaderMap, HeaderName, header};

/// Where modern clients name the version of the API that they speak. Each request is asked for it a few
/// times, so its name is not read each time.
pub static API_VERSION: HeaderName = HeaderName::from_static("x-prefect-api-version");

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

/// Three numbers.
pub type Version = [u32; 3];

/// Since this API clients know of pauses, and come again after a 503.
pub const PAUSES: Version = [0, 8, 4];

/// A client of Prefect 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    api: Version,
}

impl Earlier {
    /// Whether it knows of paused runs, and of such that are being cancelled.
    pub fn knows_pauses(self) -> bool {
        self.api >= PAUSES
    }

    /// Whether it comes again after a 503.
    pub fn waits_at_503(self) -> bool {
        self.api >= PAUSES
    }
}

/// The client of Prefect 2 that the sender is, if it is one: those of 2.20 name themselves, and
/// those before say their version of the API under the bare name of their HTTP library.
pub fn earlier(headers: &HeaderMap) -> Option<Earlier> {
    let agent = headers.get(header::USER_AGENT)?.as_bytes();
    let api = api_version(headers)?;
    let is_it = agent.starts_with(b"prefect/2.") || agent.starts_with(b"python-httpx/");
    is_it.then_some(Earlier { api })
}

/// The version of the API that the sender says it speaks, where it is one.
pub fn api_version(headers: &HeaderMap) -> Option<Version> {
    version(headers.get(&API_VERSION)?.to_str().ok()?)
}

/// The version at the beginning of a text, such as `3.9.1 (API 0.8.4)` or `3.0.0rc20`.
pub fn version(text: &str) -> Option<Version> {
    let end = text.find(' ').unwrap_or(text.len());
    let mut parts = text.get(..end)?.split('.').map(leading_number);
    let [major, minor] = [parts.next()??, parts.next()??];
    Some([major, minor, parts.next().flatten().unwrap_or_default()])
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// Whether the sender is a Prefect client of any version: it names itself so, or says which
/// version of the API it speaks.
pub fn is_prefect(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT);
    headers.contains_key(&API_VERSION)
        || agent.is_some_and(|agent| agent.as_bytes().starts_with(b"prefect/"))
}

/// Whether the sender is a Prefect client of the generation that this daemon answers field by field.
pub fn is_of_today(headers: &HeaderMap) -> bool {
    prefect_version(headers).is_some_and(|version| version.starts_with("3."))
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
            assert_eq!(is_of_today(&agent(text)), text.starts_with("prefect/3."));
        }
        let long = "prefect/3.1111111111111111111111111111111111111111";
        assert_eq!(prefect_version(&agent(long)), None);
        let version = HeaderMap::from_iter([(API_VERSION.clone(), "0.8.4".parse().unwrap())]);
        assert!(is_prefect(&version) && !is_prefect(&HeaderMap::new()));
    }

    #[test]
    fn clients_of_prefect_2_are_told_apart() {
        let known = |name: &'static str, api: Option<&'static str>| {
            let mut headers = agent(name);
            if let Some(api) = api {
                headers.insert(&API_VERSION, api.parse().unwrap());
            }
            earlier(&headers).map(Earlier::knows_pauses)
        };
        for (name, api, expected) in [
            ("python-httpx/0.23.3", Some("0.8.0"), Some(false)),
            ("python-httpx/0.25.2", Some("0.8.4"), Some(true)),
            ("prefect/2.20.26 (API 0.8.4)", Some("0.8.4"), Some(true)),
            ("python-httpx/0.22.0", None, None),
            ("python-httpx/0.22.0", Some("x"), None),
            ("prefect/3.0.11 (API 0.8.4)", Some("0.8.4"), None),
            ("prefect/20.1.0 (API 0.8.4)", Some("0.8.4"), None),
            ("curl/8", Some("0.8.4"), None),
        ] {
            assert_eq!(known(name, api), expected, "{name} {api:?}");
        }
        assert_eq!(earlier(&HeaderMap::new()), None);
    }
}
