//! `email.send`, `email.outbox`.

use super::arguments::Arguments;
use super::executor::Executor;
use super::problem::Problem;
use crate::check::is_of_domain;
use crate::value::Value;
use crate::world::{ChangeKind, EffectClass, Message, MessageAttachment, World};
use ecow::{EcoString, eco_format};
use sha2::{Digest, Sha256};

/// How many mails `email.outbox` gives at most.
const OUTBOX_LIMIT: usize = 100_000;

pub(super) fn send(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let (to, subject, body) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    let reply_to = arguments.text_or_empty(4)?;
    let allowed = executor.world.settings.mail.as_deref();
    let check_recipient = |address: &str| check(address).and_then(|()| reachable(address, allowed));
    check_recipient(to)?;
    let cc = arguments.list(3)?.iter().filter_map(Value::as_text);
    let cc = cc.map(|address| check_recipient(address).map(|()| address.into())).collect::<Result<_, _>>()?;
    let message = Message {
        id: message_id(executor)?,
        from: EcoString::new(),
        to: to.trim().into(),
        cc,
        reply_to: match reply_to.trim() {
            "" => None,
            address => Some(check(address).map(|()| address.into())?),
        },
        subject: one_line(subject),
        body: body.clone(),
        attachments: arguments.list(5)?.iter().filter_map(attachment).collect(),
        written: executor.world.clock.now().milliseconds(),
    };
    executor.wrote = true;
    let World { store, .. } = &mut *executor.world;
    store.add_to_outbox(executor.run.0, &message)?;
    if let Some(watch) = &mut executor.watch {
        watch.mailed(&message, executor.hides_subject)?;
    }
    executor.mails += 1;
    // The story of the run is for others than the mail is.
    let told = if executor.hides_subject { EcoString::inline("•••") } else { message.subject.clone() };
    executor.record(ChangeKind::Mailed, message.to.clone(), told);
    if executor.world.settings.switches.is_off(EffectClass::Email) {
        let held = "email is switched off in rpa.toml: the mail is held in the outbox until it is switched on";
        executor.record(ChangeKind::Noted, "warn", held);
    }
    mail(executor, message)
}

pub(super) fn outbox(executor: &mut Executor) -> Result<Value, Problem> {
    let entries = executor.world.store.outbox(OUTBOX_LIMIT)?;
    let mails: Result<Vec<Value>, Problem> = entries.into_iter().map(|entry| mail(executor, entry.message)).collect();
    Ok(Value::list(mails?))
}

/// Holds a recipient to the domains that the project lets mail go to.
fn reachable(address: &str, allowed: Option<&[EcoString]>) -> Result<(), Problem> {
    let Some(domains) = allowed else { return Ok(()) };
    if domains.iter().any(|domain| is_of_domain(address, domain)) {
        return Ok(());
    }
    let reason = match domains {
        [] => "the project lets no mail go anywhere".to_string(),
        domains => format!("the project lets mail go to {} alone", domains.join(", ")),
    };
    let setting = "if that is meant, add the domain to `mail` under `[reach]` in rpa.toml";
    Err(Problem::bad_address(address, format!("{reason}; {setting}")))
}

/// The `Mail` of a script.
fn mail(executor: &Executor, message: Message) -> Result<Value, Problem> {
    let fields = [message.id, message.to, message.subject, message.body].map(Value::Text);
    Ok(Value::record(executor.record_type("Mail")?, fields))
}

/// A `Document` as an attachment; its content is read when the mail leaves.
fn attachment(document: &Value) -> Option<MessageAttachment> {
    let path = document.fields()?.first()?.as_text()?;
    Some(MessageAttachment { path: path.into(), content: Vec::new() })
}

/// The name of the next mail: the same in every try of the step, and in no other step, run or store.
fn message_id(executor: &mut Executor) -> Result<EcoString, Problem> {
    let store = executor.world.store.identity()?;
    let mut digest = Sha256::new();
    for part in [store.as_bytes(), &executor.run.0.to_be_bytes(), executor.step.as_bytes()] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.update(executor.mails.to_be_bytes());
    let mut name = 0_u128;
    for byte in digest.finalize().iter().take(12) {
        name = name << 8 | u128::from(*byte);
    }
    Ok(eco_format!("{}.{name:024x}@{store}.rpa.invalid", executor.run.0))
}

/// A subject has one line: what breaks it would end the head of the mail.
fn one_line(text: &str) -> EcoString {
    let is_fine = |c: char| !c.is_control();
    if text.chars().all(is_fine) {
        text.into()
    } else {
        text.chars().map(|c| if is_fine(c) { c } else { ' ' }).collect()
    }
}

fn check(address: &str) -> Result<(), Problem> {
    address_problem(address).map_or(Ok(()), |reason| Err(Problem::bad_address(address, reason)))
}

/// Why a text is no address that mail can be sent to, or none. Takes `ada@example.com` and
/// `Ada Lovelace <ada@example.com>`; the domain needs a point, since mail leaves the machine. Letters beyond ASCII are
/// taken, in the domain (IDNA) and before the `@` (RFC 6531).
pub fn address_problem(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return Some("it is empty".to_string());
    }
    if text.chars().any(char::is_control) {
        return Some("it has a line break or another control character".to_string());
    }
    let address = match text.split_once('<') {
        None if text.contains('>') => return Some("there is a `>` without a `<`".to_string()),
        None => text,
        Some((_, rest)) => match rest.strip_suffix('>') {
            Some(address) if !address.contains(['<', '>']) => address,
            _ => return Some("a name is written before the address: Ada Lovelace <ada@example.com>".to_string()),
        },
    };
    if address.contains([',', ';']) {
        return Some("it holds more than one address".to_string());
    }
    if address.chars().any(char::is_whitespace) {
        return Some("it has a blank in it".to_string());
    }
    let Some((name, domain)) = address.split_once('@') else {
        return Some("there is no `@` in it".to_string());
    };
    if domain.contains('@') {
        return Some("there is more than one `@` in it".to_string());
    }
    name_problem(name).or_else(|| domain_problem(domain))
}

fn name_problem(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || !c.is_ascii();
    if name.is_empty() {
        return Some("there is nothing before the `@`".to_string());
    }
    if name.len() > 64 {
        return Some("it has more than 64 bytes before the `@`".to_string());
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Some("a point stands alone before the `@`".to_string());
    }
    name.chars().find(|c| !allowed(*c)).map(|c| format!("`{c}` can't stand before the `@`"))
}

fn domain_problem(domain: &str) -> Option<String> {
    if domain.is_empty() {
        return Some("there is nothing behind the `@`".to_string());
    }
    if domain.len() > 255 {
        return Some("the domain has more than 255 bytes".to_string());
    }
    if !domain.contains('.') {
        return Some(format!("the domain `{domain}` has no ending such as .com"));
    }
    let wrong = domain.split('.').find_map(|part| {
        let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || (!c.is_ascii() && c.is_alphanumeric());
        match part {
            "" => Some("a point stands alone in the domain".to_string()),
            part if part.starts_with('-') || part.ends_with('-') => {
                Some(format!("`{part}` in the domain begins or ends with `-`"))
            }
            part if part.len() > 63 => Some("a part of the domain has more than 63 bytes".to_string()),
            part => part.chars().find(|c| !fine(*c)).map(|c| format!("`{c}` can't stand in the domain")),
        }
    });
    let ending = domain.rsplit('.').next().unwrap_or_default();
    wrong.or_else(|| {
        ending.bytes().all(|byte| byte.is_ascii_digit()).then(|| "the domain ends with a number".to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Operation;
    use crate::task::fixture::Fixture;

    #[test]
    fn addresses_are_checked_with_reasons() {
        for good in [
            "ada@example.com",
            " ada@example.com ",
            "Ada Lovelace <ada.l+x@mail.example.co.uk>",
            "o'brien@example.ie",
            "用户@例子.公司",
            "jörg@müller.de",
        ] {
            assert_eq!(address_problem(good), None, "{good}");
        }
        let bad = [
            "",
            "ada",
            "ada@",
            "@example.com",
            "a@b@example.com",
            "ada @example.com",
            "ada@example",
            "ada@example..com",
            "ada@-example.com",
            "ada@exam_ple.com",
            "ada.@example.com",
            "a(b)@example.com",
            "ada@example.com, bob@example.com",
            "ada@example.com\nBcc: all@example.com",
            "Ada <ada@example.com",
            "ada@127.0.0.1",
        ];
        let shown: Vec<_> =
            bad.iter().map(|text| format!("{text:?}: {}", address_problem(text).unwrap_or_default())).collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        "": it is empty
        "ada": there is no `@` in it
        "ada@": there is nothing behind the `@`
        "@example.com": there is nothing before the `@`
        "a@b@example.com": there is more than one `@` in it
        "ada @example.com": it has a blank in it
        "ada@example": the domain `example` has no ending such as .com
        "ada@example..com": a point stands alone in the domain
        "ada@-example.com": `-example` in the domain begins or ends with `-`
        "ada@exam_ple.com": `_` can't stand in the domain
        "ada.@example.com": a point stands alone before the `@`
        "a(b)@example.com": `(` can't stand before the `@`
        "ada@example.com, bob@example.com": it holds more than one address
        "ada@example.com\nBcc: all@example.com": it has a line break or another control character
        "Ada <ada@example.com": a name is written before the address: Ada Lovelace <ada@example.com>
        "ada@127.0.0.1": the domain ends with a number
        "#);
    }

    #[test]
    fn a_mail_goes_to_the_outbox_under_the_same_name_in_every_try() {
        let arguments = ["ada@example.com".into(), "Order\r\nBcc: x".into(), "Thanks".into()];
        let sent = || {
            let mut fixture = Fixture::new();
            fixture.perform_all(&[(Operation::EmailSend, &arguments), (Operation::EmailSend, &arguments)]).unwrap();
            (fixture.outbox(), fixture.changes())
        };
        let (outbox, changes) = sent();
        assert_eq!(outbox, sent().0);
        assert_ne!(outbox[0].message.id, outbox[1].message.id);
        assert_eq!(outbox[0].message.subject, "Order  Bcc: x");
        insta::assert_snapshot!(changes, @r"
        Mailed ada@example.com Order  Bcc: x
        Mailed ada@example.com Order  Bcc: x
        ");
    }

    #[test]
    fn mail_goes_nowhere_but_to_the_domains_of_the_project() {
        let mut fixture = Fixture::new();
        fixture.world.settings.mail = Some(vec!["example.com".into(), "*.partner.example".into()]);
        let mut send = |to: &str| fixture.perform(Operation::EmailSend, &[to.into(), "s".into(), "b".into()]);
        assert!(send("Ada <ada@Example.com>").is_ok());
        assert!(send("bob@eu.partner.example").is_ok());
        insta::assert_snapshot!(send("eve@elsewhere.org").unwrap_err(), @r#"bad_address(address: "eve@elsewhere.org", reason: "the project lets mail go to example.com, *.partner.example alone; if that is meant, add the domain to `mail` under `[reach]` in rpa.toml")"#);
        let copied = Value::list(vec!["eve@elsewhere.org".into()]);
        let arguments = ["ada@example.com".into(), "s".into(), "b".into(), copied];
        assert!(fixture.perform(Operation::EmailSend, &arguments).is_err());
        assert_eq!(fixture.outbox().len(), 2);
    }

    #[test]
    fn a_bad_address_is_a_failure_of_its_name() {
        let mut fixture = Fixture::new();
        let failed = fixture.perform(Operation::EmailSend, &["ada".into(), "s".into(), "b".into()]);
        insta::assert_snapshot!(failed.unwrap_err(), @r#"bad_address(address: "ada", reason: "there is no `@` in it")"#);
        assert!(fixture.outbox().is_empty());
    }
}
