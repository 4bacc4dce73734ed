//! What a project allows its scripts, as far as the checker holds scripts to it: plain data, read from `rpa.toml`.

use super::host::HostRule;
use ecow::EcoString;

/// What the scripts of a project may reach, and where personal data may go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Boundaries {
    /// Whether there is a project file; a script that stands alone is held to nothing that only a project can say.
    pub is_project: bool,
    /// The day it is, where dates are shown that lie ahead; the checker itself knows no clock.
    pub today: Option<crate::value::Date>,
    /// The IANA zone in which days are counted, when the project names one.
    pub zone: Option<EcoString>,
    /// The domain of the project's own mail addresses: that of `from` in `[mail]`.
    pub own_domain: Option<EcoString>,
    /// Folders that may be read, relative to the project's folder; none when the project does not say.
    pub read: Option<Vec<EcoString>>,
    /// Folders that may be written to, relative to the project's folder; none when the project does not say.
    pub write: Option<Vec<EcoString>>,
    /// Domains that mail may be sent to: `example.com`, `*.example.com`; none when the project does not say.
    pub mail: Option<Vec<EcoString>>,
    /// Hosts that may be called; none when nobody says, as for a script that is checked away from the machine it runs on.
    pub hosts: Option<Vec<HostRule>>,
    /// The names of the secrets that the project declares; none when nobody says.
    pub secrets: Option<Vec<EcoString>>,
    /// Where personal data may go beside the person's own mail.
    pub personal: Vec<Allowance>,
}

/// A place where personal data may go: an entry of `allow` in `[privacy]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Allowance {
    /// `log`: the story of a run.
    Log,
    /// `write FOLDER`: files below a folder of the project.
    Write(EcoString),
    /// `mail DOMAIN`: mail to addresses of a domain.
    Mail(EcoString),
    /// `call HOST`: calls of another system.
    Call(HostRule),
    /// `ask ROLE`: questions to a role.
    Ask(EcoString),
    /// `key`: the keys of runs.
    Key,
    /// `fail`: the fields of failures.
    Fail,
}

impl Allowance {
    /// Reads an entry: `log`, `write reports`, `mail example.com`, `call api.example.com`, `ask finance`, `key`, `fail`.
    pub fn parse(text: &str) -> Option<Allowance> {
        let mut words = text.split_whitespace();
        let (what, place) = (words.next()?, words.next());
        if words.next().is_some() {
            return None;
        }
        Some(match (what, place) {
            ("log", None) => Allowance::Log,
            ("key", None) => Allowance::Key,
            ("fail", None) => Allowance::Fail,
            ("write", Some(folder)) => Allowance::Write(folder.trim_end_matches('/').into()),
            ("mail", Some(domain)) => Allowance::Mail(domain.to_lowercase().into()),
            ("call", Some(host)) => Allowance::Call(HostRule::parse(host)?),
            ("ask", Some(role)) => Allowance::Ask(role.into()),
            _ => return None,
        })
    }
}

impl std::fmt::Display for Allowance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Allowance::Log => f.write_str("log"),
            Allowance::Key => f.write_str("key"),
            Allowance::Fail => f.write_str("fail"),
            Allowance::Write(folder) => write!(f, "write {folder}"),
            Allowance::Mail(domain) => write!(f, "mail {domain}"),
            Allowance::Call(host) => write!(f, "call {host}"),
            Allowance::Ask(role) => write!(f, "ask {role}"),
        }
    }
}

/// Whether a path of the project lies in a folder of it; `.` holds everything that is no way out of the project.
pub fn lies_in(path: &str, folder: &str) -> bool {
    let path = plain(path);
    let folder = plain(folder);
    if folder.is_empty() {
        return !path.starts_with('/') && !path.starts_with("..");
    }
    path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path without `.`, `..` where that can be seen, and slashes at the end.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." if parts.last().is_some_and(|last| *last != ".." && !last.is_empty()) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether an address belongs to a domain: `example.com` is that domain alone, `*.example.com` all below it.
pub fn is_of_domain(address: &str, domain: &str) -> bool {
    let Some((_, of)) = address.trim().trim_end_matches('>').rsplit_once('@') else { return false };
    let of = of.to_lowercase();
    match domain.to_lowercase().strip_prefix("*.") {
        Some(above) => of.strip_suffix(above).is_some_and(|rest| rest.ends_with('.')),
        None => of == domain.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowances_are_read_as_they_are_written() {
        for text in ["log", "key", "fail", "write reports", "mail example.com", "call *.example.com", "ask finance"] {
            assert_eq!(Allowance::parse(text).map(|read| read.to_string()).as_deref(), Some(text));
        }
        for text in ["", "write", "log all", "reports", "mail a b"] {
            assert_eq!(Allowance::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_path_lies_in_a_folder_or_not() {
        assert!(lies_in("reports/a.csv", "reports"));
        assert!(lies_in("./reports/2026/a.csv", "reports/"));
        assert!(lies_in("a.csv", "."));
        assert!(!lies_in("reports_old/a.csv", "reports"));
        assert!(!lies_in("reports/../public/a.csv", "reports"));
        assert!(!lies_in("../a.csv", "."));
    }

    #[test]
    fn an_address_is_of_a_domain_or_not() {
        assert!(is_of_domain("Ada <ada@Example.com>", "example.com"));
        assert!(is_of_domain("a@b.example.com", "*.example.com"));
        assert!(!is_of_domain("a@example.com", "*.example.com"));
        assert!(!is_of_domain("a@badexample.com", "*.example.com"));
        assert!(!is_of_domain("a@example.com.evil.org", "example.com"));
        assert!(!is_of_domain("nobody", "example.com"));
    }
}
