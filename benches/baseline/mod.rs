//! The order job written by hand in Rust with rusqlite: what the machine and SQLite can do at best.
//!
//! For every order it reads customer and products and writes what the flow of `examples/orders` leaves behind: an
//! order with its lines, the stock and its movements, an invoice with its lines and a number without gaps, a mail
//! in the outbox, and the row of the run with an entry of the journal for each of its five steps. Tables, columns,
//! indexes and foreign keys are those of the store, the durability too (WAL, synchronous FULL), and commits are
//! grouped. It has no retries, no undo, no keys that find a run again, and can do nothing else.

use rusqlite::{Connection, Result, Statement};
use rust_decimal::{Decimal, RoundingStrategy};
use std::path::Path;

/// How many orders share a commit.
const GROUP: usize = 3_000;

/// A line of an order file.
#[derive(serde::Deserialize)]
struct Line {
    order: String,
    placed: String,
    customer: String,
    sku: String,
    quantity: i64,
    price: Decimal,
}

/// Reads the files in `folder` and works off all orders into a new store; gives how many there were.
pub fn run(folder: &Path, store: &Path) -> Result<usize> {
    let connection = Connection::open(store)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; \
         PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000;",
    )?;
    connection
        .create_collation("decimal", |a: &str, b: &str| a.parse::<Decimal>().ok().cmp(&b.parse::<Decimal>().ok()))?;
    connection.execute_batch(TABLES)?;
    load(&connection, folder)?;

    let mut work = Work::new(&connection)?;
    let mut lines: Vec<Line> = Vec::new();
    let mut orders = 0;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for line in reader(&folder.join("orders.csv")).into_deserialize::<Line>() {
        let line = line.expect("the generated file is right");
        if lines.first().is_some_and(|first| first.order != line.order) {
            work.order(&lines)?;
            lines.clear();
            orders += 1;
            if orders % GROUP == 0 {
                connection.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
            }
        }
        lines.push(line);
    }
    if !lines.is_empty() {
        work.order(&lines)?;
        orders += 1;
    }
    connection.execute("INSERT INTO rpa_sequences VALUES ('sequence', 'INV-2026', ?1)", [work.serial])?;
    connection.execute_batch("COMMIT")?;
    Ok(orders)
}

fn reader(path: &Path) -> csv::Reader<std::fs::File> {
    csv::Reader::from_path(path).expect("the generated file is there")
}

fn load(connection: &Connection, folder: &Path) -> Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut customers = connection.prepare(
        "INSERT INTO Customer (id, name, email, phone, street, postcode, city, country, vat_id, tier, consent, since) \
         VALUES (?1, ?2, ?3, '', ?4, ?5, ?6, ?7, NULL, ?8, ?9, '2026-11-22')",
    )?;
    for row in reader(&folder.join("customers.csv")).records() {
        let row = row.expect("the generated file is right");
        customers.execute((&row[0], &row[1], &row[2], &row[3], &row[4], &row[5], &row[6], &row[8], &row[9]))?;
    }
    let mut products = connection.prepare(
        "INSERT INTO Product (sku, name, category, price, price_currency, tax_class, stock, reserved, reorder_at, active) \
         VALUES (?1, ?2, ?3, ?4, 'EUR', ?5, ?6, 0, ?7, 1)",
    )?;
    for row in reader(&folder.join("products.csv")).records() {
        let row = row.expect("the generated file is right");
        products.execute((&row[0], &row[1], &row[2], &row[3], &row[4], &row[5], &row[6]))?;
    }
    connection.execute_batch("COMMIT")
}

struct Work<'c> {
    customer: Statement<'c>,
    product: Statement<'c>,
    order: Statement<'c>,
    order_line: Statement<'c>,
    stock: Statement<'c>,
    movement: Statement<'c>,
    invoice: Statement<'c>,
    invoice_line: Statement<'c>,
    mail: Statement<'c>,
    run: Statement<'c>,
    serial: i64,
    order_lines: i64,
    invoice_lines: i64,
    movements: i64,
    runs: i64,
}

impl<'c> Work<'c> {
    fn new(connection: &'c Connection) -> Result<Work<'c>> {
        let prepare = |text: &str| connection.prepare(text);
        Ok(Work {
            customer: prepare("SELECT name, email, country, vat_id, tier FROM Customer WHERE id = ?1")?,
            product: prepare("SELECT name, tax_class, stock, reserved FROM Product WHERE sku = ?1")?,
            order: prepare(
                "INSERT INTO \"Order\" (number, customer, placed, status, total, total_currency) \
                 VALUES (?1, ?2, ?3, 'in_hand', ?4, 'EUR')",
            )?,
            order_line: prepare(
                "INSERT INTO OrderLine (id, \"order\", product, quantity, unit_price, unit_price_currency, discount) \
                 VALUES (?1, ?2, ?3, ?4, ?5, 'EUR', ?6)",
            )?,
            stock: prepare("UPDATE Product SET stock = ?1, reserved = ?2 WHERE sku = ?3")?,
            movement: prepare(
                "INSERT INTO StockMovement (id, product, kind, quantity, reference, moved) \
                 VALUES (?1, ?2, 'reservation', ?3, ?4, '2026-11-22T06:00:00.000Z')",
            )?,
            invoice: prepare(
                "INSERT INTO Invoice (number, customer, \"order\", credits, issued_on, due, status, treatment, rounding, \
                 net, net_currency, tax, tax_currency, gross, gross_currency, paid_so_far, paid_so_far_currency) \
                 VALUES (?1, ?2, ?3, NULL, ?4, ?5, 'issued', 'domestic', 'per_rate', ?6, 'EUR', ?7, 'EUR', ?8, 'EUR', \
                 '0', 'EUR')",
            )?,
            invoice_line: prepare(
                "INSERT INTO InvoiceLine (id, invoice, position, sku, description, quantity, unit_price, \
                 unit_price_currency, discount, tax_rate, net, net_currency) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'EUR', ?8, ?9, ?10, 'EUR')",
            )?,
            mail: prepare(
                "INSERT INTO rpa_outbox (run, state, id, sender, recipient, subject, body, written, attempts) \
                 VALUES (?1, 'waiting', ?2, 'shop@example.com', ?3, ?4, ?5, 1795327200000, 0)",
            )?,
            run: prepare(
                "INSERT INTO rpa_runs (id, parent, flow, key, version, state, started, ended, fingerprint, arguments, \
                 outcome, entries) VALUES (?1, 1, 1, ?2, 1, 2, 1795327200000, 1795327200001, ?3, ?4, ?5, ?6)",
            )?,
            serial: 0,
            order_lines: 0,
            invoice_lines: 0,
            movements: 0,
            runs: 1,
        })
    }

    /// One order, from its check to its mail.
    fn order(&mut self, lines: &[Line]) -> Result<()> {
        let Some(first) = lines.first() else { return Ok(()) };
        let number = first.order.as_str();
        self.runs += 1;
        let run = self.runs;

        // items: every line is checked, and its discount found.
        let (name, email, _country, _vat_id, tier) = self.customer.query_row([&first.customer], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, Option<String>>(3)?,
                row.get::<_, String>(4)?,
            ))
        })?;
        let mut products = Vec::with_capacity(lines.len());
        for line in lines {
            assert!(line.quantity > 0 && line.customer == first.customer, "the generated file is right");
            products.push(self.product.query_row([&line.sku], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
            })?);
        }
        let value: Decimal = lines.iter().map(|line| line.price * Decimal::from(line.quantity)).sum();
        let large = value >= Decimal::from(1000);
        let discount = match (tier.as_str(), large) {
            ("gold", true) => Decimal::new(15, 2),
            ("gold", false) => Decimal::new(10, 2),
            (_, true) => Decimal::new(5, 2),
            _ => Decimal::ZERO,
        };
        let rate = discount.to_string();
        let mut entries = Vec::with_capacity(512);
        entry(&mut entries, ITEMS, "", "");

        // order
        let nets: Vec<Decimal> = lines
            .iter()
            .map(|line| cents(line.price * Decimal::from(line.quantity) * (Decimal::ONE - discount)))
            .collect();
        let net: Decimal = nets.iter().sum();
        self.order.execute((number, &first.customer, &first.placed, net.to_string()))?;
        for line in lines {
            self.order_lines += 1;
            let price = line.price.to_string();
            self.order_line.execute((self.order_lines, number, &line.sku, line.quantity, price, &rate))?;
        }
        entry(&mut entries, ORDER, "Order", number);

        // reserved
        for (line, (_, _, stock, reserved)) in lines.iter().zip(&products) {
            assert!(*stock >= line.quantity, "there is enough of everything");
            self.stock.execute((stock - line.quantity, reserved + line.quantity, &line.sku))?;
            self.movements += 1;
            self.movement.execute((self.movements, &line.sku, -line.quantity, number))?;
        }
        entry(&mut entries, ORDER, "Product", &first.sku);

        // invoice
        self.serial += 1;
        let invoice = format!("INV-2026-{:06}", self.serial);
        let rates = products.iter().map(|(_, class, ..)| Decimal::new(if class == "reduced" { 7 } else { 19 }, 2));
        let rates: Vec<Decimal> = rates.collect();
        let taxed = |rate: Decimal| -> Decimal {
            let base = nets.iter().zip(&rates).filter(|(_, other)| **other == rate).map(|(net, _)| *net);
            cents(base.sum::<Decimal>() * rate)
        };
        let tax = taxed(Decimal::new(19, 2)) + taxed(Decimal::new(7, 2));
        let gross = net + tax;
        self.invoice.execute((
            &invoice,
            &first.customer,
            number,
            &first.placed,
            "2026-12-06",
            net.to_string(),
            tax.to_string(),
            gross.to_string(),
        ))?;
        for (position, (((line, (name, ..)), net), tax_rate)) in
            (1_i64..).zip(lines.iter().zip(&products).zip(&nets).zip(&rates))
        {
            self.invoice_lines += 1;
            self.invoice_line.execute((
                self.invoice_lines,
                &invoice,
                position,
                &line.sku,
                name,
                line.quantity,
                line.price.to_string(),
                &rate,
                tax_rate.to_string(),
                net.to_string(),
            ))?;
        }
        entry(&mut entries, INVOICE, "Invoice", &invoice);

        // confirmation
        let mut body =
            format!("Dear {name},\n\nthank you for your order {number}. We have put these aside for you:\n\n");
        for (line, net) in lines.iter().zip(&nets) {
            body.push_str(&format!("  {} x {}  {net} EUR\n", line.quantity, line.sku));
        }
        body.push_str(&format!(
            "\nThe invoice {invoice} over {gross} EUR is due on 2026-12-06.\n\nKind regards\nYour shop\n"
        ));
        let subject = format!("Your order {number}");
        self.mail.execute((run, format!("{run}.4@example.com"), &email, &subject, &body))?;
        entry(&mut entries, 0, &email, &subject);
        self.run.execute((run, number, [7_u8; 16], [0_u8; ARGUMENTS], [0_u8; INVOICE], entries))?;
        Ok(())
    }
}

/// How long the values are that the flow's journal keeps, on the average.
const ARGUMENTS: usize = 90;
const ITEMS: usize = 60;
const ORDER: usize = 50;
const INVOICE: usize = 110;

/// Appends an entry of the journal: a head, a value of a length, and what was changed.
fn entry(entries: &mut Vec<u8>, value: usize, what: &str, which: &str) {
    entries.extend_from_slice(&[1, 2, 0, 0, value as u8]);
    entries.resize(entries.len() + value, 0);
    entries.extend_from_slice(&[1, 1, what.len() as u8]);
    entries.extend_from_slice(what.as_bytes());
    entries.push(which.len() as u8);
    entries.extend_from_slice(which.as_bytes());
}

fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// The tables of the store, as far as the job writes them.
const TABLES: &str = r#"
CREATE TABLE Customer (
  id TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL, street TEXT NOT NULL,
  postcode TEXT NOT NULL, city TEXT NOT NULL, country TEXT NOT NULL, vat_id TEXT, tier TEXT NOT NULL,
  consent TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX "Customer.email" ON Customer (email);
CREATE INDEX "Customer.postcode" ON Customer (postcode);
CREATE TABLE Product (
  sku TEXT NOT NULL, name TEXT NOT NULL, category TEXT NOT NULL, price TEXT COLLATE decimal NOT NULL,
  price_currency TEXT NOT NULL, tax_class TEXT NOT NULL, stock INTEGER NOT NULL, reserved INTEGER NOT NULL,
  reorder_at INTEGER NOT NULL, active INTEGER NOT NULL, PRIMARY KEY (sku)
) STRICT, WITHOUT ROWID;
CREATE TABLE "Order" (
  number TEXT NOT NULL, customer TEXT NOT NULL, placed TEXT NOT NULL, status TEXT NOT NULL,
  total TEXT COLLATE decimal NOT NULL, total_currency TEXT NOT NULL, PRIMARY KEY (number),
  FOREIGN KEY (customer) REFERENCES Customer (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX "Order.customer" ON "Order" (customer);
CREATE INDEX "Order.placed" ON "Order" (placed);
CREATE INDEX "Order.status" ON "Order" (status);
CREATE TABLE OrderLine (
  id INTEGER NOT NULL PRIMARY KEY, "order" TEXT NOT NULL, product TEXT NOT NULL, quantity INTEGER NOT NULL,
  unit_price TEXT COLLATE decimal NOT NULL, unit_price_currency TEXT NOT NULL, discount TEXT COLLATE decimal NOT NULL,
  FOREIGN KEY ("order") REFERENCES "Order" (number), FOREIGN KEY (product) REFERENCES Product (sku)
) STRICT;
CREATE INDEX "OrderLine.order" ON OrderLine ("order");
CREATE TABLE StockMovement (
  id INTEGER NOT NULL PRIMARY KEY, product TEXT NOT NULL, kind TEXT NOT NULL, quantity INTEGER NOT NULL,
  reference TEXT NOT NULL, moved TEXT NOT NULL, FOREIGN KEY (product) REFERENCES Product (sku)
) STRICT;
CREATE INDEX "StockMovement.product" ON StockMovement (product);
CREATE INDEX "StockMovement.reference" ON StockMovement (reference);
CREATE TABLE Invoice (
  number TEXT NOT NULL, customer TEXT NOT NULL, "order" TEXT, credits TEXT, issued_on TEXT NOT NULL, due TEXT NOT NULL,
  status TEXT NOT NULL, treatment TEXT NOT NULL, rounding TEXT NOT NULL, net TEXT COLLATE decimal NOT NULL,
  net_currency TEXT NOT NULL, tax TEXT COLLATE decimal NOT NULL, tax_currency TEXT NOT NULL,
  gross TEXT COLLATE decimal NOT NULL, gross_currency TEXT NOT NULL, paid_so_far TEXT COLLATE decimal NOT NULL,
  paid_so_far_currency TEXT NOT NULL, PRIMARY KEY (number), FOREIGN KEY (customer) REFERENCES Customer (id),
  FOREIGN KEY ("order") REFERENCES "Order" (number), FOREIGN KEY (credits) REFERENCES Invoice (number)
) STRICT, WITHOUT ROWID;
CREATE INDEX "Invoice.customer" ON Invoice (customer);
CREATE INDEX "Invoice.order" ON Invoice ("order");
CREATE INDEX "Invoice.credits" ON Invoice (credits);
CREATE INDEX "Invoice.issued_on" ON Invoice (issued_on);
CREATE INDEX "Invoice.status" ON Invoice (status);
CREATE TABLE InvoiceLine (
  id INTEGER NOT NULL PRIMARY KEY, invoice TEXT NOT NULL, position INTEGER NOT NULL, sku TEXT NOT NULL,
  description TEXT NOT NULL, quantity INTEGER NOT NULL, unit_price TEXT COLLATE decimal NOT NULL,
  unit_price_currency TEXT NOT NULL, discount TEXT COLLATE decimal NOT NULL, tax_rate TEXT COLLATE decimal NOT NULL,
  net TEXT COLLATE decimal NOT NULL, net_currency TEXT NOT NULL, FOREIGN KEY (invoice) REFERENCES Invoice (number)
) STRICT;
CREATE INDEX "InvoiceLine.invoice" ON InvoiceLine (invoice);
CREATE TABLE rpa_sequences (
  kind TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE rpa_runs (
  id INTEGER PRIMARY KEY, parent INTEGER, flow INTEGER NOT NULL, key TEXT, version INTEGER NOT NULL,
  state INTEGER NOT NULL, worker INTEGER, starter TEXT, started INTEGER NOT NULL, ended INTEGER,
  fingerprint BLOB NOT NULL, arguments BLOB NOT NULL, outcome BLOB NOT NULL, entries BLOB
) STRICT;
CREATE UNIQUE INDEX rpa_runs_key ON rpa_runs (flow, key) WHERE key IS NOT NULL;
CREATE INDEX rpa_runs_parent ON rpa_runs (parent) WHERE parent IS NOT NULL;
CREATE TABLE rpa_outbox (
  number INTEGER PRIMARY KEY, run INTEGER NOT NULL, state TEXT NOT NULL, id TEXT NOT NULL,
  sender TEXT NOT NULL, recipient TEXT NOT NULL, cc TEXT, reply_to TEXT, subject TEXT NOT NULL, body TEXT NOT NULL,
  attachments TEXT, written INTEGER NOT NULL, attempts INTEGER NOT NULL, problem TEXT
) STRICT;
CREATE INDEX rpa_outbox_waiting ON rpa_outbox (number) WHERE state = 'waiting';
"#;
