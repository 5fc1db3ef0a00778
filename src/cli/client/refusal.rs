//! What answers mean that are no success.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::cli::failure::Failure;

/// An answer of a shape that this program does not know.
pub(super) fn not_understood(error: &serde_json::Error) -> Failure {
    let line = format!("the answer is not understood ({error}); is prefectd of the same version?");
    Failure::answered(StatusCode::OK.as_u16(), line)
}

/// What the daemon says of a request that it refused.
pub(super) fn refused(status: StatusCode, body: &[u8], has_key: bool) -> Failure {
    let said: Value = serde_json::from_slice(body).unwrap_or_else(|_| json!({}));
    let words = ["/detail", "/exception_detail/0/msg"]
        .into_iter()
        .find_map(|place| said.pointer(place)?.as_str());
    let line = match words {
        _ if status == StatusCode::UNAUTHORIZED && has_key => {
            "prefectd does not take this API key; is it the one of `auth.api_key_file`? \
             --api-key-file or PREFECT_API_KEY names another"
                .to_owned()
        }
        _ if status == StatusCode::UNAUTHORIZED => {
            "prefectd needs its API key here; give --api-key-file or PREFECT_API_KEY".to_owned()
        }
        _ if status == StatusCode::INTERNAL_SERVER_ERROR => {
            "prefectd failed at this (500 Internal Server Error); its log says why: \
             `journalctl -u prefectd -n 50`, or what it printed"
                .to_owned()
        }
        Some(words) => words.to_owned(),
        None => format!("prefectd answered {status}"),
    };
    Failure::answered(status.as_u16(), line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_daemon_s_words() {
        let said = br#"{"detail": "Flow run not found"}"#;
        assert_eq!(
            refused(StatusCode::NOT_FOUND, said, false).to_string(),
            "Flow run not found"
        );
        let said = br#"{"exception_detail": [{"msg": "no such field"}]}"#;
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        assert_eq!(refused(status, said, false).to_string(), "no such field");
        assert!(
            refused(StatusCode::BAD_GATEWAY, b"<html>", false)
                .to_string()
                .contains("502")
        );
    }

    #[test]
    fn a_missing_key_is_not_a_wrong_one() {
        let told = |has_key| refused(StatusCode::UNAUTHORIZED, b"{}", has_key).to_string();
        assert!(told(false).contains("needs its API key"));
        assert!(told(true).contains("does not take this API key"));
        let failed = refused(StatusCode::INTERNAL_SERVER_ERROR, b"{}", false).to_string();
        assert!(failed.contains("its log says why"), "{failed}");
    }
}
