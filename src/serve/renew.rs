//! Scripts change while they are served: what has changed and is sound is served from then on.

use super::Shared;
use std::time::Duration;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);

/// Looks until the server ends.
pub(super) fn renew(shared: &Shared<'_>) {
    while !shared.is_ending() {
        shared.rest(LOOK);
        if shared.is_ending() {
            return;
        }
        let Some(renewal) = (shared.server.renew)() else { continue };
        renewal.events.into_iter().for_each(|event| shared.tell(event));
        if let Some(served) = renewal.served {
            shared.serve_instead(served);
        }
    }
}
