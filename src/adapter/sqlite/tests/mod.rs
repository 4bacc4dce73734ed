//! Tests on real files.

mod crash;
mod fixture;
mod journal;
mod migrations;
mod openings;
mod queries;
mod records;
