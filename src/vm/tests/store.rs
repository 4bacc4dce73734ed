//! Queries, references and writes: what is asked of the store, and that the answers are the same as those of lists.

use super::support::{World, call, code};
use crate::compile::code::Code;
use crate::value::{Currency, Decimal, Money, Value, display};
use insta::assert_snapshot;

const ENTITIES: &str = "\
enum Tier { gold, silver }
entity Region { key name: text, active: bool }
entity Customer { key id: text, name: text, tier: Tier, region: Region? }
entity Sale { key id: int, customer: Customer, placed: date, count: int, total: money EUR, note: text? }
";

fn world(code: &Code) -> World<'_> {
    let mut world = World::new(code);
    let tier = |world: &World, member| {
        let position = world.code.enums.iter().rposition(|ty| ty.name == "Tier").unwrap();
        Value::member(crate::value::EnumId(position as u32), member)
    };
    let text = |text: &str| Value::from(text);
    world.put("Region", vec![text("north"), Value::Bool(true)]);
    world.put("Region", vec![text("south"), Value::Bool(false)]);
    let region = world.entity("Region");
    let refer = |key: &str| Value::reference(region, Value::text(key));
    let (gold, silver) = (tier(&world, 0), tier(&world, 1));
    world.put("Customer", vec![text("ada"), text("Ada L."), gold.clone(), refer("north")]);
    world.put("Customer", vec![text("bob"), text("Bob"), silver, refer("south")]);
    world.put("Customer", vec![text("cyd"), text("Cyd"), gold, Value::None]);
    let customer = world.entity("Customer");
    for id in 1..=12_i64 {
        let key = ["ada", "bob", "cyd"][(id % 3) as usize];
        let note = if id % 4 == 0 { Value::None } else { Value::from(format!("note {}", id % 5)) };
        let fields = vec![
            Value::Int(id),
            Value::reference(customer, text(key)),
            Value::Date(crate::value::temporal::date_from_days(20_000 + id * 7 % 5).unwrap()),
            Value::Int(id * 5 % 7),
            Value::Money(Money::new(Decimal::new(id * 1234 % 997, 2), Currency::EUR)),
            note,
        ];
        world.put("Sale", fields);
    }
    world
}

/// Chains whose value can be shown, each behind `Sale` or a list of all sales.
const CHAINS: &[&str] = &[
    ".where(it.count > 3).map(it.id).map(it.to_text).join()",
    ".where(it.count > 3 and it.total >= 2.00 EUR or it.id == 1).map(it.id).map(it.to_text).join()",
    ".where(not (it.count in [1, 2, 3])).map(it.id).map(it.to_text).join()",
    ".where(it.count in 2..4).map(it.id).map(it.to_text).join()",
    ".where(it.customer.name == \"Bob\").count",
    ".where(it.customer.tier == gold).where(it.note is some).sum(it.count)",
    ".where(it.customer.region?.active == true).map(it.id).map(it.to_text).join()",
    ".where(it.note?.starts_with(\"note 2\") == true).map(it.id).map(it.to_text).join()",
    ".where(it.note is some and it.note.contains(\"3\")).map(it.id).map(it.to_text).join()",
    ".sort(it.count).map(it.id).map(it.to_text).join()",
    ".sort_descending(it.customer.name).sort(it.placed).map(it.id).map(it.to_text).join()",
    ".sort(it.id).skip(2).take(3).map(it.count).map(it.to_text).join()",
    ".sort(it.id).take(5).where(it.count > 2).map(it.id).map(it.to_text).join()",
    ".take(-3).count",
    ".count",
    ".is_empty",
    ".any(it.count == 6)",
    ".all(it.count < 6)",
    ".find(it.customer.name == \"Cyd\")?.id ?? 0",
    ".sort_descending(it.total).first?.id ?? 0",
    ".min(it.total) ?? 0 EUR",
    ".max(it.customer.name) ?? \"\"",
    ".where(it.count == 99).sum(it.total)",
    ".sum(it.total)",
    ".min_by(it.total)?.id ?? 0",
    ".where(it.count * 2 - 1 > 6).map(it.id).map(it.to_text).join()",
    ".where(it.total * 2 > 5.00 EUR and it.count > 2).map(it.id).map(it.to_text).join()",
    ".where(it.count > limit).map(it.id).map(it.to_text).join()",
    ".where(it.customer == someone).map(it.id).map(it.to_text).join()",
    ".group(it.customer.name).count",
    ".map(it.customer.region?.name ?? \"-\").distinct.join()",
];

#[test]
fn a_store_answers_as_a_list_does() {
    let mut lines = Vec::new();
    for chain in CHAINS {
        let body = |start: &str| {
            format!(
                "  let limit = [3].first ?? 0\n  let someone = Customer.get(\"bob\")\n  let shown = {start}{chain}\n  return \"{{shown}} {{limit}} {{someone.id}}\"\n"
            )
        };
        let script = format!(
            "{ENTITIES}task by_store() -> text {{\n{}}}\ntask by_list() -> text {{\n  let sales = Sale.sort(it.id).take(1000).where(mod(it.id, 1) == 0)\n{}}}\n",
            body("Sale"),
            body("sales")
        );
        let code = code(&script);
        let mut world = world(&code);
        let by_list = call(&code, "by_list", &[], &mut world).map(|value| display(&value, &code.names));
        world.asked.clear();
        let by_store = call(&code, "by_store", &[], &mut world).map(|value| display(&value, &code.names));
        assert_eq!(by_store, by_list, "{chain}");
        lines.push(format!("{chain}: {}", world.asked.join(", ")));
    }
    assert_snapshot!(lines.join("\n"), @r#"
.where(it.count > 3).map(it.id).map(it.to_text).join(): get Customer, query Sale
.where(it.count > 3 and it.total >= 2.00 EUR or it.id == 1).map(it.id).map(it.to_text).join(): get Customer, query Sale
.where(not (it.count in [1, 2, 3])).map(it.id).map(it.to_text).join(): get Customer, query Sale
.where(it.count in 2..4).map(it.id).map(it.to_text).join(): get Customer, query Sale
.where(it.customer.name == "Bob").count: get Customer, query Sale
.where(it.customer.tier == gold).where(it.note is some).sum(it.count): get Customer, query Sale
.where(it.customer.region?.active == true).map(it.id).map(it.to_text).join(): get Customer, query Sale
.where(it.note?.starts_with("note 2") == true).map(it.id).map(it.to_text).join(): get Customer, query Sale
.where(it.note is some and it.note.contains("3")).map(it.id).map(it.to_text).join(): get Customer, query Sale
.sort(it.count).map(it.id).map(it.to_text).join(): get Customer, query Sale
.sort_descending(it.customer.name).sort(it.placed).map(it.id).map(it.to_text).join(): get Customer, query Sale
.sort(it.id).skip(2).take(3).map(it.count).map(it.to_text).join(): get Customer, query Sale
.sort(it.id).take(5).where(it.count > 2).map(it.id).map(it.to_text).join(): get Customer, query Sale
.take(-3).count: get Customer, query Sale
.count: get Customer, query Sale
.is_empty: get Customer, query Sale
.any(it.count == 6): get Customer, query Sale
.all(it.count < 6): get Customer, query Sale
.find(it.customer.name == "Cyd")?.id ?? 0: get Customer, query Sale
.sort_descending(it.total).first?.id ?? 0: get Customer, query Sale
.min(it.total) ?? 0 EUR: get Customer, query Sale
.max(it.customer.name) ?? "": get Customer, query Sale
.where(it.count == 99).sum(it.total): get Customer, query Sale
.sum(it.total): get Customer, query Sale
.min_by(it.total)?.id ?? 0: get Customer, query Sale
.where(it.count * 2 - 1 > 6).map(it.id).map(it.to_text).join(): get Customer, query Sale
.where(it.total * 2 > 5.00 EUR and it.count > 2).map(it.id).map(it.to_text).join(): get Customer, query Sale
.where(it.count > limit).map(it.id).map(it.to_text).join(): get Customer, query Sale
.where(it.customer == someone).map(it.id).map(it.to_text).join(): get Customer, query Sale
.group(it.customer.name).count: get Customer, query Sale, get 3 of Customer
.map(it.customer.region?.name ?? "-").distinct.join(): get Customer, query Sale, get 3 of Customer, get 2 of Region
"#);
}

#[test]
fn plans_join_and_take_parameters() {
    let script = format!(
        "{ENTITIES}task f(name: text) -> int = Sale.where(it.customer.region?.name == name and it.count > 1 + 1 and it.total * 2 > 1 EUR).count\n"
    );
    let code = code(&script);
    let plans: Vec<String> = code.queries.iter().map(|plan| format!("{plan:#?}")).collect();
    assert_snapshot!(plans.join("\n"), @r"
QueryPlan {
    entity: RecordId(
        11,
    ),
    joins: [
        Join {
            from: 0,
            field: 1,
            entity: RecordId(
                10,
            ),
            optional: false,
        },
        Join {
            from: 1,
            field: 3,
            entity: RecordId(
                9,
            ),
            optional: true,
        },
    ],
    filter: Some(
        And(
            [
                Compare(
                    Equal,
                    Column {
                        table: 2,
                        field: 0,
                    },
                    Parameter(
                        0,
                    ),
                ),
                Compare(
                    Greater,
                    Column {
                        table: 0,
                        field: 3,
                    },
                    Parameter(
                        1,
                    ),
                ),
            ],
        ),
    ),
    order: [],
    limit: None,
    offset: None,
    output: Records,
    parameters: 2,
}
");
}

#[test]
fn a_loop_loads_what_it_follows_at_once() {
    let script = format!(
        "{ENTITIES}record Line {{ sale: Sale, sku: text }}\n\
        task f(lines: [Line]) -> [text] = lines.map(\"{{it.sale.customer.name}} {{it.sale.customer.region?.name ?? \"-\"}}\")\n"
    );
    let code = code(&script);
    let mut world = world(&code);
    let (line, sale) = (world.entity("Line"), world.entity("Sale"));
    let lines = (1..=9_i64)
        .map(|id| Value::record(line, vec![Value::reference(sale, Value::Int(id)), Value::text("x")]))
        .collect();
    let value = call(&code, "f", &[Value::list(lines)], &mut world).unwrap();
    assert_snapshot!(display(&value, &code.names), @r#"["Bob south", "Cyd -", "Ada L. north", "Bob south", "Cyd -", "Ada L. north", "Bob south", "Cyd -", "Ada L. north"]"#);
    assert_snapshot!(world.asked.join(", "), @"get 9 of Sale, get 3 of Customer, get 2 of Region");
}

#[test]
fn records_are_written_by_their_keys() {
    let script = format!(
        "{ENTITIES}record Line {{ note: text }}\n        entity Count {{ key number: int = auto, note: text }}\n\
        task f() -> text {{\n\
        \x20 let made = Region.create(name: \"west\", active: false)\n\
        \x20 let changed = made.update(active: true)\n\
        \x20 let first = Count.create(note: \"a\")\n\
        \x20 let other = Line(note: \"n\").with(note: \"m\")\n\
        \x20 Region.get(\"south\").delete()\n\
        \x20 return \"{{changed.active}} {{first.number}} {{other.note}} {{Region.has(\"south\")}} {{Region.has(\"west\")}}\"\n}}\n"
    );
    let code = code(&script);
    let mut world = world(&code);
    let value = call(&code, "f", &[], &mut world).unwrap();
    assert_snapshot!(display(&value, &code.names), @"true 1 m false true");
}

#[test]
fn a_record_that_may_be_none_is_compared_with_a_reference() {
    let script = format!(
        "{ENTITIES}task f(name: text) -> [text] {{\n\
        \x20 let where_from = Region.find(it.name == name)\n\
        \x20 return Customer.where(it.region == where_from).map(it.name)\n}}\n"
    );
    let code = code(&script);
    let found = |name: &str| {
        let value = call(&code, "f", &[Value::text(name)], &mut world(&code)).unwrap();
        display(&value, &code.names)
    };
    assert_eq!(found("north"), "[\"Ada L.\"]");
    // None is a value too: those without a region.
    assert_eq!(found("nowhere"), "[\"Cyd\"]");
}
