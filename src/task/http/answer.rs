//! What came back, as the type that the script wants; and what of a refusal is worth showing.

use super::super::executor::Executor;
use super::super::json;
use super::super::problem::Problem;
use super::exchange::{Answered, unknown_answer};
use crate::check::program::Type;
use crate::value::Value;
use crate::world::{OutsideCall, WebAnswer, masked_address};
use ecow::EcoString;
use std::borrow::Cow;

/// How many characters of a refusal are shown.
const LONGEST_EXCERPT: usize = 200;

/// What answers call the sentence that says what is wrong.
const SENTENCES: [&str; 7] = ["message", "detail", "error_description", "error", "title", "reason", "msg"];

/// The name of the record with status and headers.
const ANSWER: &str = "HttpAnswer";

/// Reads an answer as a type.
pub(super) fn read(executor: &mut Executor, answered: &Answered, ty: &Type) -> Result<Value, Problem> {
    let Answered { name, answer } = answered;
    let bad = |reason: String| Problem::bad_data(name, reason);
    let text = text(answer).map_err(bad)?;
    // What a system sends back of the secrets that it was given must not get any further.
    let text = executor.world.secrets.covered(&text);
    match ty {
        Type::Text => Ok(Value::text(text.as_ref())),
        Type::Record(id) if executor.record_type(ANSWER)? == *id => {
            let secrets = &executor.world.secrets;
            let mut headers: Vec<(Value, Value)> = Vec::new();
            for (name, value) in &answer.headers {
                let name = Value::Text(name.clone());
                if headers.iter().all(|(known, _)| *known != name) {
                    headers.push((name, Value::text(secrets.covered(value).as_ref())));
                }
            }
            let fields = [Value::Int(i64::from(answer.status)), Value::map(headers), Value::text(text.as_ref())];
            Ok(Value::record(*id, fields))
        }
        ty => json::parse(text.trim_start_matches('\u{feff}'), ty, executor.code).map_err(|reason| {
            let looks_like_a_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
            let hint =
                if looks_like_a_page { " (a web page came back; is the address that of the interface?)" } else { "" };
            bad(format!("{reason}{hint}"))
        }),
    }
}

/// What a plan goes on with, when a call was not made: an answer of which only the status is looked at says yes.
pub(super) fn supposed(executor: &mut Executor, told: &OutsideCall, ty: &Type) -> Result<Value, Problem> {
    match ty {
        Type::Record(id) if executor.record_type(ANSWER)? == *id => {
            Ok(Value::record(*id, [Value::Int(200), Value::map([]), Value::text("")]))
        }
        _ => Err(unknown_answer(told)),
    }
}

/// The text of an answer.
fn text(answer: &WebAnswer) -> Result<Cow<'_, str>, String> {
    let kind = answer.header("content-type").unwrap_or_default();
    let label = kind.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    let encoding =
        label.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes())).unwrap_or(encoding_rs::UTF_8);
    encoding
        .decode_without_bom_handling_and_without_replacement(&answer.body)
        .ok_or_else(|| format!("it is not {} text", encoding.name()))
}

/// The beginning of what a refusal says, on one line; none when that would help nobody.
pub(super) fn excerpt(executor: &Executor, answer: &WebAnswer) -> Option<String> {
    let text = text(answer).ok()?;
    if answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        return Some("a web page".to_string());
    }
    let sentence = serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|json| sentence(&json, 0));
    let text = executor.world.secrets.covered(sentence.as_deref().unwrap_or(&text)).into_owned();
    let words: Vec<EcoString> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .take(LONGEST_EXCERPT)
        .map(|word| if word.contains('@') { masked_address(word) } else { word.into() })
        .collect();
    let line = words.join(" ");
    let short = match line.char_indices().nth(LONGEST_EXCERPT) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    };
    (!short.is_empty()).then_some(short)
}

/// The sentence of a JSON answer that says what is wrong.
fn sentence(json: &serde_json::Value, depth: usize) -> Option<String> {
    match json {
        serde_json::Value::String(text) if depth > 0 => Some(text.clone()),
        serde_json::Value::Object(object) if depth < 3 => {
            SENTENCES.iter().find_map(|name| sentence(object.get(*name)?, depth + 1))
        }
        serde_json::Value::Array(items) if depth < 3 => items.first().and_then(|first| sentence(first, depth + 1)),
        _ => None,
    }
}
