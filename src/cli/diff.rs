//! The difference of two texts, as `diff -u` shows it.

use std::fmt::Write;

/// Lines shown around what differs.
const AROUND: usize = 3;
/// Beyond so many differing lines on both sides, the whole stretch is shown as replaced.
const MOST: usize = 2_000;

/// The difference as a unified diff; empty when there is none.
pub fn unified(name: &str, before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let edits = edits(&old, &new);
    let mut out = String::new();
    let mut index = 0;
    while let Some(start) = edits.iter().skip(index).position(|edit| !edit.is_same()).map(|at| at + index) {
        // A hunk goes on as long as what differs is near.
        let mut last = start;
        while let Some(next) = edits.iter().skip(last + 1).take(2 * AROUND + 1).position(|edit| !edit.is_same()) {
            last += next + 1;
        }
        let from = start.saturating_sub(AROUND);
        let to = (last + AROUND + 1).min(edits.len());
        let hunk = edits.get(from..to).unwrap_or_default();
        if out.is_empty() {
            let _ = writeln!(out, "--- {name}\n+++ {name}");
        }
        let olds = hunk.iter().filter(|edit| !matches!(edit, Edit::New(_))).count();
        let news = hunk.iter().filter(|edit| !matches!(edit, Edit::Old(_))).count();
        let before = edits.iter().take(from);
        let old_line = before.clone().filter(|edit| !matches!(edit, Edit::New(_))).count() + usize::from(olds > 0);
        let new_line = before.filter(|edit| !matches!(edit, Edit::Old(_))).count() + usize::from(news > 0);
        let _ = writeln!(out, "@@ -{old_line},{olds} +{new_line},{news} @@");
        for edit in hunk {
            let (sign, line) = match edit {
                Edit::Same(line) => (' ', line),
                Edit::Old(line) => ('-', line),
                Edit::New(line) => ('+', line),
            };
            let _ = writeln!(out, "{sign}{}", line.trim_end_matches(['\n', '\r']));
        }
        index = to.max(last + 1);
    }
    out
}

/// What happens to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit<'t> {
    Same(&'t str),
    Old(&'t str),
    New(&'t str),
}

impl Edit<'_> {
    fn is_same(&self) -> bool {
        matches!(self, Edit::Same(_))
    }
}

/// The lines of both texts, those in common once: the longest common subsequence of what lies between the same head and
/// the same tail.
fn edits<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Edit<'t>> {
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let tail = old.iter().skip(head).rev().zip(new.iter().skip(head).rev()).take_while(|(old, new)| old == new).count();
    let between =
        |lines: &[&'t str]| lines.iter().skip(head).take(lines.len() - head - tail).copied().collect::<Vec<_>>();
    let (left, right) = (between(old), between(new));
    let mut out: Vec<Edit> = old.iter().take(head).map(|line| Edit::Same(line)).collect();
    if left.len().max(right.len()) > MOST {
        out.extend(left.iter().map(|line| Edit::Old(line)));
        out.extend(right.iter().map(|line| Edit::New(line)));
    } else {
        out.extend(common(&left, &right));
    }
    out.extend(old.iter().skip(old.len() - tail).map(|line| Edit::Same(line)));
    out
}

fn common<'t>(left: &[&'t str], right: &[&'t str]) -> Vec<Edit<'t>> {
    let width = right.len() + 1;
    // lengths[i * width + j]: the longest common subsequence of what follows i and j.
    let mut lengths = vec![0u32; (left.len() + 1) * width];
    let at = |lengths: &[u32], i: usize, j: usize| lengths.get(i * width + j).copied().unwrap_or(0);
    for (i, old) in left.iter().enumerate().rev() {
        for (j, new) in right.iter().enumerate().rev() {
            let length = if old == new {
                at(&lengths, i + 1, j + 1) + 1
            } else {
                at(&lengths, i + 1, j).max(at(&lengths, i, j + 1))
            };
            if let Some(slot) = lengths.get_mut(i * width + j) {
                *slot = length;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::with_capacity(left.len() + right.len());
    loop {
        match (left.get(i), right.get(j)) {
            (Some(old), Some(new)) if old == new => {
                out.push(Edit::Same(old));
                (i, j) = (i + 1, j + 1);
            }
            (Some(old), new) if new.is_none() || at(&lengths, i + 1, j) >= at(&lengths, i, j + 1) => {
                out.push(Edit::Old(old));
                i += 1;
            }
            (_, Some(new)) => {
                out.push(Edit::New(new));
                j += 1;
            }
            _ => return out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_shown_with_its_lines() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n";
        let new = "1\n2\n3\nfour\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n";
        insta::assert_snapshot!(unified("a.rpa", old, new), @r"
        --- a.rpa
        +++ a.rpa
        @@ -1,7 +1,7 @@
         1
         2
         3
        -4
        +four
         5
         6
         7
        @@ -14,3 +14,4 @@
         14
         15
         16
        +17
        ");
        assert_eq!(unified("a.rpa", old, old), "");
        assert_eq!(unified("a.rpa", "", "x\n"), "--- a.rpa\n+++ a.rpa\n@@ -0,0 +1,1 @@\n+x\n");
    }
}
