//! `pdf.invoice`.

use super::arguments::Arguments;
use super::executor::Executor;
use super::problem::{Problem, document_problem};
use crate::value::{Date, Decimal, EcoString, Money, Value};
use crate::world::{Invoice, InvoiceLine, InvoiceTax};

pub(super) fn invoice(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let path = arguments.text(0)?;
    let invoice = described(arguments.value(1))
        .ok_or_else(|| Problem::internal("pdf.invoice was given something that is no InvoiceDocument"))?;
    if executor.may_leave() && executor.world.documents.begin_invoice(&invoice) {
        return Err(Problem::Elsewhere);
    }
    let content = executor.world.documents.print_invoice(&invoice).map_err(|error| document_problem(path, error))?;
    executor.world.files.write(path, &content)?;
    executor.document(path, content.len())
}

/// The `InvoiceDocument` of a script, field by field in the order of the prelude.
fn described(value: &Value) -> Option<Invoice> {
    let [title, number, issued, due, seller, buyer, reference, lines, taxes, net, tax, gross, note] = value.fields()?
    else {
        return None;
    };
    Some(Invoice {
        title: text(title)?,
        number: text(number)?,
        issued: date(issued)?,
        due: date(due)?,
        seller: text(seller)?,
        buyer: text(buyer)?,
        reference: text(reference)?,
        lines: lines.as_list()?.iter().map(line).collect::<Option<_>>()?,
        taxes: taxes.as_list()?.iter().map(tax_row).collect::<Option<_>>()?,
        net: money(net)?,
        tax: money(tax)?,
        gross: money(gross)?,
        note: text(note)?,
    })
}

fn line(value: &Value) -> Option<InvoiceLine> {
    let [position, description, quantity, unit_price, tax_rate, net] = value.fields()? else { return None };
    Some(InvoiceLine {
        position: position.as_int()?,
        description: text(description)?,
        quantity: text(quantity)?,
        unit_price: money(unit_price)?,
        tax_rate: percent(tax_rate)?,
        net: money(net)?,
    })
}

fn tax_row(value: &Value) -> Option<InvoiceTax> {
    let [rate, net, tax] = value.fields()? else { return None };
    Some(InvoiceTax { rate: percent(rate)?, net: money(net)?, tax: money(tax)? })
}

fn text(value: &Value) -> Option<EcoString> {
    value.as_text().map(EcoString::from)
}

fn date(value: &Value) -> Option<Date> {
    if let Value::Date(date) = value { Some(*date) } else { None }
}

fn money(value: &Value) -> Option<Money> {
    if let Value::Money(money) = value { Some(*money) } else { None }
}

fn percent(value: &Value) -> Option<Decimal> {
    if let Value::Percent(rate) = value { Some(*rate) } else { None }
}
