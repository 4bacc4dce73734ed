//! Calls against answers that were laid ready.

use crate::check::HostRule;
use crate::check::program::Type;
use crate::library::Operation;
use crate::task::fixture::Fixture;
use crate::value::{Duration, Value};
use crate::world::{Breaker, MemorySecrets, MemoryWeb, Secrets, WebAnswer, WebError};

/// A world whose project allows `api.example.com` and all below `partner.example`, with these answers.
fn fixture(answers: &[Result<WebAnswer, WebError>]) -> (Fixture, MemoryWeb) {
    let mut fixture = Fixture::new();
    let web = answers.iter().fold(MemoryWeb::default(), |web, answer| web.answering(answer.clone()));
    fixture.world.web = Box::new(web.clone());
    let hosts = ["api.example.com", "*.partner.example", "localhost"];
    fixture.world.settings.calls.hosts = hosts.iter().map(|host| HostRule::parse(host).unwrap()).collect();
    let secrets = MemorySecrets([("token".into(), "s3cret-token".into())].into_iter().collect());
    fixture.world.secrets = Secrets::new(secrets);
    (fixture, web)
}

fn answer(status: u16, body: &str) -> Result<WebAnswer, WebError> {
    Ok(WebAnswer { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
}

fn with_header(answer: Result<WebAnswer, WebError>, name: &str, value: &str) -> Result<WebAnswer, WebError> {
    answer.map(|mut answer| {
        answer.headers.push((name.into(), value.into()));
        answer
    })
}

fn map(entries: &[(&str, &str)]) -> Value {
    Value::map(entries.iter().map(|(name, value)| (Value::text(*name), Value::text(*value))))
}

const NOTHING: &[(&str, &str)] = &[];

fn get(fixture: &mut Fixture, url: &str, ty: &Type) -> Result<Value, String> {
    let arguments = [url.into(), Value::None, map(NOTHING), map(NOTHING)];
    fixture.perform_as(Operation::HttpGet, &arguments, Some(ty))
}

fn post(fixture: &mut Fixture, url: &str, body: Value, headers: &[(&str, &str)]) -> Result<Value, String> {
    let arguments = [url.into(), body, Value::None, map(NOTHING), map(headers)];
    fixture.perform_as(Operation::HttpPost, &arguments, Some(&Type::Text))
}

const URL: &str = "https://api.example.com/orders/7?full=yes";

#[test]
fn an_answer_is_read_as_the_type_that_is_wanted() {
    let body = "\u{feff}{\"number\": \"7\", \"lines\": [{\"sku\": \"A1\", \"count\": 2}], \"total\": {\"amount\": \"9.90\", \"currency\": \"EUR\"}, \"more\": 1}";
    let (mut fixture, _) =
        fixture(&[answer(200, body), answer(200, "[1, 2]"), answer(201, "plain"), answer(200, "{\"a\": true}")]);
    let line = fixture.record("Line", &[("sku", Type::Text), ("count", Type::Int)]);
    let order = fixture.record(
        "Order",
        &[("number", Type::Text), ("lines", Type::List(Box::new(line))), ("total", Type::Money(None))],
    );
    let types =
        [order, Type::List(Box::new(Type::Int)), Type::Text, Type::Map(Box::new(Type::Text), Box::new(Type::Bool))];
    let shown = types.map(|ty| {
        let value = get(&mut fixture, URL, &ty).unwrap();
        fixture.shown(&value)
    });
    insta::assert_snapshot!(shown.join("\n"), @r#"
    Order(number: "7", lines: [Line(sku: "A1", count: 2)], total: 9.90 EUR)
    1
    2
    plain
    {"a": true}
    "#);
    insta::assert_snapshot!(fixture.changes(), @r"
    Called api.example.com GET /orders/7: 200, 0 ms
    Called api.example.com GET /orders/7: 200, 0 ms
    Called api.example.com GET /orders/7: 201, 0 ms
    Called api.example.com GET /orders/7: 200, 0 ms
    ");
}

#[test]
fn status_and_headers_come_where_they_are_asked_for() {
    let with_headers = with_header(with_header(answer(202, "later"), "location", "/jobs/1"), "location", "/jobs/2");
    let (mut fixture, _) = fixture(&[with_headers]);
    let ty = Type::Record(crate::value::RecordId(3));
    let value = get(&mut fixture, URL, &ty).unwrap();
    insta::assert_snapshot!(fixture.shown(&value), @r#"HttpAnswer(status: 202, headers: {"location": "/jobs/1"}, body: "later")"#);
}

#[test]
fn a_body_is_json_a_text_or_a_form() {
    let (mut fixture, web) = fixture(&[answer(200, ""), answer(200, ""), answer(200, ""), answer(200, "")]);
    let order = fixture.record("Order", &[("number", Type::Text), ("note", Type::Text)]);
    let Type::Record(id) = order else { unreachable!() };
    let record = || Value::record(id, [Value::text("7 & 8"), Value::None]);
    post(&mut fixture, URL, record(), NOTHING).unwrap();
    post(&mut fixture, URL, "Grüße".into(), NOTHING).unwrap();
    post(&mut fixture, URL, record(), &[("Content-Type", "application/x-www-form-urlencoded")]).unwrap();
    post(&mut fixture, URL, Value::None, &[("Accept", "text/csv")]).unwrap();
    let shown: Vec<String> = web
        .requests()
        .iter()
        .map(|request| {
            let headers: Vec<_> = request
                .headers
                .iter()
                .filter(|(name, _)| name != "Idempotency-Key")
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            let body = request.body.as_deref().map(|body| String::from_utf8_lossy(body).into_owned());
            format!("{} {} | {} | {}", request.method, request.url, headers.join(", "), body.unwrap_or("none".into()))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    POST https://api.example.com/orders/7?full=yes | Content-Type: application/json | {"number":"7 & 8","note":null}
    POST https://api.example.com/orders/7?full=yes | Content-Type: text/plain; charset=utf-8 | Grüße
    POST https://api.example.com/orders/7?full=yes | Content-Type: application/x-www-form-urlencoded | number=7+%26+8
    POST https://api.example.com/orders/7?full=yes | Accept: text/csv | none
    "#);
}

#[test]
fn what_changes_something_carries_a_key_that_is_the_same_in_every_try_of_the_step() {
    let keys = |operations: &[Operation]| {
        let answers: Vec<_> = operations.iter().map(|_| answer(200, "")).collect();
        let (mut fixture, web) = fixture(&answers);
        let list: Vec<Vec<Value>> = operations
            .iter()
            .map(|operation| match operation {
                Operation::HttpGet | Operation::HttpDelete => vec![URL.into(), Value::None, map(NOTHING), map(NOTHING)],
                _ => vec![URL.into(), Value::None, Value::None, map(NOTHING), map(NOTHING)],
            })
            .collect();
        fixture
            .step(|executor| {
                use crate::vm::Host;
                for (operation, arguments) in operations.iter().zip(&list) {
                    executor.perform(*operation, arguments, Some(&Type::Text), crate::text::Span::default())?;
                }
                Ok(Value::None)
            })
            .unwrap();
        let key = |request: &crate::world::WebRequest| {
            request.headers.iter().find(|(name, _)| name == "Idempotency-Key").map(|(_, value)| value.to_string())
        };
        web.requests().iter().map(key).collect::<Vec<_>>()
    };
    use Operation::{HttpDelete, HttpGet, HttpPatch, HttpPost, HttpPut};
    let first = keys(&[HttpPost, HttpGet, HttpPut, HttpPatch, HttpDelete]);
    assert_eq!(first, keys(&[HttpPost, HttpGet, HttpPut, HttpPatch, HttpDelete]));
    assert_eq!(first[1], None, "asking changes nothing");
    let mut given: Vec<_> = first.iter().flatten().collect();
    assert!(given.iter().all(|key| key.len() == 32));
    given.sort();
    given.dedup();
    assert_eq!(given.len(), 4);
}

#[test]
fn a_key_of_the_script_stays() {
    let (mut fixture, web) = fixture(&[answer(200, "")]);
    post(&mut fixture, URL, Value::None, &[("idempotency-key", "order-7")]).unwrap();
    assert_eq!(web.requests()[0].headers, [("idempotency-key".into(), "order-7".into())]);
}

#[test]
fn what_goes_wrong_is_a_failure_of_its_name() {
    let cases = [
        ("nobody there", Err(WebError::Unreachable("the connection was refused".into()))),
        ("too slow", Err(WebError::TimedOut)),
        ("too large", Err(WebError::TooLarge(1000))),
        ("not sendable", Err(WebError::Unsendable("no such method".into()))),
        ("down", answer(503, "maintenance")),
        ("busy", answer(429, "")),
        ("gone", answer(404, "")),
        (
            "refused",
            answer(
                422,
                "{\"errors\": [{\"message\": \"no such field:\\n ada@example.com\"}], \"error\": {\"message\": \"bad\"}}",
            ),
        ),
        ("refused with a page", with_header(answer(403, "<html>"), "content-type", "text/html; charset=utf-8")),
        ("not implemented", answer(501, "")),
        ("no json", answer(200, "<html>")),
        ("nothing", answer(204, "")),
        ("does not fit", answer(200, "[1, \"x\"]")),
        ("no text", Ok(WebAnswer { status: 200, headers: Vec::new(), body: vec![b'[', 0xff] })),
    ];
    let mut shown = String::new();
    for (name, came) in cases {
        let (mut fixture, _) = fixture(&[came]);
        let failed = get(&mut fixture, URL, &Type::List(Box::new(Type::Int))).unwrap_err();
        let seen: Vec<bool> = fixture.calls.systems.iter().map(|seen| seen.worked).collect();
        shown += &format!("{name}: {failed} {seen:?}\n");
    }
    insta::assert_snapshot!(shown, @r#"
    nobody there: unavailable(reason: "GET api.example.com/orders/7: the connection was refused") [false]
    too slow: unavailable(reason: "GET api.example.com/orders/7 did not answer within 30 seconds") [false]
    too large: bad_data(source: "GET api.example.com/orders/7", reason: "the answer is larger than 1000 bytes, the limit of the project (`answer` in `[limits]`)") [true]
    not sendable: bad_value(reason: "GET api.example.com/orders/7 can't be sent: no such method") []
    down: unavailable(reason: "GET api.example.com/orders/7 answered 503: maintenance") [false]
    busy: unavailable(reason: "GET api.example.com/orders/7 answered 429") []
    gone: not_found(what: "answer of api.example.com to GET", key: "/orders/7") [true]
    refused: call_refused(system: "api.example.com", status: 422, reason: "GET /orders/7: bad") [true]
    refused with a page: call_refused(system: "api.example.com", status: 403, reason: "GET /orders/7: a web page") [true]
    not implemented: call_refused(system: "api.example.com", status: 501, reason: "GET /orders/7: it gives no reason") [true]
    no json: bad_data(source: "GET api.example.com/orders/7", reason: "line 1, $: `<` stands where a list was expected") [true]
    nothing: bad_data(source: "GET api.example.com/orders/7", reason: "it is empty") [true]
    does not fit: bad_data(source: "GET api.example.com/orders/7", reason: "line 1, $[1]: a text stands where a whole number was expected") [true]
    no text: bad_data(source: "GET api.example.com/orders/7", reason: "it is not UTF-8 text") [true]
    "#);
}

#[test]
fn what_can_t_be_called_is_said_before_it_is() {
    let (mut fixture, web) = fixture(&[]);
    let urls = [
        "https://other.example/x?token=s3cret",
        "http://api.example.com/x",
        "https://partner.example",
        "https://api.example.com.evil.org/",
        "https://ada:pw@api.example.com/",
        "ftp://api.example.com/",
        "orders/7?key=s3cret",
        "https:///",
    ];
    let shown = urls.map(|url| get(&mut fixture, url, &Type::Text).unwrap_err());
    insta::assert_snapshot!(shown.join("\n"), @r#"
    no_access(path: "GET other.example/x", reason: "the project allows `api.example.com`, `*.partner.example`, `localhost`; if that is meant, add `other.example` to `hosts` under `[reach]` in rpa.toml")
    no_access(path: "GET api.example.com/x", reason: "the project allows it with `https` alone; call it with `https`; if it must be without protection, write `http://api.example.com` in `hosts` under `[reach]` in rpa.toml")
    no_access(path: "GET partner.example/", reason: "the project allows `api.example.com`, `*.partner.example`, `localhost`; if that is meant, add `partner.example` to `hosts` under `[reach]` in rpa.toml")
    no_access(path: "GET api.example.com.evil.org/", reason: "the project allows `api.example.com`, `*.partner.example`, `localhost`; if that is meant, add `api.example.com.evil.org` to `hosts` under `[reach]` in rpa.toml")
    bad_value(reason: "a name or password stands in the address of a call; give them in a header: headers: \{\"Authorization\": http.basic(user, password)\}")
    bad_value(reason: "`ftp://api.example.com/` can't be called: an address begins with https://")
    bad_value(reason: "`orders/7` is no address of a system: relative URL without a base")
    bad_value(reason: "`https:///` is no address of a system: empty host")
    "#);
    let headers = [("Host", "evil.org"), ("X-A", "1\r\nX-B: 2"), ("X A", "1"), ("", "1")];
    let shown = headers.map(|header| post(&mut fixture, URL, Value::None, &[header]).unwrap_err());
    insta::assert_snapshot!(shown.join("\n"), @r#"
    bad_value(reason: "the header `Host` is set by the call itself")
    bad_value(reason: "the header `X-A` has a line break or another control character")
    bad_value(reason: "`X A` is no name of a header")
    bad_value(reason: "`` is no name of a header")
    "#);
    assert!(web.requests().is_empty() && fixture.changes().is_empty());
}

#[test]
fn redirects_are_followed_where_they_may_lead() {
    let to = |status: u16, location: &str| with_header(answer(status, ""), "location", location);
    let headers: &[(&str, &str)] = &[("X-Key", "k")];
    let ask = |answers: &[Result<WebAnswer, WebError>]| {
        let (mut fixture, web) = fixture(answers);
        let arguments = [URL.into(), Value::None, map(NOTHING), map(headers)];
        let result = fixture.perform_as(Operation::HttpGet, &arguments, Some(&Type::Text));
        let sent: Vec<String> = web
            .requests()
            .iter()
            .map(|request| format!("{} with {} headers", request.url, request.headers.len()))
            .collect();
        format!("{}\n{}", sent.join("\n"), result.map_or_else(|error| error, |value| format!("{value:?}")))
    };
    let shown = [
        ask(&[to(302, "/v2/orders"), to(307, "https://eu.partner.example/x"), answer(200, "there")]),
        ask(&[to(301, "https://evil.example/x")]),
        ask(&[to(301, "http://localhost/x")]),
        ask(&[to(301, "https://:bad:")]),
        ask(&[to(302, "/a"), to(302, "/a"), to(302, "/a"), to(302, "/a"), to(302, "/a"), to(302, "/a")]),
        ask(&[answer(304, "")]),
    ];
    insta::assert_snapshot!(shown.join("\n\n"), @r#"
    https://api.example.com/orders/7?full=yes with 1 headers
    https://api.example.com/v2/orders with 1 headers
    https://eu.partner.example/x with 0 headers
    Text("there")

    https://api.example.com/orders/7?full=yes with 1 headers
    no_access(path: "GET api.example.com/orders/7", reason: "it leads on to evil.example: the project allows `api.example.com`, `*.partner.example`, `localhost`; if that is meant, add `evil.example` to `hosts` under `[reach]` in rpa.toml")

    https://api.example.com/orders/7?full=yes with 1 headers
    call_refused(system: "api.example.com", status: 301, reason: "GET /orders/7: it leads on to localhost without protection (http)")

    https://api.example.com/orders/7?full=yes with 1 headers
    call_refused(system: "api.example.com", status: 301, reason: "GET /orders/7: it leads on to an address that is none")

    https://api.example.com/orders/7?full=yes with 1 headers
    https://api.example.com/a with 1 headers
    https://api.example.com/a with 1 headers
    https://api.example.com/a with 1 headers
    https://api.example.com/a with 1 headers
    https://api.example.com/a with 1 headers
    call_refused(system: "api.example.com", status: 302, reason: "GET /a: it leads on to other addresses more than 5 times")

    https://api.example.com/orders/7?full=yes with 1 headers
    call_refused(system: "api.example.com", status: 304, reason: "GET /orders/7: it gives no reason")
    "#);
    let (mut fixture, web) = fixture(&[to(307, "/v2/orders")]);
    insta::assert_snapshot!(post(&mut fixture, URL, Value::None, NOTHING).unwrap_err(), @r#"call_refused(system: "api.example.com", status: 307, reason: "POST /orders/7: it leads on to api.example.com, and a call that changes something is not sent on; call that address")"#);
    assert_eq!(web.requests().len(), 1);
}

#[test]
fn a_secret_that_comes_back_is_covered() {
    let body = "{\"error\": \"the token s3cret-token (YWRhOnMzY3JldC10b2tlbg==) is not valid\"}";
    let (mut fixture, web) = fixture(&[answer(401, body), with_header(answer(200, body), "x-echo", "s3cret-token")]);
    let token = fixture.perform(Operation::Secret, &["token".into()]).unwrap();
    assert_eq!(token.as_text(), Some("s3cret-token"));
    let headers = [("Authorization", "Basic YWRhOnMzY3JldC10b2tlbg==")];
    insta::assert_snapshot!(post(&mut fixture, URL, Value::None, &headers).unwrap_err(), @r#"call_refused(system: "api.example.com", status: 401, reason: "POST /orders/7: the token ••• (•••) is not valid")"#);
    let ty = Type::Record(crate::value::RecordId(3));
    let value = get(&mut fixture, URL, &ty).unwrap();
    insta::assert_snapshot!(fixture.shown(&value), @r#"HttpAnswer(status: 200, headers: {"x-echo": "•••"}, body: "\{\"error\": \"the token ••• (•••) is not valid\"\}")"#);
    assert_eq!(web.requests()[0].headers[0].1, headers[0].1, "the system itself gets it");
    insta::assert_snapshot!(fixture.perform(Operation::Secret, &["other".into()]).unwrap_err(), @r#"no_access(path: "secret other", reason: "the project declares no secret `other`; add it to `[secrets]` in rpa.toml")"#);
}

#[test]
fn a_system_that_asks_for_a_pause_is_heard() {
    let busy = with_header(answer(429, ""), "retry-after", "90");
    let (mut fixture, _) = fixture(&[busy]);
    get(&mut fixture, URL, &Type::Text).unwrap_err();
    assert_eq!(fixture.calls.pause, Some(Duration::from_milliseconds(90_000)));
}

#[test]
fn a_breaker_of_the_project_is_that_of_its_system() {
    let (mut fixture, _) = fixture(&[]);
    let breaker = Breaker { failures: 1, ..Breaker::default() };
    fixture.world.settings.calls.systems.insert("api.example.com".into(), breaker);
    assert_eq!(fixture.world.settings.calls.breaker("api.example.com"), breaker);
    assert_eq!(fixture.world.settings.calls.breaker("localhost:80"), Breaker::default());
}
