//! Small wrong scripts by theme, each with what is found in it; the snapshots hold source and findings together.

use super::{Memory, findings};

/// Shows scripts with their findings, for a snapshot.
fn shown(scripts: &[&str]) -> String {
    let files = Memory::new()
        .with(
            "prices.rpa",
            "const base = 10 EUR\nfn of(name: text) -> money EUR = if name == \"a\" then base else 2 * base\n",
        )
        .with("again.rpa", "use \"script.rpa\"\nfn one() -> int = 1\n")
        .with("letter.txt", "Dear {name},\n{if total > limit}\nlarge\n{end}\n{for x in name}{x}{end}\n")
        .with("rates.csv", "country;rate\nDE;0.19\nFR;twenty\n;0\n")
        .with("empty.csv", "\n");
    let mut out = String::new();
    for script in scripts {
        out += &format!("════════\n{}\n────────\n{}", script.trim(), findings(script.trim_start(), &files));
    }
    out
}

macro_rules! wrong {
    ($($name:ident: [$($script:literal),* $(,)?])*) => {$(
        #[test]
        fn $name() {
            insta::with_settings!({ omit_expression => true }, {
                insta::assert_snapshot!(shown(&[$($script),*]));
            });
        }
    )*};
}

wrong! {
    names: [
        "const a = 1\n\nfn f(a: int) -> int = a",
        "fn f(x: int) -> int {\n  let y = x\n  if y > 1 {\n    let y = 2\n    return y\n  }\n  return z\n}",
        "fn f(x: int) -> int = g(x) + mim(x, 2)\n\nfn h(x: int) -> int = x",
        "task t(path: text) -> text = read(path)",
        "fn f() -> int = it + 1",
        "record R { a: int }\nfn f() -> R = R\nfn g() -> int = f",
        "error e(reason: text)\nfn f() -> int {\n  let x = e(\"a\")\n  fail f()\n}",
        "enum E { a, b, a }\nfn f() -> E = E.c\nfn g() -> E = E",
        "use \"prices.rpa\"\nfn f() -> money EUR = prices.off(\"a\") + prices.bas",
        "use \"again.rpa\"\nfn f() -> int = again.one()",
        "use crm\nuse crm\nuse cmr\nrecord Customer { a: int }\nfn f(c: Customer) -> int = c.a",
        "const a = b\nconst b = c\nconst c = a\nconst d = [1, 2].map(it * a).count",
        "record text { a: int }\nfn min(a: int) -> int = a\nerror not_found(a: text)",
        "const limit = 5 EUX\nfn f(a: string, b: [Integer]) -> float = 1.0",
        "use crm\nenum Color { red, open }\nfn f() -> bool {\n  let x = open\n  return x == red\n}",
        "fn f(rows: [text]) -> int {\n  var n = 0\n  for row in rows { m = n + row.length }\n  return n\n}",
        "fn f(file: text) -> text = file.read(\"a\")",
        "task t() {\n  log(\"done\")\n}",
    ]
    types: [
        "fn f() -> int = \"a\"\nfn g() -> text = 5\nfn h(x: decimal) -> int = x\nfn i() -> percent = 0.15",
        "fn f(x: int) -> [text] = [x, \"a\"]\nfn g(x: text) -> [text] = x\nfn h(x: [text]) -> text = x",
        "fn f(m: money) -> money EUR = m\nfn g(a: money EUR, b: money USD) -> bool = a < b or a == b",
        "fn f(d: date) -> date = d + 3\nfn g(d: date, e: date) -> int = d - e\nfn h(t: duration) -> bool = t > 5",
        "fn f(a: text, b: int) -> text = a + b\nfn g(a: [int], b: [int]) -> [int] = a + b\nfn h(a: bool) -> bool = -a",
        "fn f(a: text) -> bool = \"x\" in a\nfn g(a: [int]) -> bool = \"x\" in a\nfn h(a: int) -> bool = not a and a",
        "fn f() -> int {\n  let x = []\n  let y = none\n  let z = {}\n  return 1\n}",
        "fn f() -> int {\n  let x = 1\n  x = 2\n  return x\n}\nfn g(a: int) -> int {\n  a = 2\n  return a\n}",
        "fn f(a: int) {\n  return a\n}\nfn g() -> int {\n  return\n}\nfn h(a: int) = a",
        "fn f(a: int) -> int {\n  if a > 1 { return 1 } else if a > 0 { return 2 }\n}",
        "fn f(a: [int]) -> int = a.sum()\nfn g(a: [int]) -> int = a.count(it > 1)\nfn h(a: text) -> text = a.upper()",
        "fn f(a: [text]) -> text = a.sum(it)\nfn g(a: [[int]]) -> [[int]] = a.sort(it)\nfn h(a: [int]) -> [int] = a.where(it)",
        "fn f(a: [int]) -> int = a.fold(0, it)\nfn g(a: [int]) -> [int] = a.map((x, y) => x)\nfn h() -> int = x => x",
        "fn f(a: int) -> text = a.upper\nfn g(a: text) -> int = a.size\nfn h(a: [int]) -> int = a.length",
        "fn f(a: text) -> text = a[0]\nfn g(a: {text: int}) -> int = a[1]\nfn h(a: [int]) -> int = a[\"x\"]",
        "fn f(a: int) -> int {\n  for x in a { return x }\n  for k, v in [1] { return k }\n  return 0\n}",
        "task t() -> int {\n  let x = log.info(\"a\")\n  return x\n}",
        "fn f(a: bool) -> int = if a then 1 else \"x\"\nfn g(a: int) -> int = if a then 1 else 2",
    ]
    optionals: [
        "fn f(a: text?) -> int = a.length\nfn g(a: int?) -> int = a + 1\nfn h(a: text?) -> text = \"{a}\"\nfn i(a: int?) -> bool = a > 1",
        "fn f(a: text) -> text = a?.upper ?? \"\"\nfn g(a: text) -> bool = a is some",
        "fn f(a: text?) -> int {\n  if a is some or true { return a.length }\n  return a.length\n}",
        "fn f(a: text?) -> int {\n  if a is none { log.info(\"x\") }\n  return a.length\n}",
        "fn f(rows: [text]) -> int {\n  var last: text? = none\n  for row in rows {\n    if last is some { last = none }\n    last = row\n  }\n  if last is some {\n    for row in rows {\n      if last.length > 1 { return 1 }\n      last = none\n    }\n  }\n  return 2\n}",
        "record R { a: text? }\nfn f(r: R) -> int {\n  if r.a is none { return 0 }\n  return r.a.length\n}\nfn g(r: R, q: R) -> int = if r.a is some then q.a.length else 0",
        "fn f(a: [text]?) -> int {\n  for x in a { return x.length }\n  return a.count\n}",
        "fn f(a: int?) -> decimal = a ?? 1.5\nfn g(a: int?) -> text = a ?? \"x\"",
    ]
    records: [
        "record R {\n  a: int\n  b: text\n  c: bool = true\n}\nfn f() -> R = R(1, b: 2, d: 3, c: true, c: false)",
        "record R {\n  a: int\n  b: text\n}\nfn f() -> R = R()\nfn g(r: R) -> R = r.with(a: \"x\", z: 1)\nfn h(r: R) -> R = r.update(a: 1)",
        "record R {\n  a: int\n  a: text\n  key b: text\n}\nfn f(r: R) -> int = r.a() + r.q",
        "fn f(a: int, b: text = \"x\") -> text = \"{a}{b}\"\nfn g() -> text = f() + f(1, 2, 3) + f(b: \"x\", a: 1, a: 2) + f(c: 1)",
        "record R { a: int = \"x\", b: Q }\nfn f(r: R) -> int = r.a.b",
    ]
    entities: [
        "entity A { name: text }\nentity B { key a: text, key b: text }\nentity C { key a: [text], b: int = auto }",
        "entity A {\n  key id: text\n  n: int = 0\n}\ntask t() -> int {\n  let a = A.get(1)\n  let b = A(id: \"x\")\n  let c = A.create(n: 1)\n  a.update(id: \"y\", m: 1)\n  a.with(n: 2)\n  return A.n + A.cuont\n}",
        "entity A { key id: text }\nentity B {\n  key id: int = auto\n  a: A\n}\ntask t(a: A) {\n  B.create(a: \"x\")\n  B.create(a: a)\n  for b in B.where(it.a == \"x\") { log.info(\"{b.a}\") }\n}",
        "entity A {\n  key id: text\n  token: secret text\n}\ntask t(a: A) {\n  let token = a.token\n  log.info(token)\n  log.info(\"{a.token}\")\n  file.write(\"a\", \"x\" + token)\n}",
        "record R { a: int }\ntask t(r: R) {\n  r.delete()\n  csv.read(\"a\", as: int)\n  csv.read(\"a\", R)\n  csv.read(\"a\", as: R, seperator: \",\")\n}",
    ]
    effects: [
        "fn f() -> date = today()\nfn g() -> date = f()\ntask t() -> date = g()",
        "entity A { key id: text }\nflow f() {\n  let a = A.get(\"x\")\n  if A.has(\"y\") { stop a.id }\n  for b in A.all { run g(b.id) }\n  log.info(\"x\")\n  let r = run g(\"a\")\n}\nflow g(id: text) {\n  step s = log.info(id)\n}",
        "flow g() -> int {\n  return 1\n}\ntask t() -> int {\n  let x = run g()\n  return x\n}\nflow h() {\n  step s {\n    start g()\n  }\n}",
        "error a()\nerror b()\ntask t(x: int) fails a {\n  if x > 1 { fail b() }\n}\ntask u(x: int) fails a, b = t(x)",
        "const now_is = now()\nrules r(a: int) -> text {\n  | a         | => x                        |\n  | otherwise | file.write(\"a\", \"b\").path |\n}",
        "on file \"a\" as f {\n  log.info(f.path)\n  run g()\n}\nflow g() {\n  stop\n}",
    ]
    flows: [
        "flow f() -> int {\n  step a = 1\n  if a > 1 { return a }\n}",
        "flow f(x: bool) -> int {\n  let y = 1\n  if x { go to last }\n  let z = 2\n  step middle = z\n  step last = y + z\n  return last + middle\n}",
        "flow f(x: bool) {\n  if x {\n    step inner = log.info(\"a\")\n  }\n  go to inner\n}",
        "flow f(xs: [int]) {\n  for x in xs, parallel 2 {\n    if x > 1 { go to out }\n    step s = random.int(1, x)\n  }\n  step out = log.info(\"{s}\")\n}",
        "flow f() {\n  step a = b + 1\n  step b = 2\n  step c {\n    log.info(\"x\")\n  }\n  step d = log.info(\"{a}{c}\")\n}",
        "flow f() {\n  var n = 0\n  step a {\n    n = 1\n    return n\n    go to a\n    step b = 2\n  }\n  give n\n  expect n == 1\n}",
        "flow f() {\n  step a: int {\n    if true { give 1 }\n  }\n  step b {\n    if a > 1 { give 2 }\n    give \"x\"\n  }\n  step c: text = 5\n}",
        "error e(reason: text)\ntask t() {\n  fail e(\"x\")\n}\nflow f() {\n  step a = t()\n    retry \"x\" times from 3\n    timeout 5\n    on e as x {\n    }\n    on e go to b\n    on zzz go to b\n  step b = log.info(\"b\")\n    retry 1 times\n    retry 2 times\n}",
        "flow f() {\n  let a = ask(\"x\", \"y\")\n  step b = ask(\"x\", \"y\")\n  step c: bool = ask(role: \"x\", within: 5)\n  step d = sleep(5)\n  step e = wait_for(Foo, it.x)\n  sleep(3 days)\n}",
        "flow f(x: [int]) key x, at most \"a\" at once, priority 1.5, deadline 3 {\n  f(x)\n  run g()\n  start f(1)\n  run f\n}",
        "flow f(x: int) {\n  match x {\n    1 => stop \"a\"\n    2 => fail nothing()\n    otherwise => return\n  }\n  step never = log.info(\"x\")\n}",
        "flow f() {\n  parallel {\n    step a = 1\n    step b = a + 1\n    go to c\n  }\n  step c = a + b\n  return\n}",
    ]
    decisions: [
        "enum E { a, b, c }\nfn f(e: E, x: int, o: E?) -> int {\n  match e {\n    a => return 1\n    a, d => return 2\n  }\n  match x {\n    1 => return 1\n    \"x\" => return 2\n  }\n  match o {\n    a, b => return 1\n    c => return 2\n  }\n}",
        "fn f(x: bool, t: text) -> int {\n  match x {\n    true => return 1\n  }\n  match t {\n    otherwise => return 1\n    \"a\" => return 2\n  }\n}",
        "rules r(a: text, b: int?) {\n  | a    | b    | => x |\n  | >= 1 | 10..1 | 1   |\n  | \"x\"  | some | 2   |\n  | none | none | 3   |\n}",
        "record R {\n  x: int\n  y: text\n}\nrules r(a: int) -> R {\n  | a | => x | => z |\n  | 1 | 1    | 2    |\n}\nrules q(a: int) -> R {\n  | a | => x | => x |\n  | 1 | 1    | 2    |\n}\nrules p(a: int) -> int {\n  | a | => x | => y |\n  | 1 | 1    | 2    |\n}",
        "rules r(a: int) -> text, sum {\n  | a | => x |\n  | 1 | \"a\"  |\n}\nrules q(a: int) -> [int], max {\n  | a | => x |\n  | 1 | [1]  |\n}\nrules p(a: int) -> int, collect {\n  | a | => x |\n  | 1 | -    |\n}",
        "rules rate(country: text) -> percent from \"rates.csv\"\nrules other(country: text) -> percent from \"empty.csv\"\nrules third(c: text) -> percent from \"gone.xlsx\" sheet \"a\"",
        "rules r(a: int, c: money EUR) -> text, first {\n  | b | c        | when   | => x  |\n  | 1 | > 5 USD  | a      | \"x\"   |\n  | - | -        | a > 1  | a     |\n}",
    ]
    templates: [
        "fn f(total: int) -> text = template(\"letter.txt\", name: \"Ada\", total: total)",
        "fn f() -> text = template(\"gone.txt\") + template(path: \"x\") + template(\"letter.txt\", 1, name: 1, name: 2)",
    ]
    tests_and_triggers: [
        "fn f(x: int) -> int = x\ntest \"a\" {\n  expect f(1)\n  f(1)\n  f(1) == 1\n  stub csv.raed(…) => 1\n  stub file.read(…) => 5\n  stub f fails nothing\n  advance 3\n  let r = run f(1)\n  step a = 1\n}",
        "rule r on Foo changed as p when p.x { log.info(\"x\") }\nrule s on R changed as p { log.info(\"{p.x}\") }\nrecord R { x: int }",
        "policy p {\n  before payments.refund(amount) when amount > 5 EUR requires ask(\"finance\")\n  before t(b) requires ask(\"x\")\n}\ntask t(a: int) {\n  log.info(\"{a}\")\n}",
        "every month on 32 at 5 in \"Europe/Berln\" { start f() }\nevery 5 { start f() }\nflow f() {\n  stop\n}",
    ]
    unused: [
        "use crm\nuse \"prices.rpa\"\nconst c = 1\nenum E { a }\nrecord R { x: int }\nerror e()\nfn g(a: int, _b: int) -> int {\n  let x = 1\n  var y = 2\n  y = 3\n  let _z = 4\n  return g(1, 2)\n}\nrules r(q: int) -> int {\n  | when | => x |\n  | otherwise | 1 |\n}\nflow f(p: text) {\n  step s = 1\n}",
        "fn f(x: int) -> int {\n  x + 1\n  \"a\".upper\n  return x\n  return 2\n}\ntest \"t\" {\n  expect f(1) == 1\n}",
    ]
}
