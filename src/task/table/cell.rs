//! From a cell to a value of the field's type.

use super::columns::{Columns, Source};
use super::number_style::{NumberStyle, shown_by};
use super::{BadCell, normalized, unguarded};
use crate::check::program::{EnumType, Field, RecordType, Type};
use crate::compile::code::Code;
use crate::syntax::tree::Label;
use crate::text::with_article;
use crate::value::parse::{self, DatePattern, Numbers};
use crate::value::{Currency, Date, Decimal, Money, RecordId, Value};
use crate::world::SheetCell;
use ecow::{EcoString, eco_format};
use std::collections::{HashMap, HashSet};

/// Texts longer than this are shared when they repeat; shorter ones lie in the value itself.
const INLINE: usize = EcoString::INLINE_LIMIT;

/// How many different texts of a column are kept for sharing: beyond, they hardly repeat.
const SHARED: usize = 4096;

/// How a date is written.
#[derive(Debug, Clone)]
enum Dates {
    /// ISO, or with points.
    Usual,
    /// By a pattern such as `DD/MM/YYYY`.
    Pattern(DatePattern),
    /// By a strftime format such as `%d/%m/%Y`.
    Format(String),
}

/// How the cells of one field are read.
struct FieldReader<'a> {
    field: &'a Field,
    /// The type, without the optional around it.
    ty: &'a Type,
    optional: bool,
    source: Source,
    /// The currency of numbers that name none.
    currency: Option<Currency>,
    numbers: NumberStyle,
    /// Members of an enum by their normalized names.
    members: HashMap<String, u16>,
    shared: HashSet<EcoString>,
}

/// Reads rows into records.
pub(in crate::task) struct Converter<'a> {
    record: RecordId,
    fields: Vec<FieldReader<'a>>,
    columns: &'a Columns,
    dates: Dates,
    code: &'a Code,
}

/// The cells of a row.
pub(in crate::task) trait Cells {
    /// The cell of a column; none when the row is too short for it.
    fn text(&self, column: usize) -> Option<Cell<'_>>;
}

/// A cell as it is found.
#[derive(Debug, Clone, Copy)]
pub(in crate::task) enum Cell<'a> {
    /// Characters of a text file.
    Text(&'a str),
    /// A cell of a sheet.
    Typed(&'a SheetCell),
}

impl<'a> Converter<'a> {
    /// For records of a type. An empty `currency` is the usual one of the project, an
    /// empty `date_format` says nothing.
    ///
    /// # Errors
    /// What is wrong with the currency or the format.
    pub fn new(
        code: &'a Code,
        record: RecordId,
        ty: &'a RecordType,
        columns: &'a Columns,
        (currency, usual): (&str, Option<Currency>),
        date_format: &str,
    ) -> Result<Self, String> {
        let currency = match currency {
            "" => usual,
            letters => Some(Currency::from_code(&letters.to_ascii_uppercase()).ok_or_else(|| {
                format!("`{letters}` is no currency of ISO 4217; write its three letters, such as EUR")
            })?),
        };
        let dates = match date_format {
            "" => Dates::Usual,
            format if format.contains('%') => Dates::Format(format.to_string()),
            pattern => Dates::Pattern(DatePattern::new(pattern).map_err(|error| error.to_string())?),
        };
        let fields = ty.fields.iter().zip(columns.sources.iter().zip(&columns.currencies));
        let fields = fields
            .map(|(field, (source, heading))| FieldReader::new(code, field, source.clone(), heading.or(currency)))
            .collect();
        Ok(Converter { record, fields, columns, dates, code })
    }

    /// The columns that hold numbers, to find out how these are written.
    pub fn number_columns(&self) -> Vec<usize> {
        let numbers =
            |field: &&FieldReader| matches!(field.ty, Type::Int | Type::Decimal | Type::Percent | Type::Money(_));
        let column = |field: &FieldReader| match field.source {
            Source::Column(column) => Some(column),
            Source::Always(_) => None,
        };
        self.fields.iter().filter(numbers).filter_map(column).collect()
    }

    /// Says how numbers are written.
    pub fn set_numbers(&mut self, style: impl Fn(usize) -> NumberStyle) {
        for field in &mut self.fields {
            if let Source::Column(column) = field.source {
                field.numbers = style(column);
            }
        }
    }

    /// For files that do not tell how numbers in texts are written.
    pub fn set_open_numbers(&mut self) {
        self.fields.iter_mut().for_each(|field| field.numbers = NumberStyle::Open);
    }

    /// The record of a row; what does not fit goes to `bad` instead, with the name of the cell that `place` gives
    /// for a column.
    pub fn row(
        &mut self,
        cells: &dyn Cells,
        line: u64,
        place: &dyn Fn(usize) -> EcoString,
        bad: &mut dyn FnMut(BadCell),
    ) -> Option<Value> {
        let mut values = Vec::with_capacity(self.fields.len());
        let mut fits = true;
        for field in &mut self.fields {
            let column = match &field.source {
                Source::Always(value) => {
                    values.push(value.clone());
                    continue;
                }
                Source::Column(column) => *column,
            };
            let cell = cells.text(column);
            let value = match cell {
                Some(cell) => field.value(cell, field.currency, &self.dates, self.code),
                None => field.value(Cell::Text(""), field.currency, &self.dates, self.code),
            };
            match value {
                Ok(value) => values.push(value),
                Err(reason) => {
                    fits = false;
                    bad(BadCell {
                        line,
                        cell: place(column),
                        column: self.columns.headings.get(column).cloned().unwrap_or_default(),
                        value: field.shown(cell),
                        reason: field.masked(reason),
                    });
                }
            }
        }
        fits.then(|| Value::record(self.record, values))
    }
}

impl<'a> FieldReader<'a> {
    fn new(code: &'a Code, field: &'a Field, source: Source, currency: Option<Currency>) -> Self {
        let (ty, optional) = match &field.ty {
            Type::Optional(inner) => (&**inner, true),
            ty => (ty, false),
        };
        let members = match ty {
            Type::Enum(id) => code.enums.get(id.0 as usize).map(members).unwrap_or_default(),
            _ => HashMap::new(),
        };
        let numbers = NumberStyle::Known(Numbers::Point);
        FieldReader { field, ty, optional, source, currency, numbers, members, shared: HashSet::new() }
    }

    fn value(
        &mut self,
        cell: Cell,
        currency: Option<Currency>,
        dates: &Dates,
        code: &Code,
    ) -> Result<Value, EcoString> {
        let text = match cell {
            Cell::Text(text) if *self.ty == Type::Text => unguarded(text.trim()),
            Cell::Text(text) => text,
            Cell::Typed(SheetCell::Empty) => "",
            Cell::Typed(SheetCell::Text(text)) => text.trim(),
            Cell::Typed(typed) => return self.typed(self.ty, typed, currency, code),
        };
        let text = if *self.ty == Type::Text { text } else { text.trim() };
        if text.is_empty() && self.optional {
            return Ok(Value::None);
        }
        self.parsed(self.ty, text, currency, dates, code)
    }

    fn parsed(
        &mut self,
        ty: &Type,
        text: &str,
        currency: Option<Currency>,
        dates: &Dates,
        code: &Code,
    ) -> Result<Value, EcoString> {
        let said = |error: parse::ParseError| eco_format!("{error}");
        Ok(match ty {
            Type::Text => Value::Text(self.share(text)),
            Type::Bool => Value::Bool(parse::bool(text).map_err(said)?),
            Type::Int => match plain_int(text) {
                Some(value) => Value::Int(value),
                None => Value::Int(self.number(text, parse::int)?),
            },
            Type::Decimal => Value::Decimal(match plain_decimal(text, self.numbers) {
                Some(value) => value,
                None => self.number(text, parse::decimal)?,
            }),
            Type::Percent => Value::Percent(self.number(text, parse::percent)?),
            Type::Money(known) => {
                let default = currency.or(*known);
                let money = match (plain_decimal(text, self.numbers), default) {
                    (Some(amount), Some(currency)) => Money::new(amount, currency),
                    _ => self.number(text, |text, numbers| parse::money(text, numbers, default))?,
                };
                Value::Money(in_currency(money, *known)?)
            }
            Type::Date => Value::Date(date(text, dates)?),
            Type::Time => Value::Time(parse::time(text).map_err(said)?),
            Type::Instant => Value::Instant(parse::instant(text).map_err(said)?),
            Type::Duration => Value::Duration(parse::duration(text).map_err(said)?),
            Type::Enum(id) => match self.members.get(&normalized(text)) {
                Some(member) => Value::member(*id, *member),
                None => return Err(no_member(text, code.enums.get(id.0 as usize))),
            },
            Type::Reference(entity) => {
                if text.is_empty() {
                    return Err("nothing is written where a key was expected".into());
                }
                Value::reference(*entity, self.parsed(key_type(code, *entity), text, currency, dates, code)?)
            }
            Type::Optional(inner) if text.is_empty() => {
                let _ = inner;
                Value::None
            }
            Type::Optional(inner) => self.parsed(inner, text, currency, dates, code)?,
            _ => return Err("a cell can't hold such a value".into()),
        })
    }

    /// Reads a number in the way that the file writes numbers.
    fn number<T: PartialEq>(
        &self,
        text: &str,
        read: impl Fn(&str, Numbers) -> Result<T, parse::ParseError>,
    ) -> Result<T, EcoString> {
        let said = |error: parse::ParseError| eco_format!("{error}");
        match self.numbers {
            NumberStyle::Known(numbers) => read(text, numbers).map_err(said),
            NumberStyle::Open => match shown_by(text.as_bytes()) {
                Some(numbers) => read(text, numbers).map_err(said),
                None => match (read(text, Numbers::Point), read(text, Numbers::Comma)) {
                    (Ok(point), Ok(comma)) if point == comma => Ok(point),
                    (Ok(_), Ok(_)) => Err(eco_format!(
                        "`{text}` may be written with a decimal point or a decimal comma, and nothing in the file tells which"
                    )),
                    (Ok(value), Err(_)) | (Err(_), Ok(value)) => Ok(value),
                    (Err(error), Err(_)) => Err(said(error)),
                },
            },
        }
    }

    /// The value of a cell that knows its kind.
    fn typed(
        &mut self,
        ty: &Type,
        cell: &SheetCell,
        currency: Option<Currency>,
        code: &Code,
    ) -> Result<Value, EcoString> {
        let expected = |what: &str| eco_format!("`{}` is not {what}", sheet_text(cell));
        if let SheetCell::Error(error) = cell {
            return Err(eco_format!("the formula of the cell has failed: {error}"));
        }
        Ok(match (ty, cell) {
            (Type::Optional(inner), _) => self.typed(inner, cell, currency, code)?,
            (Type::Text, cell) => {
                let text = sheet_text(cell);
                Value::Text(self.share(&text))
            }
            (Type::Bool, SheetCell::Bool(value)) => Value::Bool(*value),
            (Type::Bool, SheetCell::Number(number)) if *number == 0.0 || *number == 1.0 => Value::Bool(*number == 1.0),
            (Type::Int, SheetCell::Number(number)) => {
                let number =
                    exact(*number).filter(Decimal::is_integer).ok_or_else(|| expected("a whole number such as 42"))?;
                Value::Int(crate::value::decimal::to_int(number).map_err(|_| expected("a whole number of 64 bits"))?)
            }
            (Type::Decimal, SheetCell::Number(number)) => {
                Value::Decimal(exact(*number).ok_or_else(|| expected("a number of at most 28 digits"))?)
            }
            // A workbook keeps 15% as 0.15.
            (Type::Percent, SheetCell::Number(number)) => {
                Value::Percent(exact(*number).ok_or_else(|| expected("a percent"))?)
            }
            (Type::Money(known), SheetCell::Number(number)) => {
                let amount = exact(*number).ok_or_else(|| expected("an amount"))?;
                let currency = currency.or(*known).ok_or_else(|| {
                    EcoString::from(
                        "a number has no currency: give one, `currency: \"EUR\"`, or make the type `money EUR`",
                    )
                })?;
                Value::Money(in_currency(Money::new(amount, currency), *known)?)
            }
            (Type::Date, SheetCell::Moment(moment)) => Value::Date(moment.date()),
            (Type::Time, SheetCell::Moment(moment)) => Value::Time(moment.time()),
            (Type::Time, SheetCell::Length(length)) => Value::Time(
                crate::value::temporal::time_from_milliseconds(*length).map_err(|_| expected("a time of day"))?,
            ),
            (Type::Instant, SheetCell::Moment(moment)) => Value::Instant(
                crate::value::Instant::from_civil(moment.date(), moment.time(), &jiff::tz::TimeZone::UTC)
                    .map_err(|_| expected("a point in time"))?,
            ),
            (Type::Duration, SheetCell::Length(length)) => {
                Value::Duration(crate::value::Duration::from_milliseconds(*length))
            }
            (Type::Reference(entity), cell) => {
                let entity = *entity;
                Value::reference(entity, self.typed(key_type(code, entity), cell, currency, code)?)
            }
            (Type::Enum(_), cell) => {
                let text = sheet_text(cell);
                self.parsed(ty, &text, currency, &Dates::Usual, code)?
            }
            (Type::Date, _) => return Err(expected("a date")),
            (Type::Time, _) => return Err(expected("a time of day")),
            (Type::Int, _) => return Err(expected("a whole number such as 42")),
            (Type::Money(_), _) => return Err(expected("an amount")),
            _ => return Err(expected("such a value")),
        })
    }

    fn share(&mut self, text: &str) -> EcoString {
        if text.len() <= INLINE {
            return text.into();
        }
        if let Some(known) = self.shared.get(text) {
            return known.clone();
        }
        let text = EcoString::from(text);
        if self.shared.len() < SHARED {
            self.shared.insert(text.clone());
        }
        text
    }

    /// What stands in a cell, for the message.
    fn shown(&self, cell: Option<Cell>) -> EcoString {
        let text = match cell {
            None => EcoString::new(),
            Some(Cell::Text(text)) => text.trim().chars().take(80).collect(),
            Some(Cell::Typed(typed)) => sheet_text(typed).chars().take(80).collect(),
        };
        if self.field.label.is_some() && !text.is_empty() { EcoString::inline("***") } else { text }
    }

    /// Personal data and secrets stay out of messages.
    fn masked(&self, reason: EcoString) -> EcoString {
        match self.field.label {
            None => reason,
            Some(Label::Pii) => eco_format!("the personal value there is not {}", self.type_in_words()),
            Some(Label::Secret) => eco_format!("the secret value there is not {}", self.type_in_words()),
        }
    }

    fn type_in_words(&self) -> &'static str {
        match self.ty {
            Type::Bool => "yes or no",
            Type::Int => "a whole number",
            Type::Decimal => "a number",
            Type::Percent => "a percent",
            Type::Money(_) => "an amount of money",
            Type::Date => "a date",
            Type::Time => "a time of day",
            Type::Instant => "a point in time",
            Type::Duration => "a length of time",
            Type::Enum(_) => "one of the names that it may be",
            Type::Reference(_) => "a key",
            _ => "what the field takes",
        }
    }
}

fn members(ty: &EnumType) -> HashMap<String, u16> {
    ty.members.iter().enumerate().map(|(at, member)| (normalized(member), at as u16)).collect()
}

fn no_member(text: &str, ty: Option<&EnumType>) -> EcoString {
    let members = ty.map_or(&[][..], |ty| &ty.members);
    let name = with_article(ty.map_or("?", |ty| ty.name.as_str()));
    let text: String = text.chars().take(40).collect();
    let wanted = normalized(&text);
    let nearest = members
        .iter()
        .map(|member| (strsim::jaro_winkler(&wanted, &normalized(member)), member))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    let shown = if text.is_empty() { "nothing is written where".to_string() } else { format!("`{text}` is not") };
    match (text.is_empty(), nearest) {
        (true, _) => eco_format!("{shown} {name} was expected: {}", members.join(", ")),
        (false, Some((_, nearest))) => eco_format!("{shown} {name}; is it `{nearest}`?"),
        (false, None) => eco_format!("{shown} {name}: {}", members.join(", ")),
    }
}

fn key_type(code: &Code, entity: RecordId) -> &Type {
    let record = code.records.get(entity.0 as usize);
    record.and_then(|record| record.fields.get(record.key?)).map_or(&Type::Text, |field| &field.ty)
}

fn in_currency(money: Money, known: Option<Currency>) -> Result<Money, EcoString> {
    match known {
        Some(known) if known != money.currency => {
            Err(eco_format!("`{money}` is in {}, and the field takes {known} alone", money.currency))
        }
        _ => Ok(money),
    }
}

fn date(text: &str, dates: &Dates) -> Result<Date, EcoString> {
    match dates {
        Dates::Usual => parse::date(text, None).map_err(|error| eco_format!("{error}")),
        Dates::Pattern(pattern) => parse::date(text, Some(pattern)).map_err(|error| eco_format!("{error}")),
        Dates::Format(format) => jiff::civil::Date::strptime(format, text).map_err(|_| {
            let text: String = text.chars().take(40).collect();
            eco_format!("`{text}` is not a date in the form {format}")
        }),
    }
}

/// Digits and at most a sign: what nearly every cell with a whole number is.
fn plain_int(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let fine = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if fine { text.parse().ok() } else { None }
}

/// Digits with one decimal sign in the way that is known, up to 18 of them: the short way for plain numbers.
fn plain_decimal(text: &str, numbers: NumberStyle) -> Option<Decimal> {
    let NumberStyle::Known(numbers) = numbers else { return None };
    let sign = if numbers == Numbers::Point { b'.' } else { b',' };
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        all => (false, all),
    };
    if digits.len() > 18 || !digits.first()?.is_ascii_digit() || !digits.last()?.is_ascii_digit() {
        return None;
    }
    let (mut number, mut scale, mut behind) = (0_i64, 0, false);
    for byte in digits {
        match *byte {
            digit @ b'0'..=b'9' => {
                number = number * 10 + i64::from(digit - b'0');
                scale += u32::from(behind);
            }
            other if other == sign && !behind => behind = true,
            _ => return None,
        }
    }
    Some(Decimal::new(if negative { -number } else { number }, scale))
}

/// The decimal that a workbook means by a binary number: of its 15 digits those that count.
pub(in crate::task) fn exact(number: f64) -> Option<Decimal> {
    if !number.is_finite() {
        return None;
    }
    Decimal::from_scientific(&format!("{number:.14e}")).ok().map(|decimal| decimal.normalize())
}

/// A cell as text.
pub(in crate::task) fn sheet_text(cell: &SheetCell) -> EcoString {
    match cell {
        SheetCell::Empty => EcoString::new(),
        SheetCell::Text(text) => text.trim().into(),
        SheetCell::Number(number) => {
            exact(*number).map_or_else(|| eco_format!("{number}"), |exact| eco_format!("{exact}"))
        }
        SheetCell::Bool(value) => eco_format!("{value}"),
        SheetCell::Moment(moment) if moment.time() == jiff::civil::Time::midnight() => eco_format!("{}", moment.date()),
        SheetCell::Moment(moment) => eco_format!("{} {}", moment.date(), crate::value::display::time(moment.time())),
        SheetCell::Length(length) => eco_format!("{}", crate::value::Duration::from_milliseconds(*length)),
        SheetCell::Error(error) => error.clone(),
    }
}

impl Cells for csv::StringRecord {
    fn text(&self, column: usize) -> Option<Cell<'_>> {
        self.get(column).map(Cell::Text)
    }
}

impl Cells for Vec<SheetCell> {
    fn text(&self, column: usize) -> Option<Cell<'_>> {
        self.get(column).map(Cell::Typed)
    }
}
