//! Services where people talk.

use serde_json::json;

use super::{Call, Note, SENDER, set};

/// The requests of a Mattermost block: one for each channel.
pub(super) fn mattermost(note: &Note<'_>) -> Result<Vec<Call>, String> {
    let fields = note.fields;
    let scheme = match fields.flag("secure", false)? {
        true => "https",
        false => "http",
    };
    let path = fields.text("path")?.unwrap_or_default();
    let path = path.trim_matches('/');
    let path = match path {
        "" => String::new(),
        path => format!("/{path}"),
    };
    let host = fields.needed("hostname")?;
    let port = fields.number("port", 8065.0)?;
    let token = fields.needed("token")?;
    let url = format!("{scheme}://{host}:{port:.0}{path}/hooks/{token}");
    let name = fields.text("botname")?.filter(|name| !name.is_empty());
    let mut message = json!({
        "text": note.whole(),
        "username": name.unwrap_or(SENDER),
    });
    if fields.flag("include_image", false)? {
        set(&mut message, "icon_url", note.picture(72));
    }
    let channels = fields.texts("channels")?;
    if channels.is_empty() {
        return Ok(vec![Call::posting(url, &message)]);
    }
    let calls = channels.into_iter().map(|channel| {
        let mut message = message.clone();
        set(&mut message, "channel", channel.trim_start_matches('#'));
        Call::posting(url.clone(), &message)
    });
    Ok(calls.collect())
}

/// The request of a Discord block.
pub(super) fn discord(note: &Note<'_>) -> Result<Call, String> {
    let fields = note.fields;
    let speaks = fields.flag("tts", false)?;
    let mut message = json!({ "tts": speaks, "wait": !speaks, "content": note.whole() });
    if fields.flag("avatar", false)? {
        let own = fields.text("avatar_url")?.filter(|url| !url.is_empty());
        let url = own.map_or_else(|| note.picture(256), str::to_owned);
        set(&mut message, "avatar_url", url);
    }
    if let Some(name) = fields.text("botname")?.filter(|name| !name.is_empty()) {
        set(&mut message, "username", name);
    }
    let id = fields.needed("webhook_id")?;
    let token = fields.needed("webhook_token")?;
    Ok(to_discord(id, token, &message))
}

/// A message to a channel of Discord by its webhook.
pub(super) fn to_discord(id: &str, token: &str, message: &serde_json::Value) -> Call {
    let url = format!("https://discord.com/api/webhooks/{id}/{token}");
    Call::posting(url, message)
}
