//! The parts of the standard library: scripts that are embedded and read when a script says `use`.

/// A file of the library: its name, which is also the module's, and its text.
pub type LibraryFile = (&'static str, &'static str);

/// What every script knows without `use`.
pub const PRELUDE: LibraryFile = ("prelude.rpa", include_str!("prelude.rpa"));

/// The part `crm`: customers, products, orders, invoices and the tasks around them.
const CRM: &[LibraryFile] = &[
    ("model.rpa", include_str!("crm/model.rpa")),
    ("campaigns.rpa", include_str!("crm/campaigns.rpa")),
    ("customers.rpa", include_str!("crm/customers.rpa")),
    ("inventory.rpa", include_str!("crm/inventory.rpa")),
    ("invoices.rpa", include_str!("crm/invoices.rpa")),
    ("orders.rpa", include_str!("crm/orders.rpa")),
    ("refunds.rpa", include_str!("crm/refunds.rpa")),
    ("returns.rpa", include_str!("crm/returns.rpa")),
    ("taxes.rpa", include_str!("crm/taxes.rpa")),
    ("tickets.rpa", include_str!("crm/tickets.rpa")),
];

/// Every part with its files.
pub const PARTS: &[(&str, &[LibraryFile])] = &[("crm", CRM)];

/// The files of a part, or none when there is no such part.
pub fn part(name: &str) -> Option<&'static [LibraryFile]> {
    PARTS.iter().find(|(part, _)| *part == name).map(|(_, files)| *files)
}
