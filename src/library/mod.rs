//! The primitives that the language knows by itself, as data, and the standard library written in `.rpa`.
//!
//! A primitive is one row: what it is called, what it takes and gives, what it does to the world, how it
//! may fail, and what the reference says of it. The checker types calls by these rows, the editor and the
//! documentation show them; `vm` (pure ones) and `task` (the others) execute them by their [`Operation`].

mod part;
mod primitive;
pub mod reference;
mod signature;

pub use part::{LibraryFile, PARTS, PRELUDE, part};
pub use primitive::{Operation, PRIMITIVES, Primitive};
pub use signature::{Shape, Signature, SignatureError, SignatureParameter};
