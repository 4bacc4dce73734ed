//! Mail as files: what a project without a server does, so that people can look at what would be sent.

use super::format::formatted;
use crate::adapter::disk::AtomicFolder;
use crate::world::{DeliveryError, Message, Transport};
use ecow::EcoString;
use std::io;
use std::path::Path;

/// A folder that takes one `.eml` file a mail, named by its number in the outbox: a mail that is delivered twice is
/// there once. Any mail program opens the files.
#[derive(Debug)]
pub struct EmlFolder {
    folder: AtomicFolder,
    sender: EcoString,
}

impl EmlFolder {
    /// The folder; made when the first mail is delivered. `sender` is for mails that name none.
    pub fn new(folder: &Path, sender: EcoString) -> Self {
        EmlFolder { folder: AtomicFolder::new(folder), sender }
    }

    fn put(&mut self, name: &str, message: &Message) -> Result<(), DeliveryError> {
        let content = formatted(message, &self.sender)?.formatted();
        self.folder.write(&format!("{name}.eml"), &content).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> DeliveryError {
        DeliveryError::Unreachable(format!("`{}` can't be written to: {error}", self.folder.path().display()))
    }
}

impl Transport for EmlFolder {
    fn deliver(&mut self, message: &Message) -> Result<(), DeliveryError> {
        let name: String =
            message.id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
        self.put(&name, message)
    }

    fn deliver_entry(&mut self, number: i64, message: &Message) -> Result<(), DeliveryError> {
        // Names sort as numbers do, up to a hundred million mails.
        self.put(&format!("{number:08}"), message)
    }

    fn flush(&mut self) -> Result<(), DeliveryError> {
        self.folder.flush().map_err(|error| self.failed(&error))
    }

    fn is_idempotent(&self) -> bool {
        true
    }

    fn target(&self) -> String {
        self.folder.path().display().to_string()
    }
}
