//! What is proved of rules, against trying everything: small sets of rules over a few fields, all orders of firing.

use crate::check::{Memory, check};
use crate::text::Source;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeSet, HashMap};

/// The record: two numbers, an enum of three members, a truth value.
type State = [i64; 4];

const NAMES: [&str; 4] = ["a", "b", "s", "d"];
const MEMBERS: [&str; 3] = ["x", "y", "z"];

#[derive(Debug, Clone)]
enum Test {
    Compare(usize, &'static str, i64),
    Fields(&'static str),
    Any(Box<Test>, Box<Test>),
    All(Box<Test>, Box<Test>),
    Not(Box<Test>),
}

#[derive(Debug, Clone)]
enum Value {
    Known(i64),
    Plus(usize, i64),
}

#[derive(Debug, Clone)]
struct Update {
    when: Option<Test>,
    sets: Vec<(usize, Value)>,
}

#[derive(Debug, Clone)]
struct Rule {
    when: Option<Test>,
    priority: u8,
    updates: Vec<Update>,
}

impl Test {
    fn holds(&self, state: &State) -> bool {
        let compare = |left: i64, operator: &str, right: i64| match operator {
            "<" => left < right,
            "<=" => left <= right,
            ">" => left > right,
            ">=" => left >= right,
            "==" => left == right,
            _ => left != right,
        };
        match self {
            Test::Compare(field, operator, value) => compare(state[*field], operator, *value),
            Test::Fields(operator) => compare(state[0], operator, state[1]),
            Test::Any(left, right) => left.holds(state) || right.holds(state),
            Test::All(left, right) => left.holds(state) && right.holds(state),
            Test::Not(inner) => !inner.holds(state),
        }
    }

    fn fields(&self, into: &mut BTreeSet<usize>) {
        match self {
            Test::Compare(field, ..) => _ = into.insert(*field),
            Test::Fields(_) => into.extend([0, 1]),
            Test::Any(left, right) | Test::All(left, right) => {
                left.fields(into);
                right.fields(into);
            }
            Test::Not(inner) => inner.fields(into),
        }
    }

    fn text(&self) -> String {
        match self {
            Test::Compare(field, operator, value) => {
                format!("r.{} {operator} {}", NAMES[*field], known(*field, *value))
            }
            Test::Fields(operator) => format!("r.a {operator} r.b"),
            Test::Any(left, right) => format!("({} or {})", left.text(), right.text()),
            Test::All(left, right) => format!("({} and {})", left.text(), right.text()),
            Test::Not(inner) => format!("not ({})", inner.text()),
        }
    }
}

fn known(field: usize, value: i64) -> String {
    match field {
        2 => MEMBERS[value as usize].to_string(),
        3 => (value == 1).to_string(),
        _ => value.to_string(),
    }
}

impl Rule {
    fn watched(&self) -> BTreeSet<usize> {
        let mut fields = BTreeSet::new();
        match &self.when {
            Some(when) => when.fields(&mut fields),
            None => fields.extend(0..4),
        }
        fields
    }

    /// Fires on a record: what it is then, and the fields that each update has changed.
    fn fire(&self, before: &State) -> (State, Vec<BTreeSet<usize>>) {
        let mut state = *before;
        let mut changes = Vec::new();
        for update in &self.updates {
            if !update.when.as_ref().is_none_or(|when| when.holds(before)) {
                continue;
            }
            let earlier = state;
            for (field, value) in &update.sets {
                // The record of the rule is as it was when it fired.
                state[*field] = match value {
                    Value::Known(value) => *value,
                    Value::Plus(field, by) => before[*field] + by,
                };
            }
            changes.push((0..4).filter(|field| earlier[*field] != state[*field]).collect());
        }
        (state, changes)
    }

    fn text(&self, number: usize) -> String {
        let when = self.when.as_ref().map_or(String::new(), |when| format!(" when {}", when.text()));
        let mut text = format!("rule r{number} on E changed as r{when} priority {} {{\n", self.priority);
        for update in &self.updates {
            let sets: Vec<String> = update
                .sets
                .iter()
                .map(|(field, value)| match value {
                    Value::Known(value) => format!("{}: {}", NAMES[*field], known(*field, *value)),
                    Value::Plus(other, 0) => format!("{}: r.{}", NAMES[*field], NAMES[*other]),
                    Value::Plus(other, by) => format!("{}: r.{} + {by}", NAMES[*field], NAMES[*other]),
                })
                .collect();
            let update_text = format!("r.update({})", sets.join(", "));
            match &update.when {
                Some(when) => text += &format!("  if {} {{ {update_text} }}\n", when.text()),
                None => text += &format!("  {update_text}\n"),
            }
        }
        text + "}\n"
    }
}

fn script(rules: &[Rule]) -> String {
    let mut text = String::from(
        "enum S { x, y, z }\nentity E {\n  key id: int\n  a: int\n  b: int\n  s: S\n  d: bool\n}\n\
         task all(e: E) {\n  e.update(a: 1, b: 2, s: x, d: true)\n}\n",
    );
    for (number, rule) in rules.iter().enumerate() {
        text += &rule.text(number);
    }
    text
}

fn tests() -> impl Strategy<Value = Test> {
    let operator = prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let same = prop::sample::select(vec!["==", "!="]);
    let one = prop_oneof![
        4 => (0_usize..2, operator.clone(), -1_i64..4).prop_map(|(field, operator, value)| Test::Compare(field, operator, value)),
        2 => (same.clone(), 0_i64..3).prop_map(|(operator, value)| Test::Compare(2, operator, value)),
        1 => (same, 0_i64..2).prop_map(|(operator, value)| Test::Compare(3, operator, value)),
        1 => operator.prop_map(Test::Fields),
    ];
    one.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            3 => (inner.clone(), inner.clone()).prop_map(|(l, r)| Test::All(Box::new(l), Box::new(r))),
            1 => (inner.clone(), inner.clone()).prop_map(|(l, r)| Test::Any(Box::new(l), Box::new(r))),
            1 => inner.prop_map(|inner| Test::Not(Box::new(inner))),
        ]
    })
}

fn sets() -> impl Strategy<Value = (usize, Value)> {
    let number = prop_oneof![
        3 => (-1_i64..4).prop_map(Value::Known),
        2 => prop::sample::select(vec![1_i64, -1]).prop_map(|by| Value::Plus(usize::MAX, by)),
        1 => (0_usize..2, 0_i64..2).prop_map(|(field, by)| Value::Plus(field, by)),
    ];
    prop_oneof![
        3 => (0_usize..2, number).prop_map(|(field, value)| match value {
            Value::Plus(usize::MAX, by) => (field, Value::Plus(field, by)),
            value => (field, value),
        }),
        2 => (0_i64..3).prop_map(|value| (2, Value::Known(value))),
        1 => (0_i64..2).prop_map(|value| (3, Value::Known(value))),
    ]
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let when = prop::option::weighted(0.25, tests());
    let update = (when, prop::collection::vec(sets(), 1..3)).prop_map(|(when, mut sets)| {
        sets.sort_by_key(|(field, _)| *field);
        sets.dedup_by_key(|(field, _)| *field);
        Update { when, sets }
    });
    let rule = (prop::option::weighted(0.93, tests()), 0_u8..3, prop::collection::vec(update, 1..3))
        .prop_map(|(when, priority, updates)| Rule { when, priority, updates });
    prop::collection::vec(rule, 1..4)
}

/// A record and the rules that wait.
type Place = (State, u8);

/// Where a set of rules may come to from a place: the rule that is taken is any one, or one of the first in priority.
fn next(rules: &[Rule], (state, waiting): Place, by_priority: bool) -> Vec<Place> {
    let waits = |at: &usize| waiting & (1 << at) != 0;
    let first = (0..rules.len()).filter(waits).map(|at| rules[at].priority).max();
    let mut places = Vec::new();
    for at in (0..rules.len()).filter(waits) {
        if by_priority && Some(rules[at].priority) != first {
            continue;
        }
        let mut left = waiting & !(1 << at);
        let mut after = state;
        if rules[at].when.as_ref().is_none_or(|when| when.holds(&state)) {
            let (now, changes) = rules[at].fire(&state);
            after = now;
            for (other, rule) in rules.iter().enumerate() {
                if changes.iter().any(|changed| !changed.is_disjoint(&rule.watched())) {
                    left |= 1 << other;
                }
            }
        }
        places.push((after, left));
    }
    places
}

/// All that can be after a change: of one field, or of all at once.
fn starts(rules: &[Rule]) -> Vec<Place> {
    let mut places = Vec::new();
    for a in [-3, -1, 0, 1, 2, 3, 5] {
        for b in [-2, 0, 1, 3, 4] {
            for (s, d) in (0..3).flat_map(|s| [(s, 0), (s, 1)]) {
                for changed in [vec![0], vec![1], vec![2], vec![3], vec![0, 1, 2, 3]] {
                    let concerns = |rule: &Rule| changed.iter().any(|field| rule.watched().contains(field));
                    let waiting = rules.iter().enumerate().filter(|(_, rule)| concerns(rule));
                    places.push(([a, b, s, d], waiting.fold(0, |all, (at, _)| all | 1 << at)));
                }
            }
        }
    }
    places
}

/// Whether some order of firing never ends: comes back to where it was, or counts out of all bounds.
fn can_go_on_for_ever(rules: &[Rule]) -> bool {
    const LIMIT: i64 = 60;
    let mut done: HashMap<Place, bool> = HashMap::new();
    for start in starts(rules) {
        if done.contains_key(&start) {
            continue;
        }
        done.insert(start, false);
        let mut way = vec![(start, next(rules, start, false))];
        while let Some((place, after)) = way.last_mut() {
            match after.pop() {
                None => {
                    done.insert(*place, true);
                    way.pop();
                }
                Some(place) => match done.get(&place) {
                    Some(true) => {}
                    Some(false) => return true,
                    None if place.0[0].abs().max(place.0[1].abs()) > LIMIT => return true,
                    None => {
                        done.insert(place, false);
                        way.push((place, next(rules, place, false)));
                    }
                },
            }
        }
    }
    false
}

/// Whether the orders that priorities leave open come to different records.
fn order_matters(rules: &[Rule]) -> bool {
    fn ends(rules: &[Rule], place: Place, known: &mut HashMap<Place, BTreeSet<State>>) -> BTreeSet<State> {
        if place.1 == 0 {
            return BTreeSet::from([place.0]);
        }
        if let Some(known) = known.get(&place) {
            return known.clone();
        }
        let mut all = BTreeSet::new();
        for after in next(rules, place, true) {
            all.extend(ends(rules, after, known));
        }
        known.insert(place, all.clone());
        all
    }
    let mut known = HashMap::new();
    starts(rules).into_iter().any(|start| ends(rules, start, &mut known).len() > 1)
}

#[test]
fn what_is_proved_of_rules_holds_in_every_order() {
    let mut runner = TestRunner::deterministic();
    let (mut proved, mut ending, mut ordered, mut free) = (0, 0, 0, 0);
    for _ in 0..400 {
        let rules = rules().new_tree(&mut runner).expect("a set of rules").current();
        let text = script(&rules);
        let checked = check(Source::new("rules.rpa", text.as_str()), &Memory::new());
        let found = |code: &str| checked.findings.iter().any(|finding| finding.code.id == code);
        // Conditions that are drawn may hold always or never.
        let is_meant = |code: &str| code.starts_with("reaction::") || code == "decision::constant";
        let broken: Vec<_> = checked.findings.iter().filter(|finding| !is_meant(finding.code.id)).collect();
        assert!(broken.is_empty(), "{broken:?}\n{text}");
        let says_it_ends = !found("reaction::endless");
        let goes_on = can_go_on_for_ever(&rules);
        assert!(!(says_it_ends && goes_on), "is said to end, and does not:\n{text}");
        ending += usize::from(!goes_on);
        proved += usize::from(says_it_ends);
        if !goes_on && !found("reaction::order-matters") {
            assert!(!order_matters(&rules), "the order is said not to matter, and does:\n{text}");
            ordered += 1;
        } else if !goes_on && !order_matters(&rules) {
            free += 1;
        }
    }
    // What is proved is most of what is so, and enough to mean something.
    assert!(proved > 100 && proved * 3 > ending * 2, "{proved} proved of {ending} that end");
    assert!(ordered > 100 && ordered > free, "{ordered} proved to commute, {free} that do were not");
}
