//! What ended long ago leaves the store, once a day.

use super::{Event, Shared, Troubles, trouble};

/// How often it is looked whether a day has passed. The store remembers when it was done, for all servers.
const LOOK: std::time::Duration = std::time::Duration::from_secs(600);

/// Removes what may go until the server ends, or once.
pub(super) fn tidy(shared: &Shared<'_>) {
    let mut troubles = Troubles::default();
    while !shared.is_ending() {
        match (shared.server.clean)() {
            Ok(Some(cleaned)) if !cleaned.is_nothing() => shared.tell(Event::Cleaned(cleaned)),
            Ok(_) => troubles.over(),
            Err(error) => {
                if let Some(finding) = trouble(error) {
                    troubles.tell(shared, finding);
                }
            }
        }
        if shared.server.once {
            return;
        }
        shared.rest(LOOK);
    }
}
