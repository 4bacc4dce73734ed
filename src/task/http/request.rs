//! What is sent: made of what the script says, before anything is decided about it.

use super::super::executor::Executor;
use super::super::names::Names;
use super::super::problem::Problem;
use crate::check::Address;
use crate::value::{TypeNames, Value, display, to_json};
use crate::world::{Method, OutsideCall};
use ecow::{EcoString, eco_format};
use sha2::{Digest, Sha256};
use url::Url;

/// The longest path that stories show.
const LONGEST_PATH: usize = 120;

/// What the script says.
pub(super) struct Given<'a> {
    pub method: Method,
    pub url: &'a str,
    pub body: &'a Value,
    pub query: &'a Value,
    pub headers: &'a Value,
}

/// A call, ready to be made.
pub(in super::super) struct Prepared {
    pub method: Method,
    pub url: Url,
    pub address: Address,
    pub headers: Vec<(EcoString, EcoString)>,
    pub body: Option<Vec<u8>>,
    /// What those hear who watch.
    pub told: OutsideCall,
}

impl Prepared {
    /// The call as people read it: `POST api.example.com/orders`.
    pub fn name(&self) -> String {
        format!("{} {}{}", self.method, self.address, self.told.path)
    }
}

/// Makes the request.
pub(super) fn prepare(executor: &mut Executor, given: &Given) -> Result<Prepared, Problem> {
    let mut url = parsed(given.url)?;
    let address = address_of(&url)?;
    if let Value::Map(query) = given.query
        && !query.is_empty()
    {
        let mut pairs = url.query_pairs_mut();
        for (name, value) in query.iter() {
            pairs.append_pair(name.as_text().unwrap_or_default(), value.as_text().unwrap_or_default());
        }
    }
    let mut headers = Vec::new();
    if let Value::Map(given) = given.headers {
        for (name, value) in given.iter() {
            let (name, value) = (name.as_text().unwrap_or_default(), value.as_text().unwrap_or_default());
            check_header(name, value)?;
            headers.push((EcoString::from(name), EcoString::from(value)));
        }
    }
    let (body, kind) = body(executor, given.body, header(&headers, "content-type"))?;
    if let Some(kind) = kind
        && header(&headers, "content-type").is_none()
    {
        headers.push(("Content-Type".into(), kind.into()));
    }
    if !given.method.reads() && header(&headers, "idempotency-key").is_none() {
        headers.push(("Idempotency-Key".into(), idempotency_key(executor)?));
    }
    let told = told(executor, given, &url, &address);
    Ok(Prepared { method: given.method, url, address, headers, body, told })
}

/// The URL of a text, without its fragment.
fn parsed(text: &str) -> Result<Url, Problem> {
    // What stands behind the question mark is nobody's to read.
    let shown = text.split(['?', '#']).next().unwrap_or_default();
    let mut url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return Err(Problem::bad_value(format!("`{shown}` is no address of a system: {error}"))),
    };
    if !matches!(url.scheme(), "http" | "https") {
        let help = "an address begins with https://";
        return Err(Problem::bad_value(format!("`{shown}` can't be called: {help}")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let help = "give them in a header: headers: {\"Authorization\": http.basic(user, password)}";
        return Err(Problem::bad_value(format!("a name or password stands in the address of a call; {help}")));
    }
    url.set_fragment(None);
    Ok(url)
}

/// The system that a URL leads to.
pub(super) fn address_of(url: &Url) -> Result<Address, Problem> {
    url.host_str()
        .and_then(|host| Address::new(url.scheme() == "http", host, url.port()))
        .ok_or_else(|| Problem::bad_value("the address of a call names no host"))
}

/// The first header of a name (in small letters).
pub(super) fn header<'h>(headers: &'h [(EcoString, EcoString)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// A header must be one line, and leave alone what the call itself is held together by.
fn check_header(name: &str, value: &str) -> Result<(), Problem> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_fine) {
        return Err(Problem::bad_value(format!("`{name}` is no name of a header")));
    }
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Problem::bad_value(format!("the header `{name}` has a line break or another control character")));
    }
    let own = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"];
    if own.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err(Problem::bad_value(format!("the header `{name}` is set by the call itself")));
    }
    Ok(())
}

/// A body: its bytes and what they are.
type Body = (Option<Vec<u8>>, Option<&'static str>);

fn body(executor: &Executor, value: &Value, said: Option<&str>) -> Result<Body, Problem> {
    match value {
        Value::None => Ok((None, None)),
        Value::Text(text) => Ok((Some(text.as_bytes().to_vec()), Some("text/plain; charset=utf-8"))),
        value => {
            let names = Names::new(executor.code);
            let is_form = said.is_some_and(|said| said.starts_with("application/x-www-form-urlencoded"));
            let bytes = match is_form {
                true => form(value, &names)?.into_bytes(),
                false => to_json(value, &names).to_string().into_bytes(),
            };
            Ok((Some(bytes), Some("application/json")))
        }
    }
}

/// The fields of a record or the entries of a map as a form on a web page sends them; those that are none are left out.
fn form(value: &Value, names: &dyn TypeNames) -> Result<String, Problem> {
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    let words = |value: &Value| match value {
        Value::Text(text) => text.to_string(),
        value => display(value, names),
    };
    match value {
        Value::Map(map) => {
            map.iter().filter(|(_, value)| !value.is_none()).for_each(|(name, value)| {
                pairs.append_pair(&words(name), &words(value));
            });
        }
        Value::Record(record) => {
            let (_, fields) = names.record(record.type_id);
            for (name, value) in fields.iter().zip(record.fields.iter()).filter(|(_, value)| !value.is_none()) {
                pairs.append_pair(name, &words(value));
            }
        }
        _ => return Err(Problem::bad_value("a form is made of a record or a map")),
    }
    Ok(pairs.finish())
}

/// The name of this call: the same in every try of the step, and in no other step, run or store. Whoever gets it twice
/// does the same once.
fn idempotency_key(executor: &mut Executor) -> Result<EcoString, Problem> {
    let store = executor.world.store.identity()?;
    let mut digest = Sha256::new();
    for part in [b"call", store.as_bytes(), &executor.run.0.to_be_bytes(), executor.step.as_bytes()] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.update(executor.calls.to_be_bytes());
    executor.calls += 1;
    Ok(digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>().into())
}

fn told(executor: &Executor, given: &Given, url: &Url, address: &Address) -> OutsideCall {
    let names = Names::new(executor.code);
    let hidden = [given.query, given.body].map(|value| to_json(&without_moments(value), &names).to_string().into());
    let in_address: EcoString = url.query().unwrap_or_default().into();
    let mut hidden = Vec::from(hidden);
    if given.query.is_none() {
        hidden.push(in_address);
    }
    OutsideCall { method: given.method, system: eco_format!("{address}"), path: shown_path(url), hidden }
}

/// The path of a call for those who need not know whom it is about: parts with an address in them are left out.
pub(super) fn shown_path(url: &Url) -> EcoString {
    let is_personal = |part: &str| part.contains('@') || part.to_ascii_lowercase().contains("%40");
    let parts: Vec<&str> = url.path().split('/').map(|part| if is_personal(part) { "•••" } else { part }).collect();
    let path = parts.join("/");
    match path.char_indices().nth(LONGEST_PATH) {
        Some((at, _)) => eco_format!("{}…", &path[..at]),
        None => path.into(),
    }
}

/// A value in which all moments are the same: they are other ones in every run.
fn without_moments(value: &Value) -> Value {
    match value {
        Value::Instant(_) => Value::None,
        Value::List(items) => Value::list(items.iter().map(without_moments).collect()),
        Value::Map(map) => Value::map(map.iter().map(|(key, value)| (key.clone(), without_moments(value)))),
        Value::Record(record) => {
            let fields: Vec<Value> = record.fields.iter().map(without_moments).collect();
            Value::record(record.type_id, fields)
        }
        other => other.clone(),
    }
}
