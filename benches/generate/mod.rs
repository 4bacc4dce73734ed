//! Customers, products and orders to measure with: the files that `examples/orders` reads, the same for the same
//! number every time; and a project of its script with them.

use std::fs::{File, create_dir_all};
use std::io::{BufWriter, Result, Write};
use std::path::Path;

/// How many customers there are.
pub const CUSTOMERS: u64 = 2_000;

/// How many products there are.
pub const PRODUCTS: u64 = 500;

/// Writes `customers.csv`, `products.csv` and `orders.csv` with so many orders of one or two lines each into a folder.
pub fn write(folder: &Path, orders: u64) -> Result<()> {
    create_dir_all(folder)?;
    let mut chance = Chance(0x2026_1122);
    let file = |name: &str| File::create(folder.join(name)).map(BufWriter::new);

    let mut out = file("customers.csv")?;
    writeln!(out, "id,name,email,street,postcode,city,country,vat_id,tier,consent")?;
    for number in 0..CUSTOMERS {
        let (first, last) = (chance.of(FIRST), chance.of(LAST));
        let (street, house, postcode) = (chance.of(STREETS), chance.below(99) + 1, 10_000 + chance.below(80_000));
        let (city, country) = chance.of(CITIES);
        let (tier, consent) = (chance.of(&["bronze", "silver", "gold"]), chance.of(&["unknown", "granted", "refused"]));
        writeln!(
            out,
            "C-{number:05},{first} {last},{}.{}.{number}@example.com,{street} {house},{postcode},{city},{country},,{tier},{consent}",
            first.to_lowercase(),
            last.to_lowercase()
        )?;
    }
    out.flush()?;

    let mut prices = Vec::new();
    let mut out = file("products.csv")?;
    writeln!(out, "sku,name,category,price,tax_class,stock,reorder_at")?;
    for number in 0..PRODUCTS {
        let cents = 199 + chance.below(30_000);
        let class = if chance.below(5) == 0 { "reduced" } else { "standard" };
        let name = format!("{} {}", chance.of(COLOURS), chance.of(THINGS));
        writeln!(out, "SKU-{number:04},{name},{},{},{class},100000000,100", chance.of(CATEGORIES), price(cents))?;
        prices.push(cents);
    }
    out.flush()?;

    let mut out = file("orders.csv")?;
    writeln!(out, "order,placed,customer,sku,quantity,price")?;
    for number in 0..orders {
        let (customer, day) = (chance.below(CUSTOMERS), chance.below(28) + 1);
        let first = chance.below(PRODUCTS);
        for line in 0..=chance.below(2) {
            let sku = (first + line * 7) % PRODUCTS;
            let quantity = chance.below(5) + 1;
            let cents = prices.get(sku as usize).copied().unwrap_or(100);
            writeln!(out, "O-{number:07},2026-11-{day:02},C-{customer:05},SKU-{sku:04},{quantity},{}", price(cents))?;
        }
    }
    out.flush()
}

/// Writes a project into a folder: the script of `examples/orders` without its documents, which are measured elsewhere,
/// and the files of `data` that it reads.
pub fn project(data: &Path, folder: &Path) -> Result<()> {
    create_dir_all(folder.join("data"))?;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/orders");
    let script = std::fs::read_to_string(example.join("process_orders.rpa"))?;
    let script: Vec<&str> = script.lines().filter(|line| !line.contains("document")).collect();
    std::fs::write(folder.join("process_orders.rpa"), script.join("\n") + "\n")?;
    std::fs::copy(example.join("confirmation.txt"), folder.join("confirmation.txt"))?;
    for name in ["customers.csv", "products.csv", "orders.csv"] {
        std::fs::copy(data.join(name), folder.join("data").join(name))?;
    }
    Ok(())
}

fn price(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// Numbers that look like chance and are the same every time (SplitMix64, Steele, Lea and Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[(self.next() % all.len() as u64) as usize]
    }
}

const FIRST: &[&str] = &["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Kurt", "Emmy", "Sofia"];
const LAST: &[&str] =
    &["Lovelace", "Hopper", "Turing", "Liskov", "Knuth", "Allen", "Noether", "Meier", "Nowak", "Rossi"];
const STREETS: &[&str] = &["Main Street", "High Street", "Invalidenstrasse", "Rue de la Paix", "Via Roma"];
const CITIES: &[(&str, &str)] =
    &[("Berlin", "DE"), ("Paris", "FR"), ("Milano", "IT"), ("Wien", "AT"), ("Madrid", "ES"), ("Utrecht", "NL")];
const COLOURS: &[&str] = &["Red", "Blue", "Green", "White", "Black", "Grey"];
const THINGS: &[&str] = &["lamp", "chair", "desk", "shelf", "binder", "pen", "cable", "screen", "mug", "clock"];
const CATEGORIES: &[&str] = &["Furniture", "Office", "Technology"];
