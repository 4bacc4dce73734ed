//! Generates projects as departments have them: a model that all scripts use, and scripts with records, enums, tables,
//! functions, tasks, flows and tests in it.

use std::fmt::Write;
use std::path::Path;

/// How long a script is, about.
const LINES_A_SCRIPT: usize = 400;

/// Writes a project of about so many lines into a folder; gives how many lines and scripts there are.
///
/// # Errors
/// When the folder can't be written to.
pub fn write(folder: &Path, lines: usize) -> std::io::Result<(usize, usize)> {
    std::fs::write(folder.join("rpa.toml"), "name = \"generated\"\nzone = \"Europe/Berlin\"\ncurrency = \"EUR\"\n")?;
    let model = model();
    let mut written = model.lines().count();
    std::fs::write(folder.join("model.rpa"), model)?;
    let mut scripts = 1;
    while written < lines {
        let area = folder.join(format!("area_{:02}", scripts / 100));
        std::fs::create_dir_all(&area)?;
        let text = script(scripts, LINES_A_SCRIPT.min(lines - written));
        written += text.lines().count();
        std::fs::write(area.join(format!("script_{scripts:04}.rpa")), text)?;
        scripts += 1;
    }
    Ok((written, scripts))
}

/// What all scripts share.
fn model() -> String {
    String::from(
        "/// How good a customer is.\n\
        enum Grade { prime, middle, basic }\n\n\
        /// Where a case stands.\n\
        enum Stage { fresh, waiting, settled, closed }\n\n\
        /// What comes in.\n\
        record Case {\n  number: text\n  customer: text\n  tier: Grade\n  amount: money EUR\n  days: int\n  urgent: bool\n  opened: date\n  note: text?\n}\n\n\
        /// What is kept of a case.\n\
        entity Kept {\n  key number: text\n  stage: Stage = fresh\n  amount: money EUR\n  decided: date?\n  index customer: text\n}\n\n\
        error refused(number: text)\n\
        transient error busy(reason: text)\n",
    )
}

/// A script of about so many lines, made of blocks that use each other.
fn script(number: usize, lines: usize) -> String {
    let mut out = format!("// Cases of area {number}.\n\n");
    if number.is_multiple_of(3) {
        out.push_str("use crm\n");
    }
    out.push_str("use \"../model.rpa\"\n\n");
    let mut block = 0;
    while out.lines().count() < lines {
        self::block(&mut out, number, block);
        if number.is_multiple_of(3) {
            let _ = writeln!(
                out,
                "/// Books the items of an order again.\ntask book_{block}(order: Order) -> int {{\n  let open = OrderLine.where(it.order == order and it.quantity > {block})\n  return open.sum(it.quantity)\n}}\n"
            );
            let _ = writeln!(
                out,
                "test \"nothing is booked {block}\" {{\n  expect Order.count == 0\n  expect Order.all.map(book_{block}(it)).count == 0\n}}\n"
            );
        }
        block += 1;
    }
    out
}

/// A table, what computes with it, what acts on it, and a flow over all.
fn block(out: &mut String, script: usize, block: usize) {
    let (low, high) = (3 + block % 7, 20 + script % 11);
    let _ = write!(
        out,
        r#"/// The fee of a case, by tier and age.
rules fee_{block}(tier: Grade, days: int, urgent: bool) -> percent {{
  | tier           | days        | urgent | => share |
  | prime           | < {low}         | -      | 0%       |
  | prime           | {low}..{high}       | false  | 1%       |
  | prime           | {low}..{high}       | true   | 1.5%     |
  | prime           | > {high}        | -      | 2%       |
  | middle, basic | < {low}         | false  | 2.5%     |
  | middle, basic | < {low}         | true   | 3%       |
  | middle         | >= {low}        | -      | 4%       |
  | basic         | >= {low}        | -      | 5%       |
}}

/// What is added up of some cases.
record Sum{block} {{
  tier: Grade
  cases: int
  total: money EUR
  fees: money EUR
}}

/// The fee of a case in money.
fn charge_{block}(each: Case) -> money EUR {{
  let share = fee_{block}(each.tier, each.days, each.urgent)
  if each.amount < {low}.50 EUR {{
    return 0 EUR
  }}
  return (each.amount * share).round
}}

/// Adds up the cases of a tier.
fn added_{block}(cases: [Case], tier: Grade) -> Sum{block} {{
  let own = cases.where(it.tier == tier and it.amount > 0 EUR)
  var total = 0 EUR
  for each in own {{
    total = total + each.amount
  }}
  return Sum{block}(tier: tier, cases: own.count, total: total, fees: own.map(charge_{block}(it)).fold(0 EUR, (sum, fee) => sum + fee))
}}

/// Keeps a case, unless it is known.
task keep_{block}(each: Case) -> Kept {{
  let known = Kept.find(it.number == each.number)
  if known is some {{
    if known.stage == settled {{
      fail busy("case {{each.number}} is being closed")
    }}
    return known.update(amount: each.amount, stage: waiting)
  }}
  if each.days > {high} and not each.urgent {{
    fail refused(each.number)
  }}
  return Kept.create(number: each.number, amount: each.amount, customer: each.customer)
}}

/// Works off a case.
flow work_{block}(each: Case) key each.number {{
  step kept = keep_{block}(each)
    retry 3 times from 2 seconds doubling
    on refused as refusal {{
      step told = log.info("refused: {{refusal.number}}")
      stop "refused"
    }}
  match kept.stage {{
    fresh, waiting => {{
      step decided = kept.update(stage: closed, amount: each.amount + charge_{block}(each))
    }}
    settled, closed => stop "done before"
  }}
}}

/// Works off a file of cases.
flow all_{block}(file: text = "cases_{block}.csv") {{
  step cases = csv.read(file, as: Case)
  let best = added_{block}(cases, prime)
  step notes = log.info("{{best.tier}}: {{best.cases}} cases over {{best.total}}, {{best.fees}} fees")
  for each in cases {{
    run work_{block}(each)
  }}
}}

test "fees of block {block}" {{
  expect fee_{block}(prime, {low}, true) == 1.5%
  expect fee_{block}(basic, {high} + 1, false) == 5%
  let each = Case(number: "1", customer: "C", tier: middle, amount: 100 EUR, days: {high}, urgent: false, opened: 2026-01-02, note: none)
  expect charge_{block}(each) == 4 EUR
  expect added_{block}([each], middle).total == 100 EUR
}}

"#
    );
}
