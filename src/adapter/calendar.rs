//! The file with the holidays: a day a line.

use crate::finding::Finding;
use crate::finding::catalogue::serve as codes;
use crate::value::schedule::Calendar;
use crate::world::CalendarReader;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Reads the holidays; `name` is what people call the file.
///
/// # Errors
/// [`codes::CALENDAR`] when the file can't be read, or a line of it is no day.
pub fn read(path: &Path, name: &Path) -> Result<Calendar, Box<Finding>> {
    let said = |message: String| Box::new(Finding::without_place(&codes::CALENDAR, message));
    let name = name.display();
    let size = std::fs::metadata(path).map(|metadata| metadata.len());
    let bytes = size.and_then(|size| match size {
        size if size > LARGEST => Err(std::io::Error::other("it has more than 16 MiB")),
        _ => std::fs::read(path),
    });
    let bytes = bytes.map_err(|error| {
        let finding = said(format!("the holidays in `{name}` can't be read: {error}"));
        Box::new(finding.help("make the file, with a day a line such as `2026-12-25 Christmas`, or take `holidays` out of `[calendar]` in rpa.toml"))
    })?;
    Calendar::read(&String::from_utf8_lossy(&bytes)).map_err(|(line, word)| {
        let word: String = word.chars().filter(|c| !c.is_control()).take(40).collect();
        let finding = said(format!("`{name}`, line {line}: `{word}` is no day"));
        Box::new(finding.help("write a day a line, such as `2026-12-25 Christmas`"))
    })
}

/// A calendar that is read when it is asked for, and again when its file has changed.
#[derive(Debug)]
pub struct CalendarFile {
    path: PathBuf,
    name: PathBuf,
    known: Mutex<Option<(Stamp, Arc<Calendar>)>>,
}

/// How a file looks from outside.
type Stamp = (SystemTime, u64);

impl CalendarFile {
    /// The calendar of a file; `name` is what people call it.
    pub fn new(path: PathBuf, name: PathBuf) -> CalendarFile {
        CalendarFile { path, name, known: Mutex::default() }
    }
}

impl CalendarReader for CalendarFile {
    fn calendar(&self) -> Result<Arc<Calendar>, (String, String)> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let metadata = std::fs::metadata(&self.path).ok();
        let stamp = metadata.and_then(|metadata| Some((metadata.modified().ok()?, metadata.len())));
        if let (Some(stamp), Some((seen, calendar))) = (stamp, known.as_ref())
            && stamp == *seen
        {
            return Ok(calendar.clone());
        }
        let calendar = read(&self.path, &self.name);
        let calendar = calendar.map_err(|finding| (self.name.display().to_string(), finding.message))?;
        let calendar = Arc::new(calendar);
        *known = stamp.map(|stamp| (stamp, calendar.clone()));
        Ok(calendar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_is_read_again_when_it_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("holidays.txt");
        let file = CalendarFile::new(path.clone(), "holidays.txt".into());
        let christmas = jiff::civil::date(2026, 12, 25);
        let (name, reason) = file.calendar().unwrap_err();
        assert_eq!(name, "holidays.txt");
        assert!(reason.starts_with("the holidays in `holidays.txt` can't be read: "), "{reason}");
        std::fs::write(&path, "# nothing yet\n").unwrap();
        assert!(file.calendar().unwrap().is_business_day(christmas));
        std::fs::write(&path, "2026-12-25 Christmas\n").unwrap();
        assert!(!file.calendar().unwrap().is_business_day(christmas));
        std::fs::write(&path, "2026-12-25 Christmas\n\n2026-13-01\n").unwrap();
        insta::assert_snapshot!(file.calendar().unwrap_err().1, @"`holidays.txt`, line 3: `2026-13-01` is no day");
    }
}
