//! The question behind every proof about a table: is a box of inputs covered by some rows, and if not,
//! which part of it is left?
//!
//! A box is a set of atoms for each dimension. A row that is disjoint from the box does not matter; a row
//! that holds all of it covers it; otherwise the box is cut along a row's side and both parts are asked.
//! After Calvanese, Dumas, Laurson, Maggi, Montali, Teinemaa: "Semantics and analysis of DMN decision
//! tables", BPM 2016; the cut is chosen so that few rows lie on both sides.

use super::bits::Bits;

/// A part of the inputs: the atoms it has in each dimension.
pub type Region = Vec<Bits>;

/// How many boxes a proof may look at; a table that needs more is said to be undecided.
pub const BUDGET: usize = 200_000;

/// How many parts that are left uncovered are collected.
const PARTS: usize = 256;

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cover {
    /// Every input of the box meets a row.
    Complete,
    /// These parts meet no row; when `all` is false there are more.
    Open {
        /// The parts, disjoint.
        parts: Vec<Region>,
        /// Whether these are all.
        all: bool,
    },
    /// The budget was used up.
    Undecided,
}

/// Asks whether `rows` cover `region`.
pub fn cover(region: &Region, rows: &[&Region]) -> Cover {
    let mut search = Search { parts: Vec::new(), left: BUDGET, full: false };
    // Dimensions in a row are few; the recursion is as deep as there are cuts, which the budget bounds too.
    let mut work = vec![(region.clone(), rows.to_vec())];
    while let Some((region, rows)) = work.pop() {
        if search.left == 0 {
            return Cover::Undecided;
        }
        search.left -= 1;
        search.visit(region, rows, &mut work);
        if search.full {
            break;
        }
    }
    if search.parts.is_empty() {
        return Cover::Complete;
    }
    Cover::Open { parts: merge(search.parts), all: !search.full }
}

struct Search {
    parts: Vec<Region>,
    left: usize,
    full: bool,
}

impl Search {
    fn visit<'r>(&mut self, region: Region, mut rows: Vec<&'r Region>, work: &mut Vec<(Region, Vec<&'r Region>)>) {
        rows.retain(|row| meets(row, &region));
        if rows.iter().any(|row| holds(row, &region)) {
            return;
        }
        let Some((dimension, side)) = cut(&region, &rows) else {
            self.parts.push(region);
            self.full = self.parts.len() >= PARTS;
            return;
        };
        let (mut outside, mut inside) = (region.clone(), region);
        outside[dimension] = outside[dimension].without(&side);
        inside[dimension] = inside[dimension].and(&side);
        work.push((outside, rows.clone()));
        work.push((inside, rows));
    }
}

/// Where to cut: the side of a row, in the dimension where it leaves the fewest rows on both sides. None
/// when there are no rows.
fn cut(region: &Region, rows: &[&Region]) -> Option<(usize, Bits)> {
    let row = rows.first()?;
    let candidates = (0..region.len()).filter(|dimension| !region[*dimension].within(&row[*dimension]));
    let dimension = candidates.min_by_key(|dimension| {
        let inside = region[*dimension].and(&row[*dimension]);
        let outside = region[*dimension].without(&row[*dimension]);
        let sample = rows.iter().take(64);
        sample.filter(|row| row[*dimension].meets(&inside) && row[*dimension].meets(&outside)).count()
    })?;
    Some((dimension, row[dimension].clone()))
}

/// Whether a row has an input in common with a region.
pub fn meets(row: &Region, region: &Region) -> bool {
    row.iter().zip(region).all(|(row, region)| row.meets(region))
}

/// Whether a row holds all of a region.
pub fn holds(row: &Region, region: &Region) -> bool {
    row.iter().zip(region).all(|(row, region)| region.within(row))
}

/// What two regions have in common; empty in some dimension when there is nothing.
pub fn common(left: &Region, right: &Region) -> Region {
    left.iter().zip(right).map(|(left, right)| left.and(right)).collect()
}

/// Puts regions together that differ in one dimension alone, until there are none: what people read.
fn merge(mut parts: Vec<Region>) -> Vec<Region> {
    let mut index = 0;
    while index < parts.len() {
        let partner = (0..parts.len()).filter(|other| *other != index).find_map(|other| {
            let mut differing = (0..parts[index].len()).filter(|d| parts[index][*d] != parts[other][*d]);
            match (differing.next(), differing.next()) {
                (Some(dimension), None) => Some((other, dimension)),
                _ => None,
            }
        });
        match partner {
            Some((other, dimension)) => {
                parts[index][dimension] = parts[index][dimension].or(&parts[other][dimension]);
                parts.swap_remove(other);
                index = 0;
            }
            None => index += 1,
        }
    }
    parts
}
