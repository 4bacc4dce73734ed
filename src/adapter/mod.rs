//! The only real input and output of the program: store, disk, mail, clock, chance, workbooks, PDF, other systems, secrets.

// This is where the world's windows open: what `clippy.toml` keeps from every other room is done here.
#![allow(clippy::disallowed_methods)]

pub mod calendar;
pub mod clock;
pub mod disk;
pub mod mail;
pub mod office;
pub mod random;
pub mod scripts;
pub mod secrets;
mod sheet_text;
pub mod sqlite;
pub mod tls;
pub mod web;
