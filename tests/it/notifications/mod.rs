//! What automations send elsewhere: to people by way of their services, and to webhooks.

mod failing;
mod postbox;
mod receiver;

use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{Http, Options, TestDaemon, wait_for};
use postbox::Postbox;
use receiver::Receiver;

const EXECUTED: &str = "prefect.automation.action.executed";
const FAILED: &str = "prefect.automation.action.failed";

/// A block of a type, with values; answers the id of its document.
fn block(http: &Http, slug: &str, data: &Value) -> String {
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    let known = http.get(&format!("/v3/block_types/slug/{slug}"));
    let kind = match known.status {
        200 => id(&known.body),
        _ => {
            let new = json!({ "name": slug, "slug": slug });
            id(&http.post("/v3/block_types/", &new).expect(201))
        }
    };
    let abilities: &[&str] = if slug == "webhook" { &[] } else { &["notify"] };
    let fields = json!({ "title": slug, "type": "object", "block_type_slug": slug,
        "properties": {}, "secret_fields": ["url", "token"], "block_schema_references": {} });
    let schema = json!({ "fields": fields, "block_type_id": kind, "capabilities": abilities });
    let schema = http.post("/v3/block_schemas/", &schema).body;
    let new = json!({ "name": format!("b{}", Uuid::new_v4().simple()), "data": data,
        "block_type_id": kind, "block_schema_id": schema["id"] });
    id(&http.post("/v3/block_documents/", &new).expect(201))
}

/// An automation that does that once an event of a name has come; answers its id.
fn on(http: &Http, name: &str, action: &Value) -> String {
    let trigger = json!({ "type": "event", "posture": "Reactive", "expect": [name] });
    let body = json!({ "name": "n", "trigger": trigger, "actions": [action] });
    let made = http.post("/v3/automations/", &body).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

fn notification(block: &str) -> Value {
    json!({ "type": "send-notification", "block_document_id": block,
        "subject": "{{ event.event }} of {{ event.resource.id }}",
        "body": "It says {{ event.payload.said }}." })
}

fn tell(http: &Http, name: &str) {
    let event = json!({
        "id": Uuid::now_v7(), "occurred": chrono::Utc::now(), "event": name,
        "resource": { "prefect.resource.id": "somebody" }, "related": [],
        "payload": { "said": "<this>" },
    });
    http.post("/v3/events", &json!([event])).expect(204);
}

/// How an automation's action ended.
fn ended(http: &Http, automation: &str) -> Value {
    let filter = json!({ "filter": {
        "resource": { "id": [format!("prefect.automation.{automation}")] },
        "event": { "name": [EXECUTED, FAILED] },
    } });
    wait_for("the action to end", || {
        let page = http.post("/v3/events/filter", &filter).expect(200);
        page["events"].get(0).cloned()
    })
}

/// Has a notification be sent by a block, and answers how that ended.
fn notified(http: &Http, slug: &str, data: &Value) -> Value {
    let block = block(http, slug, data);
    let name = format!("e{}", Uuid::new_v4().simple());
    let id = on(http, &name, &notification(&block));
    tell(http, &name);
    ended(http, &id)
}

#[test]
fn a_custom_webhook_is_called_with_subject_body_and_secrets() {
    let (daemon, receiver) = (TestDaemon::without_agent(), Receiver::new());
    let http = daemon.http();
    let data = json!({
        "name": "hook", "url": format!("{}/to/{{{{ place }}}}", receiver.url()),
        "json_data": { "s": "{{subject}}", "b": "{{body}}", "n": "{{name}}" },
        "headers": { "X-Key": "{{ key }}" }, "params": { "q": "a b" },
        "secrets": { "key": "k1", "place": "there" },
    });
    let block = block(&http, "custom-webhook", &data);
    let id = on(&http, "go", &notification(&block));
    tell(&http, "go");
    let ended = ended(&http, &id);
    assert_eq!(ended["event"], EXECUTED, "{ended}");
    let came = receiver.after(1);
    let [request] = &came[..] else {
        panic!("{came:?}")
    };
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/to/there?q=a+b")
    );
    assert_eq!(request.header("x-key"), "k1");
    assert_eq!(request.header("user-agent"), "Prefect Notifications");
    assert_eq!(
        request.header("idempotency-key"),
        ended["payload"]["invocation"]
    );
    let expected = json!({ "s": "go of somebody", "b": "It says <this>.", "n": "hook" });
    assert_eq!(request.json(), expected);
    let related = ended["related"].as_array().unwrap();
    assert_eq!(
        related[0]["prefect.resource.id"],
        format!("prefect.block-document.{block}")
    );
    assert_eq!(related[0]["prefect.resource.role"], "block");
    assert_eq!(
        related[1]["prefect.resource.id"],
        "prefect.block-type.custom-webhook"
    );
    let loaded =
        json!({ "filter": { "event": { "name": ["prefect.block.custom-webhook.loaded"] } } });
    assert_eq!(
        http.post("/v3/events/filter", &loaded).expect(200)["total"],
        1
    );
}

#[test]
fn a_webhook_is_told_with_what_it_answered() {
    let (daemon, receiver) = (TestDaemon::without_agent(), Receiver::new());
    let http = daemon.http();
    receiver.answer(&["418 Teapot"]);
    let data = json!({ "url": receiver.url(), "method": "PUT", "headers": { "X-A": "b" } });
    let block = block(&http, "webhook", &data);
    let action = json!({ "type": "call-webhook", "block_document_id": block,
        "payload": { "message": "{{ event.payload.said }}" } });
    let id = on(&http, "go", &action);
    tell(&http, "go");
    let ended = ended(&http, &id);
    let came = receiver.after(1);
    assert_eq!(
        (came[0].method.as_str(), came[0].header("x-a")),
        ("PUT", "b")
    );
    assert_eq!(came[0].json(), json!({ "message": "<this>" }));
    // As on the reference: an answer is an answer.
    assert_eq!(ended["event"], EXECUTED, "{ended}");
    let payload = &ended["payload"];
    assert_eq!(payload["status_code"], 418);
    assert_eq!(payload["response_body"], "{\"ok\": true}");
    assert_eq!(payload["response_headers"]["x-said"], "so");
    assert_eq!(payload["response_headers"]["via"], Value::Null);
}

#[test]
fn services_are_reached_under_tls_and_by_the_proxy() {
    let names = [
        "hooks.slack.com",
        "discord.com",
        "prod-1.westeurope.logic.azure.com",
        "events.pagerduty.com",
        "api.opsgenie.com",
        "api.twilio.com",
        "api.sendgrid.com",
    ];
    let (receiver, certificate) = Receiver::of_names(&names);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, certificate).unwrap();
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: vec![
            ("HTTPS_PROXY", receiver.url()),
            ("SSL_CERT_FILE", file.display().to_string()),
        ],
        ..Options::default()
    });
    let http = daemon.http();
    let teams = format!(
        "https://{}/workflows/abc/triggers/manual/paths/invoke?api-version=2016-06-01&sig=s",
        names[2]
    );
    let cases = [
        (
            "slack-webhook",
            json!({ "url": "https://hooks.slack.com/services/T1/B1/C1" }),
            "/services/T1/B1/C1",
        ),
        (
            "discord-webhook",
            json!({ "webhook_id": "1", "webhook_token": "t" }),
            "/api/webhooks/1/t",
        ),
        (
            "ms-teams-webhook",
            json!({ "url": teams }),
            "/workflows/abc/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=s",
        ),
        (
            "pager-duty-webhook",
            json!({ "integration_key": "i", "api_key": "a" }),
            "/v2/enqueue",
        ),
        ("opsgenie-webhook", json!({ "apikey": "k" }), "/v2/alerts"),
        (
            "twilio-sms",
            json!({ "account_sid": "AC1", "auth_token": "t", "from_phone_number": "18001234567", "to_phone_numbers": ["18004242424"] }),
            "/2010-04-01/Accounts/AC1/Messages.json",
        ),
        (
            "sendgrid-email",
            json!({ "api_key": "k", "sender_email": "a@b.org", "to_emails": ["c@d.org"] }),
            "/v3/mail/send",
        ),
    ];
    for (count, (slug, data, target)) in cases.into_iter().enumerate() {
        let ended = notified(&http, slug, &data);
        assert_eq!(ended["event"], EXECUTED, "{slug}: {ended}");
        let came = receiver.after(count + 1);
        assert_eq!(came[count].target, target);
        assert!(came[count].body.contains("this"), "{:?}", came[count]);
    }
    // A name that nobody vouches for is not spoken to.
    let data = json!({ "url": "https://elsewhere.example/x", "name": "n" });
    let block = block(&http, "custom-webhook", &data);
    on(&http, "unknown", &notification(&block));
    tell(&http, "unknown");
    wait_for("a refusal", || {
        daemon.log().contains("will be tried again").then_some(())
    });
    assert_eq!(receiver.came().len(), 7);
}

#[test]
fn mattermost_is_told_channel_by_channel_and_each_message_arrives_once() {
    let (daemon, receiver) = (TestDaemon::without_agent(), Receiver::new());
    let http = daemon.http();
    // The second is tried again; the first is not.
    receiver.answer(&["200 OK", "503 Busy"]);
    let data = json!({ "hostname": "127.0.0.1", "port": receiver.port(), "token": "t",
        "channels": ["one", "two"] });
    let ended = notified(&http, "mattermost-webhook", &data);
    assert_eq!(ended["event"], EXECUTED, "{ended}");
    let came = receiver.came();
    let channels: Vec<_> = { came.iter() }
        .map(|one| one.json()["channel"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(channels, ["one", "two", "two"]);
    let keys: Vec<_> = came
        .iter()
        .map(|one| one.header("idempotency-key"))
        .collect();
    assert!(keys[1] == keys[2] && keys[0] != keys[1], "{keys:?}");
}

#[test]
fn mail_is_sent_to_everyone() {
    let (daemon, postbox) = (TestDaemon::without_agent(), Postbox::new("nobody"));
    let http = daemon.http();
    let url = format!(
        "mailto://me:s%40cret@127.0.0.1:{}/a@b.org?to=c@d.org&from=Robot<me@example.com>&cc=x@y.org&reply=r@y.org",
        postbox.port()
    );
    let ended = notified(&http, "slack-webhook", &json!({ "url": url }));
    assert_eq!(ended["event"], EXECUTED, "{ended}");
    let came = postbox.after(2);
    for (letter, to) in came.iter().zip(["<a@b.org>", "<c@d.org>"]) {
        assert!(letter.from.contains("<me@example.com>"), "{letter:?}");
        assert!(
            letter.to[0].contains(to) && letter.to[1].contains("<x@y.org>"),
            "{letter:?}"
        );
        assert!(letter.login.contains("PLAIN "), "{letter:?}");
        for part in [
            "From: Robot <me@example.com>",
            "Reply-To: r@y.org",
            "text/plain",
            "text/html",
            " of somebody",
        ] {
            assert!(letter.text.contains(part), "{part}: {}", letter.text);
        }
    }
    let url = format!(
        "mailto://127.0.0.1:{}/nobody@b.org/c@d.org?from=me@example.com",
        postbox.port()
    );
    let ended = notified(&http, "slack-webhook", &json!({ "url": url }));
    assert_eq!(ended["event"], FAILED, "{ended}");
    let log = ended["payload"]["notification_log"].as_str().unwrap();
    assert!(
        log.contains("1 of 2") && log.contains("nobody here"),
        "{log}"
    );
    // The others get it.
    assert!(postbox.after(3)[2].to[0].contains("<c@d.org>"));
}
