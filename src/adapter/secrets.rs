//! Secrets where a project keeps them: in the environment, or in files.

use crate::world::{SecretError, SecretPlace, SecretSource};
use ecow::EcoString;
use std::collections::BTreeMap;
use std::path::Path;

/// A file with a secret has no more bytes.
const LARGEST: u64 = 64 * 1024;

/// The secrets that a project declares.
pub struct DeclaredSecrets {
    places: BTreeMap<EcoString, SecretPlace>,
}

impl DeclaredSecrets {
    /// Those of a project, by their names.
    pub fn new(places: BTreeMap<EcoString, SecretPlace>) -> DeclaredSecrets {
        DeclaredSecrets { places }
    }
}

impl SecretSource for DeclaredSecrets {
    fn fetch(&mut self, name: &str) -> Result<EcoString, SecretError> {
        let found = match self.places.get(name) {
            None => return Err(SecretError::Undeclared(name.into())),
            Some(SecretPlace::Environment(variable)) => match std::env::var(variable.as_str()) {
                Ok(value) => value,
                Err(std::env::VarError::NotPresent) => {
                    return missing(format!("the environment variable {variable} is not set"));
                }
                Err(std::env::VarError::NotUnicode(_)) => {
                    return missing(format!("the environment variable {variable} is no text"));
                }
            },
            Some(SecretPlace::File(path)) => of_file(path)?,
        };
        match found.trim_end_matches(['\r', '\n']) {
            "" => missing(format!("the secret `{name}` is empty where the project says that it is")),
            secret => Ok(secret.into()),
        }
    }
}

fn of_file(path: &Path) -> Result<String, SecretError> {
    let unreadable = |why: &dyn std::fmt::Display| missing(format!("the file {} can't be read: {why}", path.display()));
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() > LARGEST => return unreadable(&"it is larger than a secret can be"),
        Ok(_) => {}
        Err(error) => return unreadable(&error),
    }
    std::fs::read_to_string(path).or_else(|error| unreadable(&error))
}

fn missing<T>(why: String) -> Result<T, SecretError> {
    Err(SecretError::Missing(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_where_the_project_says_or_it_is_said_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("token"), "s3cret\r\n").unwrap();
        std::fs::write(path("empty"), "\n").unwrap();
        let file = |name: &str| SecretPlace::File(path(name));
        let places = [
            ("token", file("token")),
            ("empty", file("empty")),
            ("gone", file("gone")),
            ("unset", SecretPlace::Environment("RPA_TEST_NO_SUCH_VARIABLE".into())),
        ];
        let mut secrets = DeclaredSecrets::new(places.into_iter().map(|(name, place)| (name.into(), place)).collect());
        assert_eq!(secrets.fetch("token").as_deref(), Ok("s3cret"));
        let said = ["empty", "gone", "unset", "other"].map(|name| secrets.fetch(name).unwrap_err().to_string());
        let said = said.join("\n").replace(&folder.path().display().to_string(), "FOLDER");
        insta::assert_snapshot!(said, @r"
        the secret `empty` is empty where the project says that it is
        the file FOLDER/gone can't be read: No such file or directory (os error 2)
        the environment variable RPA_TEST_NO_SUCH_VARIABLE is not set
        the project declares no secret `other`; add it to `[secrets]` in rpa.toml
        ");
    }
}
