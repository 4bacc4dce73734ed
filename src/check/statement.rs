//! Statements: what each form does, and which may stand where.

use super::Checker;
use super::body::{BodyKind, LocalKind};
use super::types::Purpose;
use crate::check::program::{Arm, Effect, Expr, ExprKind, For, LocalId, Statement, StatementKind, Type};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, Block, Name};
use crate::text::Span;
use crate::value::Value;

/// Statements with whether what follows them can be reached.
pub(crate) struct Checked {
    pub statements: Vec<Statement>,
    pub ends: bool,
}

impl Checker<'_> {
    /// A block with a scope of its own.
    pub(crate) fn block(&mut self, block: &Block) -> Checked {
        let mark = self.body.mark();
        let checked = self.statements(&block.statements);
        self.body.close(mark);
        checked
    }

    /// Statements in the scope that is open.
    pub(crate) fn statements(&mut self, written: &[tree::Statement]) -> Checked {
        let mut statements = Vec::with_capacity(written.len());
        let mut ends: Option<Span> = None;
        let mut reported = false;
        for statement in written {
            if let (Some(end), false, false) = (ends, reported, self.body.kind == BodyKind::Flow) {
                reported = true;
                let finding = Finding::new(
                    &catalogue::flow::UNREACHABLE,
                    self.first_line(statement.span),
                    "nothing comes to this statement",
                )
                .at("never done")
                .label(self.first_line(end), "whatever happens, it ends here")
                .help("remove it, or move it up");
                self.report(finding);
            }
            if let Some(kind) = self.statement(statement) {
                if ends.is_none() && self.ends(&kind) {
                    ends = Some(statement.span);
                }
                statements.push(Statement { kind, span: statement.span });
            } else if ends.is_none() && may_end(&statement.kind) {
                // What could not be read, or stands in a wrong place, was meant to end the block.
                (ends, reported) = (Some(statement.span), true);
            }
        }
        Checked { statements, ends: ends.is_some() }
    }

    /// The first line of something long.
    pub(crate) fn first_line(&self, span: Span) -> Span {
        let text = self.program.sources.slice(span);
        let length = text.find('\n').map_or(text.len(), |end| text[..end].trim_end().len());
        Span { end: span.start.saturating_add(u32::try_from(length).unwrap_or_default()), ..span }
    }

    /// Whether nothing behind a statement can be reached.
    fn ends(&self, kind: &StatementKind) -> bool {
        let all = |statements: &[Statement]| statements.iter().any(|statement| self.ends(&statement.kind));
        match kind {
            StatementKind::Return(_)
            | StatementKind::Give(_)
            | StatementKind::Fail { .. }
            | StatementKind::Stop(_)
            | StatementKind::GoTo(_) => true,
            StatementKind::If { then, otherwise, .. } => all(then) && all(otherwise),
            // A value that no arm takes ends with a failure.
            StatementKind::Match { arms, .. } => !arms.is_empty() && arms.iter().all(|arm| all(&arm.body)),
            _ => false,
        }
    }

    fn statement(&mut self, written: &tree::Statement) -> Option<StatementKind> {
        use tree::StatementKind as S;
        let span = written.span;
        Some(match &written.kind {
            S::Let { name, kind, value, mutable } => self.let_statement(name, kind.as_ref(), value, *mutable, span),
            S::Assign { name, value } => self.assign(name, value)?,
            S::Expression(value) => self.expression_statement(value),
            S::If { condition, then, otherwise, .. } => self.if_statement(condition, then, otherwise.as_ref()),
            S::Match { value, arms } => self.match_statement(value, arms, span),
            S::For(each) => StatementKind::For(self.for_statement(each)),
            S::Parallel(block) => self.parallel(block, span)?,
            S::Step(step) => return self.step(step, span),
            S::GoTo(target) => self.go_to(target, span)?,
            S::Return(value) => self.return_statement(value.as_ref(), span)?,
            S::Give(value) => self.give(value, span)?,
            S::Fail { error, arguments } => self.fail(error, arguments, span)?,
            S::Stop(reason) => {
                let legal = self.only_in(&[BodyKind::Flow], "stop", span);
                let reason = reason
                    .as_ref()
                    .map(|reason| self.expected(reason, &Type::Text, Purpose::Part("the reason of `stop`", None)));
                if !legal {
                    return None;
                }
                StatementKind::Stop(reason)
            }
            S::Given(_) | S::Expect { .. } | S::Advance(_) | S::Stub { .. } | S::Answer { .. } => {
                return self.test_statement(&written.kind, span);
            }
            S::Broken => return None,
        })
    }

    /// Whether a statement stands where it may; reports when it does not.
    pub(crate) fn only_in(&mut self, kinds: &[BodyKind], word: &str, span: Span) -> bool {
        if kinds.contains(&self.body.kind) {
            return true;
        }
        let at_home = match kinds.first() {
            Some(BodyKind::Flow) => "in flows, between steps",
            Some(BodyKind::Step) => "in the blocks of steps",
            Some(BodyKind::Test) => "in tests",
            _ if kinds.contains(&BodyKind::Step) => "in functions, tasks, flows and steps",
            _ => "in functions, tasks and flows",
        };
        let title = match self.body.kind {
            BodyKind::Step => "the block of a step".to_string(),
            _ => self.body.title.to_string(),
        };
        let help = match (word, self.body.kind) {
            ("step" | "parallel", BodyKind::Step) => "split the work into steps of the flow itself".to_string(),
            ("step", _) => "declare a `flow` for work in steps".to_string(),
            ("return", BodyKind::Step) => {
                "write `give …` for the step's value, and `return` behind the step for the flow's result".to_string()
            }
            ("give", BodyKind::Flow) => "write `return …` for the flow's result".to_string(),
            ("give", _) => "write `return …`".to_string(),
            ("go to" | "stop", BodyKind::Step) => {
                "end the step with `fail` and say `on … go to …` behind it, or test its value after it".to_string()
            }
            _ => format!("`{word}` is at home {at_home}"),
        };
        let finding = Finding::new(&catalogue::flow::PLACE, span, format!("`{word}` can't stand in {title}"))
            .at(format!("only {at_home}"))
            .help(help);
        self.report(finding);
        false
    }

    fn let_statement(
        &mut self,
        name: &Name,
        kind: Option<&tree::TypeExpr>,
        value: &tree::Expr,
        mutable: bool,
        statement: Span,
    ) -> StatementKind {
        let declared = kind.map(|kind| (self.written_type(kind), kind.span));
        let value = match &declared {
            Some((ty, span)) => self.expected(value, ty, Purpose::Declared { name: &name.text, span: *span }),
            None => self.settled(value, None),
        };
        let mut ty = match declared {
            _ if value.ty.is_unknown() => Type::Unknown,
            Some((ty, _)) => ty,
            None => value.ty.clone(),
        };
        let unclear = |ty: &Type| match ty {
            Type::List(inner) | Type::Optional(inner) => **inner == Type::Never,
            Type::Map(key, _) => **key == Type::Never,
            _ => false,
        };
        if kind.is_none() && unclear(&ty) {
            let what = match ty {
                Type::List(_) => "of what this list is",
                Type::Map(..) => "of what this map is",
                _ => "what else than none this may be",
            };
            let example = match ty {
                Type::List(_) => "[text] = []",
                Type::Map(..) => "{text: int} = {}",
                _ => "text? = none",
            };
            let finding = Finding::new(&catalogue::types::UNCLEAR, value.span, format!("nothing says {what}"))
                .at("could be anything")
                .help(format!("write the type: `{} {}: {example}`", if mutable { "var" } else { "let" }, name.text));
            self.report(finding);
            ty = Type::Unknown;
        }
        let written = kind.and_then(super::written::label_of);
        if let Some(label) = written {
            self.names.labels.insert(name.span, label);
        }
        let label = self.label_of(&value).or(written);
        let is_there = kind.is_some() && ty.is_optional() && !value.ty.is_optional() && !value.ty.is_unknown();
        let local = self.introduce(name, ty, if mutable { LocalKind::Var } else { LocalKind::Let });
        if let Some(info) = self.body.info.get_mut(local.index()) {
            info.label = label;
            info.statement = (!mutable && only_computes(&value)).then_some(statement);
        }
        if is_there {
            self.body.know((local, Vec::new()));
        }
        StatementKind::Set { local, value }
    }

    fn assign(&mut self, name: &Name, written: &tree::Expr) -> Option<StatementKind> {
        let Some(local) = self.local_named(&name.text) else {
            self.settled(written, None);
            if self.body.steps.contains_key(&name.text) {
                self.immutable(name, "is a step, whose value is set by the step alone", None);
                return None;
            }
            match self.peek_global(self.module, &name.text) {
                Some(global) => {
                    let kind = self.kind_of_global(global);
                    self.immutable(name, &format!("is {kind} and can't be set"), None);
                }
                None => {
                    let near: Vec<String> = self.body.names().map(|name| name.to_string()).collect();
                    let before = self.findings.len();
                    self.unknown_name(name.span, "variable", &name.text, near);
                    if let Some(finding) = self.findings.get_mut(before)
                        && finding.help.is_none()
                    {
                        finding.help = Some(format!(
                            "a new one is declared with `let {0} = …`, or with `var {0} = …` when it is set again",
                            name.text
                        ));
                    }
                }
            }
            return None;
        };
        let ty = self.body.local_type(local);
        let declared = self.body.local(local).map_or(name.span, |local| local.span);
        let kind = self.body.info.get(local.index()).map(|info| info.kind);
        let was_read = self.body.info.get(local.index()).is_some_and(|info| info.used);
        let value = self.expected(written, &ty, Purpose::Assigned { name: &name.text, span: declared });
        // `count = count + 1` reads what nothing else may ever read.
        if let Some(info) = self.body.info.get_mut(local.index())
            && !was_read
            && changes_nothing(&value)
        {
            info.used = false;
        }
        if kind != Some(LocalKind::Var) {
            let what = match kind {
                Some(LocalKind::Parameter) => "is a parameter and keeps its value",
                Some(LocalKind::Step) => "is a step, whose value is set by the step alone",
                Some(LocalKind::Let) => "was declared with `let` and keeps its value",
                _ => "keeps its value",
            };
            self.immutable(name, what, Some((declared, kind == Some(LocalKind::Let))));
            return None;
        }
        if self.body.step_base.is_some_and(|base| local.index() < base) {
            let finding = Finding::new(
                &catalogue::flow::PLACE,
                name.span,
                format!("`{}` belongs to the flow and can't be set inside of a step", name.text),
            )
            .at("would be lost when the run goes on from its journal")
            .label(declared, "declared here")
            .help(format!("let the step give the value (`give …`), and set `{}` behind it", name.text));
            self.report(finding);
            return None;
        }
        self.lost_in_parallel(name, declared);
        self.body.unknow(local);
        if ty.is_optional() && !value.ty.is_optional() && !value.ty.is_unknown() {
            self.body.know((local, Vec::new()));
        }
        Some(StatementKind::Set { local, value })
    }

    /// Reports a `var` that is set in an item of a `for …, parallel n` and declared outside of it.
    fn lost_in_parallel(&mut self, name: &Name, declared: Span) {
        let within =
            |body: &Span| body.source == declared.source && body.start <= declared.start && declared.end <= body.end;
        let is_lost = self.body.within.iter().any(|body| self.body.side_by_side.contains(body) && !within(body));
        if !is_lost {
            return;
        }
        let finding = Finding::new(
            &catalogue::flow::LOST,
            name.span,
            format!("what `{}` is set to here is lost with the item", name.text),
        )
        .at("is set for this item alone")
        .label(declared, "declared outside of the loop")
        .note("each item of `for …, parallel n` begins with the values from before the loop, and what lies behind the loop goes on with those")
        .help(format!(
            "leave out `parallel`, so that each item sees what the one before has set; or keep it in a record that a step of the item writes, and read that behind the loop, or declare `{}` in the item",
            name.text
        ));
        self.report(finding);
    }

    fn immutable(&mut self, name: &Name, what: &str, declared: Option<(Span, bool)>) {
        let mut finding = Finding::new(&catalogue::types::IMMUTABLE, name.span, format!("`{}` {what}", name.text))
            .at("set again here");
        if let Some((span, is_let)) = declared {
            finding = finding.label(span, "declared here");
            if is_let {
                finding = finding.help(format!("declare it with `var {} = …` to set it again", name.text));
                // `let` stands right before the name.
                let word = Span { start: span.start.saturating_sub(4), end: span.start.saturating_sub(1), ..span };
                if self.program.sources.slice(word) == "let" {
                    finding = finding.fix(word, "var");
                }
            } else {
                finding = finding.help(format!("use another name: `let new_{} = …`", name.text));
            }
        }
        self.report(finding);
    }

    fn expression_statement(&mut self, written: &tree::Expr) -> StatementKind {
        let value = self.expression(written, None);
        let acts = matches!(
            value.kind,
            ExprKind::Call(..)
                | ExprKind::Perform(..)
                | ExprKind::Create(..)
                | ExprKind::Update(..)
                | ExprKind::Delete(..)
                | ExprKind::Run(..)
                | ExprKind::Start(..)
                | ExprKind::Wait(..)
                | ExprKind::Guarded { .. }
                | ExprKind::Get(..)
        );
        let is_pure_primitive = match &value.kind {
            ExprKind::Perform(operation, _) => {
                operation.primitive().effect <= crate::check::program::Effect::Reads && value.ty != Type::Nothing
            }
            _ => false,
        };
        if (!acts || is_pure_primitive) && !value.ty.has_unknown() {
            let text = self.program.sources.slice(value.span);
            let mut finding = Finding::new(
                &catalogue::unused::RESULT,
                value.span,
                "the value is computed and nothing is done with it",
            )
            .at(format!("gives {}", self.show(&value.ty)));
            finding = match self.body.kind {
                BodyKind::Function | BodyKind::Task | BodyKind::Flow => {
                    finding.help("use it (`let …`, `return …`), or remove the line")
                }
                BodyKind::Test => finding.help(format!("did you mean `expect {text}`?")),
                BodyKind::Step => finding.help("did you mean `give …`?"),
                _ => finding.help("use it, or remove the line"),
            };
            if self.body.kind != BodyKind::Entry {
                self.report(finding);
            }
        }
        StatementKind::Expression(value)
    }

    fn if_statement(&mut self, condition: &tree::Expr, then: &Block, otherwise: Option<&Block>) -> StatementKind {
        let condition = self.condition(condition, "the condition of `if`");
        let facts = self.facts(&condition);
        let mark = self.body.mark();
        self.know(&facts.when_true);
        let then = self.in_block(then);
        self.body.close(mark);
        self.know(&facts.when_false);
        let otherwise_checked = match otherwise {
            Some(block) => self.in_block(block),
            None => Checked { statements: Vec::new(), ends: false },
        };
        self.body.close(mark);
        // What ends early leaves its contrary known for the rest.
        if then.ends {
            self.know(&facts.when_false);
        }
        if otherwise_checked.ends {
            self.know(&facts.when_true);
        }
        StatementKind::If { condition, then: then.statements, otherwise: otherwise_checked.statements }
    }

    /// A block within the body; in flows no `go to` may enter it.
    pub(crate) fn in_block(&mut self, block: &Block) -> Checked {
        self.body.within.push(block.span);
        let checked = self.block(block);
        self.body.within.pop();
        checked
    }

    fn match_statement(&mut self, value: &tree::Expr, arms: &[tree::MatchArm], span: Span) -> StatementKind {
        let value = self.settled(value, None);
        let path = self.path(&value).filter(|_| value.ty.is_optional());
        let mut checked = Vec::with_capacity(arms.len());
        let mut none_is_taken = false;
        let outer = self.body.mark();
        for arm in arms {
            let test = self.cell_test(&arm.pattern, &value.ty, &crate::check::decision::Subject::of_match(value.span));
            let mark = self.body.mark();
            if let Some(path) = &path
                && (self.test_shows_value(&test)
                    || none_is_taken && matches!(test, crate::check::program::CellTest::Otherwise))
            {
                self.body.know(path.clone());
            }
            none_is_taken = none_is_taken || self.test_is_none(&test);
            let body = self.in_block(&arm.body);
            self.body.close(mark);
            checked.push((Arm { test, body: body.statements, span: arm.span }, body.ends));
        }
        self.body.forget(outer.1);
        let ends_none = checked.iter().any(|(arm, ends)| *ends && self.test_is_none(&arm.test));
        if let (true, Some(path)) = (ends_none, path) {
            self.body.know(path);
        }
        let arms: Vec<Arm> = checked.into_iter().map(|(arm, _)| arm).collect();
        self.check_coverage(&value, &arms, span);
        StatementKind::Match { value, arms }
    }

    fn for_statement(&mut self, each: &tree::For) -> For {
        let list = self.settled(&each.list, None);
        let parallel = each.parallel.as_ref().map(|count| {
            self.only_in(&[BodyKind::Flow], "parallel", count.span);
            let count = self.expected(count, &Type::Int, Purpose::Part("how many at once", None));
            if matches!(count.kind, ExprKind::Value(Value::Int(number)) if number < 1) {
                let finding =
                    Finding::new(&catalogue::types::MISMATCH, count.span, "at least one must be done at once")
                        .at("less than one")
                        .help("write a number of 1 or more");
                self.report(finding);
            }
            count
        });
        if each.stop_at_first_failure {
            self.only_in(&[BodyKind::Flow], "stop at first failure", each.list.span);
        }
        // A `var` that the body sets may be none again in the next round.
        let mut assigned = Vec::new();
        assigned_in(&each.body, &mut assigned);
        let mark = self.body.mark();
        for name in assigned {
            if let Some(local) = self.body.lookup(&name) {
                self.body.unknow(local);
            }
        }
        let (local, second) = self.loop_locals(&each.name, each.second.as_ref(), &list);
        self.body.within.push(each.body.span);
        if parallel.is_some() {
            self.body.side_by_side.insert(each.body.span);
        }
        let body = self.block(&each.body);
        self.body.within.pop();
        self.body.close(mark);
        For { local, second, list, parallel, stop_at_first_failure: each.stop_at_first_failure, body: body.statements }
    }

    /// The locals of a loop over a list, range or map.
    pub(crate) fn loop_locals(
        &mut self,
        name: &Name,
        second: Option<&Name>,
        list: &Expr,
    ) -> (LocalId, Option<LocalId>) {
        let (first_type, second_type) = match (&list.ty, second) {
            (Type::Map(key, value), Some(_)) => ((**key).clone(), (**value).clone()),
            (Type::Map(key, _), None) => ((**key).clone(), Type::Unknown),
            (Type::List(element), None) => ((**element).clone(), Type::Unknown),
            (Type::List(_), Some(second)) => {
                let finding = Finding::new(
                    &catalogue::types::MISMATCH,
                    second.span,
                    "a second name is for the values of a map, and this is a list",
                )
                .at("nothing to hold")
                .label(list.span, format!("is {}", self.show(&list.ty)))
                .help("leave the second name out");
                self.report(finding);
                (Type::Unknown, Type::Unknown)
            }
            (Type::Unknown, _) => (Type::Unknown, Type::Unknown),
            (Type::Optional(_), _) => {
                self.optional_used(list, "`for` needs a list, and this value may be none", None);
                (Type::Unknown, Type::Unknown)
            }
            (other, _) => {
                let shown = self.show(other);
                let finding = Finding::new(
                    &catalogue::types::MISMATCH,
                    list.span,
                    format!("`for` goes through lists, ranges and maps, and this is {shown}"),
                )
                .at(format!("is {shown}"))
                .help(match other {
                    Type::Int => "to count, write a range: `1..10`",
                    Type::Text => "`.lines`, `.words` and `.split(…)` make lists of a text",
                    _ => "give it a list",
                });
                self.report(finding);
                (Type::Unknown, Type::Unknown)
            }
        };
        let label = self.label_of(list);
        let local = self.introduce(name, first_type, LocalKind::Element);
        if let Some(info) = self.body.info.get_mut(local.index()) {
            info.label = label;
        }
        let second = second.map(|second| self.introduce(second, second_type, LocalKind::Element));
        (local, second)
    }
}

/// Whether a statement that has been refused would have ended its block.
fn may_end(kind: &tree::StatementKind) -> bool {
    use tree::StatementKind as S;
    matches!(kind, S::Broken | S::Return(_) | S::Give(_) | S::Fail { .. } | S::Stop(_) | S::GoTo(_))
}

/// The names that a block sets again.
fn assigned_in(block: &Block, names: &mut Vec<ecow::EcoString>) {
    use tree::StatementKind as S;
    for statement in &block.statements {
        match &statement.kind {
            S::Assign { name, .. } => names.push(name.text.clone()),
            S::If { then, otherwise, .. } => {
                assigned_in(then, names);
                if let Some(otherwise) = otherwise {
                    assigned_in(otherwise, names);
                }
            }
            S::Match { arms, .. } => arms.iter().for_each(|arm| assigned_in(&arm.body, names)),
            S::For(each) => assigned_in(&each.body, names),
            S::Parallel(block) => assigned_in(block, names),
            _ => {}
        }
    }
}

/// Whether a value can't fail, wait or do anything, so that nothing changes when it is not computed.
fn only_computes(value: &Expr) -> bool {
    use crate::syntax::tree::BinaryOperator;
    let mut harmless = value.effect == Effect::Pure;
    value.walk(&mut |inner| {
        harmless &= match &inner.kind {
            ExprKind::Binary(operator, ..) => *operator != BinaryOperator::Divide,
            ExprKind::Value(_)
            | ExprKind::Constant(_)
            | ExprKind::Local(_)
            | ExprKind::Text(_)
            | ExprKind::List(_)
            | ExprKind::Record(..)
            | ExprKind::With(..)
            | ExprKind::Field(..)
            | ExprKind::Not(_)
            | ExprKind::Negate(_)
            | ExprKind::Is(..)
            | ExprKind::ToDecimal(_)
            | ExprKind::Conditional(..) => true,
            _ => false,
        };
    });
    harmless
}

/// Whether an expression surely does nothing but compute: what tasks do is known later.
fn changes_nothing(expr: &Expr) -> bool {
    let mut computes = true;
    expr.walk(&mut |inner| {
        computes &= match &inner.kind {
            ExprKind::Perform(operation, _) => operation.primitive().effect == Effect::Pure,
            ExprKind::Call(..)
            | ExprKind::Create(..)
            | ExprKind::Update(..)
            | ExprKind::Delete(_)
            | ExprKind::Run(..)
            | ExprKind::Start(..)
            | ExprKind::Wait(_) => false,
            _ => true,
        };
    });
    computes
}
