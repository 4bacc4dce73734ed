use crate::check::program::Type;
use crate::library::Operation;
use crate::task::fixture::Fixture;
use crate::value::{Currency, Value};
use proptest::prelude::*;

/// A fixture with an order row of many kinds of fields.
fn fixture() -> (Fixture, Type) {
    let mut fixture = Fixture::new();
    let tier = fixture.enumeration("Tier", &["gold", "silver", "very_new"]);
    let optional = |ty: Type| Type::Optional(Box::new(ty));
    let fields = [
        ("order_id", Type::Text),
        ("quantity", Type::Int),
        ("unit_price", Type::Money(None)),
        ("discount", optional(Type::Percent)),
        ("placed", Type::Date),
        ("tier", tier),
        ("note", optional(Type::Text)),
    ];
    let row = fixture.record("OrderRow", &fields);
    (fixture, row)
}

/// What `csv.read` gives or fails with, as text.
fn read(content: impl Into<Vec<u8>>, options: &[(usize, Value)]) -> String {
    let (fixture, ty) = fixture();
    let mut fixture = fixture.with_file("orders.csv", content);
    let mut arguments = vec![Value::None; 6];
    arguments[0] = "orders.csv".into();
    for (at, value) in options {
        arguments[*at] = value.clone();
    }
    let result = fixture.perform_as(Operation::CsvRead, &arguments, Some(&ty));
    let shown = result.map_or_else(|error| error, |value| fixture.shown(&value));
    format!("{shown}\n{}", fixture.changes()).trim_end().to_string()
}

#[test]
fn a_usual_file_is_read() {
    let file = "Order ID,quantity,Unit-Price,discount,PLACED,tier,note,unused\n\
                A1,2,19.90 EUR,15%,2026-11-02,gold,\"a \"\"b\"\", c\",x\n\
                A2,1000,\"$1,234.50\",,02.11.2026, Very New ,,\n\n";
    insta::assert_snapshot!(read(file, &[]), @r#"
    OrderRow(order_id: "A1", quantity: 2, unit_price: 19.90 EUR, discount: 15%, placed: 2026-11-02, tier: gold, note: "a \"b\", c")
    OrderRow(order_id: "A2", quantity: 1000, unit_price: 1234.50 USD, discount: none, placed: 2026-11-02, tier: very_new, note: none)
    "#);
}

#[test]
fn separator_mark_and_decimal_comma_are_recognised() {
    let file = "\u{feff}order_id;quantity;unit_price;discount;placed;tier;note\r\n\
                A1;1.000;1.234,50;12,5 %;2026-11-02;gold;Grüße\r\n\
                A2;2;9,90 €;;2026-11-02;silver;\r\n";
    insta::assert_snapshot!(read(file, &[(2, "EUR".into())]), @r#"
    OrderRow(order_id: "A1", quantity: 1000, unit_price: 1234.50 EUR, discount: 12.5%, placed: 2026-11-02, tier: gold, note: "Grüße")
    OrderRow(order_id: "A2", quantity: 2, unit_price: 9.90 EUR, discount: none, placed: 2026-11-02, tier: silver, note: none)
    "#);
    let tabs = file.replace(';', "\t");
    assert_eq!(read(tabs, &[(2, "EUR".into())]), read(file, &[(2, "EUR".into())]));
    let declared = file.replace(';', "|").replace('\u{feff}', "\u{feff}sep=|\r\n");
    assert_eq!(read(declared, &[(2, "EUR".into())]), read(file, &[(2, "EUR".into())]));
}

#[test]
fn encodings_are_recognised_or_named() {
    let text = "order_id,quantity,unit_price,discount,placed,tier,note\nA1,2,19.90 EUR,,2026-11-02,gold,Grüße €\n";
    let expected = read(text, &[]);
    let (windows, ..) = encoding_rs::WINDOWS_1252.encode(text);
    assert_eq!(read(windows.into_owned(), &[]), expected);
    let utf_16: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(utf_16, &[]), expected);
    let chinese = text.replace("Grüße €", "订单备注");
    let (gbk, ..) = encoding_rs::GBK.encode(&chinese);
    assert_eq!(read(gbk.into_owned(), &[(4, "gbk".into())]), read(chinese, &[]));
    insta::assert_snapshot!(read(text, &[(4, "latin-17".into())]), @r#"bad_data(source: "orders.csv", reason: "`latin-17` is no encoding; write one such as utf-8, windows-1252, utf-16 or gb18030")"#);
    insta::assert_snapshot!(read(b"order_id\n\xff\xff".to_vec(), &[(4, "utf-8".into())]), @r#"bad_data(source: "orders.csv", reason: "there are no columns `quantity`, `unit_price`, `placed`, `tier`; the file has `order_id`")"#);
}

#[test]
fn bad_cells_are_listed_with_line_column_value_and_reason() {
    let file = "order_id,quantity,unit_price,discount,placed,tier,note\n\
                A1,two,19.90,,2026-02-30,golden,\n\
                A2,1,19.90 EUR,0.15,2026-11-02,gold,\n\
                A3,99999999999999999999,1 EUR,,11/02/2026,,\n\
                A4,1\n\
                A5,1,1 EUR,,2026-11-02,gold,x,y,z\n\
                A6,1,1 EUR,,2026-11-02,gold\n";
    insta::assert_snapshot!(read(file, &[]), @r#"
    bad_data(source: "orders.csv", reason: "5 of 6 rows do not fit:
      line 2, quantity: `two` is not a whole number such as 42
      line 2, unit_price: `19.90` is not an amount such as 99.90 EUR: the currency is missing
      line 2, placed: `2026-02-30` is not a date such as 2026-11-22: the calendar has no such day
      line 2, tier: `golden` is not a Tier; is it `gold`?
      line 3, discount: `0.15` is not a percent such as 15%: the sign % is missing
      line 4, quantity: `99999999999999999999` is not a whole number such as 42: too large for 64 bits
      line 4, placed: `11/02/2026` is not a date such as 2026-11-22: days and months with slashes need a pattern such as DD/MM/YYYY
      line 4, tier: nothing is written where a Tier was expected: gold, silver, very_new
      line 5: the row has 2 cells, and the head has 7
      line 6: the row has 9 cells, and the head has 7; a separator inside a cell needs quotes around the cell")
    "#);
    insta::assert_snapshot!(read(file, &[(5, Value::Bool(true))]), @r#"
    OrderRow(order_id: "A6", quantity: 1, unit_price: 1.00 EUR, discount: none, placed: 2026-11-02, tier: gold, note: none)
    Noted warn orders.csv was read without what does not fit: 5 of 6 rows do not fit:
      line 2, quantity: `two` is not a whole number such as 42
      line 2, unit_price: `19.90` is not an amount such as 99.90 EUR: the currency is missing
      line 2, placed: `2026-02-30` is not a date such as 2026-11-22: the calendar has no such day
      line 2, tier: `golden` is not a Tier; is it `gold`?
      line 3, discount: `0.15` is not a percent such as 15%: the sign % is missing
      line 4, quantity: `99999999999999999999` is not a whole number such as 42: too large for 64 bits
      line 4, placed: `11/02/2026` is not a date such as 2026-11-22: days and months with slashes need a pattern such as DD/MM/YYYY
      line 4, tier: nothing is written where a Tier was expected: gold, silver, very_new
      line 5: the row has 2 cells, and the head has 7
      line 6: the row has 9 cells, and the head has 7; a separator inside a cell needs quotes around the cell
    "#);
    let many = format!("order_id,quantity,unit_price,placed,tier\n{}", "A,x,1 EUR,2026-11-02,gold\n".repeat(500));
    insta::assert_snapshot!(read(many, &[]), @r#"
    bad_data(source: "orders.csv", reason: "500 of 500 rows do not fit:
      line 2, quantity: `x` is not a whole number such as 42
      line 3, quantity: `x` is not a whole number such as 42
      line 4, quantity: `x` is not a whole number such as 42
      line 5, quantity: `x` is not a whole number such as 42
      line 6, quantity: `x` is not a whole number such as 42
      line 7, quantity: `x` is not a whole number such as 42
      line 8, quantity: `x` is not a whole number such as 42
      line 9, quantity: `x` is not a whole number such as 42
      line 10, quantity: `x` is not a whole number such as 42
      line 11, quantity: `x` is not a whole number such as 42
      and 490 more")
    "#);
}

#[test]
fn a_head_that_does_not_fit_is_explained() {
    insta::assert_snapshot!(read("order_nr,quantiy,price,placed,tier\n", &[]), @r#"bad_data(source: "orders.csv", reason: "there are no columns `order_id` (is it `order_nr`?), `quantity` (is it `quantiy`?), `unit_price`; the file has `order_nr`, `quantiy`, `price`, `placed`, `tier`")"#);
    insta::assert_snapshot!(read("a;b\n1;2\n", &[]), @r#"bad_data(source: "orders.csv", reason: "there are no columns `order_id`, `quantity`, `unit_price`, `placed`, `tier`; the file has `a`, `b`")"#);
    insta::assert_snapshot!(read("order_id,Order ID,quantity\n", &[]), @r#"bad_data(source: "orders.csv", reason: "two columns are for the field `order_id`: `order_id` (column 1) and `Order ID` (column 2)")"#);
    insta::assert_snapshot!(read("", &[]), @r#"bad_data(source: "orders.csv", reason: "the file is empty: its first line names the columns")"#);
    insta::assert_snapshot!(read("\u{feff}", &[]), @r#"bad_data(source: "orders.csv", reason: "the file is empty: its first line names the columns")"#);
    insta::assert_snapshot!(read("order_id,quantity,unit_price,placed,tier\n", &[]), @"");
    insta::assert_snapshot!(read("order_id,quantity,unit_price,placed,tier", &[(2, "XYZ".into())]), @r#"bad_value(reason: "`XYZ` is no currency of ISO 4217; write its three letters, such as EUR")"#);
}

#[test]
fn what_is_no_csv_file_is_refused() {
    let head = "order_id,quantity,unit_price,placed,tier\n";
    insta::assert_snapshot!(read(format!("{head}A1,1,\"1 EUR,2026-11-02,gold\nA2,1\n"), &[]), @r#"bad_data(source: "orders.csv", reason: "the quote opened in line 2 is never closed")"#);
    insta::assert_snapshot!(read(format!("{head}A1,\"{}", "x,\n".repeat(3 << 20)), &[]), @r#"bad_data(source: "orders.csv", reason: "the quote opened in line 2 is never closed")"#);
    insta::assert_snapshot!(read(format!("{head}{}", "x".repeat(100 << 20)), &[]), @r#"bad_data(source: "orders.csv", reason: "the row in line 2 has more than 4 MB: is it a CSV file?")"#);
    insta::assert_snapshot!(read(format!("{head}A1,1\0"), &[]), @r#"bad_data(source: "orders.csv", reason: "line 2 has a NUL byte: it is no text file, or one in UTF-16 without a mark (`encoding: \"utf-16le\"`)")"#);
    insta::assert_snapshot!(read(vec![0xff, 0xfe, 0x00], &[]), @r#"bad_data(source: "orders.csv", reason: "there are no columns `order_id`, `quantity`, `unit_price`, `placed`, `tier`; the file has `�`")"#);
    let (mut fixture, ty) = fixture();
    let missing = fixture.perform_as(Operation::CsvRead, &["none.csv".into()], Some(&ty));
    insta::assert_snapshot!(missing.unwrap_err(), @r#"no_file(path: "none.csv")"#);
}

#[test]
fn an_amount_that_can_mean_two_things_is_refused() {
    let file = "order_id;quantity;unit_price;placed;tier\nA1;1;1.234 EUR;2026-11-02;gold\n";
    insta::assert_snapshot!(read(file, &[]), @r#"
    bad_data(source: "orders.csv", reason: "its only row does not fit:
      line 2, unit_price: `1.234 EUR` may be written with a decimal point or a decimal comma, and nothing in the file tells which")
    "#);
    // A comma between the columns says that numbers have points.
    insta::assert_snapshot!(read(file.replace(';', ","), &[]), @r#"OrderRow(order_id: "A1", quantity: 1, unit_price: 1.234 EUR, discount: none, placed: 2026-11-02, tier: gold, note: none)"#);
    // Another column shows how this file writes numbers.
    let shown = "order_id;quantity;unit_price;discount;placed;tier\nA1;1;1.234 EUR;2,5%;2026-11-02;gold\n";
    insta::assert_snapshot!(read(shown, &[]), @r#"OrderRow(order_id: "A1", quantity: 1, unit_price: 1234.00 EUR, discount: 2.5%, placed: 2026-11-02, tier: gold, note: none)"#);
}

#[test]
fn check_gives_every_bad_cell() {
    let (fixture, ty) = fixture();
    let file = format!("order_id,quantity,unit_price,placed,tier\n{}", "A,x,1,2026-11-02,gold\n".repeat(20));
    let mut fixture = fixture.with_file("orders.csv", file);
    let bad = fixture.perform_as(Operation::CsvCheck, &["orders.csv".into()], Some(&ty)).unwrap();
    assert_eq!(bad.as_list().unwrap().len(), 40);
    let first = Value::list(bad.as_list().unwrap()[..2].to_vec());
    insta::assert_snapshot!(fixture.shown(&first), @r#"
    BadRow(line: 2, column: "quantity", value: "x", reason: "`x` is not a whole number such as 42")
    BadRow(line: 2, column: "unit_price", value: "1", reason: "`1` is not an amount such as 99.90 EUR: the currency is missing")
    "#);
}

#[test]
fn rows_that_are_written_are_read_again() {
    let (mut fixture, ty) = fixture();
    let Type::Record(id) = ty else { unreachable!() };
    let money = crate::value::Money::new("1234.5".parse().unwrap(), Currency::EUR);
    let tier = Value::member(crate::value::EnumId(0), 2);
    let row = |name: &str, note: Value| {
        let placed = Value::Date("2026-11-02".parse().unwrap());
        Value::record(
            id,
            [
                name.into(),
                Value::Int(-3),
                money.into(),
                Value::Percent("0.125".parse().unwrap()),
                placed,
                tier.clone(),
                note,
            ],
        )
    };
    let rows = Value::list(vec![row("=cmd()", "two\nlines; \"quoted\"".into()), row("'@x", Value::None)]);
    for separator in [",", ";", "tab"] {
        fixture.perform(Operation::CsvWrite, &["out.csv".into(), rows.clone(), separator.into()]).unwrap();
        let read = fixture.perform_as(Operation::CsvRead, &["out.csv".into()], Some(&ty)).unwrap();
        assert_eq!(read, rows);
    }
    fixture.perform(Operation::CsvWrite, &["out.csv".into(), rows, ",".into()]).unwrap();
    insta::assert_snapshot!(String::from_utf8(fixture.file("out.csv")).unwrap(), @r#"
    order_id,quantity,unit_price,discount,placed,tier,note
    '=cmd(),-3,1234.50 EUR,12.5%,2026-11-02,very_new,"two
    lines; ""quoted"""
    ''@x,-3,1234.50 EUR,12.5%,2026-11-02,very_new,
    "#);
}

#[test]
fn repeated_texts_are_shared() {
    let (mut fixture, _) = fixture();
    let ty = fixture.record("Line", &[("name", Type::Text)]);
    let mut fixture = fixture.with_file("a.csv", format!("name\n{}", "a name of more than fifteen bytes\n".repeat(2)));
    let rows = fixture.perform_as(Operation::CsvRead, &["a.csv".into()], Some(&ty)).unwrap();
    let address = |row: usize| rows.as_list().unwrap()[row].fields().unwrap()[0].as_text().unwrap().as_ptr();
    assert_eq!(address(0), address(1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_file_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[a-z0-9,;\t\"\n\r.€%']{0,200}") {
        let head = "order_id;quantity;unit_price;placed;tier\n";
        for content in [bytes.clone(), [head.as_bytes(), &bytes].concat(), format!("{head}{text}").into_bytes(), text.into_bytes()] {
            read(content, &[]);
        }
    }
}
