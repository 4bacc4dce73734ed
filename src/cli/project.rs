//! Reads `rpa.toml`. Every setting is checked, and one that does not exist is a finding: a misspelt
//! setting must not be passed over in silence.

mod outside;

use super::sources;
use crate::check::Allowance;
use crate::finding::catalogue::config;
use crate::finding::{Finding, Level, LevelError, Levels, level_names};
use crate::text::{SourceId, Sources, Span, nearest};
use crate::value::{Currency, Duration, EcoString, parse};
use crate::world::{EffectClass, Project, Smtp, Tls};
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The name of the project file.
pub const FILE: &str = "rpa.toml";

/// The project that a script belongs to: that of the nearest `rpa.toml` in its folder or above, or the
/// defaults for a script that stands alone.
///
/// # Errors
/// All that is wrong in the file, with its text added to `sources`.
pub fn of_script(script: &Path, sources: &mut Sources) -> Result<Project, Vec<Finding>> {
    let folder = match script.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    of_folder(&folder, sources)
}

/// The project that a folder belongs to.
///
/// # Errors
/// As [`of_script`].
pub fn of_folder(folder: &Path, sources: &mut Sources) -> Result<Project, Vec<Finding>> {
    // A folder such as `.` has no parents by name; the real one has.
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let Some(above) = real.ancestors().find(|above| above.join(FILE).is_file()) else {
        return Ok(Project::of_folder(&real));
    };
    let name = if above == real { folder.join(FILE) } else { above.join(FILE) };
    let name = name.strip_prefix(".").unwrap_or(&name).display().to_string();
    let bytes = sources::read_bytes(&above.join(FILE), &name).map_err(|finding| vec![*finding])?;
    let source = sources::decode(&name, Some(&above.join(FILE)), bytes, sources).map_err(|finding| vec![*finding])?;
    let text = sources.get(source).map(|source| source.text.clone()).unwrap_or_default();
    read(&text, source, above)
}

/// Reads the text of a project file that lies in `folder`.
///
/// # Errors
/// All that is wrong in it.
pub fn read(text: &str, source: SourceId, folder: &Path) -> Result<Project, Vec<Finding>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { source, folder: folder.to_path_buf(), findings: Vec::new() };
    for error in errors {
        let at = error.span().unwrap_or(0..0);
        reader.findings.push(
            Finding::new(&config::SYNTAX, reader.span(&at), "this is no TOML")
                .at(error.message().to_string())
                .help("a setting is written `name = \"value\"`, a section `[section]`"),
        );
    }
    let mut project = Project::of_folder(folder);
    if reader.findings.is_empty() {
        reader.project(table.get_ref(), &mut project);
    }
    if reader.findings.is_empty() { Ok(project) } else { Err(reader.findings) }
}

struct Reader {
    source: SourceId,
    folder: PathBuf,
    findings: Vec<Finding>,
}

impl Reader {
    fn project(&mut self, table: &DeTable<'_>, project: &mut Project) {
        project.written.file = true;
        let known = [
            "name", "zone", "currency", "store", "mail", "reach", "privacy", "limits", "pdf", "seller", "check",
            "effects", "systems", "calendar", "secrets",
        ];
        self.known(table, "", &known);
        self.text(table, "name", &mut project.name);
        if let Some((zone, at)) = self.text_at(table, "zone") {
            match jiff::tz::TimeZone::get(&zone) {
                Ok(_) => {
                    project.zone = zone.into();
                    project.written.zone = true;
                }
                Err(_) => self.invalid(
                    at,
                    format!("`{zone}` is no time zone"),
                    "write its IANA name, such as `Europe/Berlin`",
                ),
            }
        }
        if let Some((code, at)) = self.text_at(table, "currency") {
            match Currency::from_code(&code) {
                Some(currency) => project.currency = Some(currency),
                None => {
                    let near = nearest(&code, Currency::all().map(Currency::code));
                    let help = match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "write the three letters of ISO 4217, such as `EUR`".to_string(),
                    };
                    self.invalid(at, format!("`{code}` is no currency"), help);
                }
            }
        }
        if let Some(store) = self.section(table, "store", &["path", "lease", "keep"]) {
            self.path(store, "path", &mut project.store);
            let mut seconds = project.lease.milliseconds() / 1000;
            self.number(store, "lease", 1..=86_400, &mut seconds);
            project.lease = Duration::from_milliseconds(seconds * 1000);
            let mut keep = Duration::ZERO;
            self.duration(store, "keep", &mut keep);
            project.keep = Some(keep).filter(|keep| *keep > Duration::ZERO);
        }
        if let Some(mail) = self.section(table, "mail", &["from", "outbox", "smtp", "attempts"]) {
            self.text(mail, "from", &mut project.mail.from);
            project.written.from = mail.get("from").is_some();
            self.path(mail, "outbox", &mut project.mail.outbox);
            project.mail.smtp = self.smtp(mail);
            self.number(mail, "attempts", 1..=1000, &mut project.mail.delivery.attempts);
        }
        if let Some(reach) = self.section(table, "reach", &["read", "write", "hosts", "mail"]) {
            self.paths(reach, "read", &mut project.reach.read);
            self.paths(reach, "write", &mut project.reach.write);
            project.written.read = reach.get("read").is_some();
            project.written.write = reach.get("write").is_some();
            if let Some(domains) = self.texts_at(reach, "mail") {
                let mut allowed: Vec<EcoString> = Vec::new();
                for (domain, at) in domains {
                    if domain.is_empty() || domain.contains(['/', ' ', '@']) {
                        let help = "write the domain alone, such as `example.com`, or `*.example.com` for all below it";
                        self.invalid(at, format!("`{domain}` is no mail domain"), help);
                    } else {
                        allowed.push(domain.into());
                    }
                }
                project.reach.mail = Some(allowed);
            }
            self.hosts(reach, project);
        }
        if let Some(privacy) = self.section(table, "privacy", &["allow"]) {
            for (entry, at) in self.texts_at(privacy, "allow").unwrap_or_default() {
                match Allowance::parse(&entry) {
                    Some(allowance) => project.privacy.push(allowance),
                    None => self.invalid(
                        at,
                        format!("`{entry}` names no place that personal data could go to"),
                        "write `write FOLDER`, `mail DOMAIN`, `call HOST`, `ask ROLE`, `log`, `key` or `fail`",
                    ),
                }
            }
        }
        self.effects(table, project);
        self.systems(table, project);
        self.secrets(table, project);
        if let Some(calendar) = self.section(table, "calendar", &["holidays"])
            && calendar.get("holidays").is_some()
        {
            let mut path = PathBuf::new();
            self.path(calendar, "holidays", &mut path);
            project.holidays = Some(path).filter(|path| !path.as_os_str().is_empty());
        }
        let known = ["rounds", "call_depth", "list_length", "text_length", "memory", "answer", "call_time"];
        if let Some(limits) = self.section(table, "limits", &known) {
            self.number(limits, "rounds", 1..=i64::MAX, &mut project.limits.rounds);
            // Deeper calls would need more stack than the program takes for itself.
            self.number(limits, "call_depth", 1..=10_000, &mut project.limits.call_depth);
            self.number(limits, "list_length", 1..=i64::MAX, &mut project.limits.list_length);
            self.number(limits, "text_length", 1..=i64::MAX, &mut project.limits.text_length);
            self.number(limits, "memory", 1..=i64::MAX, &mut project.limits.memory);
            self.number(limits, "answer", 1..=i64::MAX, &mut project.calls.answer);
            self.duration(limits, "call_time", &mut project.calls.time);
        }
        if let Some(pdf) = self.section(table, "pdf", &["fonts"]) {
            self.paths(pdf, "fonts", &mut project.pdf.fonts);
        }
        self.levels(table, &mut project.levels);
        if let Some(seller) = self.section(table, "seller", &["name", "address", "country", "vat_id", "iban"]) {
            self.text(seller, "name", &mut project.seller.name);
            self.text(seller, "country", &mut project.seller.country);
            self.text(seller, "vat_id", &mut project.seller.vat_id);
            self.text(seller, "iban", &mut project.seller.iban);
            // One text with line breaks, or a list of lines.
            match seller.get("address").map(|value| value.get_ref()) {
                Some(DeValue::Array(_)) => {
                    let lines = self.texts_at(seller, "address").unwrap_or_default();
                    let lines: Vec<_> = lines.into_iter().map(|(line, _)| line).collect();
                    project.seller.address = lines.join("\n").into();
                }
                _ => self.text(seller, "address", &mut project.seller.address),
            }
        }
    }

    /// `[check]`: a code or a group of codes, and how much its findings matter.
    fn levels(&mut self, table: &DeTable<'_>, levels: &mut Levels) {
        let Some(value) = table.get("check") else { return };
        let Some(section) = value.get_ref().as_table() else {
            self.wrong_kind(value, "check", "a section", "[check]");
            return;
        };
        for (key, value) in section.iter() {
            let name = key.get_ref().as_ref();
            let level = match value.get_ref().as_str() {
                Some("error") => Level::Error,
                Some("warning") => Level::Warning,
                Some("off") => Level::Off,
                Some(word) => {
                    let message = format!("`{word}` is no severity");
                    self.invalid(value.span(), message, "write `error`, `warning` or `off`");
                    continue;
                }
                None => {
                    self.wrong_kind(value, name, "a text", &format!("\"{name}\" = \"warning\""));
                    continue;
                }
            };
            let (code, message, help) = match levels.set(name, level) {
                Ok(()) => continue,
                Err(error @ LevelError::Unknown(_)) => {
                    let help = match nearest(name, level_names()) {
                        Some(near) => format!("did you mean `\"{near}\"`?"),
                        None => "the codes stand in docs/findings.md; `rpa explain CODE` tells of one".to_string(),
                    };
                    (&config::UNKNOWN_KEY, error.to_string(), help)
                }
                Err(error @ LevelError::Needed(_)) => {
                    (&config::INVALID_VALUE, error.to_string(), "take the line away".to_string())
                }
            };
            self.findings.push(Finding::new(code, self.span(&key.span()), message).help(help));
        }
    }

    /// The kill switches: `email = "off"`.
    fn effects(&mut self, table: &DeTable<'_>, project: &mut Project) {
        let Some(effects) = self.section(table, "effects", &EffectClass::ALL.map(EffectClass::word)) else { return };
        for class in EffectClass::ALL {
            match self.text_at(effects, class.word()) {
                Some((word, _)) if word == "off" => project.effects_off.set(class, true),
                Some((word, at)) if word != "on" => {
                    self.invalid(at, format!("`{word}` is no position of a switch"), "write `\"on\"` or `\"off\"`");
                }
                _ => {}
            }
        }
    }

    /// A length of time as the language writes it: `"30 seconds"`.
    fn duration(&mut self, table: &DeTable<'_>, name: &str, target: &mut Duration) {
        let Some((text, at)) = self.text_at(table, name) else { return };
        match parse::duration(&text) {
            Ok(duration) if duration > Duration::ZERO => *target = duration,
            _ => self.invalid(at, format!("`{text}` is no length of time"), "write it such as `\"30 seconds\"`"),
        }
    }

    fn smtp(&mut self, mail: &DeTable<'_>) -> Option<Smtp> {
        let table = self.section(mail, "smtp", &["host", "port", "tls", "user", "password_env", "timeout"])?;
        let section = mail.get_key_value("smtp").map(|(key, _)| key.span()).unwrap_or_default();
        let mut tls = Tls::Starttls;
        if let Some((word, at)) = self.text_at(table, "tls") {
            match word.as_str() {
                "starttls" => tls = Tls::Starttls,
                "tls" => tls = Tls::Tls,
                "off" => tls = Tls::Off,
                _ => self.invalid(
                    at,
                    format!("`{word}` is no way to protect a connection"),
                    "write `starttls`, `tls` or `off`",
                ),
            }
        }
        let mut port = match tls {
            Tls::Starttls => 587,
            Tls::Tls => 465,
            Tls::Off => 25,
        };
        self.number(table, "port", 1..=65535, &mut port);
        let optional = |found: Option<(String, Range<usize>)>| found.map(|(text, _)| EcoString::from(text));
        let user = optional(self.text_at(table, "user"));
        let password_env = optional(self.text_at(table, "password_env"));
        let timeout = self.smtp_timeout(table);
        match self.text_at(table, "host") {
            Some((host, _)) if !host.is_empty() => {
                Some(Smtp { host: host.into(), port, tls, user, password_env, timeout })
            }
            _ => {
                if table.get("host").is_none_or(|host| host.get_ref().is_str()) {
                    self.invalid(section, "a mail server needs a host", "add `host = \"mail.example.com\"`");
                }
                None
            }
        }
    }

    /// How long the mail server may take to answer: whoever waits for less than a second or for more than ten minutes has
    /// mistaken the unit.
    fn smtp_timeout(&mut self, table: &DeTable<'_>) -> Duration {
        let mut timeout = Smtp::TIMEOUT;
        self.duration(table, "timeout", &mut timeout);
        let range = Duration::SECOND..=10 * Duration::MINUTE;
        if !range.contains(&timeout.milliseconds()) {
            if let Some((_, at)) = self.text_at(table, "timeout") {
                self.invalid(at, "a mail server is given a second to ten minutes", "write it such as `\"30 seconds\"`");
            }
            timeout = Smtp::TIMEOUT;
        }
        timeout
    }

    /// Reports the keys of a table that nobody reads.
    fn known(&mut self, table: &DeTable<'_>, section: &str, known: &[&str]) {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let place = if section.is_empty() { String::new() } else { format!(" in `[{section}]`") };
            let finding = Finding::new(
                &config::UNKNOWN_KEY,
                self.span(&key.span()),
                format!("there is no setting `{name}`{place}"),
            );
            let finding = if name == "password" {
                finding
                    .note("a password in a file ends up in repositories and backups")
                    .help("name the environment variable that holds it: `password_env = \"SMTP_PASSWORD\"`")
            } else {
                match nearest(name, known.iter().copied()) {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None => finding.help(format!("there are {}", listed(known))),
                }
            };
            self.findings.push(finding);
        }
    }

    fn section<'t, 'i>(&mut self, table: &'t DeTable<'i>, name: &str, known: &[&str]) -> Option<&'t DeTable<'i>> {
        let value = table.get(name)?;
        let Some(section) = value.get_ref().as_table() else {
            self.wrong_kind(value, name, "a section", &format!("[{name}]"));
            return None;
        };
        self.known(
            section,
            match name {
                "smtp" => "mail.smtp",
                name => name,
            },
            known,
        );
        Some(section)
    }

    fn text(&mut self, table: &DeTable<'_>, name: &str, target: &mut EcoString) {
        if let Some((text, _)) = self.text_at(table, name) {
            *target = text.into();
        }
    }

    fn text_at(&mut self, table: &DeTable<'_>, name: &str) -> Option<(String, Range<usize>)> {
        let value = table.get(name)?;
        match value.get_ref().as_str() {
            Some(text) => Some((text.to_string(), value.span())),
            None => {
                self.wrong_kind(value, name, "a text", &format!("{name} = \"…\""));
                None
            }
        }
    }

    fn texts_at(&mut self, table: &DeTable<'_>, name: &str) -> Option<Vec<(String, Range<usize>)>> {
        let value = table.get(name)?;
        let example = format!("{name} = [\"…\", \"…\"]");
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_kind(value, name, "a list of texts", &example);
            return None;
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text.to_string(), item.span())),
                None => self.wrong_kind(item, name, "a list of texts", &example),
            }
        }
        Some(texts)
    }

    fn path(&mut self, table: &DeTable<'_>, name: &str, target: &mut PathBuf) {
        if let Some((path, at)) = self.text_at(table, name) {
            if path.is_empty() {
                self.invalid(at, format!("`{name}` names no file"), "write a path from the project's folder");
            } else {
                *target = self.folder.join(path);
            }
        }
    }

    fn paths(&mut self, table: &DeTable<'_>, name: &str, target: &mut Vec<PathBuf>) {
        if let Some(paths) = self.texts_at(table, name) {
            *target = paths.into_iter().map(|(path, _)| self.folder.join(path)).collect();
        }
    }

    fn number<T: TryFrom<i64>>(
        &mut self,
        table: &DeTable<'_>,
        name: &str,
        range: std::ops::RangeInclusive<i64>,
        target: &mut T,
    ) {
        let Some(value) = table.get(name) else { return };
        let Some(number) = value.get_ref().as_integer() else {
            self.wrong_kind(value, name, "a whole number", &format!("{name} = {}", range.start()));
            return;
        };
        let digits = number.as_str().replace('_', "");
        let number = i64::from_str_radix(&digits, number.radix()).ok().filter(|number| range.contains(number));
        match number.and_then(|number| T::try_from(number).ok()) {
            Some(number) => *target = number,
            None => {
                let (least, most) = (range.start(), range.end());
                self.invalid(
                    value.span(),
                    format!("`{name}` lies between {least} and {most}"),
                    "write a number in between",
                );
            }
        }
    }

    fn wrong_kind(&mut self, value: &Spanned<DeValue<'_>>, name: &str, kind: &str, example: &str) {
        self.findings.push(
            Finding::new(&config::WRONG_KIND, self.span(&value.span()), format!("`{name}` takes {kind}"))
                .at(format!("this is {}", described(value.get_ref())))
                .help(format!("write `{example}`")),
        );
    }

    fn invalid(&mut self, at: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.findings.push(Finding::new(&config::INVALID_VALUE, self.span(&at), message).help(help));
    }

    fn span(&self, range: &Range<usize>) -> Span {
        Span::new(self.source, range.start, range.end)
    }
}

fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

/// `a, b and c`, each as code.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
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
}
