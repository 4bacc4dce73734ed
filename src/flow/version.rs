//! Versions of scripts: a run is pinned to the one that it began with, and goes on with its code, made from the
//! texts that the store keeps.

use crate::check::{Kept, check};
use crate::compile::code::Code;
use crate::compile::compile;
use crate::finding::Finding;
use crate::finding::catalogue::run as codes;
use crate::world::KeptVersion;

/// The code of a version of a script, made from what the store keeps of it.
///
/// # Errors
/// [`codes::VERSION_GONE`] when it was not kept, or this program has another library than the one that began it.
pub fn code_of(version: &str, kept: Option<&KeptVersion>) -> Result<Code, Box<Finding>> {
    let gone = |note: String| {
        let short: String = version.chars().take(12).collect();
        let finding =
            Finding::without_place(&codes::VERSION_GONE, format!("version {short} of the script can't be made again"));
        Err(Box::new(finding.note(note).help(
            "go on with the version of `rpa` that began the run, or move it to the script as it is now with \
             `rpa runs migrate`",
        )))
    };
    let Some(kept) = kept else { return gone("the store does not keep its text".to_string()) };
    let loader = Kept::new(&kept.sources);
    let Some(main) = loader.main() else { return gone("the store does not keep its text".to_string()) };
    let checked = check(main, &loader);
    let Some(program) = checked.program else {
        let first = checked.findings.iter().find(|finding| finding.is_error());
        let why = first.map(|finding| finding.message.clone()).unwrap_or_default();
        return gone(format!("this version of `rpa` refuses it: {why}"));
    };
    let code = compile(&program);
    if code.version != version {
        return gone(
            "the library of this version of `rpa` is another one than that which it was made with".to_string(),
        );
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Memory;
    use crate::text::Source;

    #[test]
    fn a_version_is_made_again_from_what_was_kept() {
        let script = r#"
use crm
use "shared/prices.rpa"

rules rate(country: text) -> percent, first from "rates.csv"

flow hello(name: text) -> text {
  step text = template("hello.txt", name: name)
  step other = prices.twice(text)
  return "{other}{rate("DE")}"
}
"#;
        let files = Memory::new()
            .with("shared/prices.rpa", "fn twice(text: text) -> text = text + text\n")
            .with("rates.csv", "country,=> rate\n\"DE\",19%\n-,0%\n")
            .with("hello.txt", "Hello {name}\n");
        let checked = check(Source::new("jobs/hello.rpa", script), &files);
        let program = checked.program.unwrap_or_else(|| panic!("{:?}", checked.findings));
        let code = compile(&program);
        let sources = code.sources.iter().map(|(_, each)| (each.name.clone(), each.text.to_string())).collect();
        let kept = KeptVersion { sources, names: String::new() };
        let again = code_of(&code.version, Some(&kept)).unwrap_or_else(|finding| panic!("{finding:?}"));
        assert_eq!(again.version, code.version);
        let gone = code_of("another", Some(&kept)).unwrap_err();
        assert_eq!(gone.code.id, "run::version-gone");
        assert!(code_of("another", None).is_err());
    }
}
