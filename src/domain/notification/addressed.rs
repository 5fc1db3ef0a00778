//! Blocks that have nothing but an address, which says by what service a message goes: Slack's own
//! webhooks, and some of the addresses by which Apprise names services.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::{Call, Message, Note, Reach, SENDER, chats, mail, set};

/// An address, in its parts.
pub(super) struct Address {
    /// What stands before `://`, in small letters.
    pub scheme: String,
    /// Who calls.
    pub user: Option<String>,
    /// Their password.
    pub password: Option<String>,
    /// The machine.
    pub host: String,
    /// Its port.
    pub port: Option<u16>,
    /// The parts of the path.
    pub path: Vec<String>,
    /// The path as it stands there.
    raw_path: String,
    parameters: Vec<(String, String)>,
}

impl Address {
    fn parsed(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, path) = match rest.find('/') {
            Some(at) => rest.split_at_checked(at)?,
            None => (rest, ""),
        };
        let (who, place) = match place.rsplit_once('@') {
            Some((who, place)) => (Some(who), place),
            None => (None, place),
        };
        let (user, password) = match who.and_then(|who| who.split_once(':')) {
            Some((user, password)) => (Some(user), Some(password)),
            None => (who, None),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (place, None),
        };
        let parts = path.split('/').filter(|part| !part.is_empty());
        Some(Self {
            scheme: scheme.to_lowercase(),
            user: user.map(decoded).filter(|user| !user.is_empty()),
            password: password.map(decoded),
            host: host.to_lowercase(),
            port,
            path: parts.map(decoded).collect(),
            raw_path: path.to_owned(),
            parameters: form_urlencoded::parse(query.as_bytes())
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        })
    }

    /// The value of a parameter that is not empty.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let found = self.parameters.iter().find(|(key, _)| key == name);
        { found }
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The messages of a block with an address.
pub(super) fn composed(note: &Note<'_>) -> Result<Vec<Message>, String> {
    let fields = note.fields;
    let address = Address::parsed(fields.needed("url")?);
    let address = address.filter(|address| !address.host.is_empty());
    let address = address.ok_or("url is no address")?;
    let reach = Reach::of(fields.flag("allow_private_urls", true)?);
    let is_web = matches!(address.scheme.as_str(), "http" | "https");
    if reach == Reach::Public && !is_web {
        return Err(
            "url must be an http or https address where private addresses are not allowed"
                .to_owned(),
        );
    }
    let parts: Vec<_> = address.path.iter().map(String::as_str).collect();
    let mut call = match (address.scheme.as_str(), address.host.as_str(), &*parts) {
        ("mailto" | "mailtos", ..) => return mail::composed(&address, note),
        ("json" | "jsons", ..) => json_call(&address, note),
        ("mmost" | "mmosts", _, [path @ .., token]) => mattermost(&address, path, token, note),
        (
            "http" | "https",
            "hooks.slack.com" | "hooks.slack-gov.com",
            ["services", team, hook, token],
        ) => slack(&address.host, [team, hook, token], note)?,
        ("http" | "https", "discord.com" | "discordapp.com", ["api", "webhooks", id, token]) => {
            let message = json!({
                "tts": false, "wait": true, "avatar_url": note.picture(256),
                "content": note.whole(),
            });
            chats::to_discord(id, token, &message)
        }
        _ => return Err("url is no address that this server sends to".to_owned()),
    };
    call.reach = reach;
    Ok(vec![Message::Call(call)])
}

fn slack(host: &str, tokens: [&str; 3], note: &Note<'_>) -> Result<Call, String> {
    let is_fit = |token: &&str| token.chars().all(|c| c.is_ascii_alphanumeric());
    if !tokens.iter().all(is_fit) {
        return Err("url is no address of a Slack webhook".to_owned());
    }
    let picture = note.picture(72);
    let message = json!({
        "mrkdwn": true,
        "attachments": [{
            "title": escaped(note.subject), "text": escaped(note.body), "color": note.colour(),
            "footer_icon": picture, "footer": SENDER, "ts": note.now.micros() / 1_000_000,
        }],
        "icon_url": picture,
    });
    let url = format!("https://{host}/services/{}", tokens.join("/"));
    Ok(Call::posting(url, &message))
}

/// Text in which Slack sees no controls.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn mattermost(address: &Address, path: &[&str], token: &str, note: &Note<'_>) -> Call {
    let (scheme, usual) = match address.scheme.as_str() {
        "mmosts" => ("https", None),
        _ => ("http", Some(8065)),
    };
    let port = address.port.or(usual);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let path: String = path.iter().map(|part| format!("/{part}")).collect();
    let url = format!("{scheme}://{}{port}{path}/hooks/{token}", address.host);
    let name = address.user.as_deref().unwrap_or(SENDER);
    let picture = note.picture(72);
    let message = json!({ "text": note.whole(), "username": name, "icon_url": picture });
    Call::posting(url, &message)
}

/// Posts the message itself, for whoever wants to make something of it.
fn json_call(address: &Address, note: &Note<'_>) -> Call {
    let scheme = match address.scheme.as_str() {
        "jsons" => "https",
        _ => "http",
    };
    let port = address.port.map(|port| format!(":{port}"));
    let port = port.unwrap_or_default();
    let url = format!("{scheme}://{}{port}{}", address.host, address.raw_path);
    let mut message = json!({
        "version": "1.0", "title": note.subject, "message": note.body, "attachments": [],
        "type": note.kind,
    });
    let mut headers = Vec::new();
    for (name, value) in &address.parameters {
        match name.split_at_checked(1) {
            Some((":", name)) => set(&mut message, name, value.as_str()),
            Some((" " | "+", name)) => headers.push((name, value)),
            _ => {}
        }
    }
    let mut call = Call::posting(url, &message);
    if let Some(user) = &address.user {
        let password = address.password.as_deref().unwrap_or_default();
        let basic = BASE64_STANDARD.encode(format!("{user}:{password}"));
        call = call.with("authorization", format!("Basic {basic}"));
    }
    for (name, value) in headers {
        call = call.with(name, value);
    }
    call
}
