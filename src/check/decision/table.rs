//! Decision tables: columns, rows, outcomes.

use super::Subject;
use super::import::adopt_units;
use crate::check::Checker;
use crate::check::body::BodyKind;
use crate::check::declare::unknown_expr;
use crate::check::program::{CellTest, Column, Effect, Expr, ExprKind, Row, TableId, Type};
use crate::check::scope::nearest;
use crate::check::types::Purpose;
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, Cell, ColumnKind, HitPolicy, RuleTable, TableBody};
use crate::text::Span;
use ecow::EcoString;

/// An outcome column, with the field that it fills when the result is a record.
struct OutcomeColumn {
    field: Option<usize>,
    ty: Type,
    span: Span,
}

impl Checker<'_> {
    /// What a table gives.
    pub(crate) fn table_result(&self, id: TableId) -> Type {
        self.program.tables.get(id.index()).map_or(Type::Unknown, |table| table.result.clone())
    }

    /// Checks a decision table.
    pub(crate) fn table(&mut self, id: TableId, declared: &RuleTable, span: Span) {
        let Some(of) = self.program.tables.get(id.index()) else { return };
        let (parameters, result, policy) = (of.parameters.clone(), of.result.clone(), of.policy);
        let title = format!("the table `{}`", declared.name.text);
        self.begin(BodyKind::Expression, title, &declared.parameters, &parameters);
        if declared.result.is_none() {
            let finding = Finding::new(
                &catalogue::types::RESULT,
                declared.name.span,
                format!("the table `{}` does not say what it gives", declared.name.text),
            )
            .at("has no result")
            .help("write `-> type` behind its parameters");
            self.report(finding);
        }
        let imported;
        let (columns, rows, names): (&[tree::Column], &[tree::TableRow], Option<&[EcoString]>) = match &declared.body {
            TableBody::Rows { columns, rows, .. } => (columns, rows, None),
            TableBody::File { path, sheet } => {
                imported = self.import_table(path, sheet.as_ref()).unwrap_or_default();
                (&imported.columns, &imported.rows, Some(&imported.names))
            }
        };
        let place = declared.result.as_ref().map_or(declared.name.span, |kind| kind.span);
        let one = self.one_outcome(&result, policy, place);
        let outcomes = self.outcome_columns(columns, &one, declared);
        let (test_columns, subjects) = self.test_columns(columns);
        let types: Vec<Type> = self.column_types(columns, &test_columns, &outcomes);
        let mut checked = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let adopted;
            let row = if names.is_some() {
                adopted = with_units(row, &types);
                &adopted
            } else {
                row
            };
            let name = match names {
                Some(names) => names.get(index).cloned().unwrap_or_default(),
                None => ecow::eco_format!("row {}", index + 1),
            };
            checked.push(self.row(row, columns, &test_columns, &subjects, &outcomes, &one, name));
        }
        if checked.is_empty() && matches!(declared.body, TableBody::Rows { .. }) && !columns.is_empty() {
            let finding = Finding::new(
                &catalogue::decision::OUTCOME,
                declared.name.span,
                format!("the table `{}` has no rows, so it decides nothing", declared.name.text),
            )
            .at("decides nothing")
            .help("write a row for each case");
            self.report(finding);
        }
        self.report_unused_locals();
        let finished = std::mem::take(&mut self.body);
        if let Some(of) = self.program.tables.get_mut(id.index()) {
            of.columns = test_columns;
            of.rows = checked;
            of.locals = finished.locals;
        }
        let _ = span;
    }

    /// The type of one outcome, by the policy.
    fn one_outcome(&mut self, result: &Type, policy: HitPolicy, place: Span) -> Type {
        match (policy, result) {
            (_, Type::Unknown) => Type::Unknown,
            (HitPolicy::Collect, Type::List(element)) => (**element).clone(),
            (HitPolicy::Collect, other) => {
                let shown = self.bare(other);
                let finding = Finding::new(&catalogue::decision::RESULT, place, "a table that collects gives a list")
                    .at("no list")
                    .help(format!("write `-> [{shown}]`"))
                    .fix(place, format!("[{shown}]"));
                self.report(finding);
                other.clone()
            }
            (HitPolicy::Sum, other) if !other.is_additive() => {
                self.wrong_policy(other, place, "adds outcomes up", "can't be added up")
            }
            (HitPolicy::Min | HitPolicy::Max, other) if !other.is_ordered() => {
                self.wrong_policy(other, place, "compares outcomes", "has no order")
            }
            (_, other) => other.clone(),
        }
    }

    fn wrong_policy(&mut self, ty: &Type, place: Span, what: &str, why: &str) -> Type {
        let shown = self.show(ty);
        let finding = Finding::new(
            &catalogue::decision::RESULT,
            place,
            format!("the policy of this table {what}, and {shown} {why}"),
        )
        .at(format!("is {shown}"))
        .help("choose another policy: unique, first, any or collect");
        self.report(finding);
        ty.clone()
    }

    /// Which outcome column fills what.
    fn outcome_columns(&mut self, columns: &[tree::Column], one: &Type, declared: &RuleTable) -> Vec<OutcomeColumn> {
        let written: Vec<(&Option<tree::Name>, Span)> = columns
            .iter()
            .filter_map(|column| match &column.kind {
                ColumnKind::Outcome(name) => Some((name, column.span)),
                _ => None,
            })
            .collect();
        let plain = |span| OutcomeColumn { field: None, ty: one.clone(), span };
        match (written.as_slice(), one) {
            ([], _) => {
                if !columns.is_empty() {
                    let finding = Finding::new(
                        &catalogue::decision::OUTCOME,
                        declared.name.span,
                        format!("the table `{}` has no outcome", declared.name.text),
                    )
                    .at("decides nothing")
                    .help("add a column `=> name` with what each row gives");
                    self.report(finding);
                }
                Vec::new()
            }
            ([(_, span)], _) => vec![plain(*span)],
            (several, Type::Record(id)) => {
                let fields: Vec<(EcoString, Type, bool)> = match self.program.records.get(id.0 as usize) {
                    Some(record) => record
                        .fields
                        .iter()
                        .map(|field| {
                            (field.name.clone(), field.ty.clone(), field.default.is_none() && !field.ty.is_optional())
                        })
                        .collect(),
                    None => Vec::new(),
                };
                let mut outcomes: Vec<OutcomeColumn> = Vec::new();
                for (name, span) in several {
                    let name_text = name.as_ref().map_or("", |name| name.text.as_str());
                    let name_span = name.as_ref().map_or(*span, |name| name.span);
                    let field = fields.iter().position(|(field, ..)| field == name_text);
                    if let Some(before) =
                        field.and_then(|field| outcomes.iter().find(|outcome| outcome.field == Some(field)))
                    {
                        let finding = Finding::new(
                            &catalogue::name::DUPLICATE,
                            name_span,
                            format!("two outcome columns fill `{name_text}`"),
                        )
                        .at("again here")
                        .label(before.span, "first here")
                        .help("remove one of the two");
                        self.report(finding);
                    }
                    if field.is_none() {
                        let shown = self.show(one);
                        let mut finding = Finding::new(
                            &catalogue::decision::OUTCOME,
                            name_span,
                            format!("{shown} has no field `{name_text}`"),
                        )
                        .at("fills nothing");
                        finding = match nearest(name_text, fields.iter().map(|(name, ..)| name)) {
                            Some(near) => near.asked(finding, name_span),
                            None => finding
                                .help("several outcome columns make a record: each is named as one of its fields"),
                        };
                        self.report(finding);
                    }
                    let ty = field.and_then(|at| fields.get(at)).map_or(Type::Unknown, |(_, ty, _)| ty.clone());
                    outcomes.push(OutcomeColumn { field, ty, span: *span });
                }
                let missing: Vec<String> = fields
                    .iter()
                    .enumerate()
                    .filter(|(at, (_, _, required))| {
                        *required && !outcomes.iter().any(|outcome| outcome.field == Some(*at))
                    })
                    .map(|(_, (name, ..))| format!("`{name}`"))
                    .collect();
                if !missing.is_empty() && outcomes.iter().all(|outcome| outcome.field.is_some()) {
                    let shown = self.show(one);
                    let span = several.first().map_or(declared.name.span, |(_, span)| *span);
                    let finding = Finding::new(
                        &catalogue::decision::OUTCOME,
                        span,
                        format!("no outcome column fills {} of {shown}", missing.join(", ")),
                    )
                    .at("the outcome columns begin here")
                    .help("add a column `=> field` for each");
                    self.report(finding);
                }
                outcomes
            }
            (several, other) => {
                if !other.has_unknown() {
                    let shown = self.show(other);
                    let span = several.get(1).map_or(declared.name.span, |(_, span)| *span);
                    let finding = Finding::new(
                        &catalogue::decision::OUTCOME,
                        span,
                        format!("several outcome columns make a record, and the result is {shown}"),
                    )
                    .at("the second outcome")
                    .help("declare a record with a field for each outcome, and name it as the result");
                    self.report(finding);
                }
                several.iter().map(|(_, span)| OutcomeColumn { field: None, ty: Type::Unknown, span: *span }).collect()
            }
        }
    }

    fn test_columns(&mut self, columns: &[tree::Column]) -> (Vec<Column>, Vec<Subject>) {
        let mut checked = Vec::new();
        let mut subjects = Vec::new();
        for column in columns {
            let heading = self.program.sources.slice(column.span).to_string();
            let subject = match &column.kind {
                ColumnKind::Outcome(_) => continue,
                ColumnKind::When => None,
                ColumnKind::Test(expr) => Some(self.settled(expr, None)),
            };
            subjects.push(Subject::of_column(&heading, column.span));
            checked.push(Column { subject, heading: heading.into(), span: column.span });
        }
        (checked, subjects)
    }

    /// The type of what each column tests or gives, in the order of the columns.
    fn column_types(&self, columns: &[tree::Column], tests: &[Column], outcomes: &[OutcomeColumn]) -> Vec<Type> {
        let (mut tests, mut outcomes) = (tests.iter(), outcomes.iter());
        columns
            .iter()
            .map(|column| match column.kind {
                ColumnKind::Outcome(_) => outcomes.next().map_or(Type::Unknown, |outcome| outcome.ty.clone()),
                _ => tests.next().and_then(|test| test.subject.as_ref()).map_or(Type::Unknown, |of| of.ty.clone()),
            })
            .collect()
    }

    #[allow(clippy::too_many_arguments)]
    fn row(
        &mut self,
        row: &tree::TableRow,
        columns: &[tree::Column],
        test_columns: &[Column],
        subjects: &[Subject],
        outcomes: &[OutcomeColumn],
        one: &Type,
        name: EcoString,
    ) -> Row {
        let mark = self.body.mark();
        let (mut tests, mut test_spans) = (Vec::new(), Vec::new());
        let mut cells = row.cells.iter();
        let mut given = Vec::new();
        let mut test_at = 0;
        for column in columns {
            let Some(cell) = cells.next() else { break };
            if matches!(column.kind, ColumnKind::Outcome(_)) {
                given.push(cell);
                continue;
            }
            let (Some(of), Some(subject)) = (test_columns.get(test_at), subjects.get(test_at)) else { break };
            test_at += 1;
            let test = self.in_cell(&name, cell.span, |checker| match &of.subject {
                Some(value) => checker.cell_test(&cell.cell, &value.ty, subject),
                None => checker.when_cell(&cell.cell),
            });
            // What the tests of a row have shown is known in the cells to their right.
            if let Some(value) = &of.subject
                && value.ty.is_optional()
                && self.test_shows_value(&test)
                && let Some(path) = self.path(value)
            {
                self.body.know(path);
            }
            if let CellTest::Condition(condition) = &test {
                let facts = self.facts(condition);
                self.know(&facts.when_true);
            }
            tests.push(test);
            test_spans.push(cell.span);
        }
        let outcome = self.row_outcome(&given, outcomes, one, row.span, &name);
        self.body.close(mark);
        // A row with too few cells has been reported by the parser.
        while tests.len() < test_columns.len() {
            tests.push(CellTest::Anything);
            test_spans.push(row.span);
        }
        Row { tests, test_spans, outcome, span: row.span, name }
    }

    fn when_cell(&mut self, cell: &Cell) -> CellTest {
        match cell {
            Cell::Condition(condition) | Cell::Value(condition) => {
                CellTest::Condition(self.condition(condition, "a condition in a `when` column"))
            }
            Cell::Otherwise => CellTest::Otherwise,
            _ => CellTest::Anything,
        }
    }

    fn row_outcome(
        &mut self,
        given: &[&tree::TableCell],
        outcomes: &[OutcomeColumn],
        one: &Type,
        span: Span,
        name: &EcoString,
    ) -> Expr {
        let mut values = Vec::with_capacity(outcomes.len());
        for (outcome, cell) in outcomes.iter().zip(given) {
            let value = self.in_cell(name, cell.span, |checker| match &cell.cell {
                Cell::Outcome(value) | Cell::Value(value) | Cell::Condition(value) => {
                    let purpose = Purpose::Part("the outcome", Some(outcome.span));
                    checker.expected(value, &outcome.ty, purpose)
                }
                Cell::Anything => {
                    let finding = Finding::new(
                        &catalogue::decision::OUTCOME,
                        cell.span,
                        "an outcome must be a value, and `-` is none",
                    )
                    .at("gives nothing")
                    .help("write what this row gives");
                    checker.report(finding);
                    unknown_expr(cell.span)
                }
                _ => unknown_expr(cell.span),
            });
            values.push((outcome.field, value));
        }
        match (outcomes, one) {
            ([_], _) => values.pop().map_or_else(|| unknown_expr(span), |(_, value)| value),
            (_, Type::Record(id)) if outcomes.len() > 1 => {
                let count = self.program.records.get(id.0 as usize).map_or(0, |record| record.fields.len());
                let mut fields = Vec::with_capacity(count);
                for index in 0..count {
                    let value = values.iter().find(|(field, _)| *field == Some(index)).map(|(_, value)| value.clone());
                    let value = value.or_else(|| self.field_default(*id, index));
                    fields.push(value.unwrap_or_else(|| unknown_expr(span)));
                }
                Expr { kind: ExprKind::Record(*id, fields), ty: one.clone(), effect: Effect::Pure, span }
            }
            _ => unknown_expr(span),
        }
    }

    /// Checks a cell; findings in cells of a file name the cell.
    fn in_cell<R>(&mut self, row: &EcoString, span: Span, action: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.findings.len();
        let result = action(self);
        if let Some(cell) = self.cell_name(span)
            && !row.starts_with("row ")
        {
            for finding in self.findings.iter_mut().skip(before) {
                finding.message = format!("{cell}: {}", finding.message);
            }
        }
        result
    }
}

/// A row of a sheet whose numbers have the units of their columns.
fn with_units(row: &tree::TableRow, types: &[Type]) -> tree::TableRow {
    let mut row = row.clone();
    for (cell, ty) in row.cells.iter_mut().zip(types) {
        adopt_units(&mut cell.cell, ty);
    }
    row
}
