//! `rpa plan` and `rpa run --expect`, with the real program: what a plan shows is what a run does, a plan does nothing, and
//! a run that is held to a plan does that or nothing.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

use std::fs;
use std::process::{Command, Output};

const SCRIPT: &str = r#"
entity Product {
  key sku: text
  stock: int = 0
  counted: instant
}

entity Customer {
  key id: text
  email: pii text
}

record Order {
  number: text
  customer: text
  sku: text
  quantity: int
}

error too_few(sku: text)

flow work_off(path: text = "orders.csv") {
  step ready {
    if not Product.has("LAMP") { Product.create(sku: "LAMP", stock: 10, counted: now()) }
    if not Customer.has("C-1") { Customer.create(id: "C-1", email: "ada@example.com") }
  }
  step orders = csv.read(path, as: Order)
  for order in orders {
    run work_off_one(order)
  }
  step report = csv.write("stock.csv", Product.sort(it.sku))
}

flow work_off_one(order: Order) key order.number {
  step taken {
    let product = Product.get(order.sku)
    if product.stock < order.quantity { fail too_few(order.sku) }
    product.update(stock: product.stock - order.quantity, counted: now())
  }
  step sent = email.send(to: Customer.get(order.customer).email, subject: "Order {order.number}", body: "Thank you.")
}
"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.write("shop.rpa", SCRIPT);
        folder.write("orders.csv", "number,customer,sku,quantity\n1,C-1,LAMP,3\n2,C-1,LAMP,9\n3,C-1,LAMP,4\n");
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn rpa(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpa"));
        command.args(arguments).current_dir(self.0.path()).env("COLUMNS", "100").output().unwrap()
    }

    /// What was said, and the status.
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.rpa(arguments);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        format!("{out}{err}--- status {}", output.status.code().unwrap())
    }

    fn stock(&self) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_rpa"))
            .args(["repl", "shop.rpa", "--store", ".rpa/store.db"])
            .current_dir(self.0.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .and_then(|mut child| {
                use std::io::Write;
                child.stdin.take().unwrap().write_all(b"Product.map(it.stock)\n")?;
                child.wait_with_output()
            });
        String::from_utf8(output.unwrap().stdout).unwrap().trim().to_string()
    }

    fn files(&self) -> Vec<String> {
        let files = fs::read_dir(self.0.path()).unwrap();
        let mut files: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        files
    }

    fn plan(&self) {
        let output = self.rpa(&["plan", "shop.rpa", "--format", "json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.write("plan.json", &String::from_utf8(output.stdout).unwrap());
    }
}

#[test]
fn a_plan_tells_what_a_run_would_do_and_does_nothing() {
    let folder = Folder::new();
    let before = folder.files();
    insta::assert_snapshot!(folder.said(&["plan", "shop.rpa"]));
    assert_eq!(folder.files(), before, "a plan leaves nothing behind");
    folder.rpa(&["run", "shop.rpa"]);
    assert_eq!(folder.stock(), "[3]");
    folder.write("orders.csv", "number,customer,sku,quantity\n1,C-1,LAMP,3\n4,C-1,LAMP,2\n");
    insta::assert_snapshot!(folder.said(&["plan", "shop.rpa"]));
    assert_eq!(folder.stock(), "[3]", "and it changes no record");
}

#[test]
fn the_plan_of_a_second_run_is_empty() {
    let folder = Folder::new();
    folder.write("orders.csv", "number,customer,sku,quantity\n1,C-1,LAMP,3\n");
    folder.rpa(&["run", "shop.rpa"]);
    insta::assert_snapshot!(folder.said(&["plan", "shop.rpa", "--all"]));
}

#[test]
fn a_run_that_is_held_to_its_plan_does_what_the_plan_says() {
    let folder = Folder::new();
    folder.plan();
    let output = folder.rpa(&["run", "shop.rpa", "--expect", "plan.json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(folder.stock(), "[3]");
    assert!(folder.files().contains(&"stock.csv".to_string()));
}

#[test]
fn a_run_that_would_do_something_else_does_nothing() {
    let folder = Folder::new();
    folder.plan();
    folder.write("orders.csv", "number,customer,sku,quantity\n1,C-1,LAMP,3\n2,C-1,LAMP,9\n3,C-1,LAMP,5\n");
    insta::assert_snapshot!(folder.said(&["run", "shop.rpa", "--expect", "plan.json"]));
    assert_eq!(folder.stock(), "[]");
    assert!(!folder.files().contains(&"stock.csv".to_string()), "not even files stay");

    folder.write("orders.csv", "number,customer,sku,quantity\n1,C-1,LAMP,3\n2,C-1,LAMP,9\n3,C-1,LAMP,4\n");
    insta::assert_snapshot!(folder.said(&["run", "shop.rpa", "path=orders.csv", "--expect", "shop.rpa"]));
    folder.write("other.csv", "number,customer,sku,quantity\n");
    insta::assert_snapshot!(folder.said(&["run", "shop.rpa", "path=other.csv", "--expect", "plan.json"]));
    folder.write("shop.rpa", &SCRIPT.replace("Thank you", "Thanks"));
    insta::assert_snapshot!(folder.said(&["run", "shop.rpa", "--expect", "plan.json"]));
}

const GREETINGS: &str = r#"
record Buyer {
  name: pii text
  email: pii text
}

flow greet() {
  step buyers = csv.read("buyers.csv", as: Buyer)
  for buyer in buyers {
    step hello = email.send(to: buyer.email, subject: "Hello {buyer.name}", body: "Hello")
    step plain = email.send(to: buyer.email, subject: "Your order", body: "Thank you")
  }
}
"#;

#[test]
fn a_subject_that_holds_personal_data_is_not_shown_and_is_compared_all_the_same() {
    let folder = Folder::new();
    folder.write("greet.rpa", GREETINGS);
    folder.write("buyers.csv", "name,email\nLovelace,ada@example.com\n");
    let text = folder.said(&["plan", "greet.rpa"]);
    assert!(text.contains("a•••@example.com: •••") && text.contains("a•••@example.com: Your order"), "{text}");
    assert!(!text.contains("Lovelace"), "{text}");
    let plan = String::from_utf8(folder.rpa(&["plan", "greet.rpa", "--format", "json"]).stdout).unwrap();
    assert!(plan.contains("Your order") && !plan.contains("Lovelace"), "{plan}");
    // What a run is held to is what would be sent, not what is shown of it.
    folder.write("plan.json", &plan);
    folder.write("buyers.csv", "name,email\nByron,ada@example.com\n");
    let other = folder.said(&["run", "greet.rpa", "--expect", "plan.json"]);
    assert!(other.contains("plan::unexpected") && !other.contains("Byron"), "{other}");
    folder.write("buyers.csv", "name,email\nLovelace,ada@example.com\n");
    let same = folder.said(&["run", "greet.rpa", "--expect", "plan.json"]);
    assert!(same.ends_with("--- status 0"), "{same}");
}
