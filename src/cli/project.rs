//! Reads `rpa.toml`. Every setting is checked, and one that does not exist is a finding: a misspelt
//! setting must not be passed over in silence.

mod outside;
#[cfg(test)]
mod tests;

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
            "effects", "systems", "calendar", "secrets", "tls",
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
        if let Some(tls) = self.section(table, "tls", &["authorities"]) {
            self.paths(tls, "authorities", &mut project.authorities);
        }
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
