//! Services that send texts and mail for those who have an account there.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::{Call, Note};

/// The subject of a mail that has none, which SendGrid would not take.
const NO_SUBJECT: &str = "<no subject>";

/// The requests of a Twilio block: one for each number.
pub(super) fn twilio(note: &Note<'_>) -> Result<Vec<Call>, String> {
    let fields = note.fields;
    let account = fields.needed("account_sid")?;
    let secret = fields.needed("auth_token")?;
    let from = number(fields.needed("from_phone_number")?)
        .ok_or("from_phone_number is no phone number")?;
    let url = format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Messages.json");
    let basic = BASE64_STANDARD.encode(format!("{account}:{secret}"));
    let body = note.whole();
    let numbers = fields.texts("to_phone_numbers")?.into_iter();
    let mut numbers: Vec<_> = numbers.filter_map(number).collect();
    if numbers.is_empty() {
        numbers.push(from.clone());
    }
    let calls = numbers.into_iter().map(|to| {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Body", &body)
            .append_pair("From", &from)
            .append_pair("To", &to)
            .finish();
        let mut call = Call::posting(url.clone(), &json!(null));
        call.body = form.into_bytes();
        call.headers.retain(|(name, _)| name != "content-type");
        call.with("content-type", "application/x-www-form-urlencoded")
            .with("accept", "application/json")
            .with("authorization", format!("Basic {basic}"))
    });
    Ok(calls.collect())
}

/// A phone number as it is sent: a plus, and digits.
fn number(text: &str) -> Option<String> {
    let is_fit = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')' | '.');
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match text.chars().all(is_fit) && (11..=14).contains(&digits.len()) {
        true => Some(format!("+{digits}")),
        false => None,
    }
}

/// The requests of a SendGrid block: one for each recipient.
pub(super) fn sendgrid(note: &Note<'_>) -> Result<Vec<Call>, String> {
    let fields = note.fields;
    let key = fields.needed("api_key")?;
    let from = fields.needed("sender_email")?;
    let subject = match note.subject {
        "" => NO_SUBJECT,
        subject => subject,
    };
    let mut recipients = fields.texts("to_emails")?;
    if recipients.is_empty() {
        recipients.push(from);
    }
    let calls = recipients.into_iter().map(|to| {
        let mail = json!({
            "personalizations": [{ "to": [{ "email": to }] }],
            "from": { "email": from },
            "subject": subject,
            "content": [{ "type": "text/html", "value": note.body }],
        });
        let url = "https://api.sendgrid.com/v3/mail/send".to_owned();
        Call::posting(url, &mail).with("authorization", format!("Bearer {key}"))
    });
    Ok(calls.collect())
}
