//! Listeners hear what they ask for.

use serde_json::json;

use super::super::support::TestDaemon;
use super::super::support::socket::Socket;
use super::event;

#[test]
fn the_past_comes_first_and_then_what_comes() {
    let daemon = TestDaemon::without_agent();
    let mut telling = Socket::greeted(&daemon, "/events/in", None);
    let mut tell = |name: &str, n: u64| telling.say(&event(name, &format!("r{n}")));
    (0..300).for_each(|n| tell("prefect.flow-run.Running", n));
    (0..300).for_each(|n| tell("other", n));
    let filter = json!({ "type": "filter", "filter": {
        "occurred": { "since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z" },
        "event": { "prefix": ["prefect.flow-run."], "exclude_prefix": null, "name": null,
                   "exclude_name": null },
        "resource": null, "related": null, "any_resource": null, "id": { "id": null },
        "text": null, "order": "DESC" } });
    let mut listening = Socket::greeted(&daemon, "/events/out", None);
    listening.say(&filter);
    let mut heard = Vec::new();
    for n in 300..600 {
        tell("prefect.flow-run.Running", n);
        tell("other", n);
    }
    while heard.len() < 600 {
        let message = listening.hear();
        assert_eq!(message["type"], "event");
        assert_eq!(message["event"]["event"], "prefect.flow-run.Running");
        assert!(message["event"]["received"].is_string());
        heard.push(message["event"]["resource"]["prefect.resource.id"].to_string());
    }
    let wanted: Vec<_> = (0..600).map(|n| format!("\"r{n}\"")).collect();
    assert_eq!(heard, wanted);
    tell("prefect.flow-run.Running", 600);
    let last = listening.hear();
    assert_eq!(last["event"]["resource"]["prefect.resource.id"], "r600");
}

#[test]
fn what_is_no_filter_is_refused_with_a_reason() {
    let daemon = TestDaemon::without_agent();
    for (said, words) in [
        (json!({ "type": "events" }), "Expected 'filter' message"),
        (
            json!({ "type": "filter", "filter": { "odd": 1 } }),
            "Invalid filter: ",
        ),
        (
            json!({ "type": "filter", "filter": { "id": { "id": ["x"] } } }),
            "filter.id.id",
        ),
        (json!([]), "Invalid filter"),
    ] {
        let mut socket = Socket::greeted(&daemon, "/events/out", None);
        socket.say(&said);
        let (code, reason) = socket.closing();
        assert_eq!(code, 1002, "{reason}");
        assert!(reason.contains(words), "{reason}");
    }
}
