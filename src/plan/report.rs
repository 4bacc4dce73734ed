//! A plan on paper.

use super::effect::{Deed, FieldChange, PlannedEffect};
use ecow::EcoString;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How wide a value is shown at most.
const WIDEST: usize = 50;

/// A plan, as it is kept in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The form of the file.
    pub plan: u32,
    /// The flow.
    pub flow: EcoString,
    /// The arguments that it was made with, as people read them.
    pub arguments: Vec<EcoString>,
    /// The version of the script.
    pub version: EcoString,
    /// How the run would end: `done`, `failed`, `waiting`.
    pub outcome: EcoString,
    /// What it would do, in order.
    pub effects: Vec<PlannedEffect>,
}

impl Plan {
    /// The form of the file that this version writes and reads.
    pub const FORM: u32 = 1;
}

/// All effects as text: what happens to each record in the end, by entity, at most so many of each (`most`), in lines of at
/// most `columns` columns.
pub fn text(effects: &[PlannedEffect], most: usize, columns: usize) -> String {
    let mut groups: IndexMap<(Deed, EcoString), Vec<PlannedEffect>> = IndexMap::new();
    for effect in merged(effects) {
        let what = if is_record(effect.deed) { effect.what.clone() } else { EcoString::new() };
        groups.entry((effect.deed, what)).or_default().push(effect);
    }
    groups.sort_by(|left, _, right, _| left.0.cmp(&right.0));
    let mut out = String::new();
    for ((deed, what), effects) in &groups {
        let counted = match deed {
            Deed::Mail if effects.len() == 1 => "mail".to_string(),
            Deed::Mail => "mails".to_string(),
            Deed::Call if effects.len() == 1 => "time".to_string(),
            Deed::Call => "times".to_string(),
            Deed::Write | Deed::Move | Deed::Remove if effects.len() == 1 => "file".to_string(),
            Deed::Write | Deed::Move | Deed::Remove => "files".to_string(),
            _ => what.to_string(),
        };
        let verb = if *deed == Deed::Mail { "send" } else { deed.word() };
        let _ = writeln!(out, "{verb} {} {counted}", effects.len());
        for effect in effects.iter().take(most) {
            write_effect(&mut out, effect, columns);
        }
        if effects.len() > most {
            let _ = writeln!(out, "  and {} more", effects.len() - most);
        }
        out.push('\n');
    }
    if groups.is_empty() {
        out.push_str("nothing would be written\n\n");
    }
    out
}

fn is_record(deed: Deed) -> bool {
    matches!(deed, Deed::Create | Deed::Change | Deed::Delete)
}

fn write_effect(out: &mut String, effect: &PlannedEffect, columns: usize) {
    let clean = |text: &str| -> String { text.chars().map(crate::finding::render::terminal::harmless).collect() };
    let head = match effect.deed {
        Deed::Mail => format!("to {}: {}", effect.what, effect.which),
        Deed::Move => format!("{} to {}", effect.what, effect.which),
        Deed::Call => format!("{}: {}", effect.what, effect.which),
        Deed::Write | Deed::Remove => effect.what.to_string(),
        _ => effect.which.to_string(),
    };
    let _ = write!(out, "  {}", cut(&clean(&head), columns.saturating_sub(2)));
    // Behind the head where there is room, else in lines below it.
    let mut room = columns.saturating_sub(2 + head.width());
    for (index, field) in effect.fields.iter().enumerate() {
        let separator = if index + 1 == effect.fields.len() { "" } else { "," };
        let part = format!("{}{separator}", cut(&clean(&change(field)), columns.saturating_sub(6)));
        if part.width() + 2 > room {
            out.push_str("\n    ");
            room = columns.saturating_sub(4);
        } else {
            out.push_str(if index == 0 { "  " } else { " " });
            room -= 1;
        }
        room = room.saturating_sub(part.width());
        out.push_str(&part);
    }
    out.push('\n');
}

/// A field in words, `stock: 5 → 3`; long values are cut.
pub fn change(field: &FieldChange) -> String {
    let short = |value: &EcoString| cut(value, WIDEST);
    match (&field.from, &field.to) {
        (Some(from), Some(to)) => format!("{}: {} → {}", field.field, short(from), short(to)),
        (None, Some(value)) | (Some(value), None) => format!("{}: {}", field.field, short(value)),
        (None, None) => field.field.to_string(),
    }
}

/// What comes of several effects on one record: made and changed is made, changed twice is changed once, made and deleted
/// is nothing.
fn merged(effects: &[PlannedEffect]) -> Vec<PlannedEffect> {
    let mut records: IndexMap<(EcoString, EcoString, usize), PlannedEffect> = IndexMap::new();
    for (at, effect) in effects.iter().enumerate() {
        // A key that is not shown can't tell two records apart, so those are not put together.
        let own = if !is_record(effect.deed) || effect.which.contains('•') { at + 1 } else { 0 };
        let place = (effect.what.clone(), effect.which.clone(), own);
        match records.get_mut(&place) {
            None => {
                records.insert(place, effect.clone());
            }
            Some(earlier) => match then(earlier, effect) {
                Some(both) => *earlier = both,
                None => {
                    records.shift_remove(&place);
                }
            },
        }
    }
    records.into_values().filter(|effect| effect.deed != Deed::Change || !effect.fields.is_empty()).collect()
}

/// One effect and another one after it on the same record; none when nothing is left of them.
fn then(first: &PlannedEffect, second: &PlannedEffect) -> Option<PlannedEffect> {
    let mut both = first.clone();
    both.deed = match (first.deed, second.deed) {
        (Deed::Create, Deed::Delete) => return None,
        (Deed::Create, _) => Deed::Create,
        (Deed::Delete, Deed::Create) => Deed::Change,
        (_, later) => later,
    };
    for change in &second.fields {
        match both.fields.iter_mut().find(|field| field.field == change.field) {
            Some(field) => field.to = change.to.clone(),
            None => both.fields.push(change.clone()),
        }
    }
    both.fields.retain(|field| field.from != field.to);
    Some(both)
}

fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_string();
    }
    let mut out = String::new();
    let mut width = 0;
    for c in text.chars() {
        width += c.width().unwrap_or(0);
        if width >= columns {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}
