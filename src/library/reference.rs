//! `docs/library.md`: what every script can use, made from the table of primitives and from the documentation in
//! the library's own scripts.

use super::{PRIMITIVES, Primitive, Shape, Signature};
use crate::check::program::{
    Callable, DecisionTable, EnumType, ErrorType, Field, Parameter, Program, RecordType, Type,
};
use crate::text::{Source, Span};
use crate::value::ErrorId;
use std::fmt::Write;

/// The reference as Markdown. The program is that of a script which uses all parts of the library; its
/// own declarations are left out.
pub fn markdown(program: &Program) -> String {
    let mut out = String::from(
        "# The standard library\n\nWhat every script can use, and what `use crm` brings. Effects are *pure*, *reads*, \
         *writes*, *sends* or *calls*; each includes those before it. A `[T]` is a list of any type `T`, `{K: V}` a map, \
         `T?` a value that may be none; `N` is anything that can be added up, `O` anything with an order.\n\nThis page is \
         made from the table of primitives (`src/library/primitive.rs`) and the library's own scripts; a test holds it \
         current.\n",
    );
    primitives(&mut out);
    out += "\n## What every script knows\n\nRecords and errors that primitives give and fail with.\n";
    let page = Page { program };
    for (_, source) in program.sources.iter().filter(|(_, source)| source.is_library) {
        if source.name != "prelude.rpa" {
            out.push_str(&heading(source));
        }
        page.declarations(&mut out, source);
    }
    out
}

/// The heading of a module, with the comment at its head.
fn heading(source: &Source) -> String {
    let (part, file) = source.name.split_once('/').unwrap_or(("", &source.name));
    let module = file.trim_end_matches(".rpa");
    let about: Vec<&str> =
        source.text.lines().map_while(|line| line.strip_prefix("//")).map(|line| line.trim()).collect();
    let title = if module == "model" { format!("{part}: entities") } else { format!("{part}: {module}") };
    format!("\n## {title}\n\n{}\n", about.join("\n"))
}

// ── primitives ──

fn primitives(out: &mut String) {
    let mut sections: Vec<(String, Vec<(&Primitive, Signature)>)> = Vec::new();
    for primitive in PRIMITIVES {
        let Ok(signature) = Signature::parse(primitive.signature) else { continue };
        let title = section(&signature);
        match sections.iter_mut().find(|(known, _)| *known == title) {
            Some((_, rows)) => rows.push((primitive, signature)),
            None => sections.push((title, vec![(primitive, signature)])),
        }
    }
    for (title, rows) in sections {
        let _ = write!(out, "\n## {title}\n\n");
        for (primitive, _) in rows {
            entry(out, primitive.signature, primitive.effect.word(), primitive.fails, primitive.about);
            let (example, value) = primitive.example;
            if !example.is_empty() {
                let _ = writeln!(out, "  `{example}` is `{value}`.");
            }
        }
    }
}

/// Under which heading a primitive stands.
fn section(signature: &Signature) -> String {
    if let Some(module) = signature.module {
        return module.to_string();
    }
    match &signature.receiver {
        None => "Functions".to_string(),
        Some(Shape::List(_)) => "[T]: lists".to_string(),
        Some(Shape::Map(..)) => "{K: V}: maps".to_string(),
        Some(Shape::Named(name)) => (*name).to_string(),
        Some(_) => "Others".to_string(),
    }
}

fn entry(out: &mut String, signature: &str, effect: &str, fails: &[&str], about: &str) {
    let fails = match fails {
        [] => String::new(),
        names => {
            format!(", fails with {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    };
    let _ = write!(out, "- `{signature}` *{effect}{fails}*\n  {about}\n");
}

// ── declarations in the language ──

struct Page<'a> {
    program: &'a Program,
}

impl Page<'_> {
    fn declarations(&self, out: &mut String, source: &Source) {
        let inside = |span: Span| self.program.sources.get(span.source).is_some_and(|other| other.name == source.name);
        for enumeration in self.program.enums.iter().filter(|of| inside(of.span)) {
            self.enumeration(out, enumeration);
        }
        for record in self.program.records.iter().filter(|of| inside(of.span)) {
            self.record(out, record);
        }
        let errors: Vec<_> = self.program.errors.iter().filter(|of| inside(of.span)).collect();
        if !errors.is_empty() {
            *out += "\n### Errors\n\n";
            errors.into_iter().for_each(|error| self.error(out, error));
        }
        let tables: Vec<_> = self.program.tables.iter().filter(|of| inside(of.span)).collect();
        let callables: Vec<_> = self.program.callables.iter().filter(|of| inside(of.span)).collect();
        if !tables.is_empty() || !callables.is_empty() {
            *out += "\n### Tasks, functions and rules\n\n";
        }
        callables.into_iter().for_each(|callable| self.callable(out, callable));
        tables.into_iter().for_each(|table| self.table(out, table));
    }

    fn enumeration(&self, out: &mut String, of: &EnumType) {
        let members: Vec<String> = of.members.iter().map(|member| format!("`{member}`")).collect();
        let _ = write!(out, "\n### {}\n\n{}\n\nOne of {}.\n", of.name, of.documentation, members.join(", "));
    }

    fn record(&self, out: &mut String, of: &RecordType) {
        let kind = if of.is_entity() { "entity" } else { "record" };
        let _ = write!(out, "\n### {} ({kind})\n", of.name);
        if !of.documentation.is_empty() {
            let _ = write!(out, "\n{}\n", of.documentation);
        }
        *out += "\n| field | type | |\n|---|---|---|\n";
        for (position, field) in of.fields.iter().enumerate() {
            let role = match field {
                _ if of.key == Some(position) => "key ",
                Field { unique: true, .. } => "unique ",
                Field { index: true, .. } => "index ",
                _ => "",
            };
            let label = match field.label {
                Some(crate::syntax::tree::Label::Pii) => "pii ",
                Some(crate::syntax::tree::Label::Secret) => "secret ",
                None => "",
            };
            let about = field.documentation.replace("\n", " ");
            let ty = self.ty(&field.ty);
            let _ = writeln!(out, "| {role}`{}` | `{label}{ty}` | {about} |", field.name);
        }
    }

    fn error(&self, out: &mut String, of: &ErrorType) {
        let fields: Vec<String> =
            of.fields.iter().map(|field| format!("{}: {}", field.name, self.ty(&field.ty))).collect();
        let transient = if of.transient { " *transient*" } else { "" };
        let _ = write!(out, "- `{}({})`{transient}\n  {}\n", of.name, fields.join(", "), of.documentation);
    }

    fn callable(&self, out: &mut String, of: &Callable) {
        let word = if of.is_task { "task" } else { "fn" };
        let signature = format!("{word} {}{}", of.name, self.signature(&of.parameters, &of.result));
        let fails: Vec<&str> = of.fails.iter().filter_map(|id| self.error_name(*id)).collect();
        entry(out, &signature, of.effect.word(), &fails, &of.documentation.replace("\n", " "));
    }

    fn table(&self, out: &mut String, of: &DecisionTable) {
        let signature = format!("rules {}{}", of.name, self.signature(&of.parameters, &of.result));
        entry(out, &signature, of.effect.word(), &[], &of.documentation.replace("\n", " "));
    }

    fn signature(&self, parameters: &[Parameter], result: &Type) -> String {
        let parameters: Vec<String> = parameters
            .iter()
            .map(|parameter| {
                let default = match &parameter.default {
                    Some(default) => format!(" = {}", self.program.sources.slice(default.span)),
                    None => String::new(),
                };
                format!("{}: {}{default}", parameter.name, self.ty(&parameter.ty))
            })
            .collect();
        let result = match result {
            Type::Nothing => String::new(),
            ty => format!(" -> {}", self.ty(ty)),
        };
        format!("({}){result}", parameters.join(", "))
    }

    fn error_name(&self, id: ErrorId) -> Option<&str> {
        self.program.errors.get(id.0 as usize).map(|error| error.name.as_str())
    }

    /// A type as it is written.
    fn ty(&self, ty: &Type) -> String {
        let record = |id: &crate::value::RecordId| {
            self.program.records.get(id.0 as usize).map_or("?", |record| record.name.as_str()).to_string()
        };
        match ty {
            Type::Text => "text".into(),
            Type::Bool => "bool".into(),
            Type::Int => "int".into(),
            Type::Decimal => "decimal".into(),
            Type::Percent => "percent".into(),
            Type::Money(None) => "money".into(),
            Type::Money(Some(currency)) => format!("money {}", currency.code()),
            Type::Date => "date".into(),
            Type::Time => "time".into(),
            Type::Instant => "instant".into(),
            Type::Duration => "duration".into(),
            Type::List(element) => format!("[{}]", self.ty(element)),
            Type::Map(key, value) => format!("{{{}: {}}}", self.ty(key), self.ty(value)),
            Type::Optional(inner) => format!("{}?", self.ty(inner)),
            Type::Record(id) | Type::Reference(id) => record(id),
            Type::Query(id) => format!("[{}]", record(id)),
            Type::Enum(id) => self.program.enums.get(id.0 as usize).map_or("?", |of| of.name.as_str()).to_string(),
            Type::Failure(_) | Type::Outcome(_) | Type::Nothing | Type::Never | Type::Unknown => "?".into(),
        }
    }
}
