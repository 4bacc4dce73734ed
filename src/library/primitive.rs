//! The table of primitives.
//!
//! Signatures are written as in the reference. `[T].where(keep: T => bool) -> [T]` is a method of lists;
//! without parentheses it is a property (`text.length`); `csv.read(…)` belongs to a module and
//! `min(…)` to nothing. `T`, `U`, `K`, `V` stand for any type, `N` for a type that can be added up (int,
//! decimal, percent, money, duration), `O` for a type with an order; `type T` takes a type, `= …` gives a default.

use crate::check::program::Effect;
use Effect::{Calls, Pure, Reads, Sends, Writes};

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Primitive {
    /// What executes it.
    pub operation: Operation,
    /// What it takes and gives; see the module.
    pub signature: &'static str,
    /// What it does to the world.
    pub effect: Effect,
    /// The declared errors that it may fail with.
    pub fails: &'static [&'static str],
    /// What the reference says.
    pub about: &'static str,
    /// An expression that shows it and its value; empty where the world is needed.
    pub example: (&'static str, &'static str),
}

macro_rules! primitives {
    ($($name:ident $signature:literal $effect:ident [$($fails:literal)*] $about:literal $(, $example:literal => $result:literal)?;)*) => {
        /// Names a primitive; what it does is in `vm` and `task`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Operation {
            $(#[doc = $about] $name,)*
        }

        /// Every primitive, in the order of [`Operation`].
        pub static PRIMITIVES: &[Primitive] = &[
            $(Primitive {
                operation: Operation::$name,
                signature: $signature,
                effect: $effect,
                fails: &[$($fails),*],
                about: $about,
                example: primitives!(@example $($example, $result)?),
            },)*
        ];
    };
    (@example) => { ("", "") };
    (@example $example:literal, $result:literal) => { ($example, $result) };
}

impl Operation {
    /// Its row.
    pub fn primitive(self) -> &'static Primitive {
        &PRIMITIVES[self as usize]
    }
}

primitives! {
    // ── functions ──
    Money "money(amount: decimal, currency: text) -> money" Pure ["bad_value"] "An amount in a currency that is only known at run time; fails when there is no such currency.", "money(12.5, \"EUR\")" => "12.50 EUR";
    Percent "percent(share: decimal) -> percent" Pure [] "A share as a percentage.", "percent(0.15)" => "15%";
    Modulo "mod(number: int, divisor: int) -> int" Pure [] "What is left when dividing; has the sign of the divisor.", "mod(7, 3)" => "1";
    LeastOf "min(first: O, second: O) -> O" Pure [] "The lesser of two.", "min(3, 2)" => "2";
    GreatestOf "max(first: O, second: O) -> O" Pure [] "The greater of two.", "max(3, 2)" => "3";
    Today "today(zone: text = \"\") -> date" Reads [] "The day it is, in the zone of the project when none is given.";
    Now "now() -> instant" Reads [] "This moment.";
    Hours "hours(count: decimal) -> duration" Pure [] "So many hours.", "hours(1.5)" => "1 hour 30 minutes";
    Days "days(count: int) -> duration" Pure [] "So many days.", "days(3)" => "3 days";
    BusinessDays "business_days(count: int) -> duration" Reads ["bad_data" "bad_value"] "From now to this time of day so many business days on, in the zone of the project: `sleep(business_days(3))`, `within: business_days(2)`. See `date.add_business_days`.";
    DateOf "date(year: int, month: int, day: int) -> date" Pure ["bad_value"] "A day; fails when the calendar has no such day.", "date(2026, 2, 28)" => "2026-02-28";

    // ── text ──
    TextLength "text.length -> int" Pure [] "How many characters it has.", "\"Grüße\".length" => "5";
    TextIsEmpty "text.is_empty -> bool" Pure [] "Whether it has no characters.", "\"\".is_empty" => "true";
    TextIsBlank "text.is_blank -> bool" Pure [] "Whether it has nothing but blanks.", "\"  \".is_blank" => "true";
    TextUpper "text.upper -> text" Pure [] "In capital letters.", "\"straße\".upper" => "\"STRASSE\"";
    TextLower "text.lower -> text" Pure [] "In small letters.", "\"ABC\".lower" => "\"abc\"";
    TextTitle "text.title -> text" Pure [] "With a capital letter at the start of each word.", "\"ada lovelace\".title" => "\"Ada Lovelace\"";
    TextTrim "text.trim -> text" Pure [] "Without blanks at both ends.", "\" a \".trim" => "\"a\"";
    TextSquash "text.squash -> text" Pure [] "Without blanks at both ends, and with one blank for each run of blanks inside.", "\" a   b \".squash" => "\"a b\"";
    TextContains "text.contains(part: text) -> bool" Pure [] "Whether the part occurs in it.", "\"invoice\".contains(\"voice\")" => "true";
    TextStartsWith "text.starts_with(part: text) -> bool" Pure [] "Whether it begins with the part.", "\"INV-1\".starts_with(\"INV\")" => "true";
    TextEndsWith "text.ends_with(part: text) -> bool" Pure [] "Whether it ends with the part.", "\"a.csv\".ends_with(\".csv\")" => "true";
    TextReplace "text.replace(old: text, new: text) -> text" Pure [] "With every occurrence of the old part replaced.", "\"a-b\".replace(\"-\", \"+\")" => "\"a+b\"";
    TextSplit "text.split(by: text) -> [text]" Pure [] "The parts between the separators.", "\"a,b\".split(\",\")" => "[\"a\", \"b\"]";
    TextLines "text.lines -> [text]" Pure [] "Its lines.", "\"a\\nb\".lines" => "[\"a\", \"b\"]";
    TextWords "text.words -> [text]" Pure [] "What stands between blanks.", "\"a  b\".words" => "[\"a\", \"b\"]";
    TextSlice "text.slice(from: int, to: int = -1) -> text" Pure [] "The characters from one position to another, both counted from 0 and included; -1 is the last.", "\"abcd\".slice(1, 2)" => "\"bc\"";
    TextBefore "text.before(part: text) -> text" Pure [] "What stands before the first occurrence of the part; all of it when there is none.", "\"a@b\".before(\"@\")" => "\"a\"";
    TextAfter "text.after(part: text) -> text" Pure [] "What stands behind the first occurrence of the part; nothing when there is none.", "\"a@b\".after(\"@\")" => "\"b\"";
    TextPadLeft "text.pad_left(width: int, with: text = \" \") -> text" Pure [] "Filled up on the left to a width.", "\"7\".pad_left(3, \"0\")" => "\"007\"";
    TextPadRight "text.pad_right(width: int, with: text = \" \") -> text" Pure [] "Filled up on the right to a width.", "\"7\".pad_right(3, \".\")" => "\"7..\"";
    TextDigits "text.digits -> text" Pure [] "Its digits alone.", "\"+49 (30) 12\".digits" => "\"493012\"";
    TextToInt "text.to_int -> int?" Pure [] "The whole number it says, or none.", "\"42\".to_int" => "42";
    TextToDecimal "text.to_decimal -> decimal?" Pure [] "The number it says, or none.", "\"1.5\".to_decimal" => "1.5";
    TextToMoney "text.to_money(currency: text = \"\") -> money?" Pure [] "The amount it says, or none; the currency is for amounts without one.", "\"9.90\".to_money(\"EUR\")" => "9.90 EUR";
    TextToDate "text.to_date(format: text = \"%Y-%m-%d\") -> date?" Pure [] "The day it says in a strftime format, or none.", "\"22.11.2026\".to_date(\"%d.%m.%Y\")" => "2026-11-22";
    TextIsEmail "text.is_email -> bool" Pure [] "Whether it has the form of a mail address.", "\"a@b.example\".is_email" => "true";
    TextMask "text.mask -> text" Pure [] "With stars for all but the first character of each word; may be shown where personal data may not.", "\"Ada Lovelace\".mask" => "\"A** L*******\"";
    TextLastFour "text.last4 -> text" Pure [] "Its last four characters; may be shown where a secret may not.", "\"DE8937\".last4" => "\"8937\"";
    TextSimilarity "text.similarity(other: text) -> percent" Pure [] "How alike two texts are, from 0% to 100% (Jaro-Winkler).", "\"Meier\".similarity(\"Meier\")" => "100%";

    // ── numbers ──
    IntAbsolute "int.abs -> int" Pure [] "Without its sign.", "(-3).abs" => "3";
    IntToDecimal "int.to_decimal -> decimal" Pure [] "As a decimal.", "3.to_decimal" => "3";
    IntToText "int.to_text -> text" Pure [] "As text.", "3.to_text" => "\"3\"";
    DecimalAbsolute "decimal.abs -> decimal" Pure [] "Without its sign.", "(-1.5).abs" => "1.5";
    DecimalRound "decimal.round(digits: int = 0) -> decimal" Pure [] "Rounded to so many digits behind the point, halves away from zero.", "1.25.round(1)" => "1.3";
    DecimalFloor "decimal.floor -> int" Pure [] "The next whole number below.", "1.7.floor" => "1";
    DecimalCeiling "decimal.ceiling -> int" Pure [] "The next whole number above.", "1.2.ceiling" => "2";
    DecimalToText "decimal.to_text(digits: int = -1) -> text" Pure [] "As text, with so many digits behind the point.", "1.5.to_text(2)" => "\"1.50\"";
    PercentToDecimal "percent.to_decimal -> decimal" Pure [] "The share as a number.", "15%.to_decimal" => "0.15";
    MoneyAmount "money.amount -> decimal" Pure [] "The amount without its currency.", "9.90 EUR.amount" => "9.90";
    MoneyCurrency "money.currency -> text" Pure [] "The letters of its currency.", "9.90 EUR.currency" => "\"EUR\"";
    MoneyRound "money.round -> money" Pure [] "Rounded to the minor unit of its currency, halves away from zero.", "1.005 EUR.round" => "1.01 EUR";
    MoneyRoundEven "money.round_even -> money" Pure [] "Rounded to the minor unit of its currency, halves to the even digit.", "1.005 EUR.round_even" => "1.00 EUR";
    MoneyAbsolute "money.abs -> money" Pure [] "Without its sign.", "(-1 EUR).abs" => "1.00 EUR";
    MoneySplit "money.split(parts: int) -> [money]" Pure ["bad_value"] "Split into parts that differ by one minor unit at most and add up to the whole.", "10 EUR.split(3)" => "[3.34 EUR, 3.33 EUR, 3.33 EUR]";

    // ── days and times ──
    DateYear "date.year -> int" Pure [] "Its year.", "2026-11-22.year" => "2026";
    DateMonth "date.month -> int" Pure [] "Its month, from 1.", "2026-11-22.month" => "11";
    DateDay "date.day -> int" Pure [] "Its day of the month, from 1.", "2026-11-22.day" => "22";
    DateWeekday "date.weekday -> int" Pure [] "Its day of the week, Monday is 1.", "2026-11-22.weekday" => "7";
    DateIsWeekend "date.is_weekend -> bool" Pure [] "Whether it is a Saturday or Sunday.", "2026-11-22.is_weekend" => "true";
    DateAddMonths "date.add_months(count: int) -> date" Pure [] "So many months later, at the end of the month when it has no such day.", "2026-01-31.add_months(1)" => "2026-02-28";
    DateMonthStart "date.month_start -> date" Pure [] "The first day of its month.", "2026-11-22.month_start" => "2026-11-01";
    DateMonthEnd "date.month_end -> date" Pure [] "The last day of its month.", "2026-11-22.month_end" => "2026-11-30";
    DateFormat "date.format(pattern: text) -> text" Pure ["bad_value"] "As text in a strftime format.", "2026-11-22.format(\"%d.%m.%Y\")" => "\"22.11.2026\"";
    DateAt "date.at(time: time, zone: text) -> instant" Pure ["bad_value"] "The moment of this day and time in an IANA time zone.", "2026-11-22.at(06:00, \"Europe/Berlin\")" => "2026-11-22T05:00:00Z";
    DateIsBusinessDay "date.is_business_day -> bool" Reads ["bad_data"] "Whether people work on it: Monday to Friday, but for the days in the file that `holidays` in `[calendar]` of `rpa.toml` names. Fails with `bad_data` when that file can't be read.";
    DateAddBusinessDays "date.add_business_days(count: int) -> date" Reads ["bad_data" "bad_value"] "So many business days later, or earlier when the count is negative. With 0 it is the day itself, or the next business day when it is none.";
    DateBusinessDaysUntil "date.business_days_until(end: date) -> int" Reads ["bad_data"] "How many business days lie behind it, up to and with the other day; negative when that comes before it.";
    TimeHour "time.hour -> int" Pure [] "Its hour.", "06:30.hour" => "6";
    TimeMinute "time.minute -> int" Pure [] "Its minute.", "06:30.minute" => "30";
    InstantDate "instant.date(zone: text) -> date" Pure ["bad_value"] "The day it is at this moment in an IANA time zone.", "2026-11-22T23:30Z.date(\"Europe/Berlin\")" => "2026-11-23";
    InstantTime "instant.time(zone: text) -> time" Pure ["bad_value"] "The time of day it is at this moment in an IANA time zone.", "2026-11-22T23:30Z.time(\"Europe/Berlin\")" => "00:30";
    InstantFormat "instant.format(pattern: text, zone: text) -> text" Pure ["bad_value"] "As text in a strftime format, in an IANA time zone.", "2026-11-22T05:00Z.format(\"%H:%M\", \"Europe/Berlin\")" => "\"06:00\"";
    DurationDays "duration.days -> int" Pure [] "Its whole days.", "36 hours.days" => "1";
    DurationHours "duration.hours -> int" Pure [] "Its whole hours.", "90 minutes.hours" => "1";
    DurationMinutes "duration.minutes -> int" Pure [] "Its whole minutes.", "2 hours.minutes" => "120";
    DurationSeconds "duration.seconds -> int" Pure [] "Its whole seconds.", "2 minutes.seconds" => "120";

    // ── lists ──
    ListCount "[T].count -> int" Pure [] "How many elements it has.", "[1, 2].count" => "2";
    ListIsEmpty "[T].is_empty -> bool" Pure [] "Whether it has no elements.", "[1].is_empty" => "false";
    ListFirst "[T].first -> T?" Pure [] "Its first element, or none.", "[1, 2].first" => "1";
    ListLast "[T].last -> T?" Pure [] "Its last element, or none.", "[1, 2].last" => "2";
    ListAt "[T].at(position: int) -> T?" Pure [] "The element at a position counted from 0, or none.", "[1, 2].at(5) ?? 0" => "0";
    ListWhere "[T].where(keep: T => bool) -> [T]" Pure [] "The elements that a condition holds for.", "[1, 2, 3].where(it > 1)" => "[2, 3]";
    ListFilter "[T].filter(keep: T => bool) -> [T]" Pure [] "Another name of `where`.", "[1, 2].filter(n => n > 1)" => "[2]";
    ListMap "[T].map(to: T => U) -> [U]" Pure [] "A value made of each element.", "[1, 2].map(it * 10)" => "[10, 20]";
    ListFlatMap "[T].flat_map(to: T => [U]) -> [U]" Pure [] "The lists made of each element, one behind the other.", "[1, 2].flat_map([it, it])" => "[1, 1, 2, 2]";
    ListSort "[T].sort(by: T => O) -> [T]" Pure [] "Sorted by a value, the least first; equal ones stay in order.", "[2, 1].sort(it)" => "[1, 2]";
    ListSortDescending "[T].sort_descending(by: T => O) -> [T]" Pure [] "Sorted by a value, the greatest first; equal ones stay in order.", "[1, 2].sort_descending(it)" => "[2, 1]";
    ListReverse "[T].reverse -> [T]" Pure [] "The last first.", "[1, 2].reverse" => "[2, 1]";
    ListTake "[T].take(count: int) -> [T]" Pure [] "At most so many elements from the start.", "[1, 2, 3].take(2)" => "[1, 2]";
    ListSkip "[T].skip(count: int) -> [T]" Pure [] "Without so many elements from the start.", "[1, 2, 3].skip(2)" => "[3]";
    ListDistinct "[T].distinct -> [T]" Pure [] "Without repetitions, in the order of the first ones.", "[1, 2, 1].distinct" => "[1, 2]";
    ListGroup "[T].group(by: T => K) -> {K: [T]}" Pure [] "The elements by a value, groups in the order of their first element.", "[1, 2, 3].group(mod(it, 2)).count" => "2";
    ListToMap "[T].to_map(key: T => K, value: T => V) -> {K: V}" Pure [] "A map; of elements with the same key the last stays.", "[1, 2].to_map(it, it * 10)" => "{1: 10, 2: 20}";
    ListSum "[T].sum(of: T => N) -> N" Pure [] "The sum of a value of each element; money needs at least one element.", "[1, 2].sum(it)" => "3";
    ListAverage "[T].average(of: T => N) -> N?" Pure [] "The average of a value of each element, or none; whole numbers give whole numbers.", "[1.0, 2.0].average(it)" => "1.5";
    ListMin "[T].min(of: T => O) -> O?" Pure [] "The least value, or none.", "[2, 1].min(it)" => "1";
    ListMax "[T].max(of: T => O) -> O?" Pure [] "The greatest value, or none.", "[1, 2].max(it)" => "2";
    ListMinBy "[T].min_by(of: T => O) -> T?" Pure [] "The first element with the least value, or none.", "[\"bb\", \"a\"].min_by(it.length)" => "\"a\"";
    ListMaxBy "[T].max_by(of: T => O) -> T?" Pure [] "The first element with the greatest value, or none.", "[\"bb\", \"a\"].max_by(it.length)" => "\"bb\"";
    ListAny "[T].any(condition: T => bool) -> bool" Pure [] "Whether a condition holds for one element at least.", "[1, 2].any(it > 1)" => "true";
    ListAll "[T].all(condition: T => bool) -> bool" Pure [] "Whether a condition holds for every element.", "[1, 2].all(it > 1)" => "false";
    ListFind "[T].find(condition: T => bool) -> T?" Pure [] "The first element that a condition holds for, or none.", "[1, 2].find(it > 1)" => "2";
    ListContains "[T].contains(element: T) -> bool" Pure [] "Whether an element is in it.", "[1, 2].contains(3)" => "false";
    ListIndexOf "[T].index_of(element: T) -> int?" Pure [] "The position of the first such element, or none.", "[1, 2].index_of(2)" => "1";
    ListAppend "[T].append(element: T) -> [T]" Pure [] "With one more element at the end.", "[1].append(2)" => "[1, 2]";
    ListConcat "[T].concat(other: [T]) -> [T]" Pure [] "Followed by the elements of another list.", "[1].concat([2])" => "[1, 2]";
    ListChunks "[T].chunks(size: int) -> [[T]]" Pure ["bad_value"] "In lists of so many elements.", "[1, 2, 3].chunks(2)" => "[[1, 2], [3]]";
    ListFold "[T].fold(start: U, combine: (U, T) => U) -> U" Pure [] "Combined from the first element to the last.", "[1, 2].fold(10, (sum, n) => sum + n)" => "13";
    ListJoin "[text].join(separator: text = \", \") -> text" Pure [] "Put together to one text.", "[\"a\", \"b\"].join(\"-\")" => "\"a-b\"";

    // ── maps ──
    MapCount "{K: V}.count -> int" Pure [] "How many entries it has.", "{\"a\": 1}.count" => "1";
    MapIsEmpty "{K: V}.is_empty -> bool" Pure [] "Whether it has no entries.", "{\"a\": 1}.is_empty" => "false";
    MapKeys "{K: V}.keys -> [K]" Pure [] "Its keys.", "{\"a\": 1}.keys" => "[\"a\"]";
    MapValues "{K: V}.values -> [V]" Pure [] "Its values.", "{\"a\": 1}.values" => "[1]";
    MapHas "{K: V}.has(key: K) -> bool" Pure [] "Whether there is an entry under a key.", "{\"a\": 1}.has(\"b\")" => "false";
    MapGet "{K: V}.get(key: K) -> V?" Pure [] "What is under a key, or none.", "{\"a\": 1}.get(\"a\")" => "1";
    MapPut "{K: V}.put(key: K, value: V) -> {K: V}" Pure [] "With an entry put in or replaced.", "{\"a\": 1}.put(\"a\", 2)" => "{\"a\": 2}";
    MapRemove "{K: V}.remove(key: K) -> {K: V}" Pure [] "Without the entry under a key.", "{\"a\": 1}.remove(\"a\").count" => "0";

    // ── data files ──
    CsvRead "csv.read(path: text, as: type T, separator: text = \"\", currency: text = \"\", date_format: text = \"\", encoding: text = \"\", skip_bad_rows: bool = false) -> [T]" Reads ["no_file" "bad_data"] "The rows of a CSV file as records: columns are found by the names of the fields (case, blanks and `_` do not matter). Separator (`,`, `;`, tab), byte-order mark and decimal comma are recognised; amounts without a currency have that of their heading (`price (EUR)`), else that of the project (`currency` in `rpa.toml`) unless one is given. Fails with `bad_data`, naming every cell that does not fit, unless bad rows are to be skipped.";
    CsvCheck "csv.check(path: text, as: type T, separator: text = \"\", currency: text = \"\", date_format: text = \"\", encoding: text = \"\") -> [BadRow]" Reads ["no_file" "bad_data"] "The rows of a CSV file that do not fit the record, each with its line and the reason.";
    CsvWrite "csv.write(path: text, rows: [T], separator: text = \",\") -> Document" Writes ["no_access"] "Writes records as a CSV file with a head.";
    JsonRead "json.read(path: text, as: type T) -> T" Reads ["no_file" "bad_data"] "What a JSON file holds.";
    JsonWrite "json.write(path: text, value: T) -> Document" Writes ["no_access"] "Writes a value as a JSON file.";
    JsonParse "json.parse(content: text, as: type T) -> T" Pure ["bad_data"] "What a JSON text says.", "json.parse(\"[1, 2]\", as: [int])" => "[1, 2]";
    JsonText "json.text(value: T) -> text" Pure [] "A value as JSON text.", "json.text([1, 2])" => "\"[1,2]\"";
    ExcelRead "excel.read(path: text, as: type T, sheet: text = \"\", currency: text = \"\", skip_bad_rows: bool = false) -> [T]" Reads ["no_file" "bad_data"] "The rows of a sheet (xlsx, xls, ods) as records, found as in `csv.read`; the first sheet when none is named.";
    ExcelWrite "excel.write(path: text, rows: [T], sheet: text = \"Sheet1\") -> Document" Writes ["no_access"] "Writes records as a workbook with one sheet; amounts, percents and days are cells of their kind. The heading of amounts names their currency, `price (EUR)`; amounts of several currencies in one column are written as text.";
    FileRead "file.read(path: text) -> text" Reads ["no_file" "bad_data"] "The text of a file.";
    FileWrite "file.write(path: text, content: text) -> Document" Writes ["no_access"] "Writes a text file, in one go.";
    FileExists "file.exists(path: text) -> bool" Reads ["no_access"] "Whether there is such a file.";
    FileList "file.list(pattern: text) -> [text]" Reads ["no_access"] "The files that fit a pattern such as `inbox/*.csv`, sorted.";
    FileMove "file.move(from: text, to: text) -> Document" Writes ["no_file" "no_access" "already_exists"] "Moves a file.";
    FileDelete "file.delete(path: text)" Writes ["no_access"] "Deletes a file, if it is there.";

    // ── other systems ──
    HttpGet "http.get(url: text, as: type T = HttpAnswer, query: {text: text} = {}, headers: {text: text} = {}) -> T" Calls ["unavailable" "call_refused" "not_found" "bad_data" "no_access" "bad_value"] "Asks another system. `as` is what the answer is read as: records, lists and maps as JSON, `text` as it comes, `HttpAnswer` (what it is without `as`) with its status and headers. Only hosts of `[reach]` are called, and redirects followed only to them. What passes by itself (no connection, 429, 5xx) fails with the transient `unavailable`, 404 with `not_found`, another refusal with `call_refused`, an answer that does not fit with `bad_data`, which names its path.";
    HttpPost "http.post(url: text, body: U = none, as: type T = HttpAnswer, query: {text: text} = {}, headers: {text: text} = {}) -> T" Calls ["unavailable" "call_refused" "not_found" "bad_data" "no_access" "bad_value"] "Sends something to another system: a text as it is, any other value as JSON (as a form where a header says so). Carries an `Idempotency-Key` that is the same in every try of the step, so that a system which knows it does the same once. Answers and failures as `http.get`.";
    HttpPut "http.put(url: text, body: U = none, as: type T = HttpAnswer, query: {text: text} = {}, headers: {text: text} = {}) -> T" Calls ["unavailable" "call_refused" "not_found" "bad_data" "no_access" "bad_value"] "Puts something into a place of another system; as `http.post`.";
    HttpPatch "http.patch(url: text, body: U = none, as: type T = HttpAnswer, query: {text: text} = {}, headers: {text: text} = {}) -> T" Calls ["unavailable" "call_refused" "not_found" "bad_data" "no_access" "bad_value"] "Changes a part of something in another system; as `http.post`.";
    HttpDelete "http.delete(url: text, as: type T = HttpAnswer, query: {text: text} = {}, headers: {text: text} = {}) -> T" Calls ["unavailable" "call_refused" "not_found" "bad_data" "no_access" "bad_value"] "Takes something away in another system; as `http.post`, without a body.";
    HttpBearer "http.bearer(token: text) -> text" Pure [] "The header `Authorization` of who signs in with a token. As secret as the token is.", "http.bearer(\"abc\")" => "\"Bearer abc\"";
    HttpBasic "http.basic(user: text, password: text) -> text" Pure [] "The header `Authorization` of who signs in with a name and a password. As secret as the password is.", "http.basic(\"ada\", \"abc\")" => "\"Basic YWRhOmFiYw==\"";
    Secret "secret(name: text) -> text" Reads ["no_access"] "The secret of this name, from where `[secrets]` in `rpa.toml` says that it is. It can be given to headers and bodies of calls, and to nothing else.";

    // ── mail, log, chance ──
    EmailSend "email.send(to: text, subject: text, body: text, cc: [text] = [], reply_to: text = \"\", attachments: [Document] = []) -> Mail" Sends ["bad_address"] "Puts a mail into the outbox; it leaves after the step is on disk, once.";
    EmailOutbox "email.outbox -> [Mail]" Reads [] "The mails that have not left.";
    LogInfo "log.info(message: text)" Writes [] "Notes something in the story of the run.";
    LogWarn "log.warn(message: text)" Writes [] "Notes something in the story of the run that a person should see.";
    RandomInt "random.int(from: int, to: int) -> int" Reads ["bad_value"] "A whole number by chance, both ends included.";
    RandomCode "random.code(length: int = 8) -> text" Reads ["bad_value"] "Letters and digits by chance, without those that look alike.";
    SequenceNext "sequence.next(name: text, from: int = 1) -> int" Writes [] "The next number of a sequence kept in the store; a step that fails gives its number back, so there are no gaps.";
    PdfInvoice "pdf.invoice(path: text, invoice: InvoiceDocument) -> Document" Writes ["no_access"] "Writes an invoice as a PDF document.";
    ProjectCompany "project.company -> Company" Reads [] "Who sells: what `[seller]` in `rpa.toml` says; empty texts where it says nothing.";
}
