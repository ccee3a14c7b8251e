//! Tables as `BuildKit`'s clients print them.

/// Rows of cells in columns. Each column is as wide as its widest cell and the padding; the last one is
/// not filled up.
pub(super) fn table<const N: usize>(padding: usize, rows: &[[&str; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| plain(row[column]).chars().count());
        cells.max().unwrap_or(0) + padding
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut out = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let cell = plain(cell);
            out.push_str(&cell);
            if column + 1 < N {
                let missing = widths[column].saturating_sub(cell.chars().count());
                out.extend(std::iter::repeat_n(' ', missing));
            }
        }
        out.push('\n');
    }
    out
}

/// On one line.
fn plain(cell: &str) -> String {
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    cell.chars().map(blank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows = [
            ["NAME", "VALUE", "ABOUT"],
            ["é\tlong", "", "a\nb"],
            ["x", "1", ""],
        ];
        let shown = "NAME     VALUE   ABOUT\né long           a b\nx        1       \n";
        assert_eq!(table(3, &rows), shown);
        assert_eq!(table(1, &[["A", "B"]]), "A B\n");
    }
}
