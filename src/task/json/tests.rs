use crate::check::program::Type;
use crate::library::Operation;
use crate::task::fixture::Fixture;
use crate::value::Value;
use proptest::prelude::*;

fn fixture() -> (Fixture, Type) {
    let mut fixture = Fixture::new();
    let tier = fixture.enumeration("Tier", &["gold", "very_new"]);
    let fields = [
        ("order_id", Type::Text),
        ("quantity", Type::Int),
        ("price", Type::Money(None)),
        ("weight", Type::Decimal),
        ("placed", Type::Date),
        ("tier", tier),
        ("note", Type::Optional(Box::new(Type::Text))),
    ];
    let order = fixture.record("Order", &fields);
    let list = Type::List(Box::new(order));
    let file = fixture
        .record("Orders", &[("orders", list), ("shares", Type::Map(Box::new(Type::Text), Box::new(Type::Percent)))]);
    (fixture, file)
}

fn read(text: &str) -> String {
    let (fixture, ty) = fixture();
    let mut fixture = fixture.with_file("a.json", text);
    let result = fixture.perform_as(Operation::JsonRead, &["a.json".into()], Some(&ty));
    result.map_or_else(|error| error, |value| fixture.shown(&value))
}

const GOOD: &str = r#"{
  "ignored": {"deep": [1, 2.5e3, null, true, "x\u00e9"]},
  "orders": [
    {"orderId": "A1 \ud83d\ude00", "quantity": 2, "price": {"amount": "19.90", "currency": "EUR"},
     "weight": 0.1234567890123456789, "placed": "2026-11-02", "tier": "Very New"}
  ],
  "shares": {"a": "15%"}
}"#;

#[test]
fn values_are_read_exactly() {
    insta::assert_snapshot!(read(GOOD), @r#"Orders(orders: [Order(order_id: "A1 😀", quantity: 2, price: 19.90 EUR, weight: 0.1234567890123456789, placed: 2026-11-02, tier: very_new, note: none)], shares: {"a": 15%})"#);
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    let cases = [
        ("", ""),
        ("\"quantity\": 2", "\"quantity\": \"2x\""),
        ("\"quantity\": 2", "\"quantity\": 2.5"),
        ("\"quantity\": 2,", ""),
        ("\"quantity\": 2,", "\"quantity\": 2, \"quantity\": 3,"),
        ("\"quantity\": 2", "\"quantity\": null"),
        ("\"quantity\": 2", "\"quantity\": 02"),
        ("{\"amount\": \"19.90\", \"currency\": \"EUR\"}", "19.90"),
        ("\"EUR\"", "\"EUX\""),
        ("Very New", "old"),
        ("2026-11-02", "2026-11-32"),
        ("\"15%\"", "0.15"),
        ("\"orders\": [", "\"orders\": {"),
        ("\"A1", "\"A1\n"),
        ("\\ud83d\\ude00", "\\ud83d"),
        ("  \"shares\"", "  shares"),
        ("null, true", "null true"),
    ];
    let shown: Vec<String> = cases
        .iter()
        .map(|(old, new)| if old.is_empty() { read("") } else { read(&GOOD.replacen(old, new, 1)) })
        .chain([read(&GOOD[..GOOD.len() - 3]), read(&format!("{GOOD} x")), read(&"[".repeat(100_000))])
        .chain([read(&format!("{{\"x\": {}", "[".repeat(100_000)))])
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    bad_data(source: "a.json", reason: "it is empty")
    bad_data(source: "a.json", reason: "line 4, $.orders[0].quantity: a text stands where a whole number was expected")
    bad_data(source: "a.json", reason: "line 4, $.orders[0].quantity: 2.5 is not a whole number of 64 bits")
    bad_data(source: "a.json", reason: "line 4, $.orders[0]: `quantity` is missing, which Order needs")
    bad_data(source: "a.json", reason: "line 4, $.orders[0].quantity: there are two entries for `quantity`")
    bad_data(source: "a.json", reason: "line 4, $.orders[0].quantity: null stands where a whole number was expected")
    bad_data(source: "a.json", reason: "line 4, $.orders[0].quantity: `02` is no number")
    bad_data(source: "a.json", reason: "line 4, $.orders[0].price: 19.90 has no currency; make the type `money EUR`, or write \"19.90 EUR\"")
    bad_data(source: "a.json", reason: "line 4, $.orders[0].price.currency: `EUX` is no currency of ISO 4217")
    bad_data(source: "a.json", reason: "line 5, $.orders[0].tier: \"old\" is not a Tier: gold, very_new")
    bad_data(source: "a.json", reason: "line 5, $.orders[0].placed: `2026-11-32` is not a date such as 2026-11-22: the calendar has no such day")
    bad_data(source: "a.json", reason: "line 7, $.shares.a: 0.15 may be 0.15% or a fraction; a percent is a text such as \"15%\"")
    bad_data(source: "a.json", reason: "line 3, $.orders: an object stands where a list was expected")
    bad_data(source: "a.json", reason: "line 4, $.orders[0].orderId: the text that begins here has a line break or another control character in it")
    bad_data(source: "a.json", reason: "line 4, $.orders[0].orderId: half of a character is written with \\u")
    bad_data(source: "a.json", reason: "line 7, $: `s` stands where the name of an entry, in quotes, was expected")
    bad_data(source: "a.json", reason: "line 2, $.ignored.deep: true or false stands where `,` or `]` was expected")
    bad_data(source: "a.json", reason: "line 7, $.shares: the end of the text stands where `,` or `\}` was expected")
    bad_data(source: "a.json", reason: "line 8, $: something stands behind the end of the value")
    bad_data(source: "a.json", reason: "line 1, $: a list stands where an object was expected")
    bad_data(source: "a.json", reason: "line 1, $.x[0][0][0][0][0][0][0][0][0][0][0]…: lists and objects lie in each other more than 128 deep")
    "#);
}

#[test]
fn what_is_written_is_read_again() {
    let (fixture, ty) = fixture();
    let mut fixture = fixture.with_file("a.json", GOOD);
    let value = fixture.perform_as(Operation::JsonRead, &["a.json".into()], Some(&ty)).unwrap();
    fixture.perform(Operation::JsonWrite, &["b.json".into(), value.clone()]).unwrap();
    assert_eq!(fixture.perform_as(Operation::JsonRead, &["b.json".into()], Some(&ty)).unwrap(), value);
    insta::assert_snapshot!(String::from_utf8(fixture.file("b.json")).unwrap(), @r#"
    {
      "orders": [
        {
          "order_id": "A1 😀",
          "quantity": 2,
          "price": {
            "amount": "19.90",
            "currency": "EUR"
          },
          "weight": "0.1234567890123456789",
          "placed": "2026-11-02",
          "tier": "very_new",
          "note": null
        }
      ],
      "shares": {
        "a": "15%"
      }
    }
    "#);
    let text = fixture.perform(Operation::JsonText, std::slice::from_ref(&value)).unwrap();
    assert_eq!(fixture.perform_as(Operation::JsonParse, &[text], Some(&ty)).unwrap(), value);
    let numbers = Type::List(Box::new(Type::Int));
    let parsed = fixture.perform_as(Operation::JsonParse, &["[1, 2]".into()], Some(&numbers)).unwrap();
    assert_eq!(parsed, Value::list(vec![Value::Int(1), Value::Int(2)]));
    let length = fixture.perform_as(Operation::JsonParse, &["\"PT2H30M\"".into()], Some(&Type::Duration)).unwrap();
    assert_eq!(fixture.shown(&length), "2 hours 30 minutes");
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,40}", near in "[\\[\\]{}\",:0-9.eE\\\\u +nulltrue-]{0,40}", at in 0_usize..400) {
        let (fixture, ty) = fixture();
        let cut: String = GOOD.chars().take(at).collect();
        for text in [text, near, cut] {
            let _ = super::parse(&text, &ty, &fixture.code);
            let _ = super::parse(&text, &Type::List(Box::new(Type::Decimal)), &fixture.code);
        }
    }
}
