//! Hosts that scripts call, and the entries of `hosts` in `[reach]` that allow them.
//!
//! An entry names a host (`api.example.com`), all below it (`*.example.com`), one port of it (`erp.local:8443`), or says
//! that it may be called without protection (`http://erp.local`). Without that word only `https` is allowed, but for
//! the machine itself, where nobody listens on the way.

use ecow::EcoString;
use std::fmt;

/// Where a call goes: what of its URL says which system it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Whether it is called without protection: `http`, not `https`.
    pub is_plain: bool,
    /// The host, in small letters, as DNS knows it.
    pub host: EcoString,
    /// The port.
    pub port: u16,
}

/// The port where none is written.
fn usual_port(is_plain: bool) -> u16 {
    if is_plain { 80 } else { 443 }
}

impl Address {
    /// The address of a host.
    pub fn new(is_plain: bool, host: &str, port: Option<u16>) -> Option<Address> {
        let port = port.unwrap_or(usual_port(is_plain));
        Some(Address { is_plain, host: known_host(host)?, port })
    }

    /// The address in a URL, of which the end may not be known yet; none when its beginning does not say.
    pub fn of(url: &str) -> Option<Address> {
        let (is_plain, rest) = without_scheme(url)?;
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (host, port) = host_and_port(&rest[..end])?;
        Address::new(is_plain, host, port)
    }

    /// Whether it is the machine itself.
    pub fn is_own_machine(&self) -> bool {
        self.host == "localhost" || self.host == "[::1]" || {
            let mut parts = self.host.split('.');
            parts.next() == Some("127") && parts.clone().count() == 3 && parts.all(|part| part.parse::<u8>().is_ok())
        }
    }
}

/// What people call the system: `api.example.com`, `localhost:8080`. Circuit breakers and stories know it by this.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port == usual_port(self.is_plain) {
            true => f.write_str(&self.host),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// An entry of `hosts` in `[reach]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostRule {
    /// Whether it says that the host may be called without protection.
    is_plain: bool,
    /// Whether it is for all hosts below.
    is_below: bool,
    host: EcoString,
    port: Option<u16>,
}

impl HostRule {
    /// Reads an entry.
    pub fn parse(entry: &str) -> Option<HostRule> {
        // That a host is called by `https` goes without saying.
        let (is_plain, rest) = match entry.strip_prefix("http://") {
            Some(rest) => (true, rest),
            None => (false, entry),
        };
        let (is_below, rest) = match rest.strip_prefix("*.") {
            Some(below) => (true, below),
            None => (false, rest),
        };
        let (host, port) = host_and_port(rest)?;
        Some(HostRule { is_plain, is_below, host: known_host(host)?, port })
    }

    /// The entry that allows one system alone.
    pub fn of(address: &Address) -> HostRule {
        let is_usual = address.port == usual_port(address.is_plain);
        HostRule {
            is_plain: address.is_plain && !address.is_own_machine(),
            is_below: false,
            host: address.host.clone(),
            port: (!is_usual).then_some(address.port),
        }
    }

    /// Whether it allows a call.
    pub fn allows(&self, address: &Address) -> bool {
        let is_host = match self.is_below {
            true => address.host.strip_suffix(self.host.as_str()).is_some_and(|rest| rest.ends_with('.')),
            false => address.host == self.host,
        };
        is_host
            && self.port.is_none_or(|port| port == address.port)
            && (!address.is_plain || self.is_plain || address.is_own_machine())
    }

    /// Whether it would allow a call, were it protected.
    pub fn wants_protection(&self, address: &Address) -> bool {
        let port = if address.port == 80 { 443 } else { address.port };
        address.is_plain && !self.allows(address) && self.allows(&Address { is_plain: false, port, ..address.clone() })
    }
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, below) = (if self.is_plain { "http://" } else { "" }, if self.is_below { "*." } else { "" });
        write!(f, "{scheme}{below}{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Why a call may not be made, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// `the project allows no host at all`
    pub why: String,
    /// What to do.
    pub help: String,
}

/// Why a call may not be made, or none.
pub fn refusal(address: &Address, hosts: &[HostRule]) -> Option<Refusal> {
    if hosts.iter().any(|rule| rule.allows(address)) {
        return None;
    }
    if hosts.iter().any(|rule| rule.wants_protection(address)) {
        let why = "the project allows it with `https` alone".to_string();
        let help = format!(
            "call it with `https`; if it must be without protection, write `{}` in `hosts` under `[reach]` in rpa.toml",
            HostRule::of(address)
        );
        return Some(Refusal { why, help });
    }
    let why = match hosts {
        [] => "the project allows no host at all".to_string(),
        hosts => {
            let names: Vec<String> = hosts.iter().map(|host| format!("`{host}`")).collect();
            format!("the project allows {}", names.join(", "))
        }
    };
    let help = format!("if that is meant, add `{}` to `hosts` under `[reach]` in rpa.toml", HostRule::of(address));
    Some(Refusal { why, help })
}

fn without_scheme(text: &str) -> Option<(bool, &str)> {
    let is_scheme = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    [("https://", false), ("http://", true)]
        .into_iter()
        .find(|(scheme, _)| is_scheme(scheme))
        .and_then(|(scheme, is_plain)| Some((is_plain, text.get(scheme.len()..)?)))
}

fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    // The colons of an IPv6 address stand in brackets.
    let behind = text.rfind(']').map_or(0, |at| at + 1);
    match text.get(behind..)?.rfind(':') {
        Some(at) => {
            let port = text.get(behind + at + 1..)?.parse().ok()?;
            Some((text.get(..behind + at)?, Some(port)))
        }
        None => Some((text, None)),
    }
}

/// The form in which hosts are compared: small letters, and what lies beyond ASCII as DNS writes it.
fn known_host(host: &str) -> Option<EcoString> {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: std::net::Ipv6Addr = inner.parse().ok()?;
        return Some(ecow::eco_format!("[{address}]"));
    }
    let host = idna::domain_to_ascii(host).ok()?;
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!host.is_empty() && host.len() <= 253 && host.chars().all(is_fine)).then(|| host.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_url_is_known_by_its_beginning() {
        let shown = |url: &str| Address::of(url).map_or("none".to_string(), |address| address.to_string());
        let urls = [
            "https://API.example.com/orders/…",
            "https://api.example.com",
            "http://localhost:8080/a?b",
            "https://[::1]:8443/x",
            "https://müller.example/",
            "https://api.example.com:443?x",
            "https://api.example.com:x/",
            "https://user@api.example.com/",
            "https://…/orders",
            "{base}/orders",
            "ftp://example.com",
            "",
        ];
        insta::assert_snapshot!(urls.map(shown).join("\n"), @r"
        api.example.com
        api.example.com
        localhost:8080
        [::1]:8443
        xn--mller-kva.example
        api.example.com
        none
        none
        none
        none
        none
        none
        ");
    }

    #[test]
    fn an_entry_allows_what_it_names_and_nothing_else() {
        let allows = |entry: &str, url: &str| HostRule::parse(entry).unwrap().allows(&Address::of(url).unwrap());
        assert!(allows("api.example.com", "https://api.example.com/x"));
        assert!(allows("api.example.com", "https://api.example.com:8443/x"));
        assert!(allows("api.example.com:8443", "https://api.example.com:8443/x"));
        assert!(allows("*.example.com", "https://a.b.example.com"));
        assert!(allows("http://erp.local", "http://erp.local"));
        assert!(allows("http://erp.local", "https://erp.local"));
        assert!(allows("localhost", "http://localhost:9"));
        assert!(allows("127.0.0.1", "http://127.0.0.1:9"));
        assert!(allows("müller.example", "https://xn--mller-kva.example"));
        assert!(!allows("api.example.com", "http://api.example.com"));
        assert!(!allows("api.example.com:8443", "https://api.example.com"));
        assert!(!allows("*.example.com", "https://example.com"));
        assert!(!allows("example.com", "https://badexample.com"));
        assert!(!allows("*.example.com", "https://badexample.com"));
        assert!(!allows("example.com", "https://example.com.evil.org"));
        assert!(!allows("127.0.0.1.evil.org", "http://127.0.0.1.evil.org"));
    }

    #[test]
    fn entries_are_read_as_they_are_written() {
        for entry in ["api.example.com", "*.example.com", "erp.local:8443", "http://erp.local", "[::1]:8080"] {
            assert_eq!(HostRule::parse(entry).map(|rule| rule.to_string()).as_deref(), Some(entry));
        }
        for entry in ["", "*", "a b", "example.com/path", "me@example.com", "example.com:port", "https://example.com"] {
            assert_eq!(HostRule::parse(entry), None, "{entry}");
        }
    }

    #[test]
    fn why_a_call_may_not_be_made_is_said() {
        let said = |hosts: &[&str], url: &str| {
            let hosts: Vec<HostRule> = hosts.iter().map(|host| HostRule::parse(host).unwrap()).collect();
            refusal(&Address::of(url).unwrap(), &hosts).map(|refusal| refusal.why)
        };
        assert_eq!(said(&["a.example"], "https://a.example/x"), None);
        assert_eq!(said(&[], "https://a.example").as_deref(), Some("the project allows no host at all"));
        assert_eq!(said(&["a.example"], "https://b.example").as_deref(), Some("the project allows `a.example`"));
        assert_eq!(
            said(&["a.example"], "http://a.example").as_deref(),
            Some("the project allows it with `https` alone")
        );
    }
}
