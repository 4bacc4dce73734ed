//! Whose runs go on first, where there are more than can be taken up at once.

/// At most so many runs of both lists, those of the first one first. Where there are more, each list gives half of them,
/// and what the other does not need.
pub fn shared<R>(mut first: Vec<R>, mut second: Vec<R>, most: usize) -> Vec<R> {
    second.truncate((most / 2).max(most.saturating_sub(first.len())));
    first.truncate(most - second.len());
    first.append(&mut second);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_list_waits_for_the_other() {
        assert_eq!(shared(vec![1, 2, 3, 4, 5], vec![11, 12, 13], 4), [1, 2, 11, 12]);
        assert_eq!(shared(vec![1], vec![11, 12, 13, 14], 4), [1, 11, 12, 13]);
        assert_eq!(shared(vec![1, 2, 3, 4, 5], vec![11], 4), [1, 2, 3, 11]);
        assert_eq!(shared(vec![1], vec![11], 4), [1, 11]);
    }
}
