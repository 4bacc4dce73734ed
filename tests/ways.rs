//! The analyses of flows, held against all ways through small flows, one by one: what nothing leads to, values that some
//! way leaves unset, ends that no way leads to, and policies.

use proptest::prelude::*;
use rpa::check::{self, Memory};
use rpa::text::Source;
use std::collections::{BTreeSet, HashSet};

/// A statement of a generated flow. Steps are numbered in the order of the text; every branch has a condition of its
/// own, so that all ways can be gone.
#[derive(Debug, Clone)]
enum Part {
    /// `step sN = …`
    Step,
    /// `step sN { … }` that uses the value of an earlier step, chosen by number.
    Use(usize),
    /// `if cN { … } else { … }`
    Branch(Vec<Part>, Vec<Part>),
    /// `for x in list { … }`
    Loop(Vec<Part>),
    /// `go to` a step of the outermost level, chosen by number.
    Jump(usize),
    /// `return`
    Return,
}

fn parts(jumps: bool) -> impl Strategy<Value = Vec<Part>> {
    let leaf = prop_oneof![
        5 => Just(Part::Step),
        4 => any::<usize>().prop_map(Part::Use),
        (if jumps { 2 } else { 0 }) => any::<usize>().prop_map(Part::Jump),
        1 => Just(Part::Return),
    ];
    let block = leaf.prop_recursive(3, 14, 4, |inner| {
        let list = prop::collection::vec(inner, 0..4);
        prop_oneof![
            3 => (list.clone(), list.clone()).prop_map(|(a, b)| Part::Branch(a, b)),
            1 => list.prop_map(Part::Loop),
        ]
    });
    prop::collection::vec(block, 1..7)
}

/// The flow as a script and as a graph by hand: one node a line, without any analysis.
#[derive(Default)]
struct Written {
    script: String,
    conditions: usize,
    steps: usize,
    /// The steps whose value is known by name at this place: those that stand before, in blocks around.
    scope: Vec<usize>,
    /// The steps of the outermost level.
    outermost: Vec<usize>,
    nodes: Vec<Node>,
}

#[derive(Default, Debug)]
struct Node {
    next: Vec<usize>,
    sets: Option<usize>,
    uses: Option<usize>,
    /// The jump of the outermost level that leads on from here, to be looked up.
    jump: Option<usize>,
    step: Option<usize>,
    is_end: bool,
}

impl Written {
    fn of(parts: &[Part]) -> Written {
        let mut written = Written::default();
        count(parts, &mut 0, 0, &mut written.outermost);
        let start = written.node(&[]);
        let open = written.block(parts, vec![start], 1);
        let end = written.node(&open);
        written.nodes[end].is_end = true;
        let entries: Vec<(usize, usize)> =
            written.nodes.iter().enumerate().filter_map(|(at, node)| Some((node.step?, at))).collect();
        for node in &mut written.nodes {
            if let Some(step) = node.jump {
                node.next.extend(entries.iter().find(|(of, _)| *of == step).map(|(_, at)| *at));
            }
        }
        let conditions: Vec<String> = (0..written.conditions).map(|number| format!("c{number}: bool")).collect();
        let head = [vec!["names: [text]".to_string()], conditions].concat().join(", ");
        written.script = format!("flow generated({head}) {{\n{}}}\n", written.script);
        written
    }

    fn node(&mut self, from: &[usize]) -> usize {
        self.nodes.push(Node::default());
        let at = self.nodes.len() - 1;
        for before in from {
            self.nodes[*before].next.push(at);
        }
        at
    }

    fn line(&mut self, depth: usize, text: &str) {
        self.script += &format!("{}{text}\n", "  ".repeat(depth));
    }

    fn block(&mut self, parts: &[Part], mut open: Vec<usize>, depth: usize) -> Vec<usize> {
        let names = self.scope.len();
        for part in parts {
            open = self.part(part, open, depth);
        }
        if depth > 1 {
            self.scope.truncate(names);
        }
        open
    }

    fn part(&mut self, part: &Part, open: Vec<usize>, depth: usize) -> Vec<usize> {
        match part {
            Part::Step => {
                let step = self.steps;
                self.steps += 1;
                self.line(depth, &format!("step s{step} = random.code()"));
                let at = self.node(&open);
                self.nodes[at].step = Some(step);
                let done = self.node(&[at]);
                self.nodes[done].sets = Some(step);
                self.scope.push(step);
                vec![done]
            }
            Part::Use(which) => {
                let step = self.steps;
                self.steps += 1;
                let at = self.node(&open);
                self.nodes[at].step = Some(step);
                let used = (!self.scope.is_empty()).then(|| self.scope[which % self.scope.len()]);
                self.nodes[at].uses = used;
                let words = used.map_or("nothing".to_string(), |used| format!("{{s{used}}}"));
                self.line(depth, &format!("step s{step} {{ log.info(\"{words}\") }}"));
                vec![at]
            }
            Part::Branch(then, otherwise) => {
                let condition = self.conditions;
                self.conditions += 1;
                let head = self.node(&open);
                self.line(depth, &format!("if c{condition} {{"));
                let a = self.node(&[head]);
                let mut ways = self.block(then, vec![a], depth + 1);
                self.line(depth, "} else {");
                let b = self.node(&[head]);
                ways.extend(self.block(otherwise, vec![b], depth + 1));
                self.line(depth, "}");
                ways
            }
            Part::Loop(body) => {
                let head = self.node(&open);
                let number = self.nodes.len();
                self.line(depth, &format!("for _name{number} in names {{"));
                let first = self.node(&[head]);
                let back = self.block(body, vec![first], depth + 1);
                for from in back {
                    self.nodes[from].next.push(head);
                }
                self.line(depth, "}");
                vec![self.node(&[head])]
            }
            Part::Jump(which) => {
                if self.outermost.is_empty() {
                    return open;
                }
                let step = self.outermost[which % self.outermost.len()];
                self.line(depth, &format!("go to s{step}"));
                let at = self.node(&open);
                self.nodes[at].jump = Some(step);
                Vec::new()
            }
            Part::Return => {
                self.line(depth, "return");
                let at = self.node(&open);
                self.nodes[at].is_end = true;
                Vec::new()
            }
        }
    }

    /// All nodes that some way from one of these comes to.
    fn reached(&self, from: usize) -> HashSet<usize> {
        let mut seen = HashSet::from([from]);
        let mut waiting = vec![from];
        while let Some(at) = waiting.pop() {
            waiting.extend(self.nodes[at].next.iter().copied().filter(|next| seen.insert(*next)));
        }
        seen
    }

    /// The steps that some way uses without having set them. Walks every way, a place and the steps set so far once.
    fn unset(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut seen: HashSet<(usize, BTreeSet<usize>)> = HashSet::new();
        let mut waiting = vec![(0, BTreeSet::new())];
        while let Some((at, mut set)) = waiting.pop() {
            if !seen.insert((at, set.clone())) {
                continue;
            }
            let node = &self.nodes[at];
            found.extend(node.uses.filter(|used| !set.contains(used)));
            set.extend(node.sets);
            waiting.extend(node.next.iter().map(|next| (*next, set.clone())));
        }
        found
    }

    /// Whether some way comes to where no end can be come to any more.
    fn is_trapped(&self) -> bool {
        self.reached(0).into_iter().any(|at| !self.reached(at).into_iter().any(|to| self.nodes[to].is_end))
    }
}

/// The steps of the outermost level, numbered as they will be written.
fn count(parts: &[Part], steps: &mut usize, depth: usize, outermost: &mut Vec<usize>) {
    for part in parts {
        match part {
            Part::Step | Part::Use(_) => {
                if depth == 0 {
                    outermost.push(*steps);
                }
                *steps += 1;
            }
            Part::Branch(a, b) => {
                count(a, steps, depth + 1, outermost);
                count(b, steps, depth + 1, outermost);
            }
            Part::Loop(body) => count(body, steps, depth + 1, outermost),
            Part::Jump(_) | Part::Return => {}
        }
    }
}

fn codes(script: &str) -> (Vec<(&'static str, String)>, String) {
    let checked = check::check(Source::new("script.rpa", script), &Memory::new());
    let found = checked.findings.iter().map(|finding| (finding.code.id, finding.message.clone())).collect();
    (found, format!("{script}\n{:#?}", checked.findings.iter().map(|f| (f.code.id, &f.message)).collect::<Vec<_>>()))
}

/// The number of the step that a message names: "`s12` may have no value here".
fn step_in(message: &str) -> Option<usize> {
    message.split('`').nth(1)?.strip_prefix('s')?.parse().ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn values_are_unset_where_some_way_says_so(parts in parts(true)) {
        let written = Written::of(&parts);
        let (found, shown) = codes(&written.script);
        // A jump that is refused changes the ways; none is generated.
        prop_assert!(!found.iter().any(|(id, _)| matches!(*id, "flow::target" | "name::unknown" | "syntax::line")), "{shown}");
        let unset: BTreeSet<usize> =
            found.iter().filter(|(id, _)| *id == "flow::unset").filter_map(|(_, message)| step_in(message)).collect();
        prop_assert_eq!(&unset, &written.unset(), "{}", shown);
    }

    #[test]
    fn what_can_not_end_is_told(parts in parts(true)) {
        let written = Written::of(&parts);
        let (found, shown) = codes(&written.script);
        let has = |wanted: &str| found.iter().any(|(id, _)| *id == wanted);
        // What is said of a script with an error of another kind would only follow from it.
        prop_assume!(!has("flow::unset"));
        prop_assert_eq!(has("flow::no-end"), written.is_trapped(), "{}", shown);
        let all = (0..written.nodes.len()).filter(|at| written.nodes[*at].step.is_some());
        let reached = written.reached(0);
        let is_dead = all.into_iter().any(|at| !reached.contains(&at));
        if is_dead {
            prop_assert!(has("flow::unreachable"), "{}", shown);
        }
    }
}

/// A statement of a generated flow that pays and asks.
#[derive(Debug, Clone)]
enum Deed {
    Ask,
    /// Ends the run unless the last question was answered with yes; a flow that is run only ends itself so.
    Guard,
    /// Fails unless the last question was answered with yes, and with it whatever runs this.
    Refuse,
    Pay,
    /// `if cN { … } else { … }`
    If(Vec<Deed>, Vec<Deed>),
    /// `if amount > 500 EUR { … } else { … }`, or another limit
    Large(i64, Vec<Deed>, Vec<Deed>),
    Stop,
    /// `run fN(…)`, a flow of its own
    Run(Vec<Deed>),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let leaf = prop_oneof![
        3 => Just(Deed::Ask),
        3 => Just(Deed::Guard),
        1 => Just(Deed::Refuse),
        3 => Just(Deed::Pay),
        1 => Just(Deed::Stop),
    ];
    let block = leaf.prop_recursive(3, 12, 4, |inner| {
        let list = prop::collection::vec(inner, 0..4);
        prop_oneof![
            (list.clone(), list.clone()).prop_map(|(a, b)| Deed::If(a, b)),
            list.clone().prop_map(Deed::Run),
            (prop::sample::select(vec![100, 500, 900]), list.clone(), list).prop_map(|(n, a, b)| Deed::Large(n, a, b)),
        ]
    });
    prop::collection::vec(block, 1..7)
}

/// The parameters of generated flows.
const GIVEN: &str = "amount: money EUR, names: [text], done: bool";

#[derive(Default)]
struct Payment {
    script: String,
    /// The flows that are run, each as it is written.
    others: String,
    names: usize,
    asked: Vec<usize>,
}

impl Payment {
    fn write(&mut self, deeds: &[Deed], depth: usize) {
        let before = self.asked.len();
        for deed in deeds {
            let (indent, number) = ("  ".repeat(depth), self.names);
            self.names += 1;
            let mut line = |text: String| self.script += &format!("{indent}{text}\n");
            match deed {
                Deed::Ask => {
                    line(format!("step a{number}: bool = ask(\"finance\", \"?\", within: 1 day, otherwise: false)"));
                    self.asked.push(number);
                }
                Deed::Guard => {
                    if let Some(last) = self.asked.last() {
                        line(format!("if not a{last} {{ stop \"no\" }}"));
                    }
                }
                Deed::Refuse => {
                    if let Some(last) = self.asked.last() {
                        line(format!("if not a{last} {{ fail refused() }}"));
                    }
                }
                Deed::Run(body) => {
                    line(format!("run f{number}(amount, names, done)"));
                    let asked = std::mem::take(&mut self.asked);
                    let outer = std::mem::take(&mut self.script);
                    self.write(body, 1);
                    let inner = std::mem::replace(&mut self.script, outer);
                    self.asked = asked;
                    self.others += &format!("\nflow f{number}({GIVEN}) {{\n{inner}}}\n");
                }
                Deed::Pay => line(format!("step p{number} {{ pay(amount) }}")),
                Deed::Stop => line("if done { stop \"done\" }".to_string()),
                Deed::If(a, b) => {
                    line(format!("if names.contains(\"{number}\") {{"));
                    self.write(a, depth + 1);
                    self.script += &format!("{indent}}} else {{\n");
                    self.write(b, depth + 1);
                    self.script += &format!("{indent}}}\n");
                }
                Deed::Large(limit, a, b) => {
                    line(format!("if amount > {limit} EUR {{"));
                    self.write(a, depth + 1);
                    self.script += &format!("{indent}}} else {{\n");
                    self.write(b, depth + 1);
                    self.script += &format!("{indent}}}\n");
                }
            }
        }
        self.asked.truncate(before);
    }
}

/// Goes all ways: with an amount, the questions in reach, and those that were answered with yes. Gives the ways on
/// (the questions answered with yes), and whether some way pays a large amount without a yes; `stopped` gets the ways
/// that end by `stop`, on which whatever runs this goes on.
fn walk(
    deeds: &[Deed],
    amount: i64,
    mut ways: Vec<Walk>,
    asked: &mut Vec<usize>,
    names: &mut usize,
    stopped: &mut Vec<Walk>,
) -> (Vec<Walk>, bool) {
    let before = asked.len();
    let mut broken = false;
    for deed in deeds {
        let number = *names;
        *names += 1;
        match deed {
            Deed::Ask => {
                asked.push(number);
                ways = ways.into_iter().flat_map(|way| [way.clone(), way.with(number)]).collect();
            }
            Deed::Guard => {
                if let Some(last) = asked.last() {
                    let (yes, no): (Vec<Walk>, Vec<Walk>) = ways.into_iter().partition(|way| way.yes.contains(last));
                    stopped.extend(no);
                    ways = yes.into_iter().map(Walk::having_looked).collect();
                }
            }
            Deed::Refuse => {
                if let Some(last) = asked.last() {
                    ways.retain(|way| way.yes.contains(last));
                    ways = ways.into_iter().map(Walk::having_looked).collect();
                }
            }
            Deed::Run(body) => {
                let mut ended = Vec::new();
                let (mut on, inner) = walk(body, amount, ways, &mut Vec::new(), names, &mut ended);
                on.extend(ended);
                ways = on;
                broken |= inner;
            }
            Deed::Pay => broken |= amount > 500 && ways.iter().any(|way| !way.looked),
            Deed::Stop => stopped.extend(ways.iter().cloned()),
            Deed::If(a, b) => {
                let (mut left, x) = walk(a, amount, ways.clone(), asked, names, stopped);
                let (right, y) = walk(b, amount, ways, asked, names, stopped);
                left.extend(right);
                left.sort();
                left.dedup();
                ways = left;
                broken |= x | y;
            }
            Deed::Large(limit, a, b) => {
                let empty = Vec::new();
                let (yes, no) = if amount > *limit { (ways, empty) } else { (empty, ways) };
                let (mut left, x) = walk(a, amount, yes, asked, names, stopped);
                let (right, y) = walk(b, amount, no, asked, names, stopped);
                left.extend(right);
                ways = left;
                broken |= x | y;
            }
        }
        ways.sort();
        ways.dedup();
    }
    asked.truncate(before);
    (ways, broken)
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Walk {
    yes: BTreeSet<usize>,
    /// Whether an answer was a condition for going on, and was yes.
    looked: bool,
}

impl Walk {
    fn having_looked(mut self) -> Walk {
        self.looked = true;
        self
    }

    fn with(mut self, question: usize) -> Walk {
        self.yes.insert(question);
        self
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    /// A policy is found broken exactly when some way through the flow breaks it. Amounts on both sides of every limit
    /// stand for all amounts.
    #[test]
    fn a_policy_is_broken_when_some_way_breaks_it(deeds in deeds()) {
        let mut payment = Payment::default();
        payment.write(&deeds, 1);
        let script = format!(
            "task pay(amount: money EUR) {{\n  log.info(\"pays {{amount}}\")\n}}\n\npolicy four_eyes {{\n  before pay(amount) when amount > 500 EUR requires ask(\"finance\")\n}}\n\nerror refused()\n{}\nflow refund({GIVEN}) {{\n{}}}\n",
            payment.others,
            payment.script
        );
        let (found, shown) = codes(&script);
        prop_assert!(!found.iter().any(|(id, _)| id.starts_with("name::") || id.starts_with("syntax::") || id.starts_with("type::")), "{}", shown);
        let said = found.iter().any(|(id, _)| *id == "policy::broken");
        let breaks = [50, 300, 700, 1000].into_iter().any(|amount| {
            walk(&deeds, amount, vec![Walk::default()], &mut Vec::new(), &mut 0, &mut Vec::new()).1
        });
        // What is proved holds on every way.
        prop_assert!(said || !breaks, "not found:\n{}", shown);
        // What is shown is a way; only ways that contradict themselves in two places are shown too.
        let contradicts = limits(&deeds) > 1;
        prop_assert!(!said || breaks || contradicts, "found and not so:\n{}", shown);
    }
}

/// How many conditions on the amount there are, which a way could contradict.
fn limits(deeds: &[Deed]) -> usize {
    deeds
        .iter()
        .map(|deed| match deed {
            Deed::If(a, b) => limits(a) + limits(b),
            Deed::Large(_, a, b) => 1 + limits(a) + limits(b),
            Deed::Run(body) => limits(body),
            _ => 0,
        })
        .sum()
}
