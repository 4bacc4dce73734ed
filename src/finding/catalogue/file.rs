//! `file::…`: what can go wrong with files.

use super::Code;

/// There is no such file.
pub const MISSING: Code = Code::error(
    "file::missing",
    "there is no such file",
    "The path was written wrong, or the file was moved. Paths are taken from the folder where the command was started.",
    "",
    "",
);

/// A folder stands where a file was expected.
pub const DIRECTORY: Code = Code::error(
    "file::directory",
    "a folder is given where a file is needed",
    "The command works on one script. Name the script in the folder; `rpa fmt` alone takes folders.",
    "",
    "",
);

/// The bytes of a script are not UTF-8.
pub const ENCODING: Code = Code::error(
    "file::encoding",
    "the file is not UTF-8 text",
    "Scripts are UTF-8, so that names and texts of every language mean the same on every machine. The file is in another \
     encoding, or it is no text at all. Most editors have `Save with encoding`.",
    "",
    "",
);

/// A script beyond the limit.
pub const TOO_LARGE: Code = Code::error(
    "file::too-large",
    "the file is larger than a script may be",
    "A script may have 64 MiB. What is larger is data, which a script reads with `csv.read`, `json.read` or `excel.read` \
     while it runs.",
    "",
    "",
);

/// The system refuses to read.
pub const UNREADABLE: Code = Code::error(
    "file::unreadable",
    "the file can't be read",
    "The file is there, and the system refuses to give it out: mostly because the user who runs the command has no right \
     to read it.",
    "",
    "",
);

/// The system refuses to write.
pub const UNWRITABLE: Code = Code::error(
    "file::unwritable",
    "the file can't be written",
    "The folder or the file is protected from the user who runs the command, or lies on a medium that can only be read. \
     Nothing was changed: files are written beside the old one, which is replaced only by a whole new one.",
    "",
    "",
);

/// No space left.
pub const DISK_FULL: Code = Code::error(
    "file::disk-full",
    "the disk is full",
    "There is no space left to write the file. What was there before is unchanged; free some space and run the command \
     again.",
    "",
    "",
);

/// A file that would be lost.
pub const EXISTS: Code = Code::error(
    "file::exists",
    "a file is there already",
    "The command makes new files and never writes over one that somebody made. Choose another name, or move the file away.",
    "",
    "",
);

/// All codes of the group.
pub const GROUP: &[&Code] =
    &[&MISSING, &DIRECTORY, &ENCODING, &TOO_LARGE, &UNREADABLE, &UNWRITABLE, &DISK_FULL, &EXISTS];
