//! Events by websocket and by HTTP.

mod durable;
mod lifecycle;
mod many;
mod out;
mod runs;

use serde_json::{Value, json};
use tungstenite::Error;
use uuid::Uuid;

use super::support::socket::Socket;
use super::support::{KEY, KeyFile, Options, TestDaemon};

/// An event that has happened just now.
fn event(name: &str, resource: &str) -> Value {
    json!({
        "id": Uuid::now_v7(),
        "occurred": chrono::Utc::now(),
        "event": name,
        "resource": { "prefect.resource.id": resource },
        "related": [{ "prefect.resource.id": "prefect.flow.f", "prefect.resource.role": "flow" }],
        "payload": { "a": 1.5 },
        "follows": null,
    })
}

fn found(daemon: &TestDaemon, filter: &Value) -> Value {
    let body = json!({ "filter": filter });
    daemon.http().post("/v3/events/filter", &body).expect(200)
}

#[test]
fn a_broken_event_closes_its_own_connection_and_nothing_else_is_lost() {
    let daemon = TestDaemon::without_agent();
    let mut other = Socket::greeted(&daemon, "/events/in", None);
    let big = json!({ "payload": { "x": "x".repeat(1_500_001) } }).to_string();
    let mut long = event("n", "r");
    long["event"] = json!("n".repeat(1025));
    for (nth, (broken, code, words)) in [
        ("{".to_owned(), 1007, "Invalid event"),
        ("[]".to_owned(), 1007, "Invalid event"),
        (json!({ "event": "x" }).to_string(), 1007, "occurred"),
        (long.to_string(), 1007, "at most 1024 characters"),
        (big, 1009, "at most 1500000 bytes"),
    ]
    .into_iter()
    .enumerate()
    {
        let (before, after) = (
            event("before", &format!("b{nth}")),
            event("after", &format!("a{nth}")),
        );
        let mut socket = Socket::greeted(&daemon, "/events/in", None);
        socket.say(&before);
        socket.say_text(broken.clone());
        let (told, reason) = socket.closing();
        assert_eq!(told, code, "{reason}");
        assert!(reason.contains(words), "{reason}");
        // As a client does that has had no answer to a ping.
        let mut socket = Socket::greeted(&daemon, "/events/in", None);
        socket.say(&before);
        socket.say_text(broken);
        socket.say(&after);
        socket.checkpoint();
        socket.close();
        for resource in [format!("b{nth}"), format!("a{nth}")] {
            let page = found(&daemon, &json!({ "resource": { "id": [resource] } }));
            assert_eq!(page["total"], 1, "{page}");
        }
    }
    other.say(&event("still", "here"));
    other.checkpoint();
}

#[test]
fn members_of_an_event_that_are_not_known_are_passed_over_and_listed() {
    let daemon = TestDaemon::without_agent();
    let mut socket = Socket::greeted(&daemon, "/events/in", None);
    let mut strange = event("strange", "r");
    strange["shade"] = json!({ "of": "grey" });
    strange["payload"]["whatever"] = json!(1);
    socket.say(&strange);
    socket.say(&event("plain", "r"));
    socket.checkpoint();
    let page = found(&daemon, &json!({ "event": { "name": ["strange"] } }));
    assert_eq!(page["events"][0]["payload"], strange["payload"]);
    assert_eq!(page["events"][0]["shade"], Value::Null);
    let listed = daemon.http().get("/v3/prefectd/compat").expect(200);
    let listed = listed.as_array().unwrap();
    let [seen] = &listed[..] else {
        panic!("one field: {listed:?}");
    };
    let told = ["operation", "field", "count"].map(|name| &seen[name]);
    assert_eq!(told, [&json!("GET /events/in"), &json!("shade"), &json!(1)]);
}

#[test]
fn pages_lead_from_one_to_the_next() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let events: Vec<_> = (0..7).map(|n| event(&format!("e{n}"), "r")).collect();
    http.post("/v3/events", &json!(events)).expect(204);
    // Again: they are known.
    http.post("/v3/events", &json!(events)).expect(204);
    for (order, wanted) in [
        ("ASC", [0, 1, 2, 3, 4, 5, 6]),
        ("DESC", [6, 5, 4, 3, 2, 1, 0]),
    ] {
        let body = json!({ "filter": { "order": order }, "limit": 3 });
        let mut page = http.post("/v3/events/filter", &body).expect(200);
        // What comes while the pages are turned is on none of them.
        http.post("/v3/events", &json!([event("late", "r")]))
            .expect(204);
        let mut names = Vec::new();
        loop {
            assert!(page["total"].as_u64().unwrap() >= 7);
            let events = page["events"].as_array().unwrap();
            names.extend(events.iter().map(|event| event["event"].clone()));
            let Some(next) = page["next_page"].as_str() else {
                break;
            };
            let (_, path) = next.split_once("/api").unwrap();
            page = http.get(&format!("/v3{path}")).expect(200);
        }
        names.retain(|name| *name != "late");
        let wanted: Vec<_> = wanted.iter().map(|n| json!(format!("e{n}"))).collect();
        assert_eq!(names, wanted);
    }
    http.get("/v3/events/filter/next?page-token=x").expect(403);
    http.get("/v3/events/filter/next").expect(422);
    http.post("/v3/events/filter", &json!({ "limit": 51 }))
        .expect(422);
    let kept = &found(&daemon, &json!({ "event": { "name": ["e3"] } }))["events"][0];
    for key in ["id", "event", "resource", "related", "follows"] {
        assert_eq!(kept[key], events[3][key], "{key}");
    }
    assert_eq!(kept["payload"].to_string(), r#"{"a":1.5}"#);
    assert!(kept["received"].is_string());
}

#[test]
fn refusals_by_http_name_the_event() {
    let daemon = TestDaemon::without_agent();
    let mut nameless = event("n", "r");
    nameless["resource"] = json!({ "x": "y" });
    let answer = daemon
        .http()
        .post("/v3/events", &json!([event("n", "r"), nameless]));
    assert_eq!(answer.status, 422);
    let told = &answer.body["exception_detail"][0];
    assert_eq!(told["loc"], json!(["body", 1, "resource"]), "{told}");
    let words = told["msg"].as_str().unwrap();
    assert!(words.contains("prefect.resource.id"), "{told}");
    assert_eq!(found(&daemon, &json!({}))["total"], 0);
}

#[test]
fn a_key_is_told_in_the_first_message() {
    let key = KeyFile::new();
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: key.env(),
        ..Options::default()
    });
    let prefect = ("sec-websocket-protocol", "prefect");
    for path in ["/events/in", "/events/out", "/logs/out"] {
        Socket::greeted(&daemon, path, Some(KEY));
        let bearer = format!("Bearer {KEY}");
        let known = [prefect, ("authorization", bearer.as_str())];
        let mut socket = Socket::open(&daemon, path, &known).unwrap();
        socket.say(&json!({ "type": "auth", "token": null }));
        assert_eq!(socket.hear()["type"], "auth_success");
        for (said, words) in [
            (
                json!({ "type": "auth", "token": null }),
                "Auth required but no token provided",
            ),
            (json!({ "type": "auth", "token": "wrong" }), "Invalid token"),
            (
                json!({ "type": "filter", "filter": {} }),
                "Expected 'auth' message",
            ),
        ] {
            let mut socket = Socket::open(&daemon, path, &[prefect]).unwrap();
            socket.say(&said);
            assert_eq!(socket.closing(), (1008, words.to_owned()));
        }
        // Who cannot say it is not let in at all.
        refused(Socket::open(&daemon, path, &[]), 401);
    }
}

#[track_caller]
fn refused(opened: Result<Socket, Box<Error>>, status: u16) {
    match opened.map(|_| ()).unwrap_err().as_ref() {
        Error::Http(response) => assert_eq!(response.status(), status),
        other => panic!("{other}"),
    }
}

#[test]
fn pages_of_other_sites_open_no_socket() {
    let daemon = TestDaemon::without_agent();
    let evil = [("origin", "http://evil.example")];
    for path in ["/events/in", "/events/out", "/logs/out"] {
        refused(Socket::open(&daemon, path, &evil), 403);
        refused(
            Socket::open(&daemon, path, &[("host", "evil.example")]),
            421,
        );
        let own = format!("http://127.0.0.1:{}", daemon.port());
        assert!(Socket::open(&daemon, path, &[("origin", &own)]).is_ok());
        // Without the subprotocol there is no handshake.
        assert!(Socket::open(&daemon, path, &[]).is_ok());
    }
    daemon.http().get("/v3/events/in").expect(426);
}
