//! `docs/findings.md`, made from the catalogue.

use super::catalogue::{self, Code};
use std::fmt::Write;

/// The page about every code, as Markdown.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Findings\n\nEverything that the program can report, by its code. `rpa explain CODE` shows the same on the command \
         line. An error stops a run before it begins; a warning does not.\n\nThis page is made from the catalogue in \
         `src/finding/catalogue/`; a test holds it current.\n",
    );
    let mut group = "";
    for code in catalogue::all() {
        if code.group() != group {
            group = code.group();
            let _ = write!(out, "\n## {group}\n");
        }
        page(&mut out, code);
    }
    out
}

fn page(out: &mut String, code: &Code) {
    let _ = write!(
        out,
        "\n### {}\n\n{}: {}.\n\n{}\n",
        code.id,
        code.severity.word(),
        code.title.trim_end_matches('.'),
        code.why
    );
    example(out, "Wrong:", code.bad);
    example(out, "Right:", code.good);
}

fn example(out: &mut String, heading: &str, script: &str) {
    if !script.trim().is_empty() {
        let _ = write!(out, "\n{heading}\n\n```rpa\n{}\n```\n", script.trim_matches('\n').trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_page() {
        let page = markdown();
        assert!(catalogue::all().count() > 10);
        for code in catalogue::all() {
            assert!(page.contains(&format!("\n### {}\n", code.id)), "{} is missing", code.id);
        }
    }
}
