//! Mail: from the outbox to files or to a server.

mod dispatch;
mod eml;
mod format;
mod smtp;

pub use dispatch::{DispatchReport, Undelivered, dispatch, dispatch_until};
pub use eml::EmlFolder;
pub use format::formatted;
pub use smtp::SmtpServer;

use crate::world::{Project, Transport};

/// The way that mail of a project leaves: by its server, or into its folder when it has none.
pub fn transport(project: &Project) -> Box<dyn Transport> {
    match &project.mail.smtp {
        Some(smtp) => {
            Box::new(SmtpServer::new(smtp.clone(), project.mail.from.clone()).trusting(project.authorities.clone()))
        }
        None => Box::new(EmlFolder::new(&project.mail.outbox, project.mail.from.clone())),
    }
}
