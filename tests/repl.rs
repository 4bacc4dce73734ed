//! The REPL as a program: what a pipe brings is worked off entry by entry.

use std::io::Write;
use std::process::{Command, Stdio};

/// What the REPL says to an input, and whether it was content.
fn talk(input: &str) -> (String, String, bool) {
    let folder = tempfile::tempdir().expect("a folder to talk in");
    let mut child = Command::new(env!("CARGO_BIN_EXE_rpa"))
        .args(["repl", "--color", "never"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("rpa starts");
    child.stdin.take().expect("an input").write_all(input.as_bytes()).expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it speaks UTF-8");
    (text(output.stdout), text(output.stderr), output.status.success())
}

#[test]
fn declarations_variables_and_records_stay_from_entry_to_entry() {
    let (said, complained, content) = talk(
        "use crm\n\
         let lamp = Product.create(sku: \"A1\", name: \"Lamp\", price: 20 EUR, stock: 5)\n\
         fn twice(n: int) -> int = n * 2\n\
         rules rate(tier: Tier) -> percent {\n  | tier | => rate |\n  | gold | 10% |\n  | silver, bronze | 0% |\n}\n\
         lamp.price * twice(3) * (100% - rate(gold))\n\
         Product.where(it.stock > 2).map(it.name)\n\
         :type Product.where(it.stock > 2)\n",
    );
    assert_eq!(said, "108.00 EUR\n[\"Lamp\"]\n[Product]  (reads)\n", "{complained}");
    assert!(content);
}

#[test]
fn an_error_takes_back_what_its_entry_wrote_and_does_not_end_the_session() {
    let (said, complained, content) = talk(
        "use crm\n\
         task try_it() {\n  Product.create(sku: \"A1\", name: \"Lamp\", price: 20 EUR)\n  Product.get(\"none\")\n}\n\
         try_it()\n\
         Product.count\n\
         Product.coutn\n\
         1 + 1\n",
    );
    assert_eq!(said, "0\n2\n");
    assert!(complained.contains("there is no Product none"), "{complained}");
    assert!(complained.contains("did you mean `count`"), "{complained}");
    assert!(!content);
}

#[test]
fn secrets_are_not_shown_and_personal_fields_are_masked() {
    let (said, complained, content) = talk(
        "entity Access {\n  key shop: text\n  owner: pii text\n  token: secret text\n}\n\
         let access = Access.create(shop: \"s\", owner: \"Ada\", token: \"k-123456\")\n\
         access\n\
         Access.all\n\
         access.token\n\
         let copy = access.token.upper\n\
         copy\n\
         Access.all.map(it.token)\n\
         access.token.last4\n",
    );
    assert!(content, "{complained}");
    assert!(!said.contains("123456") && !said.contains("Ada"), "{said}");
    assert!(said.contains("\"3456\""), "{said}");
    assert_eq!(said.matches("•••").count(), 7, "{said}");
}

#[test]
fn secrets_are_not_shown_inside_of_lists_and_maps_either() {
    let (said, complained, content) = talk(
        "entity Access {\n  key shop: text\n  token: secret text\n}\n\
         let access = Access.create(shop: \"s\", token: \"k-123456\")\n\
         [access.token, \"plain\"]\n\
         let tokens = {\"s\": access.token}\n\
         tokens\n\
         let nested = {\"s\": [access.token]}\n\
         nested\n\
         [access]\n\
         let records = {\"s\": access}\n\
         records\n",
    );
    assert!(content, "{complained}");
    assert!(said.contains("•••") && !said.contains("123456"), "{said}");
}

#[test]
fn a_flow_is_run_by_the_engine() {
    let (said, complained, content) = talk(
        "flow greet(name: text) -> text {\n  step note { log.info(\"Hello {name}\") }\n  return \"greeted {name}\"\n}\n\
         run greet(\"Ada\")\n",
    );
    assert!(said.starts_with("\"greeted Ada\"\nrun 1 of greet"), "{said}{complained}");
    assert!(content);
}
