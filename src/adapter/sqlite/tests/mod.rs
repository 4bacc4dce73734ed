//! Tests on real files.

mod crash;
mod fixture;
mod journal;
mod lease;
mod migrations;
mod openings;
mod parts;
mod queries;
mod records;
mod waiting;
