//! What is drawn on the pages, before it becomes PDF. Lengths are points (1/72 inch), counted from the top left corner.

use super::text::Line;

/// The width of A4.
pub(super) const WIDTH: f32 = 595.28;
/// The height of A4.
pub(super) const HEIGHT: f32 = 841.89;

/// How dark something is: 0 is black, 1 is white.
pub(super) type Gray = f32;

/// One thing that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    /// A line of text; `y` is that of its base line.
    Text { x: f32, y: f32, size: f32, gray: Gray, line: Line },
    /// A horizontal rule.
    Rule { from: f32, to: f32, y: f32, thickness: f32, gray: Gray },
    /// A filled rectangle.
    Box { x: f32, y: f32, width: f32, height: f32, gray: Gray },
}

/// Everything on one page.
pub(super) type Page = Vec<Mark>;

#[cfg(test)]
pub(super) fn shown(pages: &[Page]) -> String {
    let mut out = String::new();
    for (number, page) in pages.iter().enumerate() {
        out.push_str(&format!("page {}\n", number + 1));
        for mark in page {
            out.push_str(&match mark {
                Mark::Text { x, y, size, line, .. } => format!("  {x:6.1} {y:6.1} {size:4.1} {}\n", line.text),
                Mark::Rule { from, to, y, .. } => format!("  {from:6.1} {y:6.1} rule to {to:.1}\n"),
                Mark::Box { x, y, width, height, .. } => format!("  {x:6.1} {y:6.1} box {width:.1} x {height:.1}\n"),
            });
        }
    }
    out
}
