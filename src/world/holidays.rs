//! The days on which nobody works beside weekends: a setting of the project, read when a step asks for it.
//!
//! Between steps nobody can ask, as for the day it is: a file that has changed since can't make a replay go another
//! way. What a step has found out is in its result, and the moment that a wait ends at is computed once.

use crate::value::schedule::Calendar;
use std::fmt;
use std::sync::Arc;

/// Reads the calendar of a project as it is now.
pub trait CalendarReader: Send + Sync {
    /// The calendar, or which file is wrong and why.
    fn calendar(&self) -> Result<Arc<Calendar>, (String, String)>;
}

/// The calendar of a project; without a reader every day from Monday to Friday is a business day.
#[derive(Clone, Default)]
pub struct Holidays(Option<Arc<dyn CalendarReader>>);

impl Holidays {
    /// The calendar that a reader knows.
    pub fn new(reader: impl CalendarReader + 'static) -> Holidays {
        Holidays(Some(Arc::new(reader)))
    }

    /// The calendar as it is now.
    ///
    /// # Errors
    /// Which file is wrong, and why.
    pub fn calendar(&self) -> Result<Arc<Calendar>, (String, String)> {
        self.0.as_ref().map_or_else(|| Ok(Arc::default()), |reader| reader.calendar())
    }
}

impl fmt::Debug for Holidays {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Holidays").field(&self.0.is_some()).finish()
    }
}

impl PartialEq for Holidays {
    fn eq(&self, other: &Holidays) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            _ => false,
        }
    }
}

impl Eq for Holidays {}
