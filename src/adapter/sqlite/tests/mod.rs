//! Tests on real files.

mod fixture;
mod migrations;
mod openings;
mod records;
