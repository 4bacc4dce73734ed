//! Secrets: what opens a door elsewhere. A script asks for one by the name that the project declares; what it is
//! lies in the environment or in a file, and never in a script, the store or the project file.

use ecow::EcoString;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where a project keeps a secret: an entry of `[secrets]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// An environment variable.
    Environment(EcoString),
    /// A file, whose last line break does not count.
    File(PathBuf),
}

/// Why a secret can't be had. Never says anything of the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The project declares no such secret.
    #[error("the project declares no secret `{0}`; add it to `[secrets]` in rpa.toml")]
    Undeclared(EcoString),
    /// It is not where the project says.
    #[error("{0}")]
    Missing(String),
}

/// Fetches secrets from where they are kept.
pub trait SecretSource: Send {
    /// The secret of this name.
    fn fetch(&mut self, name: &str) -> Result<EcoString, SecretError>;
}

/// What stands in place of a secret.
const MASK: &str = "•••";

/// Secrets with less bytes are not looked for in other texts: everything would be taken for one.
const SHORTEST: usize = 4;

/// Fetches secrets and remembers them, so that one which comes back from elsewhere is known and covered.
pub struct Secrets {
    source: Box<dyn SecretSource>,
    known: BTreeMap<EcoString, EcoString>,
    /// What was made of them for a request, such as the credentials of a header.
    made: Vec<EcoString>,
}

impl Default for Secrets {
    fn default() -> Self {
        Secrets::new(MemorySecrets::default())
    }
}

impl Secrets {
    /// The secrets of a source.
    pub fn new(source: impl SecretSource + 'static) -> Secrets {
        Secrets { source: Box::new(source), known: BTreeMap::new(), made: Vec::new() }
    }

    /// The secret of this name. Asked for once: a process works with what it has found first.
    ///
    /// # Errors
    /// When the project does not declare it, or it is not where the project says.
    pub fn get(&mut self, name: &str) -> Result<EcoString, SecretError> {
        if let Some(known) = self.known.get(name) {
            return Ok(known.clone());
        }
        let found = self.source.fetch(name)?;
        self.known.insert(name.into(), found.clone());
        Ok(found)
    }

    /// Remembers a text that opens a door as the secret itself does.
    pub fn remember(&mut self, made: &str) {
        if made.len() >= SHORTEST && !self.made.iter().any(|known| known == made) {
            self.made.push(made.into());
        }
    }

    /// The text with every secret that was asked for so far covered.
    pub fn covered<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut covered = Cow::Borrowed(text);
        // The longest first: one may be a part of another.
        let mut all: Vec<&EcoString> = self.known.values().chain(&self.made).collect();
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in all.into_iter().filter(|secret| secret.len() >= SHORTEST) {
            if covered.contains(secret.as_str()) {
                covered = Cow::Owned(covered.replace(secret.as_str(), MASK));
            }
        }
        covered
    }

    /// Whether a text holds a secret that was asked for.
    pub fn are_in(&self, text: &str) -> bool {
        self.known.values().chain(&self.made).any(|secret| !secret.is_empty() && text.contains(secret.as_str()))
    }
}

/// Secrets that a test makes up.
#[derive(Debug, Clone, Default)]
pub struct MemorySecrets(pub BTreeMap<EcoString, EcoString>);

impl SecretSource for MemorySecrets {
    fn fetch(&mut self, name: &str) -> Result<EcoString, SecretError> {
        self.0.get(name).cloned().ok_or_else(|| SecretError::Undeclared(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_covered_wherever_it_comes_back() {
        let all = [("short", "ab"), ("token", "tok-1"), ("long", "tok-12345")];
        let source = MemorySecrets(all.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        let mut secrets = Secrets::new(source);
        assert_eq!(secrets.covered("tok-12345"), "tok-12345", "nobody has asked for it");
        for (name, value) in all {
            assert_eq!(secrets.get(name).unwrap(), value);
        }
        secrets.remember("dG9rLTE=");
        assert_eq!(secrets.covered("bad tok-12345, tok-1 and dG9rLTE= (ab)"), "bad •••, ••• and ••• (ab)");
        assert!(secrets.are_in("my tok-1") && !secrets.are_in("my tok"));
        assert_eq!(secrets.get("other"), Err(SecretError::Undeclared("other".into())));
    }
}
