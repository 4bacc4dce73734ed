//! Whether a column writes numbers with a decimal point or a decimal comma, found from what it holds.
//!
//! `12,50` can only be meant with a comma and `12.50` only with a point, but `1,234` can be either, and a wrong
//! guess would be wrong a thousandfold. So cells that can be read in one way only decide for their column, those of
//! other columns for columns without any; where nothing decides, the separator of the file does, or the cell is
//! refused.

use crate::value::parse::Numbers;

/// What the cells of a column show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    point: bool,
    comma: bool,
}

/// What the cells of a file show, column by column.
#[derive(Debug, Clone, Default)]
pub(in crate::task) struct NumberSurvey {
    columns: Vec<Seen>,
}

/// How the numbers of a column are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::task) enum NumberStyle {
    /// In this way.
    Known(Numbers),
    /// Nothing shows it: cells that mean the same either way are read, others are refused.
    Open,
}

impl NumberSurvey {
    /// Nothing seen yet.
    pub fn new(columns: usize) -> Self {
        NumberSurvey { columns: vec![Seen::default(); columns] }
    }

    /// Looks at a cell of a column with numbers.
    pub fn look(&mut self, column: usize, cell: &[u8]) {
        let Some(seen) = self.columns.get_mut(column) else { return };
        match shown_by(cell) {
            Some(Numbers::Point) => seen.point = true,
            Some(Numbers::Comma) => seen.comma = true,
            None => {}
        }
    }

    /// How a column is to be read. `point_by_default` holds for files separated by commas.
    pub fn style(&self, column: usize, point_by_default: bool) -> NumberStyle {
        let own = self.columns.get(column).copied().unwrap_or_default();
        let all = self
            .columns
            .iter()
            .fold(Seen::default(), |all, seen| Seen { point: all.point || seen.point, comma: all.comma || seen.comma });
        for seen in [own, all] {
            match (seen.point, seen.comma) {
                (true, false) => return NumberStyle::Known(Numbers::Point),
                (false, true) => return NumberStyle::Known(Numbers::Comma),
                // Both at once: neither may win, the cells speak for themselves.
                (true, true) => return NumberStyle::Open,
                (false, false) => {}
            }
        }
        if point_by_default { NumberStyle::Known(Numbers::Point) } else { NumberStyle::Open }
    }
}

/// Which way of writing a number shows, if only one can be meant.
pub(in crate::task) fn shown_by(cell: &[u8]) -> Option<Numbers> {
    let last = cell.iter().rposition(|byte| matches!(byte, b'.' | b','))?;
    let sign = cell[last];
    let other = if sign == b'.' { b',' } else { b'.' };
    let style = if sign == b'.' { Numbers::Point } else { Numbers::Comma };
    let behind = cell[last + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let before = &cell[..last];
    if behind == 0 || !before.last().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let repeated = before.contains(&sign);
    if before.contains(&other) {
        // 1,234.50: the last sign is before the fraction, unless it is repeated too.
        return if repeated { None } else { Some(style) };
    }
    if repeated {
        // 1.234.567: groups.
        return Some(match style {
            Numbers::Point => Numbers::Comma,
            Numbers::Comma => Numbers::Point,
        });
    }
    let digits_before = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let leading_zero = digits_before == 1 && before.last() == Some(&b'0');
    // Three digits behind one sign, and one to three before it, may be a group; 0,125 can't.
    if behind == 3 && (1..=3).contains(&digits_before) && !leading_zero { None } else { Some(style) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clear_cells_decide() {
        let point = Some(Numbers::Point);
        let comma = Some(Numbers::Comma);
        let cases = [
            ("12.50", point),
            ("12,50", comma),
            ("1,234.50", point),
            ("1.234,50 EUR", comma),
            ("1.234", None),
            ("1,234", None),
            ("0,125", comma),
            ("1234.567", point),
            ("1.234.567", comma),
            ("1,234,567", point),
            ("42", None),
            ("", None),
            (".", None),
            ("a.b,c", None),
            ("€ 9,9", comma),
        ];
        for (cell, expected) in cases {
            assert_eq!(shown_by(cell.as_bytes()), expected, "{cell}");
        }
    }

    #[test]
    fn a_column_is_read_as_its_own_cells_or_those_of_others_say() {
        let mut survey = NumberSurvey::new(3);
        survey.look(0, b"12,50");
        survey.look(1, b"1.234");
        assert_eq!(survey.style(0, true), NumberStyle::Known(Numbers::Comma));
        assert_eq!(survey.style(1, true), NumberStyle::Known(Numbers::Comma));
        survey.look(2, b"0.5");
        assert_eq!(survey.style(0, true), NumberStyle::Known(Numbers::Comma));
        assert_eq!(survey.style(1, true), NumberStyle::Open);
        assert_eq!(NumberSurvey::new(1).style(0, true), NumberStyle::Known(Numbers::Point));
        assert_eq!(NumberSurvey::new(1).style(0, false), NumberStyle::Open);
    }
}
