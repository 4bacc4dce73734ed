//! `style::…`: names and documentation.

use super::Code;

/// A name that is not written as such names are.
pub const NAME: Code = Code::warning(
    "style::name",
    "a name is not written as such names are",
    "Records, entities and enums begin with a capital letter (`OrderRow`); everything else is written small, with `_` between words (`unit_price`). So a reader sees what a name is. Scripts without small and capital letters are left as they are.",
    "fn unitPrice(total: money, count: int) -> money = total / count\n",
    "fn unit_price(total: money, count: int) -> money = total / count\n",
);

/// Something that should not be used any more.
pub const DEPRECATED: Code = Code::warning(
    "style::deprecated",
    "something is used that should not be used any more",
    "A line `/// deprecated: …` above a declaration says that it will go, and what takes its place. Uses are reported until none is left, so that it can be removed.",
    "/// The price with tax.\n/// deprecated: use `with_tax`\nfn gross(net: money) -> money = net * 119%\n\nfn with_tax(net: money, rate: percent) -> money = net + net * rate\n\nfn total(net: money) -> money = gross(net) + with_tax(net, 7%)\n",
    "/// The price with tax.\n/// deprecated: use `with_tax`\nfn gross(net: money) -> money = net * 119%\n\nfn with_tax(net: money, rate: percent) -> money = net + net * rate\n\nfn total(net: money) -> money = with_tax(net, 19%) + with_tax(net, 7%)\n",
);

/// Something that other scripts use and that says nothing of itself.
pub const UNDOCUMENTED: Code = Code::warning(
    "style::undocumented",
    "other scripts use something that says nothing of itself",
    "What a script offers to others is read by people who have not written it: the editor shows the lines `/// …` above a declaration wherever it is used.",
    "",
    "",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[&NAME, &DEPRECATED, &UNDOCUMENTED];
