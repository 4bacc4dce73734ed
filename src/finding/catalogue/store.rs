//! `store::…`: what can be wrong with the file that keeps records, journal and outbox.

use super::Code;

const fn failure(id: &'static str, title: &'static str, why: &'static str) -> Code {
    Code::error(id, title, why, "", "")
}

/// Another process holds the store.
pub const LOCKED: Code = failure(
    "store::locked",
    "the store is in use by another process",
    "One process writes to a store at a time; the others wait their turn, for ten seconds by default. Either another \
     run takes longer than that, or a program that looks into the file (a database tool, a backup) has left a \
     transaction open. Nothing was written: run again when the other one has ended.",
);

/// The store can't be written to.
pub const READ_ONLY: Code = failure(
    "store::read-only",
    "the store can't be written to",
    "A run writes down every step before it goes on, so it needs a store that it may write to: the file, and the \
     folder around it, in which SQLite keeps the write-ahead log beside the store. Check the permissions and whether \
     the disk is mounted read-only.",
);

/// There is no room left.
pub const FULL: Code = failure(
    "store::full",
    "there is no room for the store to grow",
    "The disk is full, or a quota or limit of the file's size was reached. What was committed before is whole; what \
     was not is taken back. After making room, run again: what was done is not done twice.",
);

/// The file can't be read as a store any more.
pub const DAMAGED: Code = failure(
    "store::damaged",
    "the store is damaged",
    "The file has the form of a store, but parts of it are missing or contradict each other: it was cut off while \
     being copied, changed by another program, or the disk has lost data. Copying a store while it is written to is \
     the usual cause; `rpa store backup` makes a whole copy. Go back to one with `rpa store restore`, or save what can be \
     read with `sqlite3 store.db .recover`.",
);

/// The file is something else.
pub const NOT_A_STORE: Code = failure(
    "store::not-a-store",
    "the file is not a store",
    "The path of the store leads to a file that is not a database, or to the database of another program. It is left \
     as it is. The path is set in `rpa.toml` (`store`), or on the command line.",
);

/// A newer program has written it.
pub const NEWER: Code = failure(
    "store::newer",
    "the store was written by a newer version of rpa",
    "A newer version may keep things that this one would not see or would overwrite, so the store is not touched. \
     Use at least the version that has written it last.",
);

/// The store was made before its form was settled.
pub const OLDER: Code = failure(
    "store::older",
    "the store was written by an older version of rpa",
    "The tables in which runs are kept have changed since, and this version has no way from the old form to the new one. \
     Only versions before 0.1.0 have written that form.",
);

/// The script's entities contradict what the store holds.
pub const SCHEMA_CHANGE: Code = failure(
    "store::schema-change",
    "the store holds records that the changed entities can't hold",
    "New entities, new fields that are optional or have a default, and new indexes reach the store by themselves, and \
     fields that a script no longer has are kept aside. A change that records already there don't fit, such as another \
     type, another key, or a new field that every record must have, needs a decision by a person: what is to become of \
     them. Nothing has been changed.",
);

/// The process lost its lease while it was at work.
pub const FENCED: Code = failure(
    "store::fenced",
    "another process has taken over the runs of this one",
    "A process that runs flows renews a lease in the store while it works. This one did not for too long: it was stopped, \
     the machine slept, or the disk hung. Another process took it for dead and goes on with its runs, so this one must not \
     write any more: a step would be done twice. What this process had committed stays; what it had not is done again by \
     the other one. Nothing is lost. `rpa runs` shows how the runs stand. Where processes are often held up for long, \
     give them more time with `lease` in the section `[store]` of `rpa.toml`.",
);

/// The system refused or broke off reading or writing.
pub const DISK: Code = failure(
    "store::disk",
    "the disk failed while the store was read or written",
    "The operating system reported an error of the device or of the network it is mounted over. What was committed \
     before is whole as far as the disk has kept its word.",
);

/// A record does not fit its entity.
pub const BAD_RECORD: Code = failure(
    "store::bad-record",
    "a record in the store does not fit its entity",
    "The store keeps values in a form that people can read and other tools can write. A value that does not have the \
     form of its field was most probably written by such a tool. Correct it with the tool that wrote it.",
);

/// Runs and entries contradict each other.
pub const JOURNAL: Code = failure(
    "store::journal",
    "the journal contradicts itself",
    "The journal keeps what each run has done, entry by entry, and a run goes on from it. An entry that can't be read, a gap \
     between two, or a run that is over without a result means that bytes were lost or that another program has written \
     to the tables. A run that went on from that could do a step twice or leave one out. Go back to a backup; runs that the finding \
     does not name are not touched by it.",
);

/// Something refers to what is not there.
pub const DANGLING: Code = failure(
    "store::dangling",
    "something in the store refers to what is not there",
    "Mails, questions and waits belong to runs, runs to those that began them, and records to the records that they refer to. \
     `rpa` never removes one without the other, so another program has, or a part of the file was lost.",
);

/// A kept script is not the one that it was.
pub const VERSION: Code = failure(
    "store::version",
    "a script that the store keeps is not the one that it was",
    "A run goes on with the version of the script that it began with. The store keeps its texts, named by a hash of what they \
     are. A text that is gone or has another hash would let runs go on with something that nobody has checked.",
);

/// There is no store.
pub const MISSING: Code = failure(
    "store::missing",
    "there is no store",
    "Nothing has run in this project yet, or the path of the store (`[store]` in `rpa.toml`, `--store`) leads elsewhere. \
     The first run makes it.",
);

/// A backup can't be written there.
pub const BACKUP_TARGET: Code = failure(
    "store::backup-target",
    "a file can't be written where the copy is to be",
    "A backup never takes the place of a file that is there: it may be the only good one. `--force` replaces it, once the new \
     one is whole. The folder must be there, and have room for a copy of the store.",
);

/// A backup can't be restored.
pub const BAD_BACKUP: Code = failure(
    "store::bad-backup",
    "the backup is not a whole store",
    "A backup is looked at before it takes the place of a store, as `rpa store check` does. This one can't be read or \
     contradicts itself, so the store was left as it is.",
);

/// The store can't be replaced while it is used.
pub const IN_USE: Code = failure(
    "store::in-use",
    "a process works on the store",
    "Restoring puts another file in the place of the store. A process that works on the old one would go on writing to it, and \
     what it does would be lost. End all processes on the store first: `rpa serve`, runs, and database tools that have it open.",
);

/// A mistake of the program itself.
pub const INTERNAL: Code = failure(
    "store::internal",
    "the store was used in a way that can't happen",
    "This is a mistake in rpa itself and not in the script. Please report it, with the message.",
);

/// All codes of the group.
pub const GROUP: &[&Code] = &[
    &LOCKED,
    &READ_ONLY,
    &FULL,
    &DAMAGED,
    &NOT_A_STORE,
    &NEWER,
    &OLDER,
    &SCHEMA_CHANGE,
    &FENCED,
    &DISK,
    &BAD_RECORD,
    &JOURNAL,
    &DANGLING,
    &VERSION,
    &MISSING,
    &BACKUP_TARGET,
    &BAD_BACKUP,
    &IN_USE,
    &INTERNAL,
];
