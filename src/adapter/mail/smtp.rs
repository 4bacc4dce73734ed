//! Mail through a server (SMTP).

use super::format::formatted;
use crate::world::{DeliveryError, Message, Smtp, Tls, Transport};
use ecow::EcoString;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::path::PathBuf;
use std::time::Duration;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that takes mail. The connection is kept from one mail to the next.
pub struct SmtpServer {
    settings: Smtp,
    sender: EcoString,
    /// A certificate (PEM) that is trusted beside those of Mozilla's list.
    certificate: Option<PathBuf>,
    patience: Duration,
    connection: Option<SmtpConnection>,
}

impl SmtpServer {
    /// The server; it is called when the first mail leaves. `sender` is for mails that name none.
    pub fn new(settings: Smtp, sender: EcoString) -> Self {
        SmtpServer { settings, sender, certificate: None, patience: PATIENCE, connection: None }
    }

    /// Trusts a certificate (a PEM file), as servers inside a company have them.
    pub fn trusting(mut self, certificate: PathBuf) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Gives the server so long to answer instead of 30 seconds.
    pub fn patient_for(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The connection, made anew when there is none or the server has closed it.
    fn connected(&mut self) -> Result<&mut SmtpConnection, DeliveryError> {
        let alive =
            self.connection.as_mut().is_some_and(|connection| !connection.has_broken() && connection.test_connected());
        if !alive {
            self.connection = None;
            self.connection = Some(self.connect()?);
        }
        self.connection.as_mut().ok_or_else(|| DeliveryError::Unreachable("there is no connection".to_string()))
    }

    /// Whatever goes wrong here is not the fault of a mail: it is tried again when the server or its settings are mended.
    fn connect(&self) -> Result<SmtpConnection, DeliveryError> {
        let (host, port) = (self.settings.host.as_str(), self.settings.port);
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            DeliveryError::Unreachable(format!("{what} {host}:{port}: {error}"))
        };
        let hello = ClientId::default();
        let tls = match self.settings.tls {
            Tls::Off => None,
            Tls::Tls | Tls::Starttls => {
                Some(self.tls().map_err(|error| failed("can't prepare a safe connection to", &error))?)
            }
        };
        let from_start = tls.as_ref().filter(|_| self.settings.tls == Tls::Tls);
        let mut connection = SmtpConnection::connect((host, port), Some(self.patience), &hello, from_start, None)
            .map_err(|error| failed("can't connect to", &full(&error)))?;
        if let Some(tls) = tls.as_ref().filter(|_| self.settings.tls == Tls::Starttls) {
            connection
                .starttls(tls, &hello)
                .map_err(|error| failed("can't make the connection safe to", &full(&error)))?;
        }
        if let Some(user) = &self.settings.user {
            let password = self.password()?;
            connection
                .auth(DEFAULT_MECHANISMS, &Credentials::new(user.to_string(), password))
                .map_err(|error| failed(&format!("can't sign in as `{user}` at"), &full(&error)))?;
        }
        Ok(connection)
    }

    fn password(&self) -> Result<String, DeliveryError> {
        let Some(name) = &self.settings.password_env else { return Ok(String::new()) };
        std::env::var(name.as_str()).map_err(|_| {
            DeliveryError::Unreachable(format!(
                "the environment variable `{name}`, which holds the password, is not set"
            ))
        })
    }

    fn tls(&self) -> Result<TlsParameters, String> {
        let mut builder = TlsParameters::builder(self.settings.host.to_string());
        if let Some(path) = &self.certificate {
            let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let certificate = Certificate::from_pem(&pem).map_err(|error| format!("{}: {error}", path.display()))?;
            builder = builder.add_root_certificate(certificate);
        }
        builder.build().map_err(|error| full(&error))
    }
}

impl Transport for SmtpServer {
    fn deliver(&mut self, message: &Message) -> Result<(), DeliveryError> {
        let mail = formatted(message, &self.sender)?;
        let connection = self.connected()?;
        let sent = connection.send(mail.envelope(), &mail.formatted());
        match sent {
            Ok(_) => Ok(()),
            Err(error) => {
                // The next mail begins with a fresh connection.
                if let Some(mut connection) = self.connection.take() {
                    connection.abort();
                }
                Err(classified(&error))
            }
        }
    }

    fn system(&self) -> Option<&'static str> {
        Some("smtp")
    }

    fn target(&self) -> String {
        format!("smtp://{}:{}", self.settings.host, self.settings.port)
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.connection {
            let _ = connection.quit();
        }
    }
}

/// Whether trying again may help: a reply that begins with 5 is final (RFC 5321, 4.2.1), as is what this side finds
/// wrong with the mail; a reply with 4 and everything about the line is not. With 421 the server says that it takes
/// nothing at all for now (RFC 5321, 4.2.2).
fn classified(error: &Error) -> DeliveryError {
    let text = full(error);
    if error.is_permanent() || error.is_client() {
        DeliveryError::Permanent(text)
    } else if error.status().is_some_and(|code| code.to_string() == "421") {
        DeliveryError::Unreachable(text)
    } else {
        DeliveryError::Transient(text)
    }
}

/// An error with what is behind it.
fn full(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}
