use super::*;
use axum::body::Body;

fn browsers(needs_key: bool) -> Browsers {
    let sites = Sites {
        hosts: vec!["flows.example.com".to_owned(), "*.corp.example".to_owned()],
        origins: vec!["https://ui.example.com".to_owned()],
    };
    Browsers::new(sites, needs_key)
}

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

#[test]
fn a_name_that_an_outsider_could_own_is_refused_while_no_key_is_set() {
    for (host, is_ours) in [
        ("127.0.0.1:4200", true),
        ("10.1.2.3", true),
        ("[::1]:4200", true),
        ("localhost:4200", true),
        ("flows-01", true),
        ("a_b:1", true),
        ("host.docker.internal:4200", true),
        ("x.local", true),
        ("a.lan.", true),
        ("b.home.arpa", true),
        ("flows.example.com", true),
        ("FLOWS.Example.com:80", true),
        ("a.corp.example", true),
        ("", true),
        ("corp.example", false),
        ("evilcorp.example", false),
        ("evil.example", false),
        ("evil.example:4200", false),
        ("evil.example.", false),
        ("evillocal.com", false),
        (".internal", false),
        ("127.0.0.1.evil.example", false),
        ("evil.example:80:127.0.0.1", false),
        ("localhost.evil.example", false),
        ("a.lan.evil.example", false),
    ] {
        let asked = request("GET", "/api/v3/flows/x", &[("host", host)]);
        let found = browsers(false).0.judge(&asked);
        assert_eq!(found.is_ok(), is_ours, "{host}: {found:?}");
        assert!(browsers(true).0.judge(&asked).is_ok(), "{host}");
    }
    let twice = [("host", "localhost"), ("host", "evil.example")];
    assert!(
        browsers(false)
            .0
            .judge(&request("GET", "/", &twice))
            .is_err()
    );
    let absolute = request(
        "GET",
        "http://evil.example/api/v3/flows/x",
        &[("host", "localhost")],
    );
    assert!(browsers(false).0.judge(&absolute).is_err());
    assert!(browsers(false).0.judge(&request("GET", "/", &[])).is_ok());
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let host = ("host", "localhost:4200");
    for (headers, may) in [
        (vec![host], true),
        (vec![host, ("origin", "http://localhost:4200")], true),
        (vec![("host", "h"), ("origin", "https://h:443")], true),
        (
            vec![
                host,
                ("origin", "https://ui.example.com"),
                ("sec-fetch-site", "cross-site"),
            ],
            true,
        ),
        (vec![host, ("sec-fetch-site", "same-origin")], true),
        (vec![host, ("sec-fetch-site", "none")], true),
        (vec![host, ("origin", "http://localhost:4201")], false),
        (vec![host, ("origin", "http://evil.example")], false),
        (vec![host, ("origin", "null")], false),
        (vec![host, ("origin", "")], false),
        (
            vec![
                host,
                ("origin", "http://evil.example"),
                ("sec-fetch-site", "same-origin"),
            ],
            false,
        ),
        (vec![host, ("sec-fetch-site", "cross-site")], false),
        (vec![host, ("sec-fetch-site", "same-site")], false),
    ] {
        for key in [true, false] {
            for (method, may) in [
                ("POST", may),
                ("DELETE", may),
                ("PATCH", may),
                ("GET", true),
            ] {
                let asked = request(method, "/api/orion/flows/", &headers);
                let found = browsers(key).0.judge(&asked);
                assert_eq!(found.is_ok(), may, "{method} {headers:?}: {found:?}");
            }
        }
    }
}

#[test]
fn a_body_is_json_or_says_nothing() {
    for (kind, is_json) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/merge-patch+json", true),
        ("text/plain", false),
        ("text/plain; application/json", false),
        ("application/x-www-form-urlencoded", false),
        ("multipart/form-data; boundary=x", false),
        ("application/+json", false),
        ("", false),
    ] {
        let asked = request("POST", "/api/v3/flows/", &[("content-type", kind)]);
        assert_eq!(browsers(true).0.judge(&asked).is_ok(), is_json, "{kind}");
    }
    let twice = [
        ("content-type", "application/json"),
        ("content-type", "text/plain"),
    ];
    assert!(
        browsers(true)
            .0
            .judge(&request("POST", "/api/v3/flows/", &twice))
            .is_err()
    );
}
