//! Scripts as people write them, with what is found in each of them.

use crate::check::{Allowance, Boundaries, Memory, check};
use crate::finding::render::terminal::{Appearance, render_all};
use crate::text::Source;
use proptest::prelude::*;

/// The declarations that the scripts of these tests share.
const PEOPLE: &str = "entity Person {\n  key id: int = auto\n  name: pii text\n  email: pii text\n  phone: pii text = \"\"\n  born: pii date = 2000-01-01\n  city: text = \"\"\n  spent: pii money = 0 EUR\n}\n\nrecord Access {\n  shop: text\n  token: secret text\n}\n\n";

fn files() -> Memory {
    Memory::new()
        .with(
            "letter.txt",
            "Dear {who.name},\n{for line in lines}\n{line}\n{end}\n{if total > 10}much{else}little{end}\n",
        )
        .with("plain.txt", "Hello {name}\n")
}

/// The codes of what is found in a script, with the line that each is in.
fn found(script: &str, files: &Memory) -> String {
    let text = format!("{PEOPLE}{script}");
    let shift = PEOPLE.matches('\n').count();
    let checked = check(Source::new("script.rpa", text.as_str()), files);
    let codes: Vec<String> = checked
        .findings
        .iter()
        .filter(|finding| finding.code.group() != "unused")
        .map(|finding| {
            let place = finding.span().and_then(|at| Some((at, checked.sources.get(at.source)?)));
            let line = place.map_or(0, |(at, source)| source.line_of(at.start as usize) + 1);
            format!("{}:{}", finding.code.id, line.saturating_sub(shift))
        })
        .collect();
    codes.join(" ")
}

macro_rules! silent {
    ($($name:ident: $script:literal)*) => {$(
        #[test]
        fn $name() {
            let text = format!("{PEOPLE}{}", $script);
            let checked = check(Source::new("script.rpa", text.as_str()), &files());
            let findings: Vec<_> = checked.findings.into_iter().filter(|it| it.code.group() != "unused").collect();
            assert!(findings.is_empty(), "{}", render_all(&findings, &checked.sources, Appearance::default()));
        }
    )*};
}

silent! {
    a_mail_to_the_person: "flow greet(id: int) {\n  step who = Person.get(id)\n  step mail = email.send(to: who.email, subject: \"Hello {who.name}\", body: template(\"letter.txt\", who: who, lines: [who.phone], total: 3))\n}\n"
    a_mail_to_the_person_through_a_task: "task write(to: text, body: text) -> Mail = email.send(to: to, subject: \"News\", body: body)\n\ntask greet(who: Person) -> Mail = write(who.email, \"Dear {who.name}\")\n"
    a_log_without_the_person: "task note(who: Person) {\n  log.info(\"{who.id} in {who.city}\")\n}\n"
    masked_and_cut: "task note(who: Person) {\n  log.info(\"{who.name.mask}, phone ending in {who.phone.last4}\")\n}\n"
    yes_and_no_tell_nothing: "task note(who: Person) {\n  let has_mail = who.email.is_email and who.phone != \"\"\n  log.info(\"mail: {has_mail}\")\n}\n"
    counts_and_sums: "task note(people: [Person]) {\n  let by_name = people.group(it.name.slice(0, 0))\n  log.info(\"{people.count} people, {by_name.count} names, {people.sum(it.spent)}, {people.map(it.name).distinct.count}\")\n}\n"
    the_store_is_for_it: "entity Call {\n  key id: int = auto\n  to: pii text\n}\n\ntask plan(who: Person) -> Call = Call.create(to: who.phone)\n"
    a_field_of_an_error_that_says_so: "error unknown(email: pii text)\n\ntask find(email: pii text) -> Person {\n  let found = Person.find(it.email == email)\n  if found is none { fail unknown(email) }\n  return found\n}\n"
    keys_that_name_nobody: "flow greet(who: int, day: date) key \"{who} {day}\" {\n  step person = Person.get(who)\n  step mail = email.send(to: person.email, subject: \"Hi\", body: \"Hi\")\n}\n"
    one_caller_does_not_speak_for_another: "fn shout(words: text) -> text = words.upper\n\ntask both(who: Person) {\n  let loud = shout(who.name)\n  email.send(to: who.email, subject: loud, body: loud)\n  log.info(shout(\"done\"))\n}\n"
    a_table_over_what_is_not_personal: "rules size(count: int) -> text {\n  | count | => size |\n  | < 10 | \"small\" |\n  | >= 10 | \"large\" |\n}\n\ntask note(people: [Person]) {\n  log.info(size(people.count))\n}\n"
    a_table_that_asks_whether: "rules reachable(has_mail: bool) -> text {\n  | has_mail | => how |\n  | true | \"by mail\" |\n  | false | \"by post\" |\n}\n\ntask note(who: Person) {\n  log.info(\"{who.id}: {reachable(who.email.is_email)}\")\n}\n"
    values_of_a_map_are_not_its_keys: "task note(people: [Person]) {\n  let cities = people.to_map(it.email, it.city)\n  for address, city in cities {\n    if address != \"\" { log.info(city) }\n  }\n}\n"
    an_end_of_a_secret: "task note(access: Access) {\n  log.info(\"{access.shop}: …{access.token.last4}\")\n}\n"
    a_secret_in_its_own_field: "record Door {\n  key: secret text\n}\n\nfn door(access: Access) -> Door = Door(key: access.token)\n"
    a_secret_in_a_header: "task orders(shop: text) -> text {\n  let token = secret(\"crm_token\")\n  return http.get(\"https://api.example.com/orders\", as: text, headers: {\"Authorization\": http.bearer(token)})\n}\n"
    a_secret_in_a_body: "task login(access: Access) -> text = http.post(\"https://api.example.com/login\", {\"key\": access.token}, as: text)\n"
    a_secret_through_a_task: "task token() -> secret text = secret(\"crm_token\")\n\ntask call(path: text) -> text = http.get(\"https://api.example.com/{path}\", as: text, headers: {\"X-Key\": token()})\n"
    a_call_that_says_nothing_of_people: "task tell(who: Person) {\n  http.put(\"https://api.example.com/customers/{who.id}\", {\"city\": who.city, \"mail\": who.email.mask})\n}\n"
    tests_make_people_up: "test \"a log\" {\n  let who = Person.create(name: \"Ada\", email: \"a@example.com\")\n  expect who.name == \"Ada\"\n}\n"
}

/// Scripts that let something leave, with what is found.
const LEAKS: &[(&str, &str)] = &[
    ("task t(who: Person) {\n  log.info(who.email)\n}\n", "privacy::pii-leaves:2"),
    (
        "task t(who: Person) {\n  var line = \"\"\n  for part in [who.name, who.city] {\n    line = \"{line} {part}\"\n  }\n  log.info(line)\n}\n",
        "privacy::pii-leaves:6",
    ),
    ("task t(people: [Person]) {\n  log.info(people.map(it.name).join(\", \"))\n}\n", "privacy::pii-leaves:2"),
    (
        "task t(people: [Person]) {\n  for name, same in people.group(it.name) {\n    log.info(\"{name}: {same.count}\")\n  }\n}\n",
        "privacy::pii-leaves:3",
    ),
    (
        "task t(people: [Person]) {\n  log.info(people.fold(\"\", (all, one) => \"{all} {one.name}\"))\n}\n",
        "privacy::pii-leaves:2",
    ),
    (
        "task t(id: int) {\n  let name = Person.find(it.id == id)?.name ?? \"nobody\"\n  log.warn(name)\n}\n",
        "privacy::pii-leaves:3",
    ),
    (
        "task t(who: Person) {\n  log.info(template(\"letter.txt\", who: who, lines: [], total: 1))\n}\n",
        "privacy::pii-leaves:2",
    ),
    ("task t(who: Person) {\n  log.info(template(\"plain.txt\", name: who.name))\n}\n", "privacy::pii-leaves:2"),
    ("task t(people: [Person]) {\n  csv.write(\"out.csv\", people)\n}\n", "privacy::pii-leaves:2"),
    ("task t(people: [Person]) {\n  file.write(\"out.json\", json.text(people))\n}\n", "privacy::pii-leaves:2"),
    (
        "record Line {\n  text: text\n}\n\nfn line(who: Person) -> Line = Line(text: who.name)\n\ntask t(people: [Person]) {\n  excel.write(\"out.xlsx\", people.map(line(it)))\n}\n",
        "privacy::pii-leaves:8",
    ),
    (
        "fn a(words: text) -> text = b(words.trim)\n\nfn b(words: text) -> text = if words.length < 2 then words else a(words.slice(1))\n\ntask t(who: Person) {\n  log.info(a(who.name))\n}\n",
        "privacy::pii-leaves:6",
    ),
    (
        "task deep(line: text) {\n  deeper(\"{line}!\")\n}\n\ntask deeper(line: text) {\n  log.info(line)\n}\n\ntask t(who: Person) {\n  deep(who.name)\n}\n",
        "privacy::pii-leaves:6",
    ),
    (
        "task t(who: Person) {\n  email.send(to: \"team@elsewhere.example\", subject: \"Call\", body: who.phone)\n}\n",
        "privacy::pii-leaves:2",
    ),
    (
        "task tell(to: text, body: text) -> Mail = email.send(to: to, subject: \"News\", body: body)\n\ntask t(who: Person) -> Mail = tell(\"team@elsewhere.example\", who.phone)\n",
        "privacy::pii-leaves:1",
    ),
    (
        "error bad(why: text)\n\ntask t(who: Person) {\n  fail bad(\"no mail for {who.name}\")\n}\n",
        "privacy::pii-leaves:4",
    ),
    ("flow f(email: pii text) key email {\n  step note = log.info(\"began\")\n}\n", "privacy::pii-leaves:1"),
    ("flow f(id: int) {\n  step who = Person.get(id)\n  stop \"done with {who.name}\"\n}\n", "privacy::pii-leaves:3"),
    (
        "flow f(id: int) {\n  step who = Person.get(id)\n  step mail = email.send(to: who.email, subject: \"s\", body: \"b\")\n    on bad_address as e {\n      step note = log.warn(e.address)\n    }\n}\n",
        "privacy::pii-leaves:5",
    ),
    (
        "task t() -> text {\n  let token = secret(\"crm_token\")\n  return http.get(\"https://api.example.com/x\", as: text, query: {\"key\": token})\n}\n",
        "privacy::secret-leaves:3",
    ),
    (
        "task t() -> text {\n  let base = \"https://api.example.com/\" + secret(\"crm_token\")\n  return http.get(base, as: text)\n}\n",
        "privacy::secret-leaves:3",
    ),
    (
        "task t() {\n  let header = http.basic(\"ada\", secret(\"crm_token\"))\n  file.write(\"a.txt\", header)\n}\n",
        "type::secret:3",
    ),
    ("flow f() {\n  step token = secret(\"crm_token\")\n}\n", "privacy::secret-leaves:2"),
    ("task t(who: Person) {\n  http.post(\"https://api.example.com/customers\", who)\n}\n", "privacy::pii-leaves:2"),
    (
        "task t(who: Person) {\n  http.put(\"https://api.example.com/customers/{who.email}\", {\"city\": who.city})\n}\n",
        "privacy::pii-leaves:2",
    ),
    (
        "task send(body: {text: text}) {\n  http.post(\"https://api.example.com/x\", body)\n}\n\ntask t(who: Person) {\n  send({\"name\": who.name})\n}\n",
        "privacy::pii-leaves:2",
    ),
    (
        "rule watch on Person changed as p when p.city == \"\" {\n  log.info(\"no city: {p.name}\")\n}\n",
        "privacy::pii-leaves:2",
    ),
    (
        "task t(access: Access) {\n  let copy: text = access.token.trim\n  file.write(\"a.txt\", copy)\n}\n",
        "privacy::secret-leaves:3",
    ),
    (
        "task t() {\n  let token: secret text = file.read(\"token.txt\")\n  let line = token.upper\n  email.send(to: \"a@example.com\", subject: \"s\", body: line)\n}\n",
        "privacy::secret-leaves:4",
    ),
    (
        "flow f() {\n  step rows = csv.read(\"access.csv\", as: Access)\n  step note = log.info(\"{rows.count}\")\n}\n",
        "privacy::secret-leaves:2",
    ),
    (
        "entity Note {\n  key id: int = auto\n  text: text\n}\n\ntask t(access: Access) {\n  Note.create(text: access.token)\n}\n",
        "privacy::secret-leaves:7",
    ),
    (
        "rules group(born: date) -> text {\n  | born | => group |\n  | < 1960-01-01 | \"old\" |\n  | >= 1960-01-01 | \"young\" |\n}\n\ntask t(who: Person) {\n  log.info(group(who.born))\n}\n",
        "privacy::implicit:8",
    ),
];

#[test]
fn what_leaves_is_found_at_its_place() {
    let files = files();
    let mut wrong = String::new();
    for (script, expected) in LEAKS {
        let found = found(script, &files);
        if found != *expected {
            wrong += &format!("{script}\nfound {found:?}, and not {expected:?}\n\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_project_says_where_personal_data_may_go() {
    let allow = |entries: &[&str]| Boundaries {
        is_project: true,
        own_domain: Some("shop.example".into()),
        personal: entries.iter().filter_map(|entry| Allowance::parse(entry)).collect(),
        ..Boundaries::default()
    };
    let script = "task t(who: Person) {\n  csv.write(\"reports/a.csv\", [who])\n  csv.write(\"public/a.csv\", [who])\n  log.info(who.name)\n  email.send(to: \"desk@shop.example\", subject: \"s\", body: who.name)\n  email.send(to: \"x@agency.example\", subject: \"s\", body: who.name)\n}\n";
    let with = |entries: &[&str]| found(script, &files().within(allow(entries)));
    assert_eq!(with(&[]), "privacy::pii-leaves:2 privacy::pii-leaves:3 privacy::pii-leaves:4 privacy::pii-leaves:6");
    assert_eq!(with(&["write reports", "log"]), "privacy::pii-leaves:3 privacy::pii-leaves:6");
    assert_eq!(with(&["mail agency.example", "write ."]), "privacy::pii-leaves:4");
}

#[test]
fn a_secret_that_is_kept_and_handed_on_is_one_mistake() {
    for (script, expected) in [
        // A flow that runs another, which declares it as well.
        (
            "flow send(token: secret text) {\n  step told = log.info(\"…{token.last4}\")\n}\n\nflow all(token: secret text) {\n  run send(token)\n}\n",
            "privacy::secret-leaves:5",
        ),
        // A step that keeps it, what runs with it, and a step of that.
        (
            "flow send(token: text) -> text {\n  step own = token.trim\n  return own\n}\n\nflow all() {\n  step t = secret(\"api\")\n  run send(t)\n}\n",
            "privacy::secret-leaves:7",
        ),
        // Two secrets are two mistakes, though they come to one place.
        (
            "flow send(token: secret text) {\n  step told = log.info(\"…{token.last4}\")\n}\n\nflow one() {\n  step t = secret(\"api\")\n  run send(t)\n}\n\nflow two() {\n  step t = secret(\"shop\")\n  run send(t)\n}\n",
            "privacy::secret-leaves:6 privacy::secret-leaves:11",
        ),
        // What a flow reads anew it keeps by itself.
        (
            "entity Account {\n  key shop: text\n  token: secret text\n}\n\nflow one(shop: text) {\n  step t = Account.get(shop).token\n}\n\nflow two(shop: text) {\n  step t = Account.get(shop).token\n}\n",
            "privacy::secret-leaves:7 privacy::secret-leaves:11",
        ),
        // Each in its turn.
        (
            "flow a(token: secret text, n: int) {\n  if n > 0 { run b(token, n - 1) }\n}\n\nflow b(token: secret text, n: int) {\n  if n > 0 { run a(token, n - 1) }\n}\n",
            "privacy::secret-leaves:1",
        ),
    ] {
        assert_eq!(found(script, &Memory::new()), expected, "{script}");
    }
}

/// A text made of personal and other texts, for comparison with what really flows.
#[derive(Debug, Clone)]
enum Made {
    Name,
    City,
    Word,
    Local(usize),
    Upper(Box<Made>),
    Mask(Box<Made>),
    Length(Box<Made>),
    Twice(Box<Made>),
    Second(Box<Made>, Box<Made>),
    Put(Box<Made>, Box<Made>),
    Listed(Box<Made>, Box<Made>),
    Looked(Box<Made>, Box<Made>),
    Chosen(bool, Box<Made>, Box<Made>),
}

impl Made {
    /// As a script says it; of the locals before, a later number takes the last.
    fn script(&self, locals: usize) -> String {
        let of = |made: &Made| made.script(locals);
        match self {
            Made::Name => "who.name".into(),
            Made::City => "who.city".into(),
            Made::Word => "\"word\"".into(),
            Made::Local(_) if locals == 0 => "who.city".into(),
            Made::Local(at) => format!("l{}", at % locals),
            Made::Upper(a) => format!("({}).upper", of(a)),
            Made::Mask(a) => format!("({}).mask", of(a)),
            Made::Length(a) => format!("({}).length.to_text", of(a)),
            Made::Twice(a) => format!("twice({})", of(a)),
            Made::Second(a, b) => format!("second({}, {})", of(a), of(b)),
            Made::Put(a, b) => format!("({} + \"-\" + {})", of(a), of(b)),
            Made::Listed(a, b) => format!("[{}, {}].map(it.trim).join(\", \")", of(a), of(b)),
            Made::Looked(a, b) => format!("([{}].to_map({}, it).get(\"k\") ?? \"-\")", of(a), of(b)),
            Made::Chosen(of_flag, a, b) => {
                format!("(if {} then {} else {})", if *of_flag { "flag" } else { "not flag" }, of(a), of(b))
            }
        }
    }

    /// Whether the value is made of the person's name, when `flag` is so: what an interpreter finds that carries a mark
    /// with every value.
    fn is_marked(&self, flag: bool, locals: &[bool]) -> bool {
        let of = |made: &Made| made.is_marked(flag, locals);
        match self {
            Made::Name => true,
            Made::City | Made::Word | Made::Mask(_) | Made::Length(_) => false,
            Made::Local(_) if locals.is_empty() => false,
            Made::Local(at) => locals[at % locals.len()],
            Made::Upper(a) | Made::Twice(a) | Made::Second(_, a) | Made::Looked(a, _) => of(a),
            Made::Put(a, b) | Made::Listed(a, b) => of(a) || of(b),
            Made::Chosen(of_flag, a, b) => of(if *of_flag == flag { a } else { b }),
        }
    }

    fn has_choice(&self) -> bool {
        match self {
            Made::Name | Made::City | Made::Word | Made::Local(_) => false,
            Made::Upper(a) | Made::Mask(a) | Made::Length(a) | Made::Twice(a) => a.has_choice(),
            Made::Second(a, b) | Made::Put(a, b) | Made::Listed(a, b) | Made::Looked(a, b) => {
                a.has_choice() || b.has_choice()
            }
            Made::Chosen(..) => true,
        }
    }
}

fn made() -> impl Strategy<Value = Made> {
    let leaf = prop_oneof![Just(Made::Name), Just(Made::City), Just(Made::Word), (0usize..8).prop_map(Made::Local)];
    leaf.prop_recursive(4, 24, 2, |inner| {
        let one = || inner.clone().prop_map(Box::new);
        prop_oneof![
            one().prop_map(Made::Upper),
            one().prop_map(Made::Mask),
            one().prop_map(Made::Length),
            one().prop_map(Made::Twice),
            (one(), one()).prop_map(|(a, b)| Made::Second(a, b)),
            (one(), one()).prop_map(|(a, b)| Made::Put(a, b)),
            (one(), one()).prop_map(|(a, b)| Made::Listed(a, b)),
            (one(), one()).prop_map(|(a, b)| Made::Looked(a, b)),
            (any::<bool>(), one(), one()).prop_map(|(flag, a, b)| Made::Chosen(flag, a, b)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is found is what flows: everything that an interpreter with marks sees leave, and, where no way is chosen
    /// at run time, nothing else.
    #[test]
    fn what_is_found_is_what_flows(locals in prop::collection::vec(made(), 0..5), logged in made()) {
        let mut script = String::from("fn twice(x: text) -> text = \"{x}{x}\"\n\nfn second(_a: text, b: text) -> text = b\n\ntask t(who: Person, flag: bool) {\n");
        for (at, local) in locals.iter().enumerate() {
            script += &format!("  let l{at} = {}\n", local.script(at));
        }
        script += &format!("  if flag {{ log.info({}) }}\n  log.info({})\n}}\n", Made::Word.script(0), logged.script(locals.len()));
        let text = format!("{PEOPLE}{script}");
        let checked = check(Source::new("script.rpa", text.as_str()), &Memory::new());
        let wrong: Vec<_> = checked.findings.iter().filter(|it| it.is_error() && it.code.group() != "privacy").collect();
        prop_assert!(wrong.is_empty(), "{script}\n{wrong:?}");
        let is_found = checked.findings.iter().any(|finding| finding.code.id == "privacy::pii-leaves");
        let flows = |flag: bool| {
            let mut marks = Vec::new();
            for local in &locals {
                marks.push(local.is_marked(flag, &marks));
            }
            logged.is_marked(flag, &marks)
        };
        let leaves = flows(true) || flows(false);
        prop_assert!(is_found || !leaves, "not found:\n{script}");
        let is_plain = !logged.has_choice() && !locals.iter().any(Made::has_choice);
        prop_assert!(!is_plain || is_found == leaves, "found {is_found}, and leaves {leaves}:\n{script}");
    }
}
