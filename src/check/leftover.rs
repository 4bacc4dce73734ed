//! What is left over inside of declarations: fields that nobody reads, members of enums that nothing gives or asks for,
//! columns of tables that decide nothing.
//!
//! A record that is used as a whole has all of its fields used: what is written to a file, shown, compared, given by a
//! flow, asked of a person or kept in the store. So have those that are read from files, whose fields are the file's.

use super::program::{
    BodyParts, CellTest, Expr, ExprKind, Program, RecordType, StatementKind, TextPart, TriggerEvent, Type, Wait,
};
use super::{Checker, UnusedHere};
use crate::check::hash::HashSet;
use crate::finding::{Finding, catalogue};
use crate::library::Operation;
use crate::syntax::tree::{BinaryOperator, ItemKind};
use crate::text::{SourceId, Span};
use crate::value::{EnumId, RecordId, Value};

impl Checker<'_> {
    /// Reports what nothing needs inside of the declarations of a script that starts something. What there is in others
    /// may be there for those that use them: of all of them together a project tells, by [`super::Checked::unused_here`].
    pub(crate) fn report_leftovers(&mut self) {
        if self.findings.iter().any(Finding::is_error) {
            return;
        }
        let mut starting: HashSet<SourceId> = HashSet::default();
        for module in self.names.modules.iter().filter(|module| !module.is_library && module.prefix.is_none()) {
            // What there are only tests of may be there for other scripts.
            let starts =
                |item: &crate::syntax::tree::Item| matches!(item.kind, ItemKind::Flow(_) | ItemKind::Trigger(_));
            if module.script.items.iter().any(starts) {
                starting.extend(module.script.items.first().map(|item| item.span.source));
            }
        }
        let is_own = |span: Span| self.program.sources.get(span.source).is_some_and(|source| !source.is_library);
        let mut findings = columns(&self.program, &is_own);
        let of_types = of_types(&self.program, &is_own);
        let is_reported =
            |one: &&UnusedHere| one.is_meant && one.finding.span().is_some_and(|span| starting.contains(&span.source));
        findings.extend(of_types.iter().filter(is_reported).map(|one| one.finding.clone()));
        self.unused_here.extend(of_types);
        findings.into_iter().for_each(|finding| self.report(finding));
    }
}

/// Fields and members that nothing uses.
fn of_types(program: &Program, wanted: &dyn Fn(Span) -> bool) -> Vec<UnusedHere> {
    let mut unused = Vec::new();
    let has_types = program.records.iter().map(|of| of.span).chain(program.enums.iter().map(|of| of.span)).any(wanted);
    if !has_types {
        return unused;
    }
    let uses = Uses::of(program);
    for (at, of) in program.records.iter().enumerate().filter(|(_, of)| wanted(of.span)) {
        let id = RecordId(u32::try_from(at).unwrap_or(u32::MAX));
        if !of.is_entity() && uses.whole.contains(&id) {
            continue;
        }
        for (index, field) in of.fields.iter().enumerate() {
            let key = (id, index);
            let is_used =
                uses.read.contains(&key) || of.is_entity() && (of.key == Some(index) || uses.set.contains(&key));
            if !is_used && !field.name.starts_with('_') {
                // Of a record that nothing makes nobody could read a field.
                unused.push(UnusedHere { finding: of_field(of, index), is_meant: uses.made.contains(&id) });
            }
        }
    }
    for (at, of) in program.enums.iter().enumerate().filter(|(_, of)| wanted(of.span)) {
        let id = EnumId(u32::try_from(at).unwrap_or(u32::MAX));
        if uses.from_outside.contains(&id) {
            continue;
        }
        let is_meant = uses.given.contains(&id) && uses.members.iter().any(|(used, _)| *used == id);
        for (index, member) in of.members.iter().enumerate() {
            let member_id = u16::try_from(index).unwrap_or(u16::MAX);
            if uses.members.contains(&(id, member_id)) || member.starts_with('_') {
                continue;
            }
            let finding = Finding::new(
                &catalogue::unused::MEMBER,
                of.span,
                format!("nothing gives or asks for the member `{member}` of `{}`", of.name),
            )
            .at(format!("`{member}` is never used"))
            .help(format!("remove `{member}`, or use it where it was meant"));
            unused.push(UnusedHere { finding, is_meant });
        }
    }
    unused
}

fn of_field(of: &RecordType, index: usize) -> Finding {
    let name = of.fields.get(index).map(|field| field.name.as_str()).unwrap_or_default();
    let place = of.fields.get(index).map_or(of.span, |field| field.span);
    let (message, at) = if of.is_entity() {
        (format!("nothing sets or reads the field `{name}` of `{}`", of.name), "nothing uses it")
    } else {
        (format!("nothing reads the field `{name}` of `{}`", of.name), "set, and never read")
    };
    Finding::new(&catalogue::unused::FIELD, place, message)
        .at(at)
        .help(format!("remove it, or call it `_{name}` if that is meant"))
}

fn columns(program: &Program, wanted: &dyn Fn(Span) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in program.tables.iter().filter(|table| wanted(table.span)) {
        for (index, column) in table.columns.iter().enumerate() {
            let takes_anything = |test: &CellTest| matches!(test, CellTest::Anything | CellTest::Otherwise);
            let has_say = table.rows.iter().filter_map(|row| row.tests.get(index)).any(|test| !takes_anything(test));
            // The only column of a table that gives one thing is its form.
            if has_say || table.rows.is_empty() || table.columns.len() < 2 {
                continue;
            }
            findings.push(
                Finding::new(
                    &catalogue::unused::COLUMN,
                    column.span,
                    format!("the column `{}` of `{}` decides nothing", column.heading, table.name),
                )
                .at("every row takes anything")
                .help("write the tests that are missing, or remove the column"),
            );
        }
    }
    findings
}

/// What a program does with fields and members.
#[derive(Default)]
struct Uses {
    read: HashSet<(RecordId, usize)>,
    /// Fields that are set to something else than their default.
    set: HashSet<(RecordId, usize)>,
    /// Records that something makes or reads at all.
    made: HashSet<RecordId>,
    /// Records that are used as a whole.
    whole: HashSet<RecordId>,
    members: HashSet<(EnumId, u16)>,
    /// Enums whose values come from somewhere else.
    from_outside: HashSet<EnumId>,
    /// Enums that tables, functions and tasks of the program give: their values are made here.
    given: HashSet<EnumId>,
}

impl Uses {
    fn of(program: &Program) -> Uses {
        let mut uses = Uses::default();
        for body in program.bodies() {
            uses.body(program, &body);
        }
        for test in &program.tests {
            let body = BodyParts { locals: &test.locals, blocks: vec![&test.body], expressions: Vec::new() };
            uses.body(program, &body);
        }
        for clause in program.policies.iter().flat_map(|policy| &policy.clauses) {
            clause
                .when
                .iter()
                .chain([&clause.requires])
                .for_each(|expr| expr.walk(&mut |expr| uses.expression(program, expr)));
        }
        for flow in &program.flows {
            // Whoever starts a flow by hand gives its parameters; who runs it gets its result.
            flow.parameters.iter().for_each(|parameter| uses.outside(program, &parameter.ty));
            uses.as_whole(program, &flow.result);
        }
        for of in program.records.iter().filter(|of| of.is_entity()) {
            of.fields.iter().for_each(|field| uses.outside(program, &field.ty));
        }
        for (at, of) in program.records.iter().enumerate() {
            let id = RecordId(u32::try_from(at).unwrap_or(u32::MAX));
            for (index, field) in of.fields.iter().enumerate() {
                // What is counted or computed when a record is made, such as the moment, is set by that.
                let is_computed = match &field.default {
                    Some(super::program::Default::Value(value)) => !matches!(value.kind, ExprKind::Value(_)),
                    Some(super::program::Default::Auto) => true,
                    None => false,
                };
                if is_computed {
                    uses.set.insert((id, index));
                }
            }
        }
        for of in &program.errors {
            of.fields.iter().for_each(|field| uses.as_whole(program, &field.ty));
        }
        for trigger in &program.triggers {
            if let TriggerEvent::Record { entity, .. } = &trigger.event {
                uses.made.insert(*entity);
            }
        }
        let results = program.tables.iter().map(|of| &of.result).chain(program.callables.iter().map(|of| &of.result));
        for result in results {
            enums_in(program, result, &mut HashSet::default(), &mut uses.given);
        }
        uses.made.extend(program.reactions.iter().map(|of| of.entity));
        uses
    }

    fn body(&mut self, program: &Program, body: &BodyParts<'_>) {
        body.each_expression(&mut |outer| outer.walk(&mut |expr| self.expression(program, expr)));
        body.each_statement(&mut |statement| {
            if let StatementKind::Fail { fields, .. } = &statement.kind {
                fields.iter().for_each(|field| self.as_whole(program, &field.ty));
            }
        });
    }

    fn expression(&mut self, program: &Program, expr: &Expr) {
        match &expr.kind {
            ExprKind::Value(value) => self.value(value),
            ExprKind::Field(target, index) => {
                if let Type::Record(id) | Type::Reference(id) = target.ty.present() {
                    self.read.insert((*id, *index));
                }
            }
            ExprKind::Record(id, _) => {
                self.made.insert(*id);
            }
            ExprKind::With(target, changes) | ExprKind::Update(target, changes) => {
                if let Type::Record(id) | Type::Reference(id) = target.ty.present() {
                    self.set.extend(changes.iter().map(|(index, _)| (*id, *index)));
                }
            }
            ExprKind::Create(id, fields) => {
                self.made.insert(*id);
                let declared = program.records.get(id.0 as usize).map(|of| of.fields.as_slice()).unwrap_or_default();
                for (index, (value, field)) in fields.iter().zip(declared).enumerate() {
                    // A default stands where it is declared.
                    let is_given = |value: &Expr| match &field.default {
                        Some(super::program::Default::Value(default)) => default.span != value.span,
                        _ => true,
                    };
                    if value.as_ref().is_some_and(is_given) {
                        self.set.insert((*id, index));
                    }
                }
            }
            ExprKind::All(id) | ExprKind::Get(id, _) | ExprKind::Has(id, _) => {
                self.made.insert(*id);
            }
            ExprKind::TypeArgument(ty) => self.outside(program, ty),
            ExprKind::Text(parts) => {
                for part in parts {
                    if let TextPart::Value(value) = part {
                        self.as_whole(program, &value.ty);
                    }
                }
            }
            ExprKind::Binary(operator, a, b) if is_comparison(*operator) => {
                self.as_whole(program, &a.ty);
                self.as_whole(program, &b.ty);
            }
            ExprKind::Index(_, key) => self.as_whole(program, &key.ty),
            ExprKind::Map(entries) => entries.iter().for_each(|(key, _)| self.as_whole(program, &key.ty)),
            ExprKind::Perform(operation, arguments) => self.performed(program, *operation, arguments),
            ExprKind::Wait(wait) => {
                if let Wait::Ask { .. } = &**wait {
                    self.outside(program, &expr.ty);
                }
            }
            _ => {}
        }
    }

    fn performed(&mut self, program: &Program, operation: Operation, arguments: &[Expr]) {
        use Operation as O;
        let is_whole = operation.primitive().effect != super::program::Effect::Pure
            || matches!(
                operation,
                O::JsonText
                    | O::ListDistinct
                    | O::ListContains
                    | O::ListIndexOf
                    | O::MapHas
                    | O::MapGet
                    | O::MapPut
                    | O::MapRemove
            );
        for argument in arguments {
            if is_whole {
                self.as_whole(program, &argument.ty);
            }
            // What is sorted, grouped or compared by.
            if let (ExprKind::Lambda(_, body), O::ListGroup | O::ListToMap | O::ListSort | O::ListSortDescending) =
                (&argument.kind, operation)
            {
                self.as_whole(program, &body.ty);
            }
        }
    }

    fn value(&mut self, value: &Value) {
        if let Value::Enum(of) = value {
            self.members.insert((of.type_id, of.member));
        }
    }

    /// Values of a type are used with all that is in them.
    fn as_whole(&mut self, program: &Program, ty: &Type) {
        each_record(ty, &mut |id| {
            if self.whole.insert(id)
                && let Some(of) = program.records.get(id.0 as usize)
            {
                of.fields.iter().for_each(|field| self.as_whole(program, &field.ty));
            }
        });
    }

    /// Values of a type come from somewhere else, with all that is in them.
    fn outside(&mut self, program: &Program, ty: &Type) {
        self.as_whole(program, ty);
        self.enums_of(program, ty);
    }

    fn enums_of(&mut self, program: &Program, ty: &Type) {
        let mut seen = HashSet::default();
        enums_in(program, ty, &mut seen, &mut self.from_outside);
    }
}

fn is_comparison(operator: BinaryOperator) -> bool {
    use BinaryOperator as B;
    matches!(operator, B::Equal | B::NotEqual | B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual | B::In)
}

/// Visits the records that values of a type hold themselves; a reference holds a key.
fn each_record(ty: &Type, f: &mut dyn FnMut(RecordId)) {
    match ty {
        Type::Record(id) | Type::Query(id) => f(*id),
        Type::List(inner) | Type::Optional(inner) | Type::Outcome(inner) => each_record(inner, f),
        Type::Map(key, value) => {
            each_record(key, f);
            each_record(value, f);
        }
        _ => {}
    }
}

fn enums_in(program: &Program, ty: &Type, seen: &mut HashSet<RecordId>, found: &mut HashSet<EnumId>) {
    match ty {
        Type::Enum(id) => {
            found.insert(*id);
        }
        Type::List(inner) | Type::Optional(inner) | Type::Outcome(inner) => enums_in(program, inner, seen, found),
        Type::Map(key, value) => {
            enums_in(program, key, seen, found);
            enums_in(program, value, seen, found);
        }
        Type::Record(id) => {
            if seen.insert(*id)
                && let Some(of) = program.records.get(id.0 as usize)
            {
                of.fields.iter().for_each(|field| enums_in(program, &field.ty, seen, found));
            }
        }
        _ => {}
    }
}
