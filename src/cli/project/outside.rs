//! What `rpa.toml` says of other systems: hosts that may be called, when one is left alone, and where secrets are.

use super::Reader;
use crate::check::{Address, HostRule};
use crate::finding::{Finding, catalogue::config};
use crate::value::EcoString;
use crate::world::{Breaker, Project, SecretPlace};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

impl Reader {
    /// `hosts` in `[reach]`.
    pub(super) fn hosts(&mut self, reach: &DeTable<'_>, project: &mut Project) {
        for (host, at) in self.texts_at(reach, "hosts").unwrap_or_default() {
            match HostRule::parse(&host) {
                Some(rule) => project.calls.hosts.push(rule),
                None => {
                    self.invalid(at, format!("`{host}` is no host"), "write the host alone, such as `api.example.com`");
                }
            }
        }
    }

    /// `[systems]`: when a system outside is left alone.
    pub(super) fn systems(&mut self, table: &DeTable<'_>, project: &mut Project) {
        let Some(value) = table.get("systems") else { return };
        let Some(systems) = value.get_ref().as_table() else {
            return self.wrong_kind(value, "systems", "sections", "[systems.\"api.example.com\"]");
        };
        for (key, value) in systems.iter() {
            let name = key.get_ref().as_ref();
            let Some(section) = value.get_ref().as_table() else {
                self.wrong_kind(value, name, "a section", &format!("[systems.\"{name}\"]"));
                continue;
            };
            self.known(section, &format!("systems.{name}"), &["open_after", "within", "retry_after"]);
            let mut breaker = Breaker::default();
            self.number(section, "open_after", 1..=1000, &mut breaker.failures);
            self.duration(section, "within", &mut breaker.within);
            self.duration(section, "retry_after", &mut breaker.pause);
            // A name without a point or port is most likely misspelt.
            let address = Address::of(&format!("https://{name}")).filter(|address| {
                address.to_string() == name.to_lowercase() && (name.contains(['.', ':']) || address.is_own_machine())
            });
            match (name, address) {
                ("smtp", _) => project.mail.delivery.breaker = breaker,
                (_, Some(address)) => {
                    project.calls.systems.insert(address.to_string().into(), breaker);
                }
                (_, None) => {
                    let help = "write `[systems.smtp]` for the mail server, and the address of others in quotes, such as \
                                `[systems.\"api.example.com\"]`";
                    self.invalid(key.span(), format!("`{name}` is no system"), help);
                }
            }
        }
    }

    /// `[secrets]`: a name, and where the secret of that name is.
    pub(super) fn secrets(&mut self, table: &DeTable<'_>, project: &mut Project) {
        let Some(value) = table.get("secrets") else { return };
        let Some(secrets) = value.get_ref().as_table() else {
            return self.wrong_kind(value, "secrets", "a section", "[secrets]");
        };
        for (key, value) in secrets.iter() {
            let name = key.get_ref().as_ref();
            if let Some(place) = self.secret_place(name, value) {
                project.secrets.insert(name.into(), place);
            }
        }
    }

    fn secret_place(&mut self, name: &str, value: &Spanned<DeValue<'_>>) -> Option<SecretPlace> {
        let example = format!("{name} = {{ env = \"{}\" }}", name.to_uppercase());
        let Some(place) = value.get_ref().as_table() else {
            let message = format!("`{name}` says where a secret is, not what it is");
            self.findings.push(
                Finding::new(&config::WRONG_KIND, self.span(&value.span()), message)
                    .note("a secret in a file of the project ends up in repositories and backups; one that was in it must be made invalid")
                    .help(format!("name the environment variable that holds it: `{example}`, or a file: `{name} = {{ file = \"…\" }}`")),
            );
            return None;
        };
        self.known(place, &format!("secrets.{name}"), &["env", "file"]);
        let (variable, file) = (self.text_at(place, "env"), self.text_at(place, "file"));
        match (variable, file) {
            (Some((variable, at)), None) => {
                if variable.is_empty() || variable.contains(['=', '\0', ' ']) {
                    self.invalid(at, format!("`{variable}` is no environment variable"), format!("write `{example}`"));
                    return None;
                }
                Some(SecretPlace::Environment(EcoString::from(variable)))
            }
            (None, Some((file, at))) => {
                if file.is_empty() {
                    self.invalid(at, "`file` names no file", "write a path from the project's folder");
                    return None;
                }
                Some(SecretPlace::File(self.folder.join(file)))
            }
            (Some(_), Some((_, at))) => {
                self.invalid(at, format!("`{name}` is in two places"), "keep one of `env` and `file`");
                None
            }
            (None, None) => {
                if place.is_empty() {
                    self.invalid(
                        value.span(),
                        format!("it is not said where `{name}` is"),
                        format!("write `{example}`"),
                    );
                }
                None
            }
        }
    }
}
