//! Microsoft Teams, by the workflows that messages are posted to.

use serde_json::{Value, json};

use super::{Call, Note, Reach};

/// The request of a Teams block.
pub(super) fn composed(note: &Note<'_>) -> Result<Call, String> {
    let fields = note.fields;
    let url = fields.needed("url")?;
    let url = workflow(url).ok_or("url is no address of a Teams workflow")?;
    let mut parts = Vec::new();
    if fields.flag("include_image", true)? {
        parts.push(json!({
            "type": "Image", "url": note.picture(32), "height": "32px", "altText": note.kind,
        }));
    }
    if !note.subject.is_empty() {
        parts.push(json!({
            "type": "TextBlock", "text": note.subject, "style": "heading", "weight": "Bolder",
            "size": "Large", "id": "title",
        }));
    }
    parts.push(json!({
        "type": "TextBlock", "text": note.body, "style": "default",
        "wrap": fields.flag("wrap", true)?, "id": "body",
    }));
    let mut call = Call::posting(url, &card(parts));
    call.reach = Reach::of(fields.flag("allow_private_urls", true)?);
    Ok(call)
}

fn card(parts: Vec<Value>) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": parts,
                "msteams": { "width": "full" },
            },
        }],
    })
}

/// Where a workflow is called whose address is that one: always over TLS, with the parameters that
/// it needs.
fn workflow(address: &str) -> Option<String> {
    let rest = { address.strip_prefix("https://") }.or_else(|| address.strip_prefix("http://"))?;
    let (place, query) = rest.split_once('?')?;
    let (place, tail) = place.split_once("/workflows/")?;
    let (id, tail) = tail.split_once('/')?;
    let is_fit = |text: &str| {
        let mut letters = text.chars();
        !text.is_empty() && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    if !is_fit(id) || tail.trim_end_matches('/') != "triggers/manual/paths/invoke" {
        return None;
    }
    let is_automated = place.contains("/powerautomate/automations/direct");
    let parameter = |name: &str| {
        let pairs = form_urlencoded::parse(query.as_bytes());
        { pairs }.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    };
    let otherwise = match is_automated {
        true => "2022-03-01-preview",
        false => "2016-06-01",
    };
    let version = parameter("api-version").unwrap_or_else(|| otherwise.to_owned());
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("api-version", &version)
        .append_pair("sp", "/triggers/manual/run")
        .append_pair("sv", "1.0")
        .append_pair("sig", &parameter("sig")?)
        .finish();
    Some(format!(
        "https://{place}/workflows/{id}/triggers/manual/paths/invoke?{query}"
    ))
}
