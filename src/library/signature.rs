//! Signatures of primitives, read from how the table writes them.

/// What a parameter or result is, before the type variables are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A type by its name: `text`, `Document`.
    Named(&'static str),
    /// `T`, `U`, `K`, `V`, `N`, `O`.
    Variable(char),
    /// `[T]`
    List(Box<Shape>),
    /// `{K: V}`
    Map(Box<Shape>, Box<Shape>),
    /// `T?`
    Optional(Box<Shape>),
    /// `T => U`, `(U, T) => U`
    Function(Vec<Shape>, Box<Shape>),
    /// `type T`
    Type(Box<Shape>),
    /// No result.
    Nothing,
}

/// What a primitive is called, takes and gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The module of a task: `csv`; none for methods and plain functions.
    pub module: Option<&'static str>,
    /// What a method or property belongs to.
    pub receiver: Option<Shape>,
    /// Its name, without module or receiver.
    pub name: &'static str,
    /// Whether it is written without parentheses.
    pub is_property: bool,
    /// Its parameters, without the receiver.
    pub parameters: Vec<SignatureParameter>,
    /// Its result.
    pub result: Shape,
}

/// A parameter of a primitive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureParameter {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// What it has when nothing is given: a number, a text, `true`, `false`, `none`, `[]`, `{}`, or the name of a type.
    pub default: Option<&'static str>,
}

/// A row of the table that can't be read: a mistake in the program itself, found by a test.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signature `{signature}` can't be read at byte {at}")]
pub struct SignatureError {
    /// The signature.
    pub signature: &'static str,
    /// Where.
    pub at: usize,
}

/// The modules that tasks of the table are in.
const MODULES: &[&str] =
    &["csv", "json", "excel", "file", "email", "http", "log", "random", "sequence", "pdf", "project"];

impl Signature {
    /// Reads a signature of the table.
    pub fn parse(signature: &'static str) -> Result<Signature, SignatureError> {
        let mut reader = Reader { text: signature, at: 0 };
        reader.signature().map_err(|()| SignatureError { signature, at: reader.at })
    }
}

struct Reader {
    text: &'static str,
    at: usize,
}

type Read<T> = Result<T, ()>;

impl Reader {
    fn signature(&mut self) -> Read<Signature> {
        let (mut module, mut receiver) = (None, None);
        let first = self.shape()?;
        let name = if self.eat(".") {
            match first {
                Shape::Named(name) if MODULES.contains(&name) => module = Some(name),
                shape => receiver = Some(shape),
            }
            self.word()?
        } else if let Shape::Named(name) = first {
            name
        } else {
            return Err(());
        };
        let mut parameters = Vec::new();
        let is_property = !self.eat("(");
        if !is_property {
            while !self.eat(")") {
                parameters.push(self.parameter()?);
                self.eat(", ");
            }
        }
        let result = if self.eat(" -> ") { self.shape()? } else { Shape::Nothing };
        if self.at < self.text.len() {
            return Err(());
        }
        Ok(Signature { module, receiver, name, is_property, parameters, result })
    }

    fn parameter(&mut self) -> Read<SignatureParameter> {
        let name = self.word()?;
        self.expect(": ")?;
        let shape = if self.eat("type ") { Shape::Type(Box::new(self.shape()?)) } else { self.function_or_shape()? };
        let default = if self.eat(" = ") { Some(self.literal()?) } else { None };
        Ok(SignatureParameter { name, shape, default })
    }

    fn function_or_shape(&mut self) -> Read<Shape> {
        let mut parameters = Vec::new();
        if self.eat("(") {
            while !self.eat(")") {
                parameters.push(self.shape()?);
                self.eat(", ");
            }
        } else {
            parameters.push(self.shape()?);
        }
        if self.eat(" => ") {
            return Ok(Shape::Function(parameters, Box::new(self.shape()?)));
        }
        parameters.pop().ok_or(())
    }

    fn shape(&mut self) -> Read<Shape> {
        let shape = if self.eat("[") {
            let element = self.shape()?;
            self.expect("]")?;
            Shape::List(Box::new(element))
        } else if self.eat("{") {
            let key = self.shape()?;
            self.expect(": ")?;
            let value = self.shape()?;
            self.expect("}")?;
            Shape::Map(Box::new(key), Box::new(value))
        } else {
            match self.word()? {
                variable @ ("T" | "U" | "K" | "V" | "N" | "O") => Shape::Variable(variable.chars().next().ok_or(())?),
                name => Shape::Named(name),
            }
        };
        Ok(if self.eat("?") { Shape::Optional(Box::new(shape)) } else { shape })
    }

    fn literal(&mut self) -> Read<&'static str> {
        let rest = &self.text[self.at..];
        let length = match rest.strip_prefix('"') {
            Some(inside) => inside.find('"').ok_or(())? + 2,
            None if rest.starts_with("[]") || rest.starts_with("{}") => 2,
            None => rest.find([',', ')']).ok_or(())?,
        };
        self.at += length;
        Ok(&rest[..length])
    }

    fn word(&mut self) -> Read<&'static str> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        if length == 0 {
            return Err(());
        }
        self.at += length;
        Ok(&rest[..length])
    }

    fn eat(&mut self, what: &str) -> bool {
        let found = self.text[self.at..].starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    fn expect(&mut self, what: &str) -> Read<()> {
        if self.eat(what) { Ok(()) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::PRIMITIVES;

    #[test]
    fn every_signature_of_the_table_can_be_read() {
        for primitive in PRIMITIVES {
            Signature::parse(primitive.signature).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    #[test]
    fn a_method_has_a_receiver_and_a_task_a_module() {
        let fold = Signature::parse("[T].fold(start: U, combine: (U, T) => U) -> U").unwrap();
        assert_eq!(fold.receiver, Some(Shape::List(Box::new(Shape::Variable('T')))));
        assert_eq!(fold.parameters.len(), 2);
        let read = Signature::parse("csv.read(path: text, as: type T, separator: text = \"\") -> [T]").unwrap();
        assert_eq!((read.module, read.name, read.is_property), (Some("csv"), "read", false));
        assert_eq!(read.parameters[2].default, Some("\"\""));
    }
}
