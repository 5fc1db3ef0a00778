//! Mail, by addresses such as `mailto://me:secret@mail.example.com?to=you@example.org`.

use super::addressed::Address;
use super::message::{Mail, Message, Privacy};
use super::{Note, SENDER};

/// Providers whose machines for mail have other names than their addresses, and TLS in any case.
const PROVIDERS: [(&str, &str); 9] = [
    ("gmail.com", "smtp.gmail.com"),
    ("googlemail.com", "smtp.gmail.com"),
    ("outlook.com", "smtp-mail.outlook.com"),
    ("hotmail.com", "smtp-mail.outlook.com"),
    ("live.com", "smtp-mail.outlook.com"),
    ("yahoo.com", "smtp.mail.yahoo.com"),
    ("icloud.com", "smtp.mail.me.com"),
    ("me.com", "smtp.mail.me.com"),
    ("fastmail.com", "smtp.fastmail.com"),
];

/// The mails that an address asks for: one for each recipient.
pub(super) fn composed(address: &Address, note: &Note<'_>) -> Result<Vec<Message>, String> {
    let provider = PROVIDERS.iter().find(|(name, _)| *name == address.host);
    let user = address.user.as_deref();
    let own = user.map(|user| match user.contains('@') {
        true => user.to_owned(),
        false => format!("{user}@{}", address.host),
    });
    let from = address.parameter("from").or_else(|| own.clone());
    let (name, from) = sender(&from.ok_or("the address does not say whom mail is from")?);
    let privacy = privacy(address, provider.is_some())?;
    let usual = match privacy {
        Privacy::IfOffered => 25,
        Privacy::StartTls => 587,
        Privacy::Tls => 465,
    };
    let host = address.parameter("smtp");
    let host = host.or_else(|| provider.map(|(_, host)| (*host).to_owned()));
    // Providers know their users by their whole addresses.
    let user = match provider {
        Some(_) => own,
        None => user.map(str::to_owned),
    };
    let is_text = match address.parameter("format").as_deref() {
        None | Some("html") => false,
        Some("text") => true,
        Some(_) => return Err("the format of mail is html or text".to_owned()),
    };
    let mut to = address.path.clone();
    to.extend(list(address, "to"));
    if to.is_empty() {
        to.push(from.clone());
    }
    let whole = Mail {
        host: host.unwrap_or_else(|| address.host.clone()),
        port: address.port.unwrap_or(usual),
        privacy,
        credentials: user.zip(address.password.clone()),
        from: (
            Some(
                address
                    .parameter("name")
                    .or(name)
                    .unwrap_or_else(|| SENDER.to_owned()),
            ),
            from,
        ),
        to: String::new(),
        cc: list(address, "cc"),
        bcc: list(address, "bcc"),
        reply_to: list(address, "reply").into_iter().next(),
        subject: note
            .subject
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        text: note.body.to_owned(),
        html: (!is_text).then(|| note.body.to_owned()),
    };
    let mails = to.into_iter().map(|to| {
        let cc = whole.cc.iter().filter(|cc| **cc != to).cloned().collect();
        Message::Mail(Mail {
            to,
            cc,
            ..whole.clone()
        })
    });
    Ok(mails.collect())
}

fn privacy(address: &Address, is_provider: bool) -> Result<Privacy, String> {
    match address.parameter("mode").as_deref() {
        Some("ssl") => Ok(Privacy::Tls),
        Some("starttls") => Ok(Privacy::StartTls),
        Some("insecure") => Ok(Privacy::IfOffered),
        Some(_) => Err("the mode of mail is insecure, starttls or ssl".to_owned()),
        None if is_provider || address.scheme == "mailtos" => Ok(Privacy::StartTls),
        None => Ok(Privacy::IfOffered),
    }
}

/// `Name<address>`, or an address.
fn sender(text: &str) -> (Option<String>, String) {
    let parted = text.split_once('<');
    match parted.and_then(|(name, rest)| Some((name.trim(), rest.trim().strip_suffix('>')?))) {
        Some(("", address)) => (None, address.to_owned()),
        Some((name, address)) => (Some(name.to_owned()), address.to_owned()),
        None => (None, text.to_owned()),
    }
}

fn list(address: &Address, name: &str) -> Vec<String> {
    let all = address.parameter(name).unwrap_or_default();
    let all = all.split([',', ' ', ';']).map(str::trim);
    let all = all.filter(|one| !one.is_empty());
    all.map(str::to_owned).collect()
}
