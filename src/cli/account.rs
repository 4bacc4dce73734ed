//! The end of a run, told for people: how many items went through, how many did not and why, what was written.

use crate::adapter::mail::{DispatchReport, Undelivered};
use crate::finding::render::number;
use crate::finding::render::terminal::harmless;
use crate::flow::Summary;
use crate::flow::summary::{ChangeCount, LoopAccount, Reason};
use crate::value::{Duration, EcoString, TypeNames, Value, display};
use crate::world::{ChangeKind, masked_address};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// How many reasons are told of one error; the others are counted.
const MOST_REASONS: usize = 6;

/// The account of a run, in lines of at most `columns` columns. What failed the run itself is a finding of its own.
pub fn text(summary: &Summary, names: &dyn TypeNames, columns: usize) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", head(summary));
    if summary.already_over {
        out.push_str(match summary.waiting {
            Some(_) => "It was started before with the same key; nothing was done now.\n",
            None => "It had ended so before with the same key; nothing was done now.\n",
        });
    }
    if let Some(why) = &summary.stopped {
        let _ = writeln!(out, "It stopped: {}", clean(why));
    }
    if !summary.result.is_none() {
        let shown = clean(&display(&summary.result, names));
        let _ = writeln!(out, "{}", cut(&format!("Result: {shown}"), columns * 3));
    }
    for account in &summary.loops {
        items(&mut out, account, columns);
    }
    if !summary.notes.is_empty() {
        out.push('\n');
        for note in &summary.notes {
            let _ = writeln!(out, "{}", cut(&clean(note), columns * 2));
        }
    }
    if !summary.already_over {
        written(&mut out, summary, columns);
    }
    let mut facts = Vec::new();
    if summary.retried > 0 {
        // How often, where that says more.
        let often = match summary.retries {
            tries if tries > summary.retried => format!(" ({tries} times)"),
            _ => String::new(),
        };
        facts.push(format!("{} again{often}", times(summary.retried, "step was tried", "steps were tried")));
    }
    if summary.handled > 0 {
        facts.push(times(summary.handled, "failure was handled", "failures were handled"));
    }
    if summary.undone > 0 {
        facts.push(times(summary.undone, "step was undone", "steps were undone"));
    }
    if !facts.is_empty() {
        let _ = writeln!(out, "\n{}", facts.join(", "));
    }
    if summary.undo_failures_count > 0 {
        let _ = writeln!(
            out,
            "\n{}:",
            times(summary.undo_failures_count, "step could not be undone", "steps could not be undone")
        );
        for (run, step, why) in &summary.undo_failures {
            let _ = writeln!(out, "  run {}, {}: {}", run.0, clean(step), clean(why));
        }
        more(&mut out, summary.undo_failures_count, summary.undo_failures.len());
    }
    if summary.warnings_count > 0 {
        let _ = writeln!(out, "\n{}:", number(summary.warnings_count as usize, "warning"));
        for warning in &summary.warnings {
            let _ = writeln!(out, "  {}", cut(&clean(warning), columns.saturating_sub(2)));
        }
        more(&mut out, summary.warnings_count, summary.warnings.len());
    }
    out
}

/// What became of the mails in the outbox, in lines of at most `columns` columns; nothing when there were none.
pub fn mails(report: &DispatchReport, columns: usize) -> String {
    let mut out = String::new();
    if report.delivered > 0 {
        let mails = times(report.delivered, "mail", "mails");
        let target = super::runs::shorter(std::path::Path::new(&report.target));
        let _ = writeln!(out, "\ndelivered {mails} to {}", clean(&target.display().to_string()));
    }
    for (what, undelivered) in
        [("could not be delivered yet", &report.postponed), ("will not leave by themselves", &report.refused)]
    {
        if undelivered.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{} {what}:", times(undelivered.len() as u64, "mail", "mails"));
        for mail in undelivered.iter().take(MOST_REASONS) {
            let line = format!("to {}, of run {}: {}", clean(&masked_address(&mail.to)), mail.run, clean(&mail.reason));
            let _ = writeln!(out, "  {}", cut(&line, columns.saturating_sub(2)));
        }
        more(&mut out, undelivered.len() as u64, undelivered.len().min(MOST_REASONS));
    }
    if !report.refused.is_empty() {
        let _ = writeln!(out, "  `rpa mail` lists them, `rpa mail retry` sends them after all");
    }
    if report.held > 0 {
        let mails = times(report.held, "mail is", "mails are");
        let _ = writeln!(out, "\n{mails} held: email is switched off in rpa.toml");
    } else if report.open_until.is_some() && report.delivered == 0 && report.postponed.is_empty() {
        let _ = writeln!(
            out,
            "\nthe mail server has failed often and is left alone for a while; `rpa serve` or a later run tries the mails again"
        );
    } else if report.stopped {
        let _ = writeln!(out, "\nthe other mails wait in the store; `rpa serve` or the next run tries them again");
    }
    out
}

/// What became of the mails in the outbox, as JSON.
pub fn mails_json(report: &DispatchReport) -> serde_json::Value {
    let each = |mails: &[Undelivered]| -> serde_json::Value {
        let mail = |mail: &Undelivered| serde_json::json!({"run": mail.run, "to": masked_address(&mail.to).as_str(), "reason": mail.reason});
        mails.iter().map(mail).collect()
    };
    serde_json::json!({
        "delivered": report.delivered,
        "target": report.target,
        "postponed": each(&report.postponed),
        "refused": each(&report.refused),
        "stopped": report.stopped,
        "held": report.held,
    })
}

/// `process_orders is done: run 12, 2.3 seconds`
fn head(summary: &Summary) -> String {
    let state = match (&summary.failure, &summary.stopped) {
        _ if summary.waiting.is_some() => "waits",
        (Some(failure), _) if failure.name == "cancelled" => "is cancelled",
        (Some(_), _) => "failed",
        (None, Some(_)) => "stopped",
        (None, None) => "is done",
    };
    let run = if summary.run.0 > 0 { format!("run {}, ", summary.run.0) } else { String::new() };
    format!("{} {state}: {run}{}", clean(&summary.flow), took(summary.took))
}

/// A length of time as people say it after a run: `15 milliseconds`, `2.3 seconds`, `2 minutes 5 seconds`.
pub fn took(duration: Duration) -> String {
    let milliseconds = duration.milliseconds();
    match milliseconds {
        1000..60_000 => format!("{}.{} seconds", milliseconds / 1000, milliseconds % 1000 / 100),
        60_000.. => Duration::from_milliseconds(milliseconds / 1000 * 1000).to_string(),
        _ => duration.to_string(),
    }
}

/// How the items of the loops went, in lines of at most `columns` columns.
pub fn loops(summary: &Summary, columns: usize) -> String {
    let mut out = String::new();
    summary.loops.iter().for_each(|account| items(&mut out, account, columns));
    out
}

fn items(out: &mut String, account: &LoopAccount, columns: usize) {
    let items = number(account.items as usize, "item");
    let flow = clean(&account.flow);
    let _ = match &account.runs {
        Some(runs) => write!(out, "\n{flow} ran {} for {items}: {} done", clean(runs), account.done),
        None => write!(out, "\n{flow}, for {}: {items}, {} done", clean(&account.item), account.done),
    };
    match account.earlier {
        0 => {}
        earlier if earlier == account.done => out.push_str(" (all of them earlier)"),
        earlier => {
            let _ = write!(out, " ({earlier} of them earlier)");
        }
    }
    let _ = write!(out, ", {} failed", account.failed);
    let left = account.items.saturating_sub(account.done + account.failed + account.waiting);
    if account.waiting > 0 {
        let _ = write!(out, ", {}", times(account.waiting, "waits", "wait"));
        if left > 0 {
            let _ = write!(out, ", {left} not begun");
        }
    }
    out.push('\n');
    // Reasons of one error belong together: messages often name the item, and would hide each other.
    let mut errors: Vec<(&str, Vec<&Reason>)> = Vec::new();
    for reason in &account.reasons {
        match errors.iter_mut().find(|(error, _)| *error == reason.error) {
            Some((_, reasons)) => reasons.push(reason),
            None => errors.push((&reason.error, vec![reason])),
        }
    }
    let count = |reasons: &[&Reason]| reasons.iter().map(|reason| reason.count).sum::<u64>();
    errors.sort_by_key(|(_, reasons)| std::cmp::Reverse(count(reasons)));
    let width = errors.iter().map(|(_, reasons)| count(reasons).to_string().len()).max().unwrap_or(1);
    for (error, reasons) in &errors {
        let earlier: u64 = reasons.iter().map(|reason| reason.earlier).sum();
        let count = count(reasons);
        let earlier = match earlier {
            0 => String::new(),
            earlier if earlier == count => ", as before: `--retry-failed` tries again".to_string(),
            earlier => format!(", {earlier} of them as before: `--retry-failed` tries them again"),
        };
        let _ = writeln!(out, "  {count:>width$}  {}{earlier}", clean(error));
        let told = if reasons.len() == MOST_REASONS + 1 { reasons.len() } else { MOST_REASONS };
        for reason in reasons.iter().filter(|reason| !reason.message.is_empty()).take(told) {
            write_reason(out, error, reason, width, columns);
        }
        let listed = reasons.iter().filter(|reason| !reason.message.is_empty()).take(told).map(|reason| reason.count);
        let rest = count - listed.sum::<u64>();
        if rest > 0 {
            let _ = writeln!(out, "  {:width$}  {rest} for other reasons", "");
        }
    }
}

/// `2  there is no customer C-999: 1003, 1040`
fn write_reason(out: &mut String, error: &str, reason: &Reason, width: usize, columns: usize) {
    // A message begins with the words of its error, which stand above it already.
    let message = clean(&reason.message);
    let message = message.strip_prefix(&format!("{}: ", error.replace('_', " "))).unwrap_or(&message).to_string();
    let examples: Vec<_> = reason.examples.iter().map(|each| clean(each)).filter(|each| !each.is_empty()).collect();
    let rest = if reason.count as usize > examples.len() { ", …" } else { "" };
    let place = if reason.place.is_empty() { String::new() } else { format!(" ({})", clean(&reason.place)) };
    let items = if examples.is_empty() { String::new() } else { format!(": {}{rest}", examples.join(", ")) };
    let line = format!("{} {message}{place}{items}", reason.count);
    for (index, line) in wrapped(&line, columns.saturating_sub(width + 6)).into_iter().enumerate() {
        let _ = writeln!(out, "  {:width$}  {}{line}", "", if index == 0 { "" } else { "  " });
    }
}

fn written(out: &mut String, summary: &Summary, columns: usize) {
    let groups: Vec<(&str, String)> = [
        (ChangeKind::Created, "created"),
        (ChangeKind::Changed, "changed"),
        (ChangeKind::Deleted, "deleted"),
        (ChangeKind::Mailed, "mailed"),
        (ChangeKind::Wrote, "wrote"),
        (ChangeKind::Called, "called"),
        (ChangeKind::Fired, "fired"),
    ]
    .into_iter()
    .filter_map(|(kind, word)| {
        let of_kind: Vec<_> = summary.changes.iter().filter(|(each, ..)| *each == kind).collect();
        let parts: Vec<_> = of_kind.iter().map(|(_, what, count)| change(kind, what, count)).collect();
        (!parts.is_empty()).then(|| (word, parts.join(", ")))
    })
    .collect();
    if groups.is_empty() {
        let _ = writeln!(out, "\nnothing was written");
        return;
    }
    out.push('\n');
    for (word, text) in groups {
        for (index, line) in wrapped(&text, columns.saturating_sub(9).max(20)).into_iter().enumerate() {
            let _ = writeln!(out, "{:<9}{line}", if index == 0 { word } else { "" });
        }
    }
}

fn change(kind: ChangeKind, what: &EcoString, count: &ChangeCount) -> String {
    match kind {
        ChangeKind::Mailed => times(count.count, "mail", "mails"),
        ChangeKind::Called => format!("{} {}", clean(what), times(count.count, "time", "times")),
        ChangeKind::Wrote => {
            let shown: Vec<_> = count.examples.iter().take(3).map(|path| clean(path)).collect();
            let rest = if count.count as usize > shown.len() { ", …" } else { "" };
            format!("{}: {}{rest}", times(count.count, "file", "files"), shown.join(", "))
        }
        _ => format!("{} {}", count.count, clean(what)),
    }
}

fn more(out: &mut String, count: u64, shown: usize) {
    if count as usize > shown {
        let _ = writeln!(out, "  and {} more", count as usize - shown);
    }
}

fn times(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A text from data in one line, without what would steer the terminal.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { ' ' } else { harmless(c) }).collect()
}

/// A line cut to `columns` columns.
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_string();
    }
    let mut out = String::new();
    let mut width = 0;
    for c in text.chars() {
        width += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if width >= columns {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// A text broken at its spaces.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= columns {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines
}

/// The account as JSON.
pub fn json(summary: &Summary, names: &dyn TypeNames) -> serde_json::Value {
    let mut account = summary.account_json();
    if let serde_json::Value::Object(object) = &mut account {
        let state = match (&summary.failure, &summary.waiting) {
            (Some(failure), _) if failure.name == "cancelled" => "cancelled",
            (Some(_), _) => "failed",
            (None, Some(_)) => "waiting",
            (None, None) => "done",
        };
        let mut head = serde_json::Map::new();
        head.insert("run".into(), summary.run.0.into());
        head.insert("flow".into(), summary.flow.as_str().into());
        head.insert("state".into(), state.into());
        head.insert("already_over".into(), summary.already_over.into());
        head.insert("stopped".into(), summary.stopped.as_ref().map(EcoString::as_str).into());
        let result = if summary.result.is_none() { Value::None } else { summary.result.clone() };
        head.insert("result".into(), crate::value::to_json(&result, names));
        let failure = summary.failure.as_ref().map(|failure| {
            serde_json::json!({
                "error": failure.name.as_str(), "message": failure.message.as_str(), "place": failure.place.as_str(),
            })
        });
        head.insert("failure".into(), failure.into());
        let waits = summary.waiting.as_ref().map(|wait| {
            let until = wait.wake.map(|wake| wake.to_string());
            serde_json::json!({ "kind": wait.kind.word(), "what": wait.what.as_str(), "until": until })
        });
        head.insert("waits".into(), waits.into());
        head.insert("milliseconds".into(), summary.took.milliseconds().into());
        head.append(object);
        *object = head;
    }
    account
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Instant, NoNames};
    use crate::world::RunId;

    fn summary() -> Summary {
        let count = |count, examples: &[&str]| ChangeCount {
            count,
            examples: examples.iter().map(|each| EcoString::from(*each)).collect(),
        };
        let reason = |error: &str, message: &str, count, examples: &[&str]| Reason {
            error: error.into(),
            message: message.into(),
            count,
            earlier: 0,
            examples: examples.iter().map(|each| EcoString::from(*each)).collect(),
            place: "orders.rpa:50:9".into(),
        };
        let mut numbers = LoopAccount::default();
        (numbers.flow, numbers.item) = ("process_orders".into(), "number".into());
        (numbers.items, numbers.done, numbers.earlier, numbers.failed) = (420, 398, 12, 22);
        numbers.reasons = vec![
            reason("invalid_order", "there is no customer C-999", 14, &["1003", "1040", "1077", "1078", "1090"]),
            reason("out_of_stock", "LAMP is out of stock", 8, &["1004"]),
        ];
        Summary {
            run: RunId(12),
            flow: "process_orders".into(),
            failure: None,
            result: Value::None,
            stopped: None,
            waiting: None,
            already_over: false,
            began: Instant::EPOCH,
            took: Duration::from_milliseconds(2345),
            loops: vec![numbers],
            runs: Vec::new(),
            changes: vec![
                (ChangeKind::Created, "Invoice".into(), count(386, &["INV-1"])),
                (ChangeKind::Created, "Order".into(), count(386, &["1001"])),
                (ChangeKind::Mailed, "".into(), count(1, &["a@example.com"])),
                (
                    ChangeKind::Wrote,
                    "".into(),
                    count(386, &["invoices/1.pdf", "invoices/2.pdf", "invoices/3.pdf", "x"]),
                ),
            ],
            steps: 2000,
            retried: 1,
            retries: 3,
            handled: 8,
            undone: 30,
            undo_failures: vec![(RunId(40), "reserved".into(), "not found".into())],
            undo_failures_count: 3,
            notes: vec!["3 orders wait".into()],
            warnings: vec!["two\nlines".into()],
            warnings_count: 1,
        }
    }

    #[test]
    fn an_account_tells_what_went_through_and_what_did_not() {
        insta::assert_snapshot!(text(&summary(), &NoNames, 80), @r"
        process_orders is done: run 12, 2.3 seconds

        process_orders, for number: 420 items, 398 done (12 of them earlier), 22 failed
          14  invalid_order
              14 there is no customer C-999 (orders.rpa:50:9): 1003, 1040, 1077, 1078,
                1090, …
           8  out_of_stock
              8 LAMP is out of stock (orders.rpa:50:9): 1004, …

        3 orders wait

        created  386 Invoice, 386 Order
        mailed   1 mail
        wrote    386 files: invoices/1.pdf, invoices/2.pdf, invoices/3.pdf, …

        1 step was tried again (3 times), 8 failures were handled, 30 steps were undone

        3 steps could not be undone:
          run 40, reserved: not found
          and 2 more

        1 warning:
          two lines
        ");
    }

    #[test]
    fn a_second_run_says_that_nothing_was_done() {
        let mut second = summary();
        second.changes.clear();
        second.notes.clear();
        second.loops[0].earlier = 398;
        for reason in &mut second.loops[0].reasons {
            reason.earlier = reason.count;
        }
        (second.retried, second.handled, second.undone, second.undo_failures_count, second.warnings_count) =
            (0, 0, 0, 0, 0);
        insta::assert_snapshot!(text(&second, &NoNames, 80), @r"
        process_orders is done: run 12, 2.3 seconds

        process_orders, for number: 420 items, 398 done (all of them earlier), 22 failed
          14  invalid_order, as before: `--retry-failed` tries again
              14 there is no customer C-999 (orders.rpa:50:9): 1003, 1040, 1077, 1078,
                1090, …
           8  out_of_stock, as before: `--retry-failed` tries again
              8 LAMP is out of stock (orders.rpa:50:9): 1004, …

        nothing was written
        ");
    }

    #[test]
    fn times_are_said_shortly() {
        let said = |milliseconds| took(Duration::from_milliseconds(milliseconds));
        assert_eq!(said(15), "15 milliseconds");
        assert_eq!(said(2345), "2.3 seconds");
        assert_eq!(said(125_900), "2 minutes 5 seconds");
    }

    #[test]
    fn programs_get_the_account_as_json() {
        let account = json(&summary(), &NoNames);
        assert_eq!((&account["state"], &account["items"][0]["done"]), (&"done".into(), &398.into()));
    }
}
