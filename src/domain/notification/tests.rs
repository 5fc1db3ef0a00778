use serde_json::{Value, json};

use super::*;

/// What the blocks of Prefect 3.9.1 send; see `tests/notifications/record.py`.
const RECORDED: &str = include_str!("../../../tests/notifications/requests.json");

fn map(value: &Value) -> &JsonMap {
    value.as_object().unwrap()
}

/// A message in the form of what was recorded.
fn shown(message: &Message) -> Value {
    match message {
        Message::Call(call) => {
            let body = String::from_utf8(call.body.clone()).unwrap();
            let body = match serde_json::from_str::<Value>(&body) {
                Ok(json) => json,
                Err(_) => body.into(),
            };
            let told = [
                "authorization",
                "content-type",
                "user-agent",
                "cookie",
                "x-said",
            ];
            let headers = call
                .headers
                .iter()
                .map(|(name, value)| (name.to_lowercase(), value));
            let headers = headers.filter(|(name, _)| told.contains(&name.as_str()));
            let mut headers: Vec<_> = headers.collect();
            headers.sort();
            let headers: JsonMap = { headers.into_iter() }
                .map(|(name, value)| (name, value.as_str().into()))
                .collect();
            json!({ "method": call.method, "url": call.url, "headers": headers, "body": body })
        }
        Message::Mail(mail) => json!({
            "where": format!("{}:{}", mail.host, mail.port),
            "to": mail.to, "cc": mail.cc, "bcc": mail.bcc, "from": mail.from.1,
            "credentials": mail.credentials.is_some(),
            "is_private": mail.privacy != Privacy::IfOffered,
            "subject": mail.subject,
        }),
    }
}

/// The same of what was recorded of a mail.
fn told(mail: &Value) -> Value {
    let addresses = |value: &Value| -> Vec<String> {
        let text = value.as_str().unwrap_or_default();
        let all = text.split(',').map(str::trim).filter(|one| !one.is_empty());
        all.map(|one| {
            let inner = one.split_once('<').map_or(one, |(_, rest)| rest);
            inner.trim_end_matches('>').to_owned()
        })
        .collect()
    };
    let headers = &mail["headers"];
    let said = mail["said"].as_array().unwrap();
    let has = |word: &str| {
        said.iter()
            .any(|one| one.as_str().unwrap().starts_with(word))
    };
    let to = addresses(&headers["to"]);
    let cc = addresses(&headers["cc"]);
    let envelope: Vec<_> = mail["envelope"][1].as_array().unwrap().clone();
    let bcc: Vec<_> = envelope
        .iter()
        .filter_map(Value::as_str)
        .map(|one| addresses(&one.into()).concat())
        .filter(|one| !to.contains(one) && !cc.contains(one))
        .collect();
    json!({
        "where": mail["where"], "to": to[0], "cc": cc, "bcc": bcc,
        "from": addresses(&headers["from"])[0],
        "credentials": has("login"),
        "is_private": has("starttls") || mail["where"].as_str().unwrap().ends_with(":465"),
        "subject": headers["subject"].as_str().unwrap_or_default(),
    })
}

/// A request without what differs on purpose: the original names itself after its library in some
/// places, tells a character set that JSON has anyway, ends a summary with a line break, escapes
/// what need not be in forms, and forgets the name of who speaks on Discord.
fn alike(sent: &Value) -> Value {
    let mut sent = sent.clone();
    if let Some(kind) = sent.pointer_mut("/headers/content-type") {
        *kind = kind.as_str().unwrap().replace("; charset=utf-8", "").into();
    }
    if let Some(attachment) = sent.pointer_mut("/body/attachments/0")
        && let Some(map) = attachment.as_object_mut()
    {
        map.shift_remove("ts");
    }
    let text = sent
        .to_string()
        .replace("\"Apprise\"", "\"Prefect Notifications\"");
    let mut sent: Value = serde_json::from_str(&text).unwrap();
    for path in [
        "/body/payload/summary",
        "/body/payload/custom_details/Prefect Notification Body",
    ] {
        if let Some(text) = sent.pointer_mut(path) {
            *text = text.as_str().unwrap().trim_end().into();
        }
    }
    if let Some(form) = sent.get("body").and_then(Value::as_str) {
        sent["body"] = form.replace("%2A", "*").into();
    }
    if text.contains("discord.com") {
        sent["body"]
            .as_object_mut()
            .unwrap()
            .shift_remove("username");
    }
    sent
}

#[test]
fn blocks_send_what_those_of_the_reference_send() {
    let recorded: Vec<Value> = serde_json::from_str(RECORDED).unwrap();
    assert!(recorded.len() > 50);
    let mut wrong = Vec::new();
    for case in &recorded {
        let text = |name: &str| case[name].as_str().unwrap();
        let made = composed(
            text("type"),
            map(&case["data"]),
            text("subject"),
            text("body"),
            Timestamp::from_micros(0),
        );
        let expected: Vec<_> = { case["sent"].as_array().unwrap().iter() }
            .map(|sent| match sent.get("where") {
                Some(_) => told(sent),
                None => alike(sent),
            })
            .collect();
        let shown: Vec<_> = match &made {
            Ok(messages) => messages.iter().map(|it| alike(&shown(it))).collect(),
            Err(_) => Vec::new(),
        };
        // The original sends to several in no order.
        let sorted = |mut all: Vec<Value>| {
            all.sort_by_key(Value::to_string);
            all
        };
        let (shown, expected) = (sorted(shown), sorted(expected));
        if shown != expected {
            let short = |all: Vec<Value>| {
                json!(all)
                    .to_string()
                    .chars()
                    .take(2000)
                    .collect::<String>()
            };
            wrong.push(format!(
                "{} {}\n  theirs {}\n  ours   {} {:?}\n",
                case["type"],
                case["data"],
                short(expected),
                short(shown),
                made.err()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
