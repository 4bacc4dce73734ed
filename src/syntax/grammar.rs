//! The pest parser of single lines; its rules are in `grammar/rpa.pest`.

use pest::Parser;
use pest::iterators::Pairs;

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/rpa.pest"]
struct Grammar;

/// One node of what pest makes of a line.
pub type Pair<'i> = pest::iterators::Pair<'i, Rule>;

/// Parses a piece of text by a rule.
pub fn parse(rule: Rule, text: &str) -> Result<Pairs<'_, Rule>, Box<pest::error::Error<Rule>>> {
    Grammar::parse(rule, text).map_err(Box::new)
}
