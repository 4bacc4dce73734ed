//! What primitives do with what their arguments carry: which give it on, which end it, where it leaves.

use super::sink::{Leak, Sink};
use super::solve::Analysis;
use super::taint::{Carried, Origin, Taint};
use crate::check::host::Address;
use crate::check::program::{Expr, ExprKind, Type};
use crate::library::Operation;
use crate::syntax::tree::Label;
use crate::text::Span;

impl<'p> Analysis<'p> {
    /// What a primitive gives.
    pub fn perform(&mut self, operation: Operation, arguments: &'p [Expr], expr: &'p Expr) -> Carried {
        use Operation as O;
        match operation {
            O::EmailSend => {
                self.mail(arguments, expr.span);
                return Carried::default();
            }
            O::LogInfo | O::LogWarn => {
                let taint = self.all(arguments).whole();
                let span = arguments.first().map_or(expr.span, |message| message.span);
                self.leave(&taint, &Sink::Log, span);
                return Carried::default();
            }
            O::FileWrite | O::CsvWrite | O::ExcelWrite | O::JsonWrite => {
                self.file(arguments);
                return Carried::default();
            }
            O::HttpGet | O::HttpPost | O::HttpPut | O::HttpPatch | O::HttpDelete => {
                self.outside_call(operation, arguments);
                return Carried::default();
            }
            O::Secret => {
                self.all(arguments);
                let name = arguments.first().and_then(|name| self.known_text(name)).unwrap_or_default();
                let way = self.declared_way(expr.span, name, Label::Secret);
                return Carried::plain(Taint::of(Origin::Secret, way));
            }
            // An invoice names the buyer; nothing else may be in the document.
            O::PdfInvoice => {
                if let Some(document) = arguments.get(1) {
                    let mut taint = self.value(document).whole();
                    taint.join(&self.of_type(&document.ty));
                    self.only_secrets(&taint, document.span);
                }
                return Carried::default();
            }
            _ => {}
        }
        let carried = self.of_arguments(operation, arguments);
        match expr.ty {
            _ if ends(operation) => Carried::default(),
            Type::Bool => Carried::plain(self.asked(carried.whole())),
            _ => carried,
        }
    }

    fn of_arguments(&mut self, operation: Operation, arguments: &'p [Expr]) -> Carried {
        use Operation as O;
        let Some((receiver, rest)) = arguments.split_first() else { return Carried::default() };
        let has_lambda = rest.iter().any(|argument| matches!(argument.kind, ExprKind::Lambda(..)));
        let target = self.value(receiver);
        if has_lambda {
            return self.with_lambda(operation, target, rest);
        }
        match operation {
            O::MapKeys => Carried::plain(target.keys),
            O::MapValues => Carried::plain(target.values),
            O::MapGet => {
                self.all(rest);
                Carried::plain(target.values)
            }
            O::MapPut => {
                let mut target = target;
                if let Some(key) = rest.first() {
                    target.keys.join(&self.value(key).whole());
                }
                if let Some(value) = rest.get(1) {
                    target.values.join(&self.value(value).whole());
                }
                target
            }
            O::MapRemove | O::ListAt | O::ListTake | O::ListSkip | O::ListChunks => {
                self.all(rest);
                target
            }
            O::JsonText => {
                self.reads_whole_records();
                let mut whole = target.whole();
                whole.join(&self.of_type(&receiver.ty));
                Carried::plain(whole)
            }
            _ => {
                let mut all = target;
                all.join(&self.all(rest));
                Carried::plain(all.whole())
            }
        }
    }

    fn with_lambda(&mut self, operation: Operation, target: Carried, rest: &'p [Expr]) -> Carried {
        use Operation as O;
        let elements = Carried { values: target.values.clone(), keys: target.values.clone() };
        let mut given: Vec<Carried> = Vec::new();
        for argument in rest {
            let ExprKind::Lambda(parameters, body) = &argument.kind else {
                given.push(self.value(argument));
                continue;
            };
            match parameters.as_slice() {
                [sum, element] if operation == O::ListFold => {
                    if let Some(start) = given.first().cloned() {
                        self.hold(sum.index(), &start);
                    }
                    self.hold(element.index(), &elements);
                    let combined = self.value(body);
                    self.hold(sum.index(), &combined);
                    given.push(combined);
                }
                parameters => {
                    for parameter in parameters {
                        self.hold(parameter.index(), &elements);
                    }
                    given.push(self.value(body));
                }
            }
        }
        let mut given = given.into_iter();
        let first = given.next().unwrap_or_default();
        match operation {
            O::ListMap | O::ListFlatMap | O::ListMin | O::ListMax | O::ListSum | O::ListAverage => first,
            O::ListAny | O::ListAll => first,
            O::ListGroup => Carried { keys: first.whole(), values: target.values },
            O::ListToMap => {
                Carried { keys: first.whole(), values: given.next().map(Carried::whole).unwrap_or_default() }
            }
            O::ListFold => {
                let mut all = first;
                given.for_each(|other| {
                    all.join(&other);
                });
                all
            }
            _ => target,
        }
    }

    fn file(&mut self, arguments: &'p [Expr]) {
        let [path, content, rest @ ..] = arguments else { return };
        self.value(path);
        self.all(rest);
        let mut taint = self.value(content).whole();
        taint.join(&self.of_type(&content.ty));
        let sink = Sink::File(self.known_text(path).unwrap_or_default());
        self.leave(&taint, &sink, content.span);
    }

    /// A call of another system: what its address says is read on the way, what it carries by the system.
    fn outside_call(&mut self, operation: Operation, arguments: &'p [Expr]) {
        let Some((url, rest)) = arguments.split_first() else { return };
        let system = self.known_text(url).and_then(|text| Address::of(&text));
        let has_body = !matches!(operation, Operation::HttpGet | Operation::HttpDelete);
        let (body, rest) = match rest.split_first() {
            Some((body, rest)) if has_body => (Some(body), rest),
            _ => (None, rest),
        };
        let in_url = Sink::Url(system.clone());
        let taint = self.value(url).whole();
        self.leave(&taint, &in_url, url.span);
        // Behind the type.
        if let Some(query) = rest.get(1) {
            let taint = self.value(query).whole();
            self.leave(&taint, &in_url, query.span);
        }
        for part in body.into_iter().chain(rest.get(2)) {
            let mut taint = self.value(part).whole();
            taint.join(&self.of_type(&part.ty));
            self.leave(&taint, &Sink::Call(system.clone()), part.span);
        }
    }

    fn only_secrets(&mut self, taint: &Taint, span: Span) {
        for (origin, way) in taint.iter().filter(|(origin, _)| *origin == Origin::Secret) {
            self.leak(Leak { origin, sink: Sink::File("".into()), span, way, unless: Vec::new() }, span);
        }
    }

    /// A mail: what it says may be personal when it goes to the person.
    fn mail(&mut self, arguments: &'p [Expr], call: Span) {
        let [to, rest @ ..] = arguments else { return };
        let recipient = self.value(to).whole();
        let known = self.known_text(to).filter(|_| recipient.is_empty());
        let is_person = recipient.way_of(Origin::Personal).is_some();
        let unless: Vec<u32> = recipient
            .iter()
            .filter_map(|(origin, _)| match origin {
                Origin::Parameter(at) => Some(at),
                _ => None,
            })
            .collect();
        // Copies to others.
        let copies: Vec<&'p Expr> = match rest.get(2).map(|cc| &cc.kind) {
            Some(ExprKind::List(copies)) => copies.iter().collect(),
            _ => rest.get(2).into_iter().collect(),
        };
        let mut others = Vec::new();
        for copy in copies {
            let carried = self.value(copy).whole();
            let is_empty = matches!(&copy.kind, ExprKind::List(all) if all.is_empty())
                || matches!(copy.kind, ExprKind::Value(_)) && self.known_text(copy).is_none();
            if carried.is_empty() && !is_empty {
                others.push(self.known_text(copy).unwrap_or_default());
            }
        }
        for (at, part) in rest.iter().enumerate().filter(|(at, _)| *at != 2) {
            let mut said = self.value(part).whole();
            // That it is written at all tells what it hangs on; the body stands for it.
            if at == 1 {
                said.join(&self.context);
                said.join(&self.passed);
            }
            for (origin, way) in said.iter() {
                if at == 0 {
                    self.leak(Leak { origin, sink: Sink::Subject, span: call, way, unless: Vec::new() }, call);
                }
                // Where answers go is an address, as the recipient is; attachments are documents.
                let is_said = at < 2;
                if is_said && (!is_person || origin == Origin::Secret || !origin.is_known()) {
                    let sink = Sink::Mail(known.clone().unwrap_or_default());
                    let unless = if origin == Origin::Secret { Vec::new() } else { unless.clone() };
                    // To the person a secret alone must not go: that is asked for when the caller is known.
                    let is_open = is_person && !origin.is_known();
                    if !is_open {
                        self.leak(Leak { origin, sink, span: part.span, way, unless }, part.span);
                    }
                }
                if is_said {
                    for other in &others {
                        let sink = Sink::Mail(other.clone());
                        self.leak(Leak { origin, sink, span: part.span, way, unless: Vec::new() }, part.span);
                    }
                }
            }
        }
        for (origin, way) in recipient.iter().filter(|(origin, _)| *origin == Origin::Secret) {
            let sink = Sink::Mail("".into());
            self.leak(Leak { origin, sink, span: to.span, way, unless: Vec::new() }, to.span);
        }
    }
}

/// Primitives whose result tells nothing of the data itself: releases, counts, sums, likeness.
fn ends(operation: Operation) -> bool {
    use Operation as O;
    matches!(
        operation,
        O::TextMask
            | O::TextLastFour
            | O::TextLength
            | O::TextSimilarity
            | O::ListCount
            | O::ListIsEmpty
            | O::MapIsEmpty
            | O::ListSum
            | O::ListAverage
            | O::ListIndexOf
            | O::MapCount
            | O::MoneyCurrency
    )
}
