//! Proxies: what is started may be told of some in its environment, and the API is never behind
//! one of them. Pure.

use std::collections::BTreeMap;

/// The names of the variable that lists hosts to be reached without a proxy. Clients differ in
/// which of them they read.
const NAMES: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The variables to set so that `hosts` are reached directly, beside what `own`, the environment
/// that is laid over the inherited one, or else that one says. None when there are no hosts.
pub fn bypassed(
    own: &BTreeMap<String, String>,
    inherited: impl Fn(&str) -> Option<String>,
    hosts: &[String],
) -> BTreeMap<String, String> {
    if hosts.is_empty() {
        return BTreeMap::new();
    }
    let own_of = |name: &str| own.get(name).cloned();
    let any = |of: &dyn Fn(&str) -> Option<String>| NAMES.iter().find_map(|name| of(name));
    let set = NAMES.map(|name| {
        let known = own_of(name).or_else(|| any(&own_of));
        let known = known
            .or_else(|| inherited(name))
            .or_else(|| any(&inherited));
        (name.to_owned(), with(&known.unwrap_or_default(), hosts))
    });
    set.into()
}

/// Whether an environment names a proxy.
pub fn names_one<'a>(mut names: impl Iterator<Item = &'a str>) -> bool {
    names.any(|name| {
        let name = name.to_ascii_lowercase();
        matches!(name.as_str(), "http_proxy" | "https_proxy" | "all_proxy")
    })
}

/// A list with these hosts, each once.
fn with(known: &str, hosts: &[String]) -> String {
    let mut all: Vec<&str> = known
        .split(',')
        .map(str::trim)
        .filter(|host| !host.is_empty())
        .collect();
    if all.contains(&"*") {
        return known.to_owned();
    }
    for host in hosts {
        if !all.contains(&host.as_str()) {
            all.push(host);
        }
    }
    all.join(",")
}

/// The host of a URL, without its port and brackets; `None` where there is none.
pub fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_added_to_what_is_said_already_under_both_names() {
        let hosts = ["127.0.0.2".to_owned()];
        let none = |_: &str| None;
        let got = bypassed(&BTreeMap::new(), none, &hosts);
        assert_eq!(got["NO_PROXY"], "127.0.0.2");
        assert_eq!(got["no_proxy"], "127.0.0.2");
        let inherited = |name: &str| (name == "NO_PROXY").then(|| "corp, .lan".to_owned());
        assert_eq!(
            bypassed(&BTreeMap::new(), inherited, &hosts)["no_proxy"],
            "corp,.lan,127.0.0.2"
        );
        let own = BTreeMap::from([("no_proxy".to_owned(), "mine".to_owned())]);
        let got = bypassed(&own, inherited, &hosts);
        assert_eq!(
            (got["no_proxy"].as_str(), got["NO_PROXY"].as_str()),
            ("mine,127.0.0.2", "mine,127.0.0.2")
        );
        let all = BTreeMap::from([("NO_PROXY".to_owned(), "*".to_owned())]);
        assert_eq!(bypassed(&all, none, &hosts)["no_proxy"], "*");
        assert!(bypassed(&all, none, &[]).is_empty());
    }

    #[test]
    fn a_url_s_host_is_read() {
        for (url, host) in [
            ("http://127.0.0.2:4200/api/", Some("127.0.0.2")),
            ("http://host.docker.internal", Some("host.docker.internal")),
            ("https://user:word@[::1]:4200/api", Some("::1")),
            ("http:///api", None),
            ("nothing", None),
        ] {
            assert_eq!(host_of(url).as_deref(), host, "{url}");
        }
    }

    #[test]
    fn an_environment_with_a_proxy_is_known() {
        assert!(names_one(["A", "HTTP_PROXY"].into_iter()));
        assert!(names_one(["all_proxy"].into_iter()));
        assert!(!names_one(["NO_PROXY", "HTTP_PROXY_X"].into_iter()));
    }
}
