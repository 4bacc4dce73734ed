//! Reads scripts from files and from the standard input, and says precisely what is in the way.

use super::console::Console;
use crate::finding::Finding;
use crate::finding::catalogue::file;
use crate::text::{Source, SourceId, Sources, Span, nearest};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The largest script, in bytes: 64 MiB.
pub const LARGEST: u64 = 64 * 1024 * 1024;

/// Reads a script into `sources`, which names it. `-` is the standard input, called `<input>`.
///
/// # Errors
/// A finding; when it has a place, the text it points into has been added to `sources`.
pub fn read(path: &str, console: &mut Console, sources: &mut Sources) -> Result<SourceId, Box<Finding>> {
    if path == "-" {
        let bytes = console.read_input(LARGEST).map_err(|error| Box::new(unreadable("<input>", &error)))?;
        return decode("<input>", None, bytes, sources);
    }
    let bytes = read_bytes(Path::new(path), path)?;
    decode(path, Some(Path::new(path)), bytes, sources)
}

/// Reads a file of at most [`LARGEST`] bytes; `name` is what people call it.
///
/// # Errors
/// A finding without a place.
pub fn read_bytes(path: &Path, name: &str) -> Result<Vec<u8>, Box<Finding>> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Box::new(missing(path, name)),
        _ => Box::new(unreadable(name, &error)),
    })?;
    if metadata.is_dir() {
        return Err(Box::new(directory(path, name)));
    }
    if metadata.len() > LARGEST {
        return Err(Box::new(too_large(name, Some(metadata.len()))));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    // A pipe or a device tells no size: what is read is bounded all the same.
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| Box::new(unreadable(name, &error)))?;
    Ok(bytes)
}

/// Makes a source of bytes, if they are a script's.
///
/// # Errors
/// [`file::TOO_LARGE`], and [`file::ENCODING`] with the place of the first byte that is wrong.
pub fn decode(
    name: &str,
    path: Option<&Path>,
    bytes: Vec<u8>,
    sources: &mut Sources,
) -> Result<SourceId, Box<Finding>> {
    if bytes.len() as u64 > LARGEST {
        return Err(Box::new(too_large(name, None)));
    }
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    let wrong = match String::from_utf8(bytes) {
        Ok(text) => {
            let source = Source::new(name, text);
            return Ok(sources.add(match path {
                Some(path) => source.with_path(path),
                None => source,
            }));
        }
        Err(wrong) => wrong,
    };
    let at = wrong.utf8_error().valid_up_to();
    let bytes = wrong.into_bytes();
    let finding = |message: String| Finding::without_place(&file::ENCODING, message);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let finding = finding(format!("`{name}` is UTF-16, and scripts are UTF-8"));
        return Err(Box::new(finding.help("save it as UTF-8")));
    }
    if bytes.contains(&0) {
        return Err(Box::new(finding(format!("`{name}` is no text")).note("it has bytes that no text has")));
    }
    let byte = bytes.get(at).copied().unwrap_or_default();
    let (meant, _, _) = encoding_rs::WINDOWS_1252.decode(std::slice::from_ref(&byte));
    let meant = meant.into_owned();
    // The text with the wrong bytes replaced is only made to be shown: the place is the same in both.
    let id = sources.add(Source::new(name, String::from_utf8_lossy(&bytes).into_owned()));
    let place = Span::new(id, at, at + '\u{fffd}'.len_utf8());
    let finding = Finding::new(&file::ENCODING, place, format!("`{name}` is not UTF-8"))
        .at(format!("the byte {byte:#04X}, which is `{meant}` in Windows-1252"))
        .help("save it as UTF-8; most editors have `Save with encoding`");
    Err(Box::new(finding))
}

/// There is no such file: says which file there is instead.
fn missing(path: &Path, name: &str) -> Finding {
    let finding = Finding::without_place(&file::MISSING, format!("there is no file `{name}`"));
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return finding.note(format!("there is no folder `{}` either", folder.display()));
    }
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if wanted.contains(char::REPLACEMENT_CHARACTER) {
        return finding
            .help("names of scripts are Unicode texts: where `�` stands is none, so give the file another name");
    }
    let names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| {
            entries.flatten().take(10_000).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        })
        .unwrap_or_default();
    // A script is meant most often, also by those who leave its ending out.
    let with_ending = format!("{wanted}.rpa");
    let near = nearest(&wanted, names.iter().filter(|name| name.ends_with(".rpa")))
        .or_else(|| nearest(&with_ending, names.iter()))
        .or_else(|| nearest(&wanted, names.iter()));
    match near {
        Some(near) => finding.help(format!("did you mean `{}`?", path.with_file_name(near).display())),
        None => finding.help("paths are taken from the folder where the command was started"),
    }
}

fn directory(path: &Path, name: &str) -> Finding {
    let finding = Finding::without_place(&file::DIRECTORY, format!("`{name}` is a folder"));
    match scripts_in(path).as_slice() {
        [] => finding.help("name a script: a file that ends with `.rpa`"),
        [only] => finding.help(format!("did you mean `{}`?", only.display())),
        [first, ..] => finding.help(format!("name one of the scripts in it, such as `{}`", first.display())),
    }
}

/// The scripts directly in a folder, sorted.
fn scripts_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut scripts: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rpa"))
        .collect();
    scripts.sort();
    scripts
}

fn too_large(name: &str, bytes: Option<u64>) -> Finding {
    let has = bytes.map(|bytes| format!(" has {} MiB and", bytes.div_ceil(1024 * 1024))).unwrap_or_default();
    Finding::without_place(&file::TOO_LARGE, format!("`{name}`{has} is larger than a script may be"))
        .note("a script may have 64 MiB")
        .help("data is read while a script runs: `csv.read`, `json.read`, `excel.read`")
}

/// What went wrong when `name` was read.
pub fn unreadable(name: &str, error: &io::Error) -> Finding {
    let finding = Finding::without_place(&file::UNREADABLE, format!("`{name}` can't be read: {}", reason(error)));
    match error.kind() {
        io::ErrorKind::PermissionDenied => finding.help("ask for the right to read it, or run as a user who has it"),
        _ => finding,
    }
}

/// What the system says, without its number.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_string(),
        io::ErrorKind::StorageFull => "the disk is full".to_string(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk can only be read".to_string(),
        io::ErrorKind::NotFound => "there is no such file or folder".to_string(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}

/// What went wrong when `name` was written.
pub fn unwritable(name: &str, error: &io::Error) -> Finding {
    let code = if error.kind() == io::ErrorKind::StorageFull { &file::DISK_FULL } else { &file::UNWRITABLE };
    Finding::without_place(code, format!("`{name}` can't be written: {}", reason(error)))
        .note("what was there before is unchanged")
}

#[cfg(test)]
mod tests {
    use super::super::console::tests::console;
    use super::*;
    use crate::finding::render::terminal::{Appearance, render};

    fn failure(path: &str) -> String {
        let mut sources = Sources::new();
        let (mut console, _, _) = console("");
        let finding = read(path, &mut console, &mut sources).unwrap_err();
        render(&finding, &sources, Appearance::default())
    }

    #[test]
    fn what_is_in_the_way_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let write = |name: &str, bytes: &[u8]| std::fs::write(path(name), bytes).unwrap();
        write("orders.rpa", b"use crm\n");
        write("latin.rpa", b"use crm\nconst name = \"M\xfcller\"\n");
        write("wide.rpa", b"\xff\xfeu\0");
        write("binary.rpa", b"\x7fELF\0\xff\xff");
        let large = std::fs::File::create(path("large.rpa")).unwrap();
        large.set_len(LARGEST + 1).unwrap();
        let said = [
            failure(&path("order.rpa")),
            failure(&path("orders")),
            failure(&path("nothing/of/it.rpa")),
            failure(&path("zzz")),
            failure(&path("latin.rpa")),
            failure(&path("wide.rpa")),
            failure(&path("binary.rpa")),
            failure(&path("large.rpa")),
        ]
        .join("\n")
        .replace(&folder.path().display().to_string(), "DIR");
        insta::assert_snapshot!(said, @r#"
        file::missing

          × there is no file `DIR/order.rpa`
          help: did you mean `DIR/orders.rpa`?

        file::missing

          × there is no file `DIR/orders`
          help: did you mean `DIR/orders.rpa`?

        file::missing

          × there is no file `DIR/nothing/of/it.rpa`
          note: there is no folder `DIR/nothing/of` either

        file::missing

          × there is no file `DIR/zzz`
          help: paths are taken from the folder where the command was started

        file::encoding

          × `DIR/latin.rpa` is not UTF-8
           ╭─[DIR/latin.rpa:2:16]
         1 │ use crm
         2 │ const name = "M�ller"
           ·                ┬
           ·                ╰── the byte 0xFC, which is `ü` in Windows-1252
           ╰────
          help: save it as UTF-8; most editors have `Save with encoding`

        file::encoding

          × `DIR/wide.rpa` is UTF-16, and scripts are UTF-8
          help: save it as UTF-8

        file::encoding

          × `DIR/binary.rpa` is no text
          note: it has bytes that no text has

        file::too-large

          × `DIR/large.rpa` has 65 MiB and is larger than a script may be
          note: a script may have 64 MiB
          help: data is read while a script runs: `csv.read`, `json.read`, `excel.read`
        "#);
        assert!(failure(&folder.path().display().to_string()).contains("is a folder"));
    }

    #[test]
    fn the_input_is_a_source_too() {
        let (mut console, _, _) = console("\u{feff}use crm\n");
        let mut sources = Sources::new();
        let id = read("-", &mut console, &mut sources).unwrap();
        assert_eq!(&*sources.get(id).unwrap().text, "use crm\n");
        assert_eq!(sources.get(id).unwrap().name, "<input>");
    }
}
