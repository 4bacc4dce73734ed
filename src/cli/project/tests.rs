//! What `rpa.toml` may say, and what is said of mistakes in it.

use super::*;
use crate::finding::render::terminal::{Appearance, render_all};
use crate::finding::settle;
use crate::text::Source;
use crate::world::{Breaker, SecretPlace};

fn said(text: &str) -> String {
    let mut sources = Sources::new();
    let source = sources.add(Source::new(FILE, text));
    let findings = read(text, source, Path::new("/shop")).unwrap_err();
    render_all(&settle(findings), &sources, Appearance::default())
}

#[test]
fn all_settings_are_read() {
    let text = r#"
        name = "Shop"
        zone = "Europe/Berlin"
        currency = "EUR"
        store.path = "data/shop.db"
        store.lease = 90
        store.keep = "90 days"
        [mail]
        from = "Shop <shop@example.com>"
        outbox = "mails"
        smtp = { host = "mail.example.com", tls = "tls", user = "shop", password_env = "SMTP_PASSWORD" }
        [reach]
        read = ["inbox", "/srv/prices"]
        hosts = ["api.example.com"]
        mail = ["example.com", "*.partner.example"]
        [privacy]
        allow = ["write reports", "mail partner.example"]
        [limits]
        call_depth = 50
        answer = 1000
        call_time = "5 seconds"
        [effects]
        email = "off"
        files = "on"
        [systems.smtp]
        open_after = 3
        retry_after = "2 minutes"
        [systems."api.example.com"]
        open_after = 2
        [secrets]
        crm_token = { env = "CRM_TOKEN" }
        key = { file = "keys/shop" }
        [tls]
        authorities = ["ca.pem", "/etc/ssl/shop.pem"]
        [calendar]
        holidays = "holidays.txt"
        [pdf]
        fonts = ["fonts/Noto.ttf"]
        [seller]
        name = "Shop GmbH"
        address = ["Hauptstr. 1", "10115 Berlin"]
    "#;
    let project = read(text, SourceId(0), Path::new("/shop")).unwrap();
    assert_eq!((project.name.as_str(), project.zone.as_str()), ("Shop", "Europe/Berlin"));
    assert_eq!(project.currency, Some(Currency::EUR));
    assert_eq!(project.store, Path::new("/shop/data/shop.db"));
    assert_eq!(project.lease, Duration::from_milliseconds(90_000));
    assert_eq!(project.keep, Some(Duration::from_milliseconds(90 * 86_400_000)));
    assert_eq!(project.mail.outbox, Path::new("/shop/mails"));
    let smtp = project.mail.smtp.clone().unwrap();
    assert_eq!((smtp.port, smtp.tls, smtp.password_env.as_deref()), (465, Tls::Tls, Some("SMTP_PASSWORD")));
    assert_eq!(project.reach.read, [Path::new("/shop/inbox"), Path::new("/srv/prices")]);
    assert_eq!(project.reach.write, [Path::new("/shop")]);
    assert_eq!(project.reach.mail, Some(vec!["example.com".into(), "*.partner.example".into()]));
    assert_eq!(project.privacy, ["write reports", "mail partner.example"].map(|a| Allowance::parse(a).unwrap()));
    let boundaries = project.boundaries();
    assert_eq!(boundaries.own_domain.as_deref(), Some("example.com"));
    assert_eq!((boundaries.read, boundaries.write), (Some(vec!["inbox".into(), "/srv/prices".into()]), None));
    assert_eq!(project.limits.call_depth, 50);
    assert_eq!(project.seller.address, "Hauptstr. 1\n10115 Berlin");
    assert!(project.effects_off.email && !project.effects_off.files);
    let breaker = project.mail.delivery.breaker;
    assert_eq!(
        (breaker.failures, breaker.within, breaker.pause.milliseconds()),
        (3, Breaker::default().within, 120_000)
    );
    let calls = &project.calls;
    assert_eq!(calls.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(), ["api.example.com"]);
    assert_eq!((calls.answer, calls.time), (1000, Duration::from_milliseconds(5000)));
    assert_eq!((calls.breaker("api.example.com").failures, calls.breaker("other").failures), (2, 5));
    assert_eq!(project.secrets["crm_token"], SecretPlace::Environment("CRM_TOKEN".into()));
    assert_eq!(project.secrets["key"], SecretPlace::File("/shop/keys/shop".into()));
    assert_eq!(project.authorities, [Path::new("/shop/ca.pem"), Path::new("/etc/ssl/shop.pem")]);
    assert_eq!(project.holidays.as_deref(), Some(Path::new("/shop/holidays.txt")));
}

#[test]
fn switches_and_pauses_that_are_none_are_said() {
    let text =
        "[effects]\nemail = \"of\"\nmail = \"off\"\n[systems.smtp]\nwithin = \"soon\"\nopen_after = 0\nafter = 1\n";
    insta::assert_snapshot!(said(text), @r#"
    config::invalid-value

      × `of` is no position of a switch
       ╭─[rpa.toml:2:9]
     1 │ [effects]
     2 │ email = "of"
       ·         ────
     3 │ mail = "off"
       ╰────
      help: write `"on"` or `"off"`

    config::unknown-key

      × there is no setting `mail` in `[effects]`
       ╭─[rpa.toml:3:1]
     2 │ email = "of"
     3 │ mail = "off"
       · ────
     4 │ [systems.smtp]
       ╰────
      help: did you mean `email`?

    config::invalid-value

      × `soon` is no length of time
       ╭─[rpa.toml:5:10]
     4 │ [systems.smtp]
     5 │ within = "soon"
       ·          ──────
     6 │ open_after = 0
       ╰────
      help: write it such as `"30 seconds"`

    config::invalid-value

      × `open_after` lies between 1 and 1000
       ╭─[rpa.toml:6:14]
     5 │ within = "soon"
     6 │ open_after = 0
       ·              ─
     7 │ after = 1
       ╰────
      help: write a number in between

    config::unknown-key

      × there is no setting `after` in `[systems.smtp]`
       ╭─[rpa.toml:7:1]
     6 │ open_after = 0
     7 │ after = 1
       · ─────
       ╰────
      help: there are `open_after`, `within` and `retry_after`
    "#);
}

#[test]
fn a_script_alone_has_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().canonicalize().unwrap();
    let project = of_script(&folder.path().join("a.rpa"), &mut Sources::new()).unwrap();
    assert_eq!(project.store, real.join(".rpa/store.db"));
    assert_eq!(project.reach.write, [real]);
}

#[test]
fn the_nearest_project_file_counts() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("scripts/night");
    std::fs::create_dir_all(&below).unwrap();
    std::fs::write(folder.path().join(FILE), "name = \"above\"").unwrap();
    let project = of_script(&below.join("a.rpa"), &mut Sources::new()).unwrap();
    assert_eq!(project.name, "above");
    assert_eq!(project.folder, folder.path().canonicalize().unwrap());
}

#[test]
fn what_is_wrong_is_said_at_its_place() {
    let text = "curency = \"EUR\"\nzone = \"Berlin\"\nname = 5\n\n[mail]\nsmtp = { port = 70000, password = \"x\" }\n\n[reach]\n\
                read = [\"a\", 1]\nhosts = [\"https://a.b\"]\nmail = [\"a@b\"]\n\n[privacy]\nallow = [\"everything\"]\n\n[limits]\ncall_depth = \"deep\"\nwidth = 1\n";
    insta::assert_snapshot!(said(text), @r#"
    config::unknown-key

      × there is no setting `curency`
       ╭─[rpa.toml:1:1]
     1 │ curency = "EUR"
       · ───────
     2 │ zone = "Berlin"
       ╰────
      help: did you mean `currency`?

    config::invalid-value

      × `Berlin` is no time zone
       ╭─[rpa.toml:2:8]
     1 │ curency = "EUR"
     2 │ zone = "Berlin"
       ·        ────────
     3 │ name = 5
       ╰────
      help: write its IANA name, such as `Europe/Berlin`

    config::wrong-kind

      × `name` takes a text
       ╭─[rpa.toml:3:8]
     2 │ zone = "Berlin"
     3 │ name = 5
       ·        ┬
       ·        ╰── this is a number
     4 │
       ╰────
      help: write `name = "…"`

    config::invalid-value

      × a mail server needs a host
       ╭─[rpa.toml:6:1]
     5 │ [mail]
     6 │ smtp = { port = 70000, password = "x" }
       · ────
     7 │
       ╰────
      help: add `host = "mail.example.com"`

    config::invalid-value

      × `port` lies between 1 and 65535
       ╭─[rpa.toml:6:17]
     5 │ [mail]
     6 │ smtp = { port = 70000, password = "x" }
       ·                 ─────
     7 │
       ╰────
      help: write a number in between

    config::unknown-key

      × there is no setting `password` in `[mail.smtp]`
       ╭─[rpa.toml:6:24]
     5 │ [mail]
     6 │ smtp = { port = 70000, password = "x" }
       ·                        ────────
     7 │
       ╰────
      note: a password in a file ends up in repositories and backups
      help: name the environment variable that holds it: `password_env = "SMTP_PASSWORD"`

    config::wrong-kind

      × `read` takes a list of texts
        ╭─[rpa.toml:9:14]
      8 │ [reach]
      9 │ read = ["a", 1]
        ·              ┬
        ·              ╰── this is a number
     10 │ hosts = ["https://a.b"]
        ╰────
      help: write `read = ["…", "…"]`

    config::invalid-value

      × `https://a.b` is no host
        ╭─[rpa.toml:10:10]
      9 │ read = ["a", 1]
     10 │ hosts = ["https://a.b"]
        ·          ─────────────
     11 │ mail = ["a@b"]
        ╰────
      help: write the host alone, such as `api.example.com`

    config::invalid-value

      × `a@b` is no mail domain
        ╭─[rpa.toml:11:9]
     10 │ hosts = ["https://a.b"]
     11 │ mail = ["a@b"]
        ·         ─────
     12 │
        ╰────
      help: write the domain alone, such as `example.com`, or `*.example.com` for all below it

    config::invalid-value

      × `everything` names no place that personal data could go to
        ╭─[rpa.toml:14:10]
     13 │ [privacy]
     14 │ allow = ["everything"]
        ·          ────────────
     15 │
        ╰────
      help: write `write FOLDER`, `mail DOMAIN`, `call HOST`, `ask ROLE`, `log`, `key` or `fail`

    config::wrong-kind

      × `call_depth` takes a whole number
        ╭─[rpa.toml:17:14]
     16 │ [limits]
     17 │ call_depth = "deep"
        ·              ───┬──
        ·                 ╰── this is a text
     18 │ width = 1
        ╰────
      help: write `call_depth = 1`

    config::unknown-key

      × there is no setting `width` in `[limits]`
        ╭─[rpa.toml:18:1]
     17 │ call_depth = "deep"
     18 │ width = 1
        · ─────
        ╰────
      help: there are `rounds`, `call_depth`, `list_length`, `text_length`, `memory`, `answer` and
            `call_time`
    "#);
}

#[test]
fn what_is_no_toml_is_said_at_its_place() {
    insta::assert_snapshot!(said("name = Shop\n[mail\nfrom = \"a\"\n"), @r#"
    config::syntax

      × this is no TOML
       ╭─[rpa.toml:1:8]
     1 │ name = Shop
       ·        ──┬─
       ·          ╰── string values must be quoted, expected literal string
     2 │ [mail
       ╰────
      help: a setting is written `name = "value"`, a section `[section]`

    config::syntax

      × this is no TOML
       ╭─[rpa.toml:2:6]
     1 │ name = Shop
     2 │ [mail
       ·      ┬
       ·      ╰── unclosed table, expected `]`
     3 │ from = "a"
       ╰────
      help: a setting is written `name = "value"`, a section `[section]`
    "#);
}
