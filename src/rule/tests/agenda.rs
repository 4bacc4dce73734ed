//! The agenda of the reactive rules.

use super::super::{Agenda, Endless, LONGEST_CHAIN};
use crate::compile::code::{ChunkId, Code};
use crate::compile::reaction::{ReactionCode, Watchers};
use crate::syntax::tree::RecordEvent;
use crate::text::Span;
use crate::value::{RecordId, Value};

/// A program with one entity of two fields and these rules on it: event, watched fields and rank.
fn code_with(rules: &[(RecordEvent, &[usize], u32)]) -> Code {
    let mut code = Code::default();
    let mut watchers = Watchers { changed: vec![Vec::new(); 3], ..Watchers::default() };
    for (at, (event, fields, rank)) in rules.iter().enumerate() {
        code.reactions.push(ReactionCode {
            name: ecow::eco_format!("r{at}"),
            entity: RecordId(0),
            event: *event,
            fields: fields.to_vec(),
            condition: None,
            action: ChunkId(0),
            rank: *rank,
            span: Span::default(),
        });
        match event {
            RecordEvent::Created => watchers.created.push(at as u32),
            RecordEvent::Deleted => watchers.deleted.push(at as u32),
            RecordEvent::Changed => fields.iter().for_each(|field| watchers.changed[*field].push(at as u32)),
        }
    }
    code.watchers.push(watchers);
    code
}

fn record(a: i64, b: i64) -> Value {
    Value::record(RecordId(0), [Value::text("k"), Value::Int(a), Value::Int(b)])
}

fn order(agenda: &mut Agenda) -> Vec<u32> {
    std::iter::from_fn(|| agenda.take()).map(|activation| activation.rule).collect()
}

#[test]
fn rules_wait_by_rank_once_for_each_record_and_only_for_what_they_watch() {
    use RecordEvent::{Changed, Created, Deleted};
    let code = code_with(&[
        (Changed, &[1], 2),
        (Changed, &[2], 1),
        (Changed, &[1, 2], 0),
        (Created, &[], 3),
        (Deleted, &[], 4),
    ]);
    let (entity, key, span) = (RecordId(0), Value::text("k"), Span::default());
    let mut agenda = Agenda::default();
    agenda.changed(&code, entity, &key, (&record(1, 1), &record(2, 1)), span);
    agenda.changed(&code, entity, &key, (&record(2, 1), &record(3, 1)), span);
    assert_eq!(order(&mut agenda), [2, 0]);
    agenda.changed(&code, entity, &key, (&record(1, 1), &record(1, 1)), span);
    assert!(agenda.is_empty());
    agenda.changed(&code, entity, &key, (&record(1, 1), &record(2, 2)), span);
    assert_eq!(order(&mut agenda), [2, 1, 0]);
    agenda.created(&code, entity, &key, span);
    agenda.deleted(&code, entity, &record(1, 1), span);
    assert_eq!(order(&mut agenda), [3, 4]);
}

#[test]
fn a_chain_of_rules_has_a_limit_and_is_known() {
    let code = code_with(&[(RecordEvent::Changed, &[1], 0)]);
    let (entity, key) = (RecordId(0), Value::text("k"));
    let mut agenda = Agenda::default();
    let mut fired = 0;
    let endless = loop {
        let n = fired as i64;
        agenda.changed(&code, entity, &key, (&record(n, 0), &record(n + 1, 0)), Span::default());
        agenda.end();
        let activation = agenda.take().expect("the change sets it off");
        match agenda.begin(&activation) {
            Ok(()) => fired += 1,
            Err(endless) => break endless,
        }
    };
    assert_eq!((endless, fired), (Endless::Chain, LONGEST_CHAIN));
    assert_eq!(agenda.chain(agenda.current()).len(), LONGEST_CHAIN + 1);
    agenda.clear();
    assert!(agenda.is_empty() && !agenda.is_firing() && agenda.chain(Some(0)).is_empty());
}
