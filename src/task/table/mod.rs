//! What tables from data files have in common, whether they come from CSV or a workbook: columns are found by the
//! names of the fields, cells become values of the fields' types, and what does not fit is listed.

mod bad_rows;
mod cell;
mod columns;
mod guard;
mod number_style;

pub(super) use bad_rows::{BadCell, BadRows};
pub(super) use cell::{Converter, sheet_text};
pub(super) use columns::{Columns, Layout, Source, normalized};
pub(super) use guard::{guarded, unguarded};
pub(super) use number_style::NumberSurvey;
