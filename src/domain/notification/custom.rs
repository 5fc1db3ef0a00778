//! Webhooks: a request as the block says it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::fields::Fields;
use super::{Call, Reach, SENDER};
use crate::domain::JsonMap;
use crate::domain::template;

/// The methods that requests have.
const METHODS: [&str; 5] = ["POST", "GET", "PUT", "PATCH", "DELETE"];
/// How long a call takes at most, in seconds, where the block does not say.
const USUAL: f64 = 10.0;
/// The longest that a block may say.
const LONGEST: f64 = 60.0;
/// The fields in which placeholders stand.
const TEMPLATES: [&str; 6] = [
    "url",
    "params",
    "form_data",
    "json_data",
    "headers",
    "cookies",
];

/// The call of a webhook block, with what is sent.
///
/// # Errors
/// What of the block is not as it must be.
pub fn webhook(data: &JsonMap, payload: String) -> Result<Call, String> {
    let fields = Fields(data);
    let headers = fields.named_texts("headers")?.into_iter();
    let mut headers: Vec<_> = headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    name_sender(
        &mut headers,
        concat!("prefectd/", env!("CARGO_PKG_VERSION")),
    );
    Ok(Call {
        method: fields.one_of("method", &METHODS)?.to_owned(),
        url: fields.needed("url")?.to_owned(),
        headers,
        body: payload.into_bytes(),
        timeout: Duration::from_secs_f64(USUAL),
        reach: Reach::of(fields.flag("allow_private_urls", true)?),
        is_verified: fields.flag("verify", true)?,
    })
}

/// The request of a custom webhook block: what it says, with subject, body and its secrets in place
/// of their names.
pub(super) fn composed(fields: Fields<'_>, subject: &str, body: &str) -> Result<Call, String> {
    let name = fields.needed("name")?;
    fields.needed("url")?;
    let mut values = fields.map("secrets")?.cloned().unwrap_or_default();
    values.extend([
        ("subject".to_owned(), subject.into()),
        ("body".to_owned(), body.into()),
        ("name".to_owned(), name.into()),
    ]);
    let filled = filled(fields, &values)?;
    let fields_filled = Fields(&filled);
    let mut headers = Vec::new();
    for (name, value) in fields_filled.named_texts("headers")? {
        headers.push((name.to_owned(), value.to_owned()));
    }
    name_sender(&mut headers, SENDER);
    let cookies = fields_filled.named_texts("cookies")?;
    if !cookies.is_empty() {
        let cookies = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        headers.push(("cookie".to_owned(), cookies));
    }
    let body = content(fields_filled, &mut headers)?;
    let secs = fields.number("timeout", USUAL)?;
    Ok(Call {
        method: fields.one_of("method", &METHODS)?.to_owned(),
        url: address(fields_filled)?,
        headers,
        body,
        timeout: Duration::from_secs_f64(secs.clamp(0.1, LONGEST)),
        reach: Reach::of(fields.flag("allow_private_urls", true)?),
        is_verified: true,
    })
}

/// The fields that are templates, filled in.
fn filled(fields: Fields<'_>, values: &JsonMap) -> Result<JsonMap, String> {
    if fields.any("form_data").is_some() && fields.any("json_data").is_some() {
        return Err("it has both form_data and json_data".to_owned());
    }
    let known: BTreeSet<_> = values.keys().map(String::as_str).collect();
    let mut filled = JsonMap::new();
    for name in TEMPLATES {
        let Some(value) = fields.any(name) else {
            continue;
        };
        if let Some(other) = template::names(value).find(|used| !known.contains(used.as_str())) {
            let other: String = other.chars().take(100).collect();
            return Err(format!(
                "{name} refers to {other:?}, which is no value of it"
            ));
        }
        let value = template::filled(value, values).map_err(|error| error.to_string())?;
        filled.insert(name.to_owned(), value);
    }
    Ok(filled)
}

/// The address, with its parameters in place of those that stand in it.
fn address(fields: Fields<'_>) -> Result<String, String> {
    let url = fields.needed("url")?;
    let params = fields.named_texts("params")?;
    if fields.any("params").is_none() {
        return Ok(url.to_owned());
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish();
    let place = url.split_once('?').map_or(url, |(place, _)| place);
    Ok(match query.as_str() {
        "" => place.to_owned(),
        query => format!("{place}?{query}"),
    })
}

/// The body; what it is, is said in a header unless one says so.
fn content(fields: Fields<'_>, headers: &mut Vec<(String, String)>) -> Result<Vec<u8>, String> {
    let mut say = |kind: &str| {
        if !is_said(headers, "content-type") {
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
    };
    if let Some(json) = fields.any("json_data") {
        say("application/json");
        return Ok(json.to_string().into_bytes());
    }
    match fields.any("form_data") {
        Some(Value::String(text)) => Ok(text.clone().into_bytes()),
        Some(_) => {
            say("application/x-www-form-urlencoded");
            let pairs = fields.named_texts("form_data")?;
            let form = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish();
            Ok(form.into_bytes())
        }
        None => Ok(Vec::new()),
    }
}

fn name_sender(headers: &mut Vec<(String, String)>, sender: &str) {
    if !is_said(headers, "user-agent") {
        headers.push(("user-agent".to_owned(), sender.to_owned()));
    }
}

fn is_said(headers: &[(String, String)], name: &str) -> bool {
    headers
        .iter()
        .any(|(said, _)| said.eq_ignore_ascii_case(name))
}
