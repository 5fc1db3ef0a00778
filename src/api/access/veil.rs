//! Hides the secrets in what flow runners are told from those who only look.
//!
//! Whoever starts processes needs the values, and that is an operator: an agent on the socket,
//! on the loopback, or with a key. Viewers and runs get the names. This is done to the answer
//! as it leaves, in one place for every route of both dialects; all else in it stays, byte for
//! byte.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::value::RawValue;

use crate::domain::access::masked;

type Object = BTreeMap<String, Box<RawValue>>;

/// The answer with its secrets masked; `more` are further words that make a name a secret's.
pub async fn over(response: Response, path: &str, more: &[String]) -> Response {
    let may_hold = ["/flow_runs", "/deployments"];
    if !may_hold.into_iter().any(|noun| path.contains(noun)) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The answers of these routes are made in memory, so that reading one cannot fail.
    let bytes = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => return Response::from_parts(parts, Body::empty()),
    };
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let Some(veiled) = veiled(text, more) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let length = HeaderValue::from(veiled.len());
    parts.headers.insert(header::CONTENT_LENGTH, length);
    Response::from_parts(parts, Body::from(veiled))
}

/// A row or a list of rows with their flow runners' secrets masked; `None` where there is
/// nothing to mask.
fn veiled(text: &str, more: &[String]) -> Option<String> {
    if !text.contains("\"env\"") {
        return None;
    }
    if let Ok(rows) = serde_json::from_str::<Vec<Object>>(text) {
        let rows: Vec<_> = rows.into_iter().map(|row| veil_row(row, more)).collect();
        return serde_json::to_string(&rows).ok();
    }
    let row = serde_json::from_str::<Object>(text).ok()?;
    serde_json::to_string(&veil_row(row, more)).ok()
}

fn veil_row(mut row: Object, more: &[String]) -> Object {
    within(&mut row, "flow_runner", |runner| {
        within(runner, "config", |config| {
            within(config, "env", |env| mask(env, more));
        });
    });
    row
}

fn within(object: &mut Object, key: &str, change: impl FnOnce(&mut Object)) {
    let Some(inner) = object.get_mut(key) else {
        return;
    };
    let Ok(mut read) = serde_json::from_str::<Object>(inner.get()) else {
        return;
    };
    change(&mut read);
    if let Ok(written) = serde_json::value::to_raw_value(&read) {
        *inner = written;
    }
}

fn mask(env: &mut Object, more: &[String]) {
    for (name, value) in env {
        // A value that is no string is judged by its text.
        let text = serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned());
        if let Some(shown) = masked(name, &text, more)
            && let Ok(written) = serde_json::value::to_raw_value(&shown)
        {
            *value = written;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn secrets_are_masked_in_rows_and_lists_and_nothing_else_changes() {
        let row = r#"{"id":"a","x":0.1000000000000000055,"env":"KEY",
            "flow_runner":{"type":"docker","config":{"image":"i","env":{"API_KEY":"s3cret","HOME":"/h"}}}}"#;
        let masked: Value = serde_json::from_str(&veiled(row, &[]).unwrap()).unwrap();
        let env = json!({ "API_KEY": "********", "HOME": "/h" });
        assert_eq!(masked["flow_runner"]["config"]["env"], env);
        assert_eq!(masked["env"], "KEY");
        let list = veiled(&format!("[{row},{row}]"), &[]).unwrap();
        assert!(!list.contains("s3cret"));
        assert_eq!(list.matches("0.1000000000000000055").count(), 2);
        for plain in [
            r#"{"flow_runner":{"type":null,"config":null},"a":"\"env\""}"#,
            "3",
            "[]",
        ] {
            let kept = veiled(plain, &[]);
            assert!(kept.is_none() || kept.as_deref() == Some(plain), "{kept:?}");
        }
    }
}
