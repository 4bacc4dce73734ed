//! What findings look like. Each case is read by eye when it changes.

use super::terminal::{Appearance, render, render_all};
use super::{Tally, json};
use crate::finding::catalogue::file;
use crate::finding::{Code, Finding};
use crate::text::{Source, SourceId, Sources, Span};

const ERROR: &Code = &file::MISSING;
const WARNING: &Code = &Code::warning("file::odd", "odd", "Odd.", "", "");

fn sources(texts: &[(&str, &str)]) -> Sources {
    let mut sources = Sources::new();
    for (name, text) in texts {
        sources.add(Source::new(*name, *text));
    }
    sources
}

/// Where `needle` stands for the first time.
fn place(sources: &Sources, source: u16, needle: &str) -> Span {
    let text = &sources.get(SourceId(source)).unwrap().text;
    let start = text.find(needle).unwrap();
    Span::new(SourceId(source), start, start + needle.len())
}

fn shown(finding: &Finding, sources: &Sources) -> String {
    render(finding, sources, Appearance { width: 80, ..Appearance::default() })
}

#[test]
fn one_label_with_help_and_note() {
    let sources = sources(&[("orders.rpa", "use crm\n\nfn total(order: Order) -> money {\n  return ordr.total\n}\n")]);
    let finding = Finding::new(ERROR, place(&sources, 0, "ordr"), "there is no `ordr`")
        .at("unknown name")
        .note("names are known in the block they are declared in, and in the blocks inside it")
        .help("did you mean `order`? A name that is written in two ways is two names, and only one of them has a value here");
    insta::assert_snapshot!(shown(&finding, &sources), @r"
    file::missing

      × there is no `ordr`
       ╭─[orders.rpa:4:10]
     3 │ fn total(order: Order) -> money {
     4 │   return ordr.total
       ·          ──┬─
       ·            ╰── unknown name
     5 │ }
       ╰────
      note: names are known in the block they are declared in, and in the blocks
            inside it
      help: did you mean `order`? A name that is written in two ways is two names,
            and only one of them has a value here
    ");
}

#[test]
fn labels_far_apart_and_in_other_files() {
    let long = format!("fn a() -> int = 1\n{}fn a() -> int = 2\n", "// …\n".repeat(20));
    let sources = sources(&[("a.rpa", &long), ("b.rpa", "use \"a.rpa\"\nfn a() -> int = 3\n")]);
    let first = place(&sources, 0, "a()");
    let second = Span::new(SourceId(0), long.rfind("a()").unwrap(), long.rfind("a()").unwrap() + 1);
    let finding = Finding::new(ERROR, second, "`a` is declared three times")
        .at("again here")
        .label(first, "first here")
        .label(place(&sources, 1, "a()"), "and here");
    insta::assert_snapshot!(shown(&finding, &sources), @r#"
    file::missing

      × `a` is declared three times
        ╭─[a.rpa:22:4]
     21 │ // …
     22 │ fn a() -> int = 2
        ·    ┬
        ·    ╰── again here
        ╰────
       ╭─[a.rpa:1:4]
     1 │ fn a() -> int = 1
       ·    ─┬─
       ·     ╰── first here
     2 │ // …
       ╰────
       ╭─[b.rpa:2:4]
     1 │ use "a.rpa"
     2 │ fn a() -> int = 3
       ·    ─┬─
       ·     ╰── and here
       ╰────
    "#);
}

#[test]
fn wide_characters_line_up() {
    let sources = sources(&[(
        "订单.rpa",
        "fn 折扣(客户: 客户, 总额: money) -> percent {\n\tlet 名字 = \"张伟 é ﬁ\" + 总额\n}\n",
    )]);
    let finding = Finding::new(ERROR, place(&sources, 0, "\"张伟 é ﬁ\""), "text 和 money 不能相加")
        .at("text")
        .label(place(&sources, 0, "总额\n"), "money");
    insta::assert_snapshot!(shown(&finding, &sources), @r#"
    file::missing

      × text 和 money 不能相加
       ╭─[订单.rpa:2:11]
     1 │ fn 折扣(客户: 客户, 总额: money) -> percent {
     2 │     let 名字 = "张伟 é ﬁ" + 总额
       ·                ─────┬────   ──┬─
       ·                     │         ╰── money
       ·                     ╰── text
     3 │ }
       ╰────
    "#);
}

#[test]
fn labels_over_lines() {
    let body = "flow f() {\r\n  step a {\r\n    b()\r\n  }\r\n}\r\n";
    let sources = sources(&[("f.rpa", body)]);
    let finding = Finding::new(WARNING, place(&sources, 0, "step a {\r\n    b()\r\n  }"), "the step does nothing")
        .at("this step");
    insta::assert_snapshot!(shown(&finding, &sources), @r"
    file::odd

      ⚠ the step does nothing
       ╭─[f.rpa:2:3]
     1 │     flow f() {
     2 │ ╭─▶   step a {
     3 │ │       b()
     4 │ ├─▶   }
       · ╰──── this step
     5 │     }
       ╰────
    ");
}

#[test]
fn labels_over_very_many_lines_and_at_the_end() {
    let body = format!("flow f() {{\n{}", "  a()\n".repeat(30));
    let sources = sources(&[("f.rpa", &body)]);
    let end = Span::new(SourceId(0), body.len(), body.len());
    let finding = Finding::new(ERROR, end, "the file ends before the block is closed")
        .at("a `}` is missing")
        .label(Span::new(SourceId(0), 9, body.len()), "the block");
    insta::assert_snapshot!(shown(&finding, &sources), @r"
    file::missing

      × the file ends before the block is closed
        ╭─[f.rpa:32:1]
     31 │   a()
     32 │
        · ┬
        · ╰── a `}` is missing
        ╰────
       ╭─[f.rpa:1:10]
     1 │ flow f() {
       ·          ┬
       ·          ╰── the block (up to line 31)
     2 │   a()
       ╰────
    ");
}

#[test]
fn very_long_lines_are_cut() {
    let line = format!("let x = [{}oops, {}]", "1, ".repeat(100_000), "2, ".repeat(100_000));
    let sources = sources(&[("long.rpa", &line)]);
    let finding = Finding::new(ERROR, place(&sources, 0, "oops"), "there is no `oops`").at("here");
    insta::assert_snapshot!(shown(&finding, &sources), @r"
    file::missing

      × there is no `oops`
       ╭─[long.rpa:1:300010]
     1 │ …1, 1, 1, 1, 1, 1, 1, 1, oops, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, …
       ·                          ──┬─
       ·                            ╰── here
       ╰────
    ");
}

#[test]
fn ascii_and_colour() {
    let sources = sources(&[("a.rpa", "let x = 1\n")]);
    let finding =
        Finding::new(WARNING, place(&sources, 0, "x"), "`x` is not used").at("never read").help("take it out");
    let ascii = Appearance { unicode: false, ..Appearance::default() };
    insta::assert_snapshot!(render(&finding, &sources, ascii), @r"
    file::odd

      ! `x` is not used
       ,-[a.rpa:1:5]
     1 | let x = 1
       :     |
       :     `-- never read
       `----
      help: take it out
    ");
    let color = render(&finding, &sources, Appearance { color: true, ..Appearance::default() });
    assert!(color.contains("\u{1b}[33m") && color.contains("\u{1b}[36mhelp:\u{1b}[0m"), "{color:?}");
    assert!(!render(&finding, &sources, Appearance::default()).contains('\u{1b}'));
}

#[test]
fn without_a_place() {
    let finding =
        Finding::without_place(ERROR, "there is no file `orders.rpa`\u{1b}[2J").help("did you mean `order.rpa`?");
    insta::assert_snapshot!(shown(&finding, &Sources::new()), @r"
    file::missing

      × there is no file `orders.rpa`␛[2J
      help: did you mean `order.rpa`?
    ");
}

#[test]
fn calls_that_led_to_a_failure() {
    let text = "flow day() {\n  for row in rows {\n    run order(row)\n  }\n}\nflow order(row: Row) {\n  step x = row.a / row.b\n}\n";
    let sources = sources(&[("day.rpa", text)]);
    let mut finding = Finding::new(ERROR, place(&sources, 0, "row.a / row.b"), "division by zero")
        .at("`row.b` is 0")
        .called_from("flow day", place(&sources, 0, "run order(row)"));
    insta::assert_snapshot!(shown(&finding, &sources), @r"
    file::missing

      × division by zero
       ╭─[day.rpa:7:12]
     6 │ flow order(row: Row) {
     7 │   step x = row.a / row.b
       ·            ──────┬──────
       ·                  ╰── `row.b` is 0
     8 │ }
       ╰────
      called from flow day (day.rpa:3:5)
          run order(row)
    ");
    for _ in 0..1000 {
        finding = finding.called_from("fn again", place(&sources, 0, "step x"));
    }
    let long = shown(&finding, &sources);
    assert!(long.contains("… 985 more calls") && long.lines().count() < 50, "{long}");
}

#[test]
fn a_place_that_does_not_fit_loses_no_message() {
    let sources = sources(&[("a.rpa", "x")]);
    for span in [Span::new(SourceId(9), 0, 1), Span::new(SourceId(0), 50, 90), Span::new(SourceId(0), 90, 50)] {
        let finding = Finding::new(ERROR, span, "something is wrong").label(span, "here");
        assert!(shown(&finding, &sources).contains("something is wrong"));
    }
}

#[test]
fn json_tells_lines_and_columns() {
    let sources = sources(&[("a.rpa", "let 名 = 1\nlet y = 名\n")]);
    let finding = Finding::new(WARNING, place(&sources, 0, "= 1\nlet y"), "odd")
        .at("here")
        .help("do not")
        .fix(place(&sources, 0, "名"), "名字");
    let rendered = serde_json::to_string_pretty(&json::render(&[finding], &sources)).unwrap();
    insta::assert_snapshot!(rendered, @r#"
    [
      {
        "code": "file::odd",
        "title": "odd",
        "severity": "warning",
        "message": "odd",
        "labels": [
          {
            "file": "a.rpa",
            "line": 1,
            "column": 7,
            "end_line": 2,
            "end_column": 6,
            "start": 8,
            "end": 17,
            "text": "here"
          }
        ],
        "note": null,
        "help": "do not",
        "fixes": [
          {
            "file": "a.rpa",
            "line": 1,
            "column": 5,
            "end_line": 1,
            "end_column": 6,
            "start": 4,
            "end": 7,
            "replacement": "名字"
          }
        ],
        "trace": []
      }
    ]
    "#);
}

#[test]
fn findings_are_counted() {
    let sources = sources(&[("a.rpa", ""), ("b.rpa", "")]);
    let at = |source| Finding::new(ERROR, Span::new(SourceId(source), 0, 0), "a");
    let warning = Finding::without_place(WARNING, "b");
    let mut tally = Tally::default();
    assert_eq!(tally.to_string(), "no findings");
    tally.add(&[at(0)], &sources);
    assert_eq!(tally.to_string(), "1 error");
    tally.add(&[at(0), at(1), warning], &sources);
    assert_eq!(tally.to_string(), "3 errors and 1 warning in 2 files");
}

#[test]
fn findings_stand_apart() {
    let finding = Finding::without_place(ERROR, "a");
    let both = render_all(&[finding.clone(), finding], &Sources::new(), Appearance::default());
    assert_eq!(both.matches("file::missing").count(), 2);
    assert!(both.contains("\n\nfile::missing"), "{both}");
}
