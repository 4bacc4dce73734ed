//! An effect as a plan tells it: in words that are the same in every run that does the same.

use crate::flow::Names;
use crate::value::{RecordId, TypeNames, Value, display};
use crate::world::{Message, OutsideCall};
use ecow::{EcoString, eco_format};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What stands for a moment, which is another one in every run.
const MOMENT: &str = "(the moment)";

/// What stands for what is not to be seen, as in stories of runs.
const HIDDEN: &str = "•••";

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    /// A record is made.
    Create,
    /// A record is changed.
    Change,
    /// A record is taken away.
    Delete,
    /// A mail is put into the outbox.
    Mail,
    /// A file is written.
    Write,
    /// A file is moved.
    Move,
    /// A file is deleted.
    Remove,
    /// Another system is called.
    Call,
}

impl Deed {
    /// The word that people read: `create`.
    pub fn word(self) -> &'static str {
        match self {
            Deed::Create => "create",
            Deed::Change => "change",
            Deed::Delete => "delete",
            Deed::Mail => "mail",
            Deed::Write => "write",
            Deed::Move => "move",
            Deed::Remove => "remove",
            Deed::Call => "call",
        }
    }
}

/// A field of a record before and after; none where the record is not there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field.
    pub field: EcoString,
    /// What it was, as people read it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<EcoString>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<EcoString>,
}

/// An effect of a plan. Two are equal when they do the same to the same, moments aside.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlannedEffect {
    /// What is done.
    pub deed: Deed,
    /// To what: the entity, the address of a mail (masked), the path of a file, the system that is called.
    pub what: EcoString,
    /// The key of the record, the subject of the mail, where a file is moved to, what is asked of a system; empty for
    /// others.
    #[serde(skip_serializing_if = "EcoString::is_empty", default)]
    pub which: EcoString,
    /// The fields of a record that change.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fields: Vec<FieldChange>,
    /// Tells apart what is not shown, such as personal data: the beginning of a SHA-256 over the script's version and
    /// the hidden values, in hexadecimal.
    #[serde(skip_serializing_if = "EcoString::is_empty", default)]
    pub hidden: EcoString,
}

/// Puts effects into words.
#[derive(Debug, Clone)]
pub(super) struct Describer {
    names: Names,
    /// Where the key of each entity is.
    keys: Vec<Option<usize>>,
    /// What hidden values are mixed with.
    salt: EcoString,
}

impl Describer {
    pub fn new(names: Names, keys: Vec<Option<usize>>, salt: EcoString) -> Describer {
        Describer { names, keys, salt }
    }

    /// A record before and after.
    pub fn record(&self, entity: RecordId, before: Option<&Value>, after: Option<&Value>) -> PlannedEffect {
        let deed = match (before, after) {
            (None, _) => Deed::Create,
            (Some(_), Some(_)) => Deed::Change,
            (Some(_), None) => Deed::Delete,
        };
        let (name, field_names) = self.names.record(entity);
        let shown = |record: Option<&Value>| record.map(|record| self.names.masked(record));
        let (shown_before, shown_after) = (shown(before), shown(after));
        let part = |record: Option<&Value>, at: usize| -> Option<Value> { record?.fields()?.get(at).cloned() };
        let key = self.keys.get(entity.0 as usize).copied().flatten().unwrap_or(0);
        let mut fields = Vec::new();
        let mut hidden = Vec::new();
        for (at, field) in field_names.iter().enumerate() {
            let (from, to) = (part(before, at), part(after, at));
            // The key stands above; what a new record leaves empty, and a deleted one had empty, is not worth a word.
            if from == to
                || at == key
                || (deed != Deed::Change && from.as_ref().or(to.as_ref()).is_none_or(Value::is_none))
            {
                continue;
            }
            // From one moment to another says nothing, and in the same millisecond it is no change at all.
            if let (Some(Value::Instant(_)), Some(Value::Instant(_))) = (&from, &to) {
                continue;
            }
            let (shown_from, shown_to) = (part(shown_before.as_ref(), at), part(shown_after.as_ref(), at));
            for (value, shown) in [(&from, &shown_from), (&to, &shown_to)] {
                if value != shown {
                    hidden.push(self.words(value.as_ref()).unwrap_or_default());
                }
            }
            let (from, to) = (self.words(shown_from.as_ref()), self.words(shown_to.as_ref()));
            fields.push(FieldChange { field: field.clone(), from, to });
        }
        let record = shown_after.as_ref().or(shown_before.as_ref());
        let which = self.words(part(record, key).as_ref()).unwrap_or_default();
        let raw = self.words(part(after.or(before), key).as_ref()).unwrap_or_default();
        if raw != which {
            hidden.push(raw);
        }
        PlannedEffect { deed, what: name.into(), which, fields, hidden: self.digest(&hidden) }
    }

    /// A mail. A subject that is not shown is compared all the same.
    pub fn mail(&self, message: &Message, hides_subject: bool) -> PlannedEffect {
        let mut hidden = vec![message.to.clone()];
        hidden.extend(message.cc.iter().cloned());
        hidden.extend(message.attachments.iter().map(|attachment| attachment.path.clone()));
        if hides_subject {
            hidden.push(message.subject.clone());
        }
        PlannedEffect {
            deed: Deed::Mail,
            what: masked_address(&message.to),
            which: if hides_subject { HIDDEN.into() } else { message.subject.clone() },
            fields: Vec::new(),
            hidden: self.digest(&hidden),
        }
    }

    /// A call of another system.
    pub fn call(&self, call: &OutsideCall) -> PlannedEffect {
        PlannedEffect {
            deed: Deed::Call,
            what: call.system.clone(),
            which: eco_format!("{} {}", call.method, call.path),
            fields: Vec::new(),
            hidden: self.digest(&call.hidden),
        }
    }

    fn words(&self, value: Option<&Value>) -> Option<EcoString> {
        match value? {
            Value::Instant(_) => Some(MOMENT.into()),
            Value::None => Some("none".into()),
            Value::Text(text) => Some(text.clone()),
            value => Some(display(value, &self.names).into()),
        }
    }

    fn digest(&self, hidden: &[EcoString]) -> EcoString {
        if hidden.is_empty() {
            return EcoString::new();
        }
        let mut digest = Sha256::new();
        for part in std::iter::once(&self.salt).chain(hidden) {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>().into()
    }
}

/// A file that is written, moved or deleted.
pub(super) fn file(deed: Deed, path: &str, to: &str) -> PlannedEffect {
    PlannedEffect { deed, what: path.into(), which: to.into(), fields: Vec::new(), hidden: EcoString::new() }
}

/// `a•••@example.com`: enough to recognise, not enough to write to.
fn masked_address(address: &str) -> EcoString {
    match address.rsplit_once('@') {
        Some((name, domain)) => eco_format!("{}•••@{domain}", name.chars().take(1).collect::<String>()),
        None => HIDDEN.into(),
    }
}
