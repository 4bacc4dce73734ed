//! Templates: chunks that put their parts to the end of one text.

use super::body::{Body, Compiler};
use super::instruction::{Instruction, Operand, Register};
use crate::check::program::{Template, TemplatePart};
use crate::value::Value;

impl Compiler<'_> {
    /// Makes the chunk of a template.
    pub fn template(&mut self, index: usize, template: &Template) {
        let Some(place) = self.templates.get(index).copied() else { return };
        let name = format!("template {}", template.name);
        let mut body = Body::new(self, name, template.parameters.len(), template.locals.len(), template.span);
        let text = body.temporary();
        let empty = body.constant(Value::text(""));
        body.copy(text, empty);
        body.parts(&template.parts, text);
        body.emit(Instruction::Return { value: Operand::register(text) });
        body.add_at(place);
    }
}

impl Body<'_, '_> {
    fn parts(&mut self, parts: &[TemplatePart], text: Register) {
        for part in parts {
            let mark = self.mark();
            match part {
                TemplatePart::Characters(characters) => {
                    let value = self.constant(Value::Text(characters.clone()));
                    self.emit(Instruction::AppendText { text, value });
                }
                TemplatePart::Value(expr) => {
                    let value = self.operand(expr);
                    let outer = std::mem::replace(&mut self.span, expr.span);
                    self.emit(Instruction::AppendText { text, value });
                    self.span = outer;
                }
                TemplatePart::For { local, second, list, body } => {
                    let round = match second {
                        Some(value) => self.begin_entries(list, *local, *value),
                        None => self.begin_loop(list, *local, &[]),
                    };
                    self.parts(body, text);
                    self.end_loop(round);
                }
                TemplatePart::If { condition, then, otherwise } => {
                    let jumps = self.jump_unless(condition);
                    self.parts(then, text);
                    let end = self.emit(Instruction::Jump { target: 0 });
                    self.land_all(jumps);
                    self.parts(otherwise, text);
                    self.land(end);
                }
            }
            self.release(mark);
        }
    }
}
