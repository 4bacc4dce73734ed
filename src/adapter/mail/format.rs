//! A mail as it travels: RFC 5322, with MIME for letters beyond ASCII and for attachments.

use crate::world::{DeliveryError, Message, MessageAttachment};
use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Attachment, Body, Mailbox, MultiPart, SinglePart};
use std::time::{Duration, UNIX_EPOCH};

/// The mail, ready to be written or sent. The same mail gives the same bytes, whenever it is formatted.
///
/// # Errors
/// [`DeliveryError::Permanent`] for addresses that are none: such a mail can never leave.
pub fn formatted(message: &Message, sender: &str) -> Result<lettre::Message, DeliveryError> {
    let from = if message.from.is_empty() { sender } else { message.from.as_str() };
    let written = u64::try_from(message.written).unwrap_or(0);
    let mut builder = lettre::Message::builder()
        .message_id(Some(format!("<{}>", message.id)))
        .date(UNIX_EPOCH + Duration::from_millis(written))
        .from(mailbox(from, "the sender")?)
        .to(mailbox(&message.to, "the address")?)
        .subject(message.subject.as_str());
    for address in &message.cc {
        builder = builder.cc(mailbox(address, "the address")?);
    }
    if let Some(address) = &message.reply_to {
        builder = builder.reply_to(mailbox(address, "the address for answers")?);
    }
    let text = SinglePart::plain(message.body.to_string());
    let built = if message.attachments.is_empty() {
        builder.singlepart(text)
    } else {
        // The boundary comes from the id, which no text of the mail holds.
        let boundary: String = message.id.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
        let parts = MultiPart::mixed().boundary(format!("rpa-{boundary}")).singlepart(text);
        builder.multipart(message.attachments.iter().fold(parts, |parts, file| parts.singlepart(attachment(file))))
    };
    built.map_err(|error| DeliveryError::Permanent(format!("the mail can't be put together: {error}")))
}

fn attachment(file: &MessageAttachment) -> SinglePart {
    let name = file.path.rsplit(['/', '\\']).next().unwrap_or(&file.path);
    let kind = match name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("pdf") => "application/pdf",
        Some("csv") => "text/csv; charset=utf-8",
        Some("json") => "application/json",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("html") => "text/html; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("zip") => "application/zip",
        Some("xml") => "application/xml",
        _ => "application/octet-stream",
    };
    let kind = ContentType::parse(kind).unwrap_or(ContentType::TEXT_PLAIN);
    // Base64 whatever it holds: on its way a text would get other line ends.
    let body = Body::new_with_encoding(file.content.clone(), ContentTransferEncoding::Base64).unwrap_or_else(Body::new);
    Attachment::new(name.to_string()).body(body, kind)
}

/// `ada@example.com` or `Ada Lovelace <ada@example.com>`; the domain in the letters that every server knows.
fn mailbox(text: &str, what: &str) -> Result<Mailbox, DeliveryError> {
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => (Some(name.trim().trim_matches('"')).filter(|name| !name.is_empty()), address.trim()),
        None => (None, text),
    };
    let wrong = |reason: &str| DeliveryError::Permanent(format!("{what} `{text}` can't be used: {reason}"));
    let (user, domain) = address.rsplit_once('@').ok_or_else(|| wrong("there is no `@` in it"))?;
    let domain = idna::domain_to_ascii(domain).map_err(|_| wrong("its domain is none"))?;
    let address = Address::new(user, domain).map_err(|error| wrong(&error.to_string()))?;
    Ok(Mailbox::new(name.map(str::to_string), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            id: "42.00ff@store.rpa.invalid".into(),
            from: "".into(),
            to: "Jörg Müller <joerg@müller.example>".into(),
            cc: vec!["ada@example.com".into()],
            reply_to: Some("help@shop.example".into()),
            subject: "Ihre Bestellung – bestätigt 订单".into(),
            body: "Guten Tag,\n\n.danke für Ihre Bestellung über 99,90 €.\nFrom here on it is ours.\n".into(),
            attachments: Vec::new(),
            written: 1_795_392_000_000,
        }
    }

    fn text(message: &Message) -> String {
        let bytes = formatted(message, "Shop <orders@shop.example>").unwrap().formatted();
        assert!(!String::from_utf8_lossy(&bytes).replace("\r\n", "").contains('\n'), "lines end with CRLF");
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    }

    #[test]
    fn a_mail_is_what_rfc_5322_says() {
        insta::assert_snapshot!(text(&message()), @r"
        Message-ID: <42.00ff@store.rpa.invalid>
        Date: Mon, 23 Nov 2026 00:00:00 +0000
        From: Shop <orders@shop.example>
        To: =?utf-8?b?SsO2cmcgTcO8bGxlcg==?= <joerg@xn--mller-kva.example>
        Subject: Ihre Bestellung =?utf-8?b?4oCTIGJlc3TDpHRpZ3Qg6K6i5Y2V?=
        Cc: ada@example.com
        Reply-To: help@shop.example
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        Guten Tag,

        .danke f=C3=BCr Ihre Bestellung =C3=BCber 99,90 =E2=82=AC.
        From here on it is ours.
        ");
    }

    #[test]
    fn attachments_keep_their_names_and_the_bytes_are_always_the_same() {
        let mut message = message();
        message.attachments = vec![
            MessageAttachment { path: "out/Rechnung Müller.pdf".into(), content: b"%PDF-1.7\n\xff".to_vec() },
            MessageAttachment { path: "a.csv".into(), content: b"a,b\n".to_vec() },
        ];
        assert_eq!(text(&message), text(&message));
        insta::assert_snapshot!(text(&message), @r#"
        Message-ID: <42.00ff@store.rpa.invalid>
        Date: Mon, 23 Nov 2026 00:00:00 +0000
        From: Shop <orders@shop.example>
        To: =?utf-8?b?SsO2cmcgTcO8bGxlcg==?= <joerg@xn--mller-kva.example>
        Subject: Ihre Bestellung =?utf-8?b?4oCTIGJlc3TDpHRpZ3Qg6K6i5Y2V?=
        Cc: ada@example.com
        Reply-To: help@shop.example
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary="rpa-4200ffstorerpainvalid"

        --rpa-4200ffstorerpainvalid
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        Guten Tag,

        .danke f=C3=BCr Ihre Bestellung =C3=BCber 99,90 =E2=82=AC.
        From here on it is ours.

        --rpa-4200ffstorerpainvalid
        Content-Disposition: attachment;
         filename*0*=utf-8''Rechnung%20M%C3%BCller.pdf
        Content-Type: application/pdf
        Content-Transfer-Encoding: base64

        JVBERi0xLjcK/w==
        --rpa-4200ffstorerpainvalid
        Content-Disposition: attachment; filename="a.csv"
        Content-Type: text/csv; charset=utf-8
        Content-Transfer-Encoding: base64

        YSxiCg==
        --rpa-4200ffstorerpainvalid--
        "#);
    }

    #[test]
    fn what_can_never_leave_is_said() {
        let mut message = message();
        message.to = "ada@".into();
        insta::assert_snapshot!(formatted(&message, "orders@shop.example").unwrap_err(), @"the address `ada@` can't be used: Invalid email domain");
        insta::assert_snapshot!(formatted(&super::tests::message(), "nobody").unwrap_err(), @"the sender `nobody` can't be used: there is no `@` in it");
    }
}
