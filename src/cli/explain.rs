//! `rpa explain`: what a finding means, and what to do about it.

use super::Status;
use super::console::{Console, Format};
use crate::finding::catalogue::{self, cli};
use crate::finding::{Code, Finding};
use crate::text::nearest;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

/// Explain a finding: what it means, why it matters, a bad and a good example
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The code in the first line of a finding, such as `file::missing`; all codes when there is none
    code: Option<String>,
}

/// Prints the page of a code, or the list of all.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    let Some(wanted) = arguments.code.as_deref() else {
        list(catalogue::all(), console);
        return Status::Fine;
    };
    if let Some(code) = catalogue::find(wanted) {
        match console.format {
            Format::Json => console.json(&data(code)),
            Format::Text => page(code, console),
        }
        return Status::Fine;
    }
    // A group alone lists its codes.
    let group = wanted.trim_end_matches(':');
    if catalogue::all().any(|code| code.group() == group) {
        list(catalogue::all().filter(|code| code.group() == group), console);
        return Status::Fine;
    }
    let finding = Finding::without_place(&cli::UNKNOWN_CODE, format!("there is no finding `{wanted}`"));
    let named = |code: &&Code| code.id.rsplit_once("::").is_some_and(|(_, name)| name == wanted);
    let mut near: Vec<&str> = catalogue::all().filter(named).map(|code| code.id).collect();
    if near.is_empty() {
        near.extend(nearest(wanted, catalogue::all().map(|code| code.id)));
    }
    let near: Vec<String> = near.iter().map(|id| format!("`{id}`")).collect();
    console.finding(match near.split_last() {
        Some((last, [])) => finding.help(format!("did you mean {last}?")),
        Some((last, others)) => finding.help(format!("did you mean {} or {last}?", others.join(", "))),
        None => finding.help("`rpa explain` lists all codes"),
    });
    Status::WrongUse
}

fn list(codes: impl Iterator<Item = &'static Code>, console: &mut Console) {
    let codes: Vec<_> = codes.collect();
    if console.format == Format::Json {
        let pages: Value = codes.into_iter().map(data).collect();
        console.json(&pages);
        return;
    }
    let width = codes.iter().map(|code| code.id.width()).max().unwrap_or(0);
    let mut group = "";
    for code in codes {
        if code.group() != group && !group.is_empty() {
            console.line("");
        }
        group = code.group();
        console.line(format!("{:width$}  {}", code.id, code.title));
    }
}

fn page(code: &Code, console: &mut Console) {
    let (bold, plain) = if console.output_has_color() { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
    console.line(format!("{bold}{}{plain} ({})", code.id, code.severity.word()));
    console.line(format!("{}\n", sentence(code.title)));
    let columns = console.columns().clamp(40, 100);
    for paragraph in code.why.split('\n') {
        console.print(filled(paragraph, columns));
    }
    for (name, example) in [("Bad", code.bad), ("Good", code.good)] {
        if !example.is_empty() {
            console.line(format!("\n{bold}{name}:{plain}\n"));
            for line in example.trim_end().lines() {
                console.line(format!("    {line}").trim_end());
            }
        }
    }
}

fn data(code: &Code) -> Value {
    json!({
        "code": code.id,
        "severity": code.severity.word(),
        "title": code.title,
        "why": code.why,
        "bad": code.bad,
        "good": code.good,
    })
}

/// The title as a sentence.
fn sentence(title: &str) -> String {
    let mut chars = title.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}

/// A paragraph broken at its spaces into lines of at most `columns` columns.
fn filled(paragraph: &str, columns: usize) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in paragraph.split(' ') {
        if column > 0 && column + 1 + word.width() > columns {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.width();
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::tests::ran;
    use crate::finding::catalogue;

    #[test]
    fn every_code_has_a_page() {
        let (status, list, _) = ran(&["explain"], "");
        assert_eq!(status, Status::Fine);
        for code in catalogue::all() {
            assert!(list.contains(code.id), "{} is not listed", code.id);
            let (status, page, _) = ran(&["explain", code.id], "");
            assert_eq!(status, Status::Fine);
            assert!(page.starts_with(code.id) && page.contains(code.good.lines().next().unwrap_or("")), "{page}");
        }
    }

    #[test]
    fn a_page_is_laid_out() {
        insta::assert_snapshot!(ran(&["explain", "file::exists"], "").1, @r"
        file::exists (error)
        A file is there already.

        The command makes new files and never writes over one that somebody made. Choose another name, or
        move the file away.
        ");
    }

    #[test]
    fn an_unknown_code_shows_the_nearest() {
        let (status, _, errors) = ran(&["explain", "file::mising"], "");
        assert_eq!(status, Status::WrongUse);
        insta::assert_snapshot!(errors, @r"
        cli::unknown-code

          × there is no finding `file::mising`
          help: did you mean `file::missing`?
        ");
        let errors = ran(&["explain", "missing"], "").2;
        assert!(errors.contains("did you mean `config::missing`, `file::missing` or `store::missing`?"), "{errors}");
        assert!(ran(&["explain", "file"], "").1.contains("file::disk-full"));
    }

    #[test]
    fn programs_get_json() {
        let (_, output, _) = ran(&["explain", "--format", "json"], "");
        let pages: serde_json::Value = serde_json::from_str(&output).unwrap();
        assert_eq!(pages.as_array().unwrap().len(), catalogue::all().count());
        let (_, output, _) = ran(&["explain", "nothing", "--format", "json"], "");
        let findings: serde_json::Value = serde_json::from_str(&output).unwrap();
        assert_eq!(findings[0]["code"], "cli::unknown-code");
    }
}
