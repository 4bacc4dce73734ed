//! Which column of a file belongs to which field of the record.

use crate::check::program::{Default, ExprKind, Field, RecordType, Type};
use crate::value::{Currency, Value};
use ecow::EcoString;

/// How many columns a message names.
const NAMED: usize = 30;

/// Where the value of a field comes from.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::task) enum Source {
    /// The column at this position.
    Column(usize),
    /// Always this: the file has no such column.
    Always(Value),
}

/// The columns of a file, by the fields of the record: the n-th is for the n-th field.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::task) struct Columns {
    /// Where each field comes from.
    pub sources: Vec<Source>,
    /// The currency that the heading of a field's column names: `price (EUR)`.
    pub currencies: Vec<Option<Currency>>,
    /// How the file calls its columns.
    pub headings: Vec<EcoString>,
}

/// Which fields a table of a record has.
#[derive(Debug, Clone, Copy)]
pub(in crate::task) struct Layout<'a> {
    /// The record.
    pub record: &'a RecordType,
}

/// A name as it is compared: without case, blanks, `_` and `-`.
pub(in crate::task) fn normalized(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect()
}

impl<'a> Layout<'a> {
    /// How many fields have a heading of their name: tells how well a guess at the separator fits.
    pub fn matches(&self, headings: &[&str]) -> usize {
        let headings: Vec<String> = headings.iter().map(|heading| normalized(heading)).collect();
        self.record.fields.iter().filter(|field| headings.contains(&normalized(&field.name))).count()
    }

    /// Finds the column of every field.
    ///
    /// # Errors
    /// What is missing or doubled, in a sentence.
    pub fn columns(&self, headings: &[&str]) -> Result<Columns, String> {
        let known: Vec<String> = headings.iter().map(|heading| normalized(heading)).collect();
        let with_currency: Vec<Option<(String, Currency)>> = headings
            .iter()
            .map(|heading| heading_currency(heading))
            .map(|found| found.map(|(name, currency)| (normalized(name), currency)))
            .collect();
        let mut sources = Vec::with_capacity(self.record.fields.len());
        let mut currencies = Vec::with_capacity(self.record.fields.len());
        let mut missing = Vec::new();
        for field in &self.record.fields {
            if let Some(what) = unfit(&field.ty) {
                return Err(format!(
                    "the field `{}` of {} is {what}, which a cell can't hold; read into a record without it",
                    field.name, self.record.name
                ));
            }
            let wanted = normalized(&field.name);
            // An amount's column may say its currency behind its name.
            let in_currency = |at: usize| match with_currency.get(at) {
                Some(Some((name, currency))) if *name == wanted && is_amount(&field.ty) => Some(*currency),
                _ => None,
            };
            let fits = |at: &usize| known.get(*at).is_some_and(|name| *name == wanted) || in_currency(*at).is_some();
            let mut found = (0..headings.len()).filter(fits);
            currencies.push(None);
            match (found.next(), found.next()) {
                (Some(first), Some(second)) => {
                    return Err(format!(
                        "two columns are for the field `{}`: `{}` (column {}) and `{}` (column {})",
                        field.name,
                        headings.get(first).unwrap_or(&""),
                        first + 1,
                        headings.get(second).unwrap_or(&""),
                        second + 1
                    ));
                }
                (Some(column), None) => {
                    sources.push(Source::Column(column));
                    if let Some(currency) = currencies.last_mut() {
                        *currency = in_currency(column);
                    }
                }
                (None, _) => match self.absent(field, headings) {
                    Ok(source) => sources.push(source),
                    Err(column) => missing.push(column),
                },
            }
        }
        if !missing.is_empty() {
            let listed: Vec<String> =
                headings.iter().take(NAMED).map(|heading| format!("`{}`", shown(heading))).collect();
            let more = headings.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let columns = if missing.len() == 1 { "is no column" } else { "are no columns" };
            return Err(format!("there {columns} {}; the file has {}{more}", missing.join(", "), listed.join(", ")));
        }
        let headings = headings.iter().map(|heading| heading.trim().into()).collect();
        Ok(Columns { sources, currencies, headings })
    }

    /// What a field has whose column is missing, or how the column is called in the message.
    fn absent(&self, field: &Field, headings: &[&str]) -> Result<Source, String> {
        let nearest = self.nearest(field, headings);
        let value = match (&field.default, &field.ty) {
            (Some(Default::Value(default)), _) => match &default.kind {
                ExprKind::Value(value) => Some(value.clone()),
                _ => None,
            },
            (_, Type::Optional(_)) => Some(Value::None),
            _ => None,
        };
        match (value, nearest) {
            (Some(value), None) => Ok(Source::Always(value)),
            (_, Some(nearest)) => Err(format!("`{}` (is it `{}`?)", field.name, shown(nearest))),
            (None, None) => Err(format!("`{}`", field.name)),
        }
    }

    /// A column that nobody uses and that is called nearly like the field.
    fn nearest<'h>(&self, field: &Field, headings: &[&'h str]) -> Option<&'h str> {
        let wanted = normalized(&field.name);
        let taken: Vec<String> = self.record.fields.iter().map(|field| normalized(&field.name)).collect();
        headings
            .iter()
            .filter(|heading| !taken.contains(&normalized(heading)))
            .map(|heading| (strsim::jaro_winkler(&wanted, &normalized(heading)), *heading))
            .filter(|(likeness, _)| *likeness > 0.84)
            .max_by(|left, right| left.0.total_cmp(&right.0))
            .map(|(_, heading)| heading)
    }
}

impl Columns {
    /// How many columns the file has.
    pub fn count(&self) -> usize {
        self.headings.len()
    }
}

/// `price (EUR)`, `price [EUR]` and `price EUR`: the name, and the currency behind it.
pub(in crate::task) fn heading_currency(heading: &str) -> Option<(&str, Currency)> {
    let heading = heading.trim().trim_end_matches([')', ']']);
    let (name, letters) = heading.rsplit_once(|c: char| c.is_whitespace() || matches!(c, '(' | '['))?;
    Some((name.trim_end_matches(['(', '[']).trim_end(), Currency::from_code(letters)?))
}

fn is_amount(ty: &Type) -> bool {
    match ty {
        Type::Optional(inner) => is_amount(inner),
        ty => matches!(ty, Type::Money(_)),
    }
}

fn shown(heading: &str) -> String {
    heading.trim().chars().take(60).collect()
}

/// What a type is that no cell can hold, in words.
fn unfit(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::List(_) | Type::Query(_) => Some("a list"),
        Type::Map(..) => Some("a map"),
        Type::Record(_) => Some("a record"),
        Type::Failure(_) | Type::Outcome(_) => Some("no data"),
        Type::Optional(inner) => unfit(inner),
        _ => None,
    }
}
