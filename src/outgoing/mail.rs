//! Mail by SMTP.

use std::time::Duration;

use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::{Failure, words};
use crate::domain::notification::{Mail, Privacy};

/// How long each step of the conversation takes at most.
const STEP: Duration = Duration::from_secs(15);
/// How long all of it takes at most.
const WHOLE: Duration = Duration::from_secs(60);

/// Sends a mail. Its key becomes its id, by which who gets it twice can know.
pub(super) async fn send(mail: &Mail, key: &str) -> Result<(), Failure> {
    let message = composed(mail, key).map_err(|error| never(&*error))?;
    let transport = transport(mail).map_err(|error| never(&error))?;
    match tokio::time::timeout(WHOLE, transport.send(message)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Failure {
            is_temporary: !error.is_permanent() && !error.is_client(),
            why: words(&error),
        }),
        Err(_) => Err(Failure {
            why: format!("the mail was not taken within {} s", WHOLE.as_secs()),
            is_temporary: true,
        }),
    }
}

fn transport(
    mail: &Mail,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
    let tls = || TlsParameters::new(mail.host.clone());
    let tls = match mail.privacy {
        Privacy::IfOffered => Tls::Opportunistic(tls()?),
        Privacy::StartTls => Tls::Required(tls()?),
        Privacy::Tls => Tls::Wrapper(tls()?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host)
        .port(mail.port)
        .tls(tls)
        .hello_name(ClientId::default())
        .timeout(Some(STEP));
    if let Some((name, password)) = &mail.credentials {
        builder = builder.credentials(Credentials::new(name.clone(), password.clone()));
    }
    Ok(builder.build())
}

type Unfit = Box<dyn std::error::Error>;

fn composed(mail: &Mail, key: &str) -> Result<Message, Unfit> {
    let (name, address) = &mail.from;
    let from = Mailbox::new(name.clone(), address.parse()?);
    let id = format!("<{key}@{}>", from.email.domain());
    let mut builder = Message::builder()
        .from(from)
        .to(mailbox(&mail.to)?)
        .subject(mail.subject.clone())
        .message_id(Some(id));
    builder = each(builder, &mail.cc, MessageBuilder::cc)?;
    builder = each(builder, &mail.bcc, MessageBuilder::bcc)?;
    if let Some(address) = &mail.reply_to {
        builder = builder.reply_to(mailbox(address)?);
    }
    let text = mail.text.clone();
    Ok(match &mail.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, html.clone()))?,
        None => builder.singlepart(SinglePart::plain(text))?,
    })
}

fn each(
    builder: MessageBuilder,
    addresses: &[String],
    with: fn(MessageBuilder, Mailbox) -> MessageBuilder,
) -> Result<MessageBuilder, Unfit> {
    let mut all = addresses.iter();
    all.try_fold(builder, |builder, one| Ok(with(builder, mailbox(one)?)))
}

fn mailbox(address: &str) -> Result<Mailbox, Unfit> {
    let address: Address = address.parse()?;
    Ok(Mailbox::new(None, address))
}

fn never(error: &dyn std::error::Error) -> Failure {
    Failure {
        why: words(error),
        is_temporary: false,
    }
}
