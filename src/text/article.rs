//! `a` or `an` before a name.

/// A name with its article, as it is spoken: `an Item`, `a User`, `an SKU`.
pub fn with_article(name: &str) -> String {
    format!("{} {name}", if begins_with_vowel(name) { "an" } else { "a" })
}

/// Whether the first sound of a name is a vowel; names are mostly English words, and those of other languages are
/// spoken as they are written.
fn begins_with_vowel(name: &str) -> bool {
    let bare = name.trim_start_matches(['`', '"']);
    let letters: String = bare.chars().take_while(|c| c.is_alphabetic()).collect();
    let (lower, is_spelt) =
        (letters.to_lowercase(), letters.chars().count() > 1 && letters.chars().all(char::is_uppercase));
    if is_spelt && letters.chars().count() <= 3 {
        // Letter by letter: an SKU, a URL.
        return letters.starts_with(['A', 'E', 'F', 'H', 'I', 'L', 'M', 'N', 'O', 'R', 'S', 'X']);
    }
    let is_spoken_with_consonant =
        ["eu", "one", "uni", "use", "usa", "usu", "uti"].iter().any(|beginning| lower.starts_with(beginning))
            && !["unim", "unin", "unid"].iter().any(|beginning| lower.starts_with(beginning));
    let is_silent_h =
        ["hour", "honest", "honor", "honour", "heir"].iter().any(|beginning| lower.starts_with(beginning));
    is_silent_h || lower.starts_with(['a', 'e', 'i', 'o', 'u']) && !is_spoken_with_consonant
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_article_that_is_spoken() {
        for said in [
            "an Item",
            "an Order",
            "an Invoice",
            "an `Address`",
            "an hour",
            "an SKU",
            "an UnpaidBill",
            "an UninvitedGuest",
            "a Customer",
            "a User",
            "a Unit",
            "a URL",
            "a UsageRow",
            "a European",
            "a HolidayPlan",
            "a 客户",
            "a row_2",
            "a ",
        ] {
            let (_, name) = said.split_once(' ').unwrap();
            assert_eq!(with_article(name), said);
        }
    }
}
