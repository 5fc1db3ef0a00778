//! What cannot be sent: for good, for the moment, and as the daemon dies.

use super::*;

#[test]
fn what_fails_for_good_is_told_with_the_reason() {
    let (daemon, receiver) = (TestDaemon::without_agent(), Receiver::new());
    let http = daemon.http();
    receiver.answer(&["404 Gone"]);
    let hook = |more: Value| {
        let mut data = json!({ "name": "n", "url": receiver.url() });
        data.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        data
    };
    let secret = "https://hooks.slack.com.evil.example/services/T1/B1/zz-secret";
    for (slug, data, reason, log) in [
        (
            "custom-webhook",
            hook(json!({})),
            "Notification failed",
            "404",
        ),
        (
            "custom-webhook",
            hook(json!({ "allow_private_urls": false })),
            "Notification failed",
            "private address 127.0.0.1",
        ),
        (
            "custom-webhook",
            hook(json!({ "url": "http://localhost:1/", "allow_private_urls": false })),
            "Notification failed",
            "private address",
        ),
        (
            "custom-webhook",
            hook(json!({ "json_data": "{{nope}}" })),
            "invalid: json_data refers",
            "",
        ),
        (
            "custom-webhook",
            hook(json!({ "url": "ftp://127.0.0.1/" })),
            "Notification failed",
            "http and https",
        ),
        ("custom-webhook", json!({}), "invalid: name is missing", ""),
        (
            "slack-webhook",
            json!({ "url": secret }),
            "invalid: url is no address",
            "",
        ),
        (
            "pager-duty-webhook",
            json!({ "api_key": "a" }),
            "invalid: integration_key is missing",
            "",
        ),
        (
            "somebody-s-own",
            json!({}),
            "invalid: this server sends nothing by blocks",
            "",
        ),
    ] {
        let ended = notified(&http, slug, &data);
        let payload = &ended["payload"];
        assert_eq!(ended["event"], FAILED, "{ended}");
        assert!(
            payload["reason"].as_str().unwrap().contains(reason),
            "{ended}"
        );
        let said = payload["notification_log"].as_str().unwrap_or_default();
        assert!(said.contains(log), "{ended}");
        assert!(!ended.to_string().contains("zz-secret"), "{ended}");
    }
    assert_eq!(receiver.came().len(), 1);
    // A block that is none, and templates that come to nothing.
    let gone = on(&http, "gone", &notification(&Uuid::nil().to_string()));
    tell(&http, "gone");
    let ended_gone = ended(&http, &gone);
    assert!(
        ended_gone["payload"]["reason"]
            .as_str()
            .unwrap()
            .contains("404"),
        "{ended_gone}"
    );
    let block = block(&http, "custom-webhook", &hook(json!({})));
    let action = json!({ "type": "send-notification", "block_document_id": block,
        "body": "{{ 'x' | int }}" });
    let unmade = on(&http, "unmade", &action);
    tell(&http, "unmade");
    let ended_unmade = ended(&http, &unmade);
    let payload = &ended_unmade["payload"];
    assert_eq!(
        payload["template_source"], "{{ 'x' | int }}",
        "{ended_unmade}"
    );
    let action = json!({ "type": "call-webhook", "block_document_id": block });
    let other = on(&http, "other", &action);
    tell(&http, "other");
    let ended_other = ended(&http, &other);
    assert!(
        ended_other["payload"]["reason"]
            .as_str()
            .unwrap()
            .contains("not a webhook")
    );
}

#[test]
fn who_does_not_answer_holds_nobody_up_and_who_comes_back_is_told_once() {
    let (daemon, slow) = (TestDaemon::without_agent(), Receiver::new());
    let http = daemon.http();
    slow.hold(true);
    let of = |url: &str| json!({ "name": "n", "url": url, "timeout": 60 });
    let first = block(&http, "custom-webhook", &of(&slow.url()));
    let held = on(&http, "go", &notification(&first));
    tell(&http, "go");
    slow.after(1);
    // Nobody is there yet.
    let port = Receiver::new_port();
    let second = block(
        &http,
        "custom-webhook",
        &of(&format!("http://127.0.0.1:{port}/")),
    );
    let absent = on(&http, "go too", &notification(&second));
    tell(&http, "go too");
    let nothing = on(&http, "go too", &json!({ "type": "do-nothing" }));
    tell(&http, "go too");
    assert_eq!(ended(&http, &nothing)["event"], EXECUTED);
    wait_for("a try in vain", || {
        daemon.log().contains("will be tried again").then_some(())
    });
    let late = Receiver::on(port);
    assert_eq!(ended(&http, &absent)["event"], EXECUTED);
    slow.hold(false);
    assert_eq!(ended(&http, &held)["event"], EXECUTED);
    assert_eq!(slow.came().len(), 1);
    late.after(2);
}

#[test]
fn what_was_being_sent_when_the_daemon_died_comes_again_under_its_key() {
    let (mut daemon, receiver) = (TestDaemon::without_agent(), Receiver::new());
    let http = daemon.http();
    receiver.hold(true);
    let data = json!({ "url": receiver.url() });
    let block = block(&http, "webhook", &data);
    let action = json!({ "type": "call-webhook", "block_document_id": block, "payload": "x" });
    let id = on(&http, "go", &action);
    tell(&http, "go");
    receiver.after(1);
    daemon.kill();
    daemon.restart(Vec::new());
    receiver.after(2);
    receiver.hold(false);
    let http = daemon.http();
    assert_eq!(ended(&http, &id)["event"], EXECUTED);
    let came = receiver.came();
    let keys: Vec<_> = came
        .iter()
        .map(|one| one.header("idempotency-key"))
        .collect();
    assert!(keys.len() == 2 && keys[0] == keys[1], "{keys:?}");
    daemon.terminate();
    daemon.restart(Vec::new());
    let after = on(&daemon.http(), "after", &json!({ "type": "do-nothing" }));
    tell(&daemon.http(), "after");
    ended(&daemon.http(), &after);
    assert_eq!(receiver.came().len(), 2);
}
