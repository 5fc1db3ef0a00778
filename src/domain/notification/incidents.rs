//! Services that wake people.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Note, SENDER, set};
use crate::domain::JsonMap;

/// The most characters of an alert's message on Opsgenie.
const MOST_OF_MESSAGE: usize = 130;
/// The most whom one alert on Opsgenie is for.
const MOST_AT_ONCE: usize = 50;

/// The request of a PagerDuty block.
pub(super) fn pager_duty(note: &Note<'_>) -> Result<Call, String> {
    let fields = note.fields;
    let severity = match note.kind {
        "warning" => "warning",
        "failure" => "critical",
        _ => "info",
    };
    // A subject is the summary, and the body a detail then.
    let summary = match note.subject {
        "" => note.body.to_owned(),
        subject => subject.to_owned(),
    };
    let mut payload = json!({
        "summary": summary,
        "severity": severity,
        "source": fields.text("source")?.unwrap_or("Prefect"),
        "component": fields.text("component")?.unwrap_or("Notification"),
    });
    for (field, name) in [("group", "group"), ("class_id", "class")] {
        if let Some(text) = fields.text(field)? {
            set(&mut payload, name, text);
        }
    }
    let mut details: JsonMap = { fields.named_texts("custom_details")?.into_iter() }
        .map(|(name, text)| (name.to_owned(), text.into()))
        .collect();
    if !note.subject.is_empty() {
        details.insert("Prefect Notification Body".to_owned(), note.body.into());
    }
    if !details.is_empty() {
        set(&mut payload, "custom_details", details);
    }
    let mut event = json!({
        "routing_key": fields.needed("integration_key")?,
        "payload": payload,
        "client": SENDER,
        "event_action": "trigger",
    });
    if let Some(url) = fields.text("clickable_url")? {
        set(&mut event, "links", json!([{ "href": url }]));
    }
    if fields.flag("include_image", true)? {
        set(
            &mut event,
            "images",
            json!([{ "src": note.picture(128), "alt": note.kind }]),
        );
    }
    let host = match fields.one_of("region_name", &["us", "eu"])? {
        "eu" => "events.eu.pagerduty.com",
        _ => "events.pagerduty.com",
    };
    let token = fields.needed("api_key")?;
    let call = Call::posting(format!("https://{host}/v2/enqueue"), &event);
    Ok(call.with("authorization", format!("Token token={token}")))
}

/// The requests of an Opsgenie block: one for each of whom it is for, or a few.
pub(super) fn opsgenie(note: &Note<'_>) -> Result<Vec<Call>, String> {
    let fields = note.fields;
    let alert = alert(note)?;
    let host = match fields.one_of("region_name", &["us", "eu"])? {
        "eu" => "api.eu.opsgenie.com",
        _ => "api.opsgenie.com",
    };
    let key = fields.needed("apikey")?;
    let call = |alert: &Value| {
        let call = Call::posting(format!("https://{host}/v2/alerts"), alert);
        call.with("authorization", format!("GenieKey {key}"))
    };
    let at_once = match fields.flag("batch", false)? {
        true => MOST_AT_ONCE,
        false => 1,
    };
    let responders = responders(note)?;
    if responders.is_empty() {
        return Ok(vec![call(&alert)]);
    }
    let calls = responders.chunks(at_once).map(|some| {
        let mut alert = alert.clone();
        set(&mut alert, "responders", some);
        call(&alert)
    });
    Ok(calls.collect())
}

fn alert(note: &Note<'_>) -> Result<Value, String> {
    let fields = note.fields;
    let message = match note.subject {
        "" => note.body,
        subject => subject,
    };
    let mut details = fields.map("details")?.cloned().unwrap_or_default();
    details
        .entry("type".to_owned())
        .or_insert_with(|| note.kind.into());
    let priority = match fields.number("priority", 3.0)? {
        // As their numbers begin; any other is normal.
        number if (1.0..=5.0).contains(&number) => number.floor(),
        _ => 3.0,
    };
    let mut alert = json!({
        "source": SENDER,
        "message": shortened(message),
        "description": note.body,
        "details": details,
        "priority": format!("P{priority:.0}"),
    });
    let tags = fields.texts("tags")?;
    if !tags.is_empty() {
        set(&mut alert, "tags", json!(tags));
    }
    for name in ["entity", "alias"] {
        if let Some(text) = fields.text(name)?.filter(|text| !text.is_empty()) {
            set(&mut alert, name, text);
        }
    }
    Ok(alert)
}

fn shortened(message: &str) -> String {
    match message.chars().count() > MOST_OF_MESSAGE {
        true => {
            let first: String = message.chars().take(MOST_OF_MESSAGE - 3).collect();
            format!("{first}...")
        }
        false => message.to_owned(),
    }
}

fn responders(note: &Note<'_>) -> Result<Vec<Value>, String> {
    let mut responders = Vec::new();
    for kind in ["user", "team", "schedule", "escalation"] {
        let name = match kind {
            "user" => "username",
            _ => "name",
        };
        for target in note.fields.texts(&format!("target_{kind}"))? {
            // Ids there are random ones.
            let name = match Uuid::parse_str(target) {
                Ok(id) if id.get_version_num() == 4 => "id",
                _ => name,
            };
            responders.push(json!({ "type": kind, name: target }));
        }
    }
    Ok(responders)
}
