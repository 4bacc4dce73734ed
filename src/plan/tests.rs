//! Tests of plans on paper; whole plans are made in `tests/plan.rs`.

use super::*;

fn effect(deed: Deed, which: &str, fields: &[(&str, Option<&str>, Option<&str>)]) -> PlannedEffect {
    let field = |(field, from, to): &(&str, Option<&str>, Option<&str>)| FieldChange {
        field: (*field).into(),
        from: from.map(Into::into),
        to: to.map(Into::into),
    };
    PlannedEffect {
        deed,
        what: "Product".into(),
        which: which.into(),
        fields: fields.iter().map(field).collect(),
        hidden: "".into(),
    }
}

#[test]
fn what_comes_of_several_effects_on_one_record_is_told_once() {
    let effects = [
        effect(Deed::Create, "LAMP", &[("sku", None, Some("LAMP")), ("stock", None, Some("5"))]),
        effect(Deed::Change, "LAMP", &[("stock", Some("5"), Some("4"))]),
        effect(Deed::Change, "DESK", &[("stock", Some("9"), Some("8")), ("reserved", Some("0"), Some("1"))]),
        effect(Deed::Change, "DESK", &[("stock", Some("8"), Some("7")), ("reserved", Some("1"), Some("0"))]),
        effect(Deed::Change, "CHAIR", &[("stock", Some("3"), Some("2"))]),
        effect(Deed::Change, "CHAIR", &[("stock", Some("2"), Some("3"))]),
        effect(Deed::Create, "TEMP", &[]),
        effect(Deed::Delete, "TEMP", &[]),
        effect(Deed::Delete, "OLD", &[("stock", Some("1"), None)]),
    ];
    insta::assert_snapshot!(text(&effects, 10, 80), @r"
    create 1 Product
      LAMP  sku: LAMP, stock: 4

    change 1 Product
      DESK  stock: 9 → 7

    delete 1 Product
      OLD  stock: 1
    ");
    assert_eq!(text(&[], 10, 80), "nothing would be written\n\n");
}
