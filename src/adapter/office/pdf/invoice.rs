//! The layout of an invoice: A4, the buyer's address where a window envelope shows it, lines over as many pages as they
//! need, the sums together.

use super::font::FontBook;
use super::page::{Gray, HEIGHT, Mark, Page, WIDTH};
use super::text::{Line, set, wrapped};
use crate::value::{Money, display};
use crate::world::{Invoice, InvoiceLine};

const LEFT: f32 = 56.7;
const RIGHT: f32 = WIDTH - 56.7;
const TOP: f32 = 56.7;
/// Where the last line of a page may end.
const BOTTOM: f32 = HEIGHT - 68.0;

const BODY: f32 = 9.0;
const SMALL: f32 = 7.5;
/// From one base line to the next, for the body.
const LEADING: f32 = 12.5;

const BLACK: Gray = 0.0;
const DARK: Gray = 0.25;
const MUTED: Gray = 0.45;
const FAINT: Gray = 0.8;
const SHADE: Gray = 0.95;

/// The columns of the lines: where each begins and ends.
const POSITION: (f32, f32) = (LEFT + 4.0, LEFT + 26.0);
const DESCRIPTION: (f32, f32) = (LEFT + 32.0, LEFT + 216.0);
const QUANTITY: (f32, f32) = (LEFT + 222.0, LEFT + 280.0);
const UNIT_PRICE: (f32, f32) = (LEFT + 286.0, LEFT + 366.0);
const TAX: (f32, f32) = (LEFT + 370.0, LEFT + 404.0);
const NET: (f32, f32) = (LEFT + 408.0, RIGHT - 4.0);

/// Draws pages from top to bottom.
struct Layout<'a> {
    fonts: &'a mut FontBook,
    pages: Vec<Page>,
    /// Where the next thing begins.
    y: f32,
}

/// The pages of an invoice.
pub(super) fn lay_out(fonts: &mut FontBook, invoice: &Invoice) -> Vec<Page> {
    let mut layout = Layout { fonts, pages: vec![Page::new()], y: TOP };
    layout.head(invoice);
    layout.lines(invoice);
    layout.sums(invoice);
    layout.note(invoice);
    layout.feet(invoice);
    layout.pages
}

impl Layout<'_> {
    fn draw(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn put(&mut self, line: Line, x: f32, y: f32, size: f32, gray: Gray) {
        if !line.runs.is_empty() {
            self.draw(Mark::Text { x, y, size, gray, line });
        }
    }

    /// Text that ends at `right`; made smaller where it does not fit behind `left`.
    fn put_right(&mut self, text: &str, bold: bool, (left, right): (f32, f32), y: f32, size: f32, gray: Gray) {
        let line = set(self.fonts, text, bold);
        let width = line.width * size / 1000.0;
        let size = if width > right - left { size * (right - left) / width } else { size };
        self.put(line.clone(), right - line.width * size / 1000.0, y, size, gray);
    }

    fn rule(&mut self, from: f32, to: f32, y: f32, thickness: f32, gray: Gray) {
        self.draw(Mark::Rule { from, to, y, thickness, gray });
    }

    /// Lines of text one below the other; gives the base line of the last.
    fn block(&mut self, text: &str, bold: bool, (left, right): (f32, f32), y: f32, size: f32, gray: Gray) -> f32 {
        let mut at = y;
        for line in wrapped(self.fonts, text, bold, (right - left) * 1000.0 / size) {
            self.put(line, left, at, size, gray);
            at += size * 1.35;
        }
        at - size * 1.35
    }

    fn head(&mut self, invoice: &Invoice) {
        let seller: Vec<&str> = invoice.seller.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let name = seller.first().copied().unwrap_or_default();
        let end = self.block(name, true, (LEFT, LEFT + 270.0), TOP + 12.0, 15.0, BLACK);
        let mut y = end.max(TOP + 12.0);
        // The seller's address, right below the name; the title stands on the other side.
        if seller.len() > 1 {
            let rest = seller.get(1..).unwrap_or_default().join("\n");
            y = self.block(&rest, false, (LEFT, LEFT + 270.0), y + 14.0, SMALL + 0.5, MUTED);
        }
        self.put_right(&invoice.title, true, (LEFT + 290.0, RIGHT), TOP + 14.0, 20.0, BLACK);

        let from = (y + 34.0).max(TOP + 78.0);
        let sender = seller.join(" · ");
        let sender = set(self.fonts, &sender, false);
        let size = (6.5_f32).min(230.0 * 1000.0 / sender.width.max(1.0)).max(4.0);
        if sender.width * size / 1000.0 <= 231.0 {
            self.put(sender, LEFT, from, size, MUTED);
            self.rule(LEFT, LEFT + 230.0, from + 3.0, 0.4, FAINT);
        }
        let buyer: Vec<&str> = invoice.buyer.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut below = from + 18.0;
        for (at, line) in buyer.iter().enumerate() {
            below = self.block(line, at == 0, (LEFT, LEFT + 250.0), below, 10.5, BLACK) + 14.0;
        }
        let mut facts = vec![
            ("Number", invoice.number.to_string(), true),
            ("Date", display::date(invoice.issued), false),
            ("Due", display::date(invoice.due), false),
        ];
        if !invoice.reference.trim().is_empty() {
            facts.push(("Reference", invoice.reference.to_string(), false));
        }
        let mut at = from + 18.0;
        for (label, value, bold) in facts {
            let label = set(self.fonts, label, false);
            self.put(label, LEFT + 290.0, at, BODY, MUTED);
            let lines = wrapped(self.fonts, &value, bold, (RIGHT - LEFT - 350.0) * 1000.0 / BODY);
            for line in lines {
                let x = RIGHT - line.width * BODY / 1000.0;
                self.put(line, x, at, BODY, BLACK);
                at += 14.0;
            }
        }
        self.y = below.max(at) + 22.0;
    }

    /// The head of the lines, on every page that has some.
    fn line_heads(&mut self) {
        let y = self.y;
        self.draw(Mark::Box { x: LEFT, y, width: RIGHT - LEFT, height: 18.0, gray: SHADE });
        let base = y + 12.0;
        for (text, x) in [("Pos.", POSITION.0), ("Description", DESCRIPTION.0)] {
            let line = set(self.fonts, text, true);
            self.put(line, x, base, SMALL + 0.5, DARK);
        }
        for (text, column) in [("Quantity", QUANTITY), ("Unit price", UNIT_PRICE), ("Tax", TAX), ("Net", NET)] {
            self.put_right(text, true, column, base, SMALL + 0.5, DARK);
        }
        self.y = y + 18.0;
    }

    fn new_page(&mut self, invoice: &Invoice) {
        self.pages.push(Page::new());
        let label = format!("{} {}", invoice.title, invoice.number);
        let line = set(self.fonts, &label, false);
        self.put(line, LEFT, TOP, SMALL + 0.5, MUTED);
        self.put_right(&display::date(invoice.issued), false, (LEFT + 290.0, RIGHT), TOP, SMALL + 0.5, MUTED);
        self.y = TOP + 16.0;
    }

    fn lines(&mut self, invoice: &Invoice) {
        self.line_heads();
        let mut carried: Option<Money> = None;
        for (at, line) in invoice.lines.iter().enumerate() {
            let described =
                wrapped(self.fonts, &line.description, false, (DESCRIPTION.1 - DESCRIPTION.0) * 1000.0 / BODY);
            let height = described.len().max(1) as f32 * LEADING + 6.0;
            // Room for the sum that is carried over stays below, but for the last line.
            let last = at + 1 == invoice.lines.len();
            let room = if last { BOTTOM } else { BOTTOM - 18.0 };
            if self.y + height > room && at > 0 {
                self.carry("Carried over", carried);
                self.new_page(invoice);
                self.line_heads();
                self.carry("Brought forward", carried);
            }
            self.line(line, described, invoice);
            carried = match carried {
                None => Some(line.net),
                Some(sum) => sum.plus(line.net).ok(),
            };
        }
        self.rule(LEFT, RIGHT, self.y, 0.8, DARK);
        self.y += 6.0;
    }

    fn line(&mut self, line: &InvoiceLine, described: Vec<Line>, invoice: &Invoice) {
        let base = self.y + 12.0;
        let position = line.position.to_string();
        self.put_right(&position, false, (POSITION.0 - 4.0, POSITION.0 + 14.0), base, BODY, MUTED);
        self.put_right(&line.quantity, false, QUANTITY, base, BODY, BLACK);
        self.put_right(&amount(line.unit_price), false, UNIT_PRICE, base, BODY, BLACK);
        self.put_right(&display::percent(line.tax_rate), false, TAX, base, BODY, BLACK);
        self.put_right(&amount(line.net), false, NET, base, BODY, BLACK);
        let mut at = base;
        for (index, text) in described.into_iter().enumerate() {
            // A description longer than a page goes on on the next.
            if index > 0 && at > BOTTOM {
                self.new_page(invoice);
                self.line_heads();
                at = self.y + 12.0;
            }
            self.put(text, DESCRIPTION.0, at, BODY, BLACK);
            at += LEADING;
        }
        self.y = at.max(base + LEADING) - 12.0 + 6.0;
        self.rule(LEFT, RIGHT, self.y, 0.4, FAINT);
    }

    fn carry(&mut self, label: &str, sum: Option<Money>) {
        if let Some(sum) = sum {
            let base = self.y + 12.0;
            let line = set(self.fonts, label, false);
            self.put(line, DESCRIPTION.0, base, SMALL + 0.5, MUTED);
            self.put_right(&amount(sum), false, NET, base, SMALL + 0.5, MUTED);
            self.y += 18.0;
            self.rule(LEFT, RIGHT, self.y, 0.4, FAINT);
        }
    }

    fn sums(&mut self, invoice: &Invoice) {
        let mut rows = vec![("Net".to_string(), invoice.net)];
        for tax in &invoice.taxes {
            rows.push((format!("Tax {} on {}", display::percent(tax.rate), amount(tax.net)), tax.tax));
        }
        if invoice.taxes.len() != 1 {
            rows.push(("Tax".to_string(), invoice.tax));
        }
        let height = rows.len() as f32 * 15.0 + 34.0;
        if self.y + height > BOTTOM {
            self.new_page(invoice);
        }
        let (labels, left) = (LEFT + 230.0, NET.0 - 20.0);
        for (label, value) in rows {
            self.y += 15.0;
            let line = set(self.fonts, &label, false);
            let size =
                if line.width * BODY / 1000.0 > left - labels { (left - labels) * 1000.0 / line.width } else { BODY };
            self.put(line, labels, self.y, size, DARK);
            self.put_right(&amount(value), false, (left, NET.1), self.y, BODY, BLACK);
        }
        self.y += 7.0;
        self.rule(labels, RIGHT, self.y, 0.8, DARK);
        self.y += 16.0;
        let line = set(self.fonts, "Total", true);
        self.put(line, labels, self.y, 11.0, BLACK);
        self.put_right(&amount(invoice.gross), true, (labels + 60.0, NET.1), self.y, 11.0, BLACK);
        self.y += 7.0;
        self.rule(labels, RIGHT, self.y, 0.8, DARK);
    }

    fn note(&mut self, invoice: &Invoice) {
        self.y += 30.0;
        for line in wrapped(self.fonts, &invoice.note, false, (RIGHT - LEFT) * 1000.0 / BODY) {
            if self.y > BOTTOM {
                self.new_page(invoice);
                self.y += 12.0;
            }
            self.put(line, LEFT, self.y, BODY, DARK);
            self.y += LEADING;
        }
    }

    /// What stands at the foot of every page, now that it is known how many there are.
    fn feet(&mut self, invoice: &Invoice) {
        let count = self.pages.len();
        let name = invoice.seller.lines().next().unwrap_or_default().trim();
        let left = set(self.fonts, &format!("{name} · {} {}", invoice.title, invoice.number), false);
        for (at, page) in self.pages.iter_mut().enumerate() {
            let y = HEIGHT - 40.0;
            page.push(Mark::Rule { from: LEFT, to: RIGHT, y: y - 11.0, thickness: 0.4, gray: FAINT });
            let number = set(self.fonts, &format!("Page {} of {count}", at + 1), false);
            let x = RIGHT - number.width * SMALL / 1000.0;
            let room = (x - LEFT - 20.0) * 1000.0 / left.width.max(1.0);
            page.push(Mark::Text { x: LEFT, y, size: SMALL.min(room), gray: MUTED, line: left.clone() });
            page.push(Mark::Text { x, y, size: SMALL, gray: MUTED, line: number });
        }
    }
}

/// An amount with its currency, thousands in groups: `1,234.50 EUR`.
fn amount(money: Money) -> String {
    let plain = display::amount(money);
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let fraction = fraction.map_or_else(String::new, |fraction| format!(".{fraction}"));
    format!("{sign}{grouped}{fraction} {}", money.currency)
}

#[cfg(test)]
mod tests;
