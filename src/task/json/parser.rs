//! From JSON text to values of a type, without a tree between: numbers keep all their digits, and what does not fit is
//! named by its path.

use crate::check::program::{Default, ExprKind, RecordType, Type};
use crate::compile::code::Code;
use crate::task::table::normalized;
use crate::text::with_article;
use crate::value::parse::{self, Numbers};
use crate::value::{Currency, Decimal, Duration, Money, RecordId, Value, ValueMap};
use ecow::EcoString;
use std::fmt::Write;
use std::sync::Arc;

/// How deep lists and objects may lie in each other.
const DEEPEST: usize = 128;

type Parsed<T> = Result<T, String>;

/// One step on the way to a value.
#[derive(Debug, Clone)]
enum Segment {
    Field(EcoString),
    Element(usize),
}

/// Reads one text.
pub(super) struct Parser<'a> {
    text: &'a str,
    at: usize,
    path: Vec<Segment>,
    code: &'a Code,
}

impl<'a> Parser<'a> {
    pub fn new(text: &'a str, code: &'a Code) -> Self {
        Parser { text, at: 0, path: Vec::new(), code }
    }

    /// The value of the whole text.
    pub fn whole(mut self, ty: &Type) -> Parsed<Value> {
        self.blanks();
        if self.at == self.text.len() {
            return Err("it is empty".to_string());
        }
        let value = self.value(ty)?;
        self.blanks();
        if self.at < self.text.len() { self.fail("something stands behind the end of the value") } else { Ok(value) }
    }

    fn value(&mut self, ty: &Type) -> Parsed<Value> {
        self.blanks();
        if self.path.len() > DEEPEST {
            return self.fail(format!("lists and objects lie in each other more than {DEEPEST} deep"));
        }
        if self.peek() == Some(b'n') {
            return match ty {
                Type::Optional(_) => self.word("null").map(|()| Value::None),
                _ => {
                    self.word("null")?;
                    self.fail(format!("null stands where {} was expected", self.expected(ty)))
                }
            };
        }
        match ty {
            Type::Optional(inner) => self.value(inner),
            Type::List(element) => self.list(element),
            Type::Map(key, value) => self.map(key, value),
            Type::Record(id) => self.record(*id),
            Type::Money(known) => self.money(*known),
            Type::Reference(entity) => {
                let code = self.code;
                let record = code.records.get(entity.0 as usize);
                let key =
                    record.and_then(|record| record.fields.get(record.key?)).map_or(&Type::Text, |field| &field.ty);
                Ok(Value::reference(*entity, self.value(key)?))
            }
            Type::Bool => match self.peek() {
                Some(b't') => self.word("true").map(|()| Value::Bool(true)),
                Some(b'f') => self.word("false").map(|()| Value::Bool(false)),
                _ => self.unexpected(ty),
            },
            Type::Int => {
                let start = self.at;
                let number = self.number(ty)?;
                match crate::value::decimal::to_int(number) {
                    Ok(value) => Ok(Value::Int(value)),
                    Err(_) => self.fail_at(start, format!("{number} is not a whole number of 64 bits")),
                }
            }
            Type::Decimal if self.peek() != Some(b'"') => Ok(Value::Decimal(self.number(ty)?)),
            Type::Percent if self.peek() != Some(b'"') => {
                let start = self.at;
                let number = self.number(ty)?;
                self.fail_at(
                    start,
                    format!("{number} may be {number}% or a fraction; a percent is a text such as \"15%\""),
                )
            }
            _ => {
                if self.peek() != Some(b'"') {
                    return self.unexpected(ty);
                }
                let start = self.at;
                let text = self.string()?;
                self.text_value(ty, &text).or_else(|reason| self.fail_at(start, reason))
            }
        }
    }

    /// The value that a JSON text, or the name of an object's entry, stands for.
    fn text_value(&self, ty: &Type, text: &str) -> Parsed<Value> {
        let said = |error: parse::ParseError| error.to_string();
        Ok(match ty {
            Type::Text => text.into(),
            Type::Bool => Value::Bool(parse::bool(text).map_err(said)?),
            Type::Int => Value::Int(parse::int(text, Numbers::Point).map_err(said)?),
            Type::Decimal => Value::Decimal(parse::decimal(text, Numbers::Point).map_err(said)?),
            Type::Percent => Value::Percent(parse::percent(text, Numbers::Point).map_err(said)?),
            Type::Money(known) => {
                let money = parse::money(text, Numbers::Point, *known).map_err(said)?;
                in_currency(money, *known)?
            }
            Type::Date => Value::Date(parse::date(text, None).map_err(said)?),
            Type::Time => Value::Time(parse::time(text).map_err(said)?),
            Type::Instant => Value::Instant(parse::instant(text).map_err(said)?),
            Type::Duration => Value::Duration(duration(text).map_or_else(|| parse::duration(text).map_err(said), Ok)?),
            Type::Enum(id) => {
                let wanted = normalized(text);
                let ty = self.code.enums.get(id.0 as usize);
                let members = ty.map_or(&[][..], |ty| &ty.members);
                match members.iter().position(|member| normalized(member) == wanted) {
                    Some(member) => Value::member(*id, member as u16),
                    None => {
                        let name = ty.map_or("?", |ty| ty.name.as_str());
                        return Err(format!(
                            "\"{}\" is not {}: {}",
                            short(text),
                            with_article(name),
                            members.join(", ")
                        ));
                    }
                }
            }
            Type::Reference(entity) => {
                let record = self.code.records.get(entity.0 as usize);
                let key =
                    record.and_then(|record| record.fields.get(record.key?)).map_or(&Type::Text, |field| &field.ty);
                Value::reference(*entity, self.text_value(key, text)?)
            }
            Type::Optional(inner) => self.text_value(inner, text)?,
            other => return Err(format!("a text stands where {} was expected", self.expected(other))),
        })
    }

    fn list(&mut self, element: &Type) -> Parsed<Value> {
        if !self.eat(b'[') {
            return self.fail(format!("{} stands where a list was expected", self.found()));
        }
        let mut items = Vec::new();
        self.blanks();
        if self.eat(b']') {
            return Ok(Value::list(items));
        }
        loop {
            self.path.push(Segment::Element(items.len()));
            items.push(self.value(element)?);
            self.path.pop();
            if !self.more(b']', "]")? {
                return Ok(Value::list(items));
            }
        }
    }

    fn map(&mut self, key: &Type, ty: &Type) -> Parsed<Value> {
        let mut map = ValueMap::new();
        self.object(|parser, name, start| {
            let key = parser.text_value(key, name).or_else(|reason| parser.fail_at(start, reason))?;
            if map.contains_key(&key) {
                return parser.fail_at(start, format!("there are two entries \"{}\"", short(name)));
            }
            let value = parser.value(ty)?;
            map.insert(key, value);
            Ok(())
        })?;
        Ok(Value::Map(Arc::new(map)))
    }

    fn record(&mut self, id: RecordId) -> Parsed<Value> {
        let code = self.code;
        let Some(record) = code.records.get(id.0 as usize) else {
            return self.fail("the program does not know the type that is read");
        };
        let start = self.at;
        let mut fields: Vec<Option<Value>> = vec![None; record.fields.len()];
        self.object(|parser, name, start| {
            let Some(position) = field_named(record, name) else { return parser.skip() };
            let (Some(slot), Some(field)) = (fields.get_mut(position), record.fields.get(position)) else {
                return Ok(());
            };
            if slot.is_some() {
                return parser.fail_at(start, format!("there are two entries for `{}`", field.name));
            }
            *slot = Some(parser.value(&field.ty)?);
            Ok(())
        })?;
        let mut values = Vec::with_capacity(fields.len());
        for (field, value) in record.fields.iter().zip(fields) {
            values.push(match (value, &field.default, &field.ty) {
                (Some(value), ..) => value,
                (None, Some(Default::Value(default)), _) if matches!(default.kind, ExprKind::Value(_)) => {
                    match &default.kind {
                        ExprKind::Value(value) => value.clone(),
                        _ => Value::None,
                    }
                }
                (None, _, Type::Optional(_)) => Value::None,
                (None, ..) => {
                    return self.fail_at(start, format!("`{}` is missing, which {} needs", field.name, record.name));
                }
            });
        }
        Ok(Value::record(id, values))
    }

    /// `{"amount": "99.90", "currency": "EUR"}`, as `json.write` writes it, `"99.90 EUR"`, or a number where the
    /// currency is known.
    fn money(&mut self, known: Option<Currency>) -> Parsed<Value> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                let text = self.string()?;
                self.text_value(&Type::Money(known), &text).or_else(|reason| self.fail_at(start, reason))
            }
            Some(b'{') => {
                let (mut amount, mut currency) = (None, known);
                self.object(|parser, name, _| match normalized(name).as_str() {
                    "amount" | "value" => {
                        amount = Some(parser.value(&Type::Decimal)?);
                        Ok(())
                    }
                    "currency" | "currencycode" => {
                        parser.blanks();
                        let start = parser.at;
                        let code = parser.value(&Type::Text)?;
                        let code = code.as_text().unwrap_or_default();
                        match Currency::from_code(code) {
                            Some(found) => currency = Some(found),
                            None => {
                                return parser.fail_at(start, format!("`{}` is no currency of ISO 4217", short(code)));
                            }
                        }
                        Ok(())
                    }
                    _ => parser.skip(),
                })?;
                match (amount, currency) {
                    (Some(Value::Decimal(amount)), Some(currency)) => {
                        in_currency(Money::new(amount, currency), known).or_else(|reason| self.fail_at(start, reason))
                    }
                    (None, _) => self.fail_at(start, "`amount` is missing, which an amount of money needs"),
                    _ => self.fail_at(start, "`currency` is missing, which an amount of money needs"),
                }
            }
            _ => {
                let number = self.number(&Type::Money(known))?;
                match known {
                    Some(currency) => Ok(Value::Money(Money::new(number, currency))),
                    None => self.fail_at(
                        start,
                        format!("{number} has no currency; make the type `money EUR`, or write \"{number} EUR\""),
                    ),
                }
            }
        }
    }

    /// Goes through the entries of an object; `entry` reads the value of each.
    fn object(&mut self, mut entry: impl FnMut(&mut Self, &str, usize) -> Parsed<()>) -> Parsed<()> {
        self.blanks();
        if !self.eat(b'{') {
            return self.fail(format!("{} stands where an object was expected", self.found()));
        }
        self.blanks();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return self
                    .fail(format!("{} stands where the name of an entry, in quotes, was expected", self.found()));
            }
            let start = self.at;
            let name = self.string()?;
            self.path.push(Segment::Field(name.as_str().into()));
            self.blanks();
            if !self.eat(b':') {
                return self.fail(format!("{} stands where `:` was expected", self.found()));
            }
            entry(self, &name, start)?;
            self.path.pop();
            if !self.more(b'}', "}")? {
                return Ok(());
            }
        }
    }

    /// Whether another element follows: a comma does, or the end.
    fn more(&mut self, end: u8, shown: &str) -> Parsed<bool> {
        self.blanks();
        if self.eat(b',') {
            self.blanks();
            return if self.peek() == Some(end) { self.fail("a comma stands before the end") } else { Ok(true) };
        }
        if self.eat(end) {
            Ok(false)
        } else {
            self.fail(format!("{} stands where `,` or `{shown}` was expected", self.found()))
        }
    }

    /// Goes over a value that nobody asks for.
    fn skip(&mut self) -> Parsed<()> {
        self.blanks();
        if self.path.len() > DEEPEST {
            return self.fail(format!("lists and objects lie in each other more than {DEEPEST} deep"));
        }
        match self.peek() {
            Some(b'{') => self.object(|parser, _, _| parser.skip()),
            Some(b'[') => {
                self.at += 1;
                self.blanks();
                if self.eat(b']') {
                    return Ok(());
                }
                let mut index = 0;
                loop {
                    self.path.push(Segment::Element(index));
                    self.skip()?;
                    self.path.pop();
                    index += 1;
                    if !self.more(b']', "]")? {
                        return Ok(());
                    }
                }
            }
            Some(b'"') => self.string().map(|_| ()),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'-' | b'0'..=b'9') => self.digits().map(|_| ()),
            _ => self.fail(format!("{} stands where a value was expected", self.found())),
        }
    }

    fn number(&mut self, ty: &Type) -> Parsed<Decimal> {
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return self.unexpected(ty);
        }
        let start = self.at;
        let digits = self.digits()?;
        let number = if digits.contains(['e', 'E']) {
            Decimal::from_scientific(digits)
        } else {
            Decimal::from_str_exact(digits)
        };
        number.or_else(|_| {
            self.fail_at(start, format!("{} has more digits than the 28 that a decimal has", short(digits)))
        })
    }

    /// The characters of a number, as JSON allows them.
    fn digits(&mut self) -> Parsed<&'a str> {
        let start = self.at;
        self.eat(b'-');
        let whole = self.run();
        let leading_zero = whole > 1 && self.text.as_bytes().get(self.at - whole) == Some(&b'0');
        let mut fine = whole > 0 && !leading_zero;
        if self.eat(b'.') {
            fine &= self.run() > 0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            fine &= self.run() > 0;
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        if fine { Ok(digits) } else { self.fail_at(start, format!("`{}` is no number", short(digits))) }
    }

    fn run(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Parsed<String> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                None => return self.fail_at(start, "the text that begins here is never closed"),
                Some(_) => {
                    return self.fail_at(
                        start,
                        "the text that begins here has a line break or another control character in it",
                    );
                }
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let start = self.at;
        let letter = self.text.as_bytes().get(self.at + 1).copied();
        self.at += 2;
        Ok(match letter {
            Some(c @ (b'"' | b'\\' | b'/')) => c as char,
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.hexadecimal(start)?;
                let code = if (0xd800..0xdc00).contains(&first)
                    && self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u"))
                {
                    self.at += 2;
                    let second = self.hexadecimal(start)?;
                    if !(0xdc00..0xe000).contains(&second) {
                        return self.fail_at(start, "half of a character is written with \\u");
                    }
                    0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                } else {
                    first
                };
                match char::from_u32(code) {
                    Some(c) => c,
                    None => return self.fail_at(start, "half of a character is written with \\u"),
                }
            }
            _ => {
                self.at = start;
                return self.fail("this `\\` begins no escape that JSON has");
            }
        })
    }

    fn hexadecimal(&mut self, start: usize) -> Parsed<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => self.fail_at(start, "`\\u` needs four hexadecimal digits"),
        }
    }

    fn word(&mut self, word: &str) -> Parsed<()> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(());
        }
        self.fail(format!("{} stands where a value was expected", self.found()))
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn unexpected<T>(&self, ty: &Type) -> Parsed<T> {
        self.fail(format!("{} stands where {} was expected", self.found(), self.expected(ty)))
    }

    fn fail<T>(&self, reason: impl AsRef<str>) -> Parsed<T> {
        self.fail_at(self.at, reason)
    }

    fn fail_at<T>(&self, at: usize, reason: impl AsRef<str>) -> Parsed<T> {
        let line = self.text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
        let mut path = String::from("$");
        for segment in self.path.iter().take(12) {
            // Writing to a string does not fail.
            let _ = match segment {
                Segment::Element(index) => write!(path, "[{index}]"),
                Segment::Field(name) if name.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                    write!(path, ".{}", short(name))
                }
                Segment::Field(name) => write!(path, "[\"{}\"]", short(name)),
            };
        }
        if self.path.len() > 12 {
            path.push('…');
        }
        Err(format!("line {line}, {path}: {}", reason.as_ref()))
    }

    /// What stands here, in words.
    fn found(&self) -> String {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => "the end of the text".to_string(),
            Some('{') => "an object".to_string(),
            Some('[') => "a list".to_string(),
            Some('"') => "a text".to_string(),
            Some('-' | '0'..='9') => "a number".to_string(),
            Some(c) => match self.text.get(self.at..).unwrap_or_default() {
                rest if rest.starts_with("true") || rest.starts_with("false") => "true or false".to_string(),
                rest if rest.starts_with("null") => "null".to_string(),
                _ => format!("`{c}`"),
            },
        }
    }

    /// What a type takes, in words.
    fn expected(&self, ty: &Type) -> String {
        match ty {
            Type::Text => "a text".to_string(),
            Type::Bool => "true or false".to_string(),
            Type::Int => "a whole number".to_string(),
            Type::Decimal => "a number".to_string(),
            Type::Percent => "a percent such as \"15%\"".to_string(),
            Type::Money(_) => "an amount such as \"99.90 EUR\"".to_string(),
            Type::Date => "a date such as \"2026-11-22\"".to_string(),
            Type::Time => "a time of day such as \"06:00\"".to_string(),
            Type::Instant => "a point in time such as \"2026-11-22T06:00Z\"".to_string(),
            Type::Duration => "a length of time such as \"PT30M\"".to_string(),
            Type::List(_) => "a list".to_string(),
            Type::Map(..) => "an object".to_string(),
            Type::Record(id) => {
                self.code.records.get(id.0 as usize).map_or("an object".to_string(), |ty| with_article(&ty.name))
            }
            Type::Enum(id) => {
                self.code.enums.get(id.0 as usize).map_or("a text".to_string(), |ty| with_article(&ty.name))
            }
            Type::Reference(_) => "a key".to_string(),
            Type::Optional(inner) => self.expected(inner),
            _ => "something that JSON can't say".to_string(),
        }
    }
}

/// The field that an entry is for: of this name, or of the same name in another style (`orderId`, `order-id`).
fn field_named(record: &RecordType, name: &str) -> Option<usize> {
    record.fields.iter().position(|field| field.name == name).or_else(|| {
        let wanted = normalized(name);
        record.fields.iter().position(|field| normalized(&field.name) == wanted)
    })
}

fn in_currency(money: Money, known: Option<Currency>) -> Parsed<Value> {
    match known {
        Some(known) if known != money.currency => {
            Err(format!("{money} is in {}, and {known} was expected", money.currency))
        }
        _ => Ok(Value::Money(money)),
    }
}

/// ISO 8601, as `json.write` writes it: `PT2H30M`, days of 24 hours.
fn duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.parse().ok()?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    i64::try_from(duration.as_millis()).ok().map(Duration::from_milliseconds)
}

fn short(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_string(),
    }
}
