//! "Did you mean": the candidate that somebody who wrote a word probably meant.

/// The candidate nearest to `word`, if one is near: the same in another case, or apart by one typing
/// mistake for every three characters (Damerau-Levenshtein, so two swapped letters are one mistake).
///
/// Of candidates equally near the first counts.
pub fn nearest<S: AsRef<str>>(word: &str, candidates: impl IntoIterator<Item = S>) -> Option<S> {
    let wanted = word.to_lowercase();
    let length = wanted.chars().count();
    let mut best: Option<(usize, S)> = None;
    for candidate in candidates {
        let other = candidate.as_ref().to_lowercase();
        let allowed = length.max(other.chars().count()).div_ceil(3).min(4);
        // Words that differ much in length are not compared: the comparison is quadratic.
        if length.abs_diff(other.chars().count()) > allowed {
            continue;
        }
        let distance = if other == wanted { 0 } else { strsim::damerau_levenshtein(&wanted, &other) };
        if distance <= allowed && distance < length.max(1) && best.as_ref().is_none_or(|(least, _)| distance < *least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_found_and_the_far_is_not() {
        let names = ["customer", "order", "orders", "total"];
        assert_eq!(nearest("custmer", names), Some("customer"));
        assert_eq!(nearest("Order", names), Some("order"));
        assert_eq!(nearest("odrers", names), Some("orders"));
        assert_eq!(nearest("price", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest(&"x".repeat(1_000_000), names), None);
        assert_eq!(nearest("客户名", ["客户明", "订单"]), Some("客户明"));
    }
}
