//! Templates: text files whose placeholders are expressions over the named arguments.

use super::Checker;
use super::body::{Body, BodyKind, LocalKind};
use super::declare::unknown_expr;
use crate::check::program::{Effect, Expr, ExprKind, Template, TemplateId, TemplatePart, Type};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, Argument, Name};
use crate::text::{Source, Span};
use ecow::EcoString;

impl Checker<'_> {
    /// `template("file.txt", name: value, …)`
    pub(crate) fn template_call(&mut self, arguments: &[Argument], name_span: Span, span: Span) -> Expr {
        let mut arguments = arguments.iter();
        let path = match arguments.next() {
            Some(Argument { name: None, value: tree::Expr { kind: tree::ExprKind::Text(text), .. } }) => {
                self.plain_text(text, "the path of a template")
            }
            _ => {
                let finding = Finding::new(
                    &catalogue::types::MISSING_ARGUMENT,
                    name_span,
                    "`template` needs the path of a file, then named values",
                )
                .at("no path")
                .help("write `template(\"confirmation.txt\", order: order)`");
                self.report(finding);
                return Expr { ty: Type::Text, ..unknown_expr(span) };
            }
        };
        let mut names: Vec<Name> = Vec::new();
        let mut values = Vec::new();
        for argument in arguments {
            let value = self.settled(&argument.value, None);
            let Some(name) = &argument.name else {
                let finding = Finding::new(
                    &catalogue::types::UNKNOWN_ARGUMENT,
                    argument.value.span,
                    "the values of a template are given by name",
                )
                .at("has no name")
                .help("write `name: value`; the template then says `{name}`");
                self.report(finding);
                continue;
            };
            if let Some(before) = names.iter().find(|other| other.text == name.text) {
                let finding = Finding::new(
                    &catalogue::types::DOUBLED_ARGUMENT,
                    name.span,
                    format!("`{}` is given twice", name.text),
                )
                .at("given again")
                .label(before.span, "given here first")
                .help("remove one of the two");
                self.report(finding);
                continue;
            }
            names.push(name.clone());
            values.push(value);
        }
        let effect = values.iter().map(|value| value.effect).max().unwrap_or_default();
        match self.template(&path, &names, &values, span) {
            Some(id) => Expr { kind: ExprKind::Template(id, values), ty: Type::Text, effect, span },
            None => Expr { ty: Type::Text, ..unknown_expr(span) },
        }
    }

    /// A template for arguments of these names and types; the same one is checked once.
    fn template(&mut self, path: &EcoString, names: &[Name], values: &[Expr], span: Span) -> Option<TemplateId> {
        let source = self.names.modules.get(self.module)?.source;
        let from = self.program.sources.get(source)?.clone();
        let full = super::modules::beside(&from.name, path);
        let same = |template: &Template| {
            template.name == full.as_str()
                && template.parameters.len() == values.len()
                && template
                    .parameters
                    .iter()
                    .zip(names.iter().zip(values))
                    .all(|(parameter, (name, value))| parameter.name == name.text && parameter.ty == value.ty)
        };
        if let Some(at) = self.program.templates.iter().position(same) {
            return Some(TemplateId(at as u32));
        }
        let bytes = match self.loader.read(&from, path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let finding =
                    Finding::new(&catalogue::name::FILE, span, format!("the template `{path}` can't be read: {error}"))
                        .at("named here")
                        .help(format!("the path is relative to the script that says it, `{}`", from.name));
                self.report(finding);
                return None;
            }
        };
        let Ok(text) = String::from_utf8(bytes) else {
            let finding = Finding::new(&catalogue::name::FILE, span, format!("the template `{path}` is no UTF-8 text"))
                .at("named here")
                .help("save the file as UTF-8");
            self.report(finding);
            return None;
        };
        let mut source = Source::new(full.clone(), text.as_str());
        if let Some(folder) = from.path.as_ref().and_then(|from| from.parent()) {
            source = source.with_path(&folder.join(path.as_str()));
        }
        let source = self.program.sources.add(source);
        let (parsed, findings) = crate::syntax::parse_template(source, &text);
        self.findings.extend(findings);
        let mut body = Body::new(BodyKind::Expression, ecow::eco_format!("the template {path}"));
        for (name, value) in names.iter().zip(values) {
            let id = body.add(&name.text, value.ty.clone(), name.span, LocalKind::Bound);
            body.bind(&name.text, id);
            if let Some(info) = body.info.get_mut(id.index()) {
                info.label = self.label_of(value);
            }
        }
        let module = self.module;
        let (parts, body) = self.elsewhere(module, body, |checker| checker.template_parts(&parsed.parts));
        let parameters = body.locals.iter().take(values.len()).cloned().collect();
        let id = TemplateId(self.program.templates.len() as u32);
        self.program.templates.push(Template { name: full.into(), parameters, locals: body.locals, parts, span });
        Some(id)
    }

    fn template_parts(&mut self, parts: &[tree::TemplatePart]) -> Vec<TemplatePart> {
        parts.iter().map(|part| self.template_part(part)).collect()
    }

    fn template_part(&mut self, part: &tree::TemplatePart) -> TemplatePart {
        match part {
            tree::TemplatePart::Characters(characters) => TemplatePart::Characters(characters.clone()),
            tree::TemplatePart::Value(value) => TemplatePart::Value(self.printed(value)),
            tree::TemplatePart::For { name, second, list, body, .. } => {
                let list = self.settled(list, None);
                let mark = self.body.mark();
                let (local, second) = self.loop_locals(name, second.as_ref(), &list);
                let body = self.template_parts(body);
                self.body.close(mark);
                TemplatePart::For { local, second, list, body }
            }
            tree::TemplatePart::If { condition, then, otherwise, .. } => {
                let condition = self.condition(condition, "the condition of `if`");
                let facts = self.facts(&condition);
                let mark = self.body.mark();
                self.know(&facts.when_true);
                let then = self.template_parts(then);
                self.body.forget(mark.1);
                self.know(&facts.when_false);
                let otherwise = self.template_parts(otherwise);
                self.body.forget(mark.1);
                TemplatePart::If { condition, then, otherwise }
            }
        }
    }
}

/// Visits the expressions of a template.
pub(crate) fn each_expression(parts: &mut [TemplatePart], f: &mut dyn FnMut(&mut Expr) -> Effect) -> Effect {
    let mut effect = Effect::Pure;
    for part in parts {
        effect = effect.max(match part {
            TemplatePart::Characters(_) => Effect::Pure,
            TemplatePart::Value(value) => f(value),
            TemplatePart::For { list, body, .. } => f(list).max(each_expression(body, f)),
            TemplatePart::If { condition, then, otherwise } => {
                f(condition).max(each_expression(then, f)).max(each_expression(otherwise, f))
            }
        });
    }
    effect
}
