//! `privacy::…`: personal data and secrets that leave.

use super::Code;

/// Personal data leaves.
pub const PII_LEAVES: Code = Code::error(
    "privacy::pii-leaves",
    "personal data leaves for a place that is not meant for it",
    "What is declared `pii` belongs to a person. It may be stored, and written to that person; in logs, files, failures, questions, keys of runs and mails to others it is read by people who have no need to, is kept for years, and can't be deleted when the person asks for it. The way from the declaration to the place is followed through names, fields, calls, tables and templates. `mask` and `last4` end it, as counts and sums do; `[privacy]` in `rpa.toml` names places that are meant for it: `allow = [\"write reports\", \"mail partner.example\"]`.",
    "entity Person {\n  key id: int = auto\n  email: pii text\n}\n\ntask greet(person: Person) {\n  let line = \"greeting {person.email}\"\n  log.info(line)\n}\n",
    "entity Person {\n  key id: int = auto\n  email: pii text\n}\n\ntask greet(person: Person) {\n  let line = \"greeting {person.id}\"\n  log.info(line)\n}\n",
);

/// A secret leaves.
pub const SECRET_LEAVES: Code = Code::error(
    "privacy::secret-leaves",
    "a secret leaves",
    "What is declared `secret` opens a door. It may be nowhere but in the call that needs it: not in a file, mail, log or failure, and not in the journal, which keeps what steps give and what runs are started with. Its `last4` may be shown. What is done, set or given on a way that is taken because of a secret tells of it as well, but for `fail` and `stop`, and for asking whether it is there.",
    "record Access {\n  shop: text\n  token: secret text\n}\n\ntask note(access: Access) {\n  let copy = access.token.trim\n  file.write(\"access.txt\", copy)\n}\n",
    "record Access {\n  shop: text\n  token: secret text\n}\n\ntask note(access: Access) {\n  let copy = access.token.last4\n  file.write(\"access.txt\", copy)\n}\n",
);

/// The outcome of a table tells of personal data.
pub const IMPLICIT: Code = Code::warning(
    "privacy::implicit",
    "what is decided by personal data tells of it",
    "A table that tests a person's data gives outcomes that tell of it: whoever reads \"senior\" beside a customer knows something of the birthday. The outcome carries what its columns test, and is followed as the data itself is. A `match` that names values of personal data, and a chain of `if` and `else if` that compares one value again and again, are tables in another form: what is set, given or let out in their branches tells of it as well. A single `if`, columns that test what is true or false, and counts of outcomes tell of nobody.",
    "entity Person {\n  key id: int = auto\n  born: pii date\n}\n\nrules age_group(born: date) -> text {\n  | born          | => group  |\n  | <  1961-01-01 | \"senior\" |\n  | >= 1961-01-01 | \"adult\"  |\n}\n\ntask note(person: Person) {\n  log.info(\"{person.id}: {age_group(person.born)}\")\n}\n",
    "entity Person {\n  key id: int = auto\n  born: pii date\n}\n\nrules age_group(born: date) -> text {\n  | born          | => group  |\n  | <  1961-01-01 | \"senior\" |\n  | >= 1961-01-01 | \"adult\"  |\n}\n\ntask note(people: [Person]) {\n  let seniors = people.where(age_group(it.born) == \"senior\").count\n  log.info(\"{seniors} seniors\")\n}\n",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[&PII_LEAVES, &SECRET_LEAVES, &IMPLICIT];
