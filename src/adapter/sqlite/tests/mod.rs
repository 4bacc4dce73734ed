//! Tests on real files.

mod fixture;
mod migrations;
mod openings;
mod queries;
mod records;
