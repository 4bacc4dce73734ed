use super::*;
use crate::adapter::office::pdf::Printer;
use crate::adapter::office::pdf::page::shown;
use crate::value::{Currency, Date};
use crate::world::InvoiceTax;
use std::process::Command;

fn money(text: &str) -> Money {
    Money::new(text.parse().unwrap(), Currency::EUR)
}

/// An invoice with so many lines for this buyer.
fn invoice(buyer: &str, count: i64) -> Invoice {
    let goods = [
        "Desk lamp, brass, with a dimmer and a cable of two metres",
        "Office chair",
        "桌子 (desk), oak veneer, 160 × 80 cm",
        "Стул складной",
        "مصباح مكتب",
    ];
    let line = |position: i64| InvoiceLine {
        position,
        description: goods[position as usize % goods.len()].into(),
        quantity: format!("{position} pcs").into(),
        unit_price: money("19.90"),
        tax_rate: "0.19".parse().unwrap(),
        net: money("1019.90"),
    };
    let net = money("1019.90").multiply(count.into()).unwrap();
    Invoice {
        title: "Invoice".into(),
        number: "R-2026-00042".into(),
        issued: Date::constant(2026, 11, 22),
        due: Date::constant(2026, 12, 6),
        seller: "Lampenhaus Grün GmbH\nHauptstraße 12\n10115 Berlin\nDE123456789".into(),
        buyer: buyer.into(),
        reference: "Order 4711".into(),
        lines: (1..=count).map(line).collect(),
        taxes: vec![
            InvoiceTax { rate: "0.19".parse().unwrap(), net, tax: net.multiply("0.19".parse().unwrap()).unwrap() },
            InvoiceTax { rate: "0.07".parse().unwrap(), net: money("0"), tax: money("0") },
        ],
        net,
        tax: net.multiply("0.19".parse().unwrap()).unwrap(),
        gross: net.multiply("1.19".parse().unwrap()).unwrap(),
        note: "Please pay to DE02 1203 0000 0000 2020 51 within 14 days.\nThank you for your order!".into(),
    }
}

const EVERYONE: &str = "Δημήτρης Παπαδόπουλος, Мария Иванова\n株式会社青空商事 北京市朝阳区建国路88号\n이순신 김유신\nمحمد بن عبد الله، القاهرة 12\nשלום כהן\nश्रीमती प्रिया शर्मा\nสมชาย ใจดี\nŁódź, Đà Nẵng, Ķeņģē";

fn pages(invoice: &Invoice) -> Vec<Page> {
    lay_out(&mut FontBook::new(&[]).unwrap(), invoice)
}

#[test]
fn an_invoice_has_its_parts_in_their_places() {
    insta::assert_snapshot!(shown(&pages(&invoice("Ada Lovelace\n12 St James's Square\nLondon", 2))), @r"
    page 1
        56.7   68.7 15.0 Lampenhaus Grün GmbH
        56.7   82.7  8.0 Hauptstraße 12
        56.7   93.5  8.0 10115 Berlin
        56.7  104.3  8.0 DE123456789
       465.7   70.7 20.0 Invoice
        56.7  138.3  6.5 Lampenhaus Grün GmbH · Hauptstraße 12 · 10115 Berlin · DE123456789
        56.7  141.3 rule to 286.7
        56.7  156.3 10.5 Ada Lovelace
        56.7  170.3 10.5 12 St James's Square
        56.7  184.3 10.5 London
       346.7  156.3  9.0 Number
       480.5  156.3  9.0 R-2026-00042
       346.7  170.3  9.0 Date
       491.6  170.3  9.0 2026-11-22
       346.7  184.3  9.0 Due
       491.6  184.3  9.0 2026-12-06
       346.7  198.3  9.0 Reference
       490.6  198.3  9.0 Order 4711
        56.7  234.3 box 481.9 x 18.0
        60.7  246.3  8.0 Pos.
        88.7  246.3  8.0 Description
       301.1  246.3  8.0 Quantity
       383.4  246.3  8.0 Unit price
       446.6  246.3  8.0 Tax
       519.9  246.3  8.0 Net
        69.6  264.3  9.0 1
       315.0  264.3  9.0 1 pcs
       380.2  264.3  9.0 19.90 EUR
       442.9  264.3  9.0 19%
       479.3  264.3  9.0 1,019.90 EUR
        88.7  264.3  9.0 Office chair
        56.7  270.8 rule to 538.6
        69.6  282.8  9.0 2
       315.0  282.8  9.0 2 pcs
       380.2  282.8  9.0 19.90 EUR
       442.9  282.8  9.0 19%
       479.3  282.8  9.0 1,019.90 EUR
        88.7  282.8  9.0 桌子 (desk), oak veneer, 160 × 80 cm
        56.7  289.3 rule to 538.6
        56.7  289.3 rule to 538.6
       286.7  310.3  9.0 Net
       479.3  310.3  9.0 2,039.80 EUR
       286.7  325.3  9.0 Tax 19% on 2,039.80 EUR
       481.8  325.3  9.0 387.562 EUR
       286.7  340.3  9.0 Tax 7% on 0.00 EUR
       497.2  340.3  9.0 0.00 EUR
       286.7  355.3  9.0 Tax
       481.8  355.3  9.0 387.562 EUR
       286.7  362.3 rule to 538.6
       286.7  378.3 11.0 Total
       459.7  378.3 11.0 2,427.362 EUR
       286.7  385.3 rule to 538.6
        56.7  415.3  9.0 Please pay to DE02 1203 0000 0000 2020 51 within 14 days.
        56.7  427.8  9.0 Thank you for your order!
        56.7  790.9 rule to 538.6
        56.7  801.9  7.5 Lampenhaus Grün GmbH · Invoice R-2026-00042
       499.4  801.9  7.5 Page 1 of 1
    ");
}

#[test]
fn many_lines_go_over_pages_with_heads_and_carried_sums() {
    let pages = pages(&invoice(EVERYONE, 60));
    assert_eq!(pages.len(), 3);
    let said = |page: &Page| {
        let text = |mark: &Mark| match mark {
            Mark::Text { line, .. } => Some(line.text.clone()),
            _ => None,
        };
        page.iter().filter_map(text).collect::<Vec<_>>()
    };
    for (number, page) in pages.iter().enumerate() {
        let said = said(page);
        assert!(said.contains(&"Description".to_string()));
        assert!(said.contains(&format!("Page {} of 3", number + 1)));
        assert_eq!(said.contains(&"Brought forward".to_string()), number > 0);
        assert_eq!(said.contains(&"Carried over".to_string()), number < 2);
    }
    // Nothing leaves the page, and nothing but the foot stands below the last line.
    for mark in pages.iter().flatten() {
        if let Mark::Text { x, y, size, line, .. } = mark {
            assert!(*x >= LEFT - 0.1 && x + line.width * size / 1000.0 <= RIGHT + 0.1, "{}", line.text);
            assert!(*y <= BOTTOM || *y == HEIGHT - 40.0, "{} at {y}", line.text);
        }
    }
}

#[test]
fn every_letter_has_a_glyph() {
    let mut fonts = FontBook::new(&[]).unwrap();
    for text in EVERYONE.lines() {
        let line = set(&mut fonts, text, false);
        assert!(line.runs.iter().flat_map(|run| &run.glyphs).all(|glyph| glyph.id != 0), "{text}");
    }
    // Arabic letters join: fewer or other glyphs than letters alone would give.
    let together = set(&mut fonts, "محمد", false);
    let alone = set(&mut fonts, "د م ح م", false);
    let glyphs = |line: &Line| line.runs.iter().flat_map(|run| &run.glyphs).map(|glyph| glyph.id).collect::<Vec<_>>();
    assert!(glyphs(&together).iter().any(|glyph| !glyphs(&alone).contains(glyph)));
}

#[test]
fn strange_invoices_are_printed_too() {
    let mut odd = invoice("", 1);
    odd.seller = "".into();
    odd.note = "x".repeat(5000).into();
    odd.buyer = "\n\n\t\u{0}\u{202e}abc\u{fffd}\u{10ffff}".into();
    odd.lines[0].description = "W".repeat(20_000).into();
    odd.lines[0].unit_price = money("79228162514264337593543950335");
    odd.taxes.clear();
    odd.lines.push(odd.lines[0].clone());
    let drawn = pages(&odd);
    assert!(drawn.len() > 3);
    odd.lines.clear();
    assert!(Printer::new(&[]).unwrap().invoice(&odd).unwrap().starts_with(b"%PDF-1.7"));
}

#[test]
fn the_same_invoice_gives_the_same_bytes() {
    let mut printer = Printer::new(&[]).unwrap();
    let first = printer.invoice(&invoice(EVERYONE, 60)).unwrap();
    printer.invoice(&invoice("Someone else", 1)).unwrap();
    assert!(first == printer.invoice(&invoice(EVERYONE, 60)).unwrap());
    assert!(first == Printer::new(&[]).unwrap().invoice(&invoice(EVERYONE, 60)).unwrap());
}

#[test]
fn a_font_that_can_not_be_used_is_named() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.ttf");
    std::fs::write(&path, "no font").unwrap();
    let error = Printer::new(&[path]).unwrap_err().to_string();
    insta::assert_snapshot!(error.replace(place.path().to_str().unwrap(), "…"), @"the font `…/a.ttf` can't be used: unknown magic");
}

/// Written where `RPA_PDF_SAMPLES` says, to be looked at.
#[test]
#[allow(clippy::disallowed_macros, reason = "says that it did not run")]
fn text_can_be_taken_out_again() {
    let place = tempfile::tempdir().unwrap();
    let folder = std::env::var("RPA_PDF_SAMPLES").map_or(place.path().to_path_buf(), Into::into);
    let path = folder.join("everyone.pdf");
    std::fs::write(&path, Printer::new(&[]).unwrap().invoice(&invoice(EVERYONE, 60)).unwrap()).unwrap();
    let Ok(output) = Command::new("pdftotext").args(["-layout"]).arg(&path).arg("-").output() else {
        eprintln!("SKIPPED: pdftotext (poppler-utils) is not installed");
        return;
    };
    // Marks of direction are the reader's own.
    let text = String::from_utf8(output.stdout).unwrap().replace(['\u{202a}', '\u{202b}', '\u{202c}'], "");
    for part in [
        "Lampenhaus Grün GmbH",
        "R-2026-00042",
        "Δημήτρης Παπαδόπουλος",
        "Мария Иванова",
        "株式会社青空商事",
        "이순신",
        "محمد",
        "שלום",
        "प्रिया",
        "Page 3 of 3",
        "Ķeņģē",
        "72,820.86 EUR",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
}
