//! Heredocs: lines that belong to the instruction before them.

use crate::words::words;

/// What ends a heredoc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heredoc {
    name: String,
    /// Tabs before the end do not count.
    chomp: bool,
}

impl Heredoc {
    /// Whether a line, without its line break, is the last.
    pub(crate) fn ends_with(&self, line: &str) -> bool {
        let line = if self.chomp {
            line.trim_start_matches('\t')
        } else {
            line
        };
        line == self.name
    }
}

/// The heredocs that an instruction's text begins, in order.
pub(crate) fn heredocs(text: &str) -> Vec<Heredoc> {
    if !text.contains("<<") {
        return Vec::new();
    }
    let words = words(text, true).unwrap_or_default();
    words.iter().filter_map(|word| heredoc(word)).collect()
}

fn heredoc(word: &str) -> Option<Heredoc> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = rest.strip_prefix("<<")?;
    let (chomp, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let rest = rest.trim_start_matches(['\t', '\n', '\u{c}', '\r', ' ']);
    if rest.contains('<') {
        return None;
    }
    match words(rest, false)?.as_slice() {
        [name] => Some(Heredoc {
            name: name.clone(),
            chomp,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> String {
        let shown = heredocs(text).into_iter().map(|Heredoc { name, chomp }| {
            let chomp = if chomp { "-" } else { "" };
            format!("{chomp}{name}")
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_that_begin_a_heredoc() {
        assert_eq!(names("RUN <<EOF"), "EOF");
        assert_eq!(names("RUN cat <<EOF > /x && cat 3<<-'OTHER'"), "EOF -OTHER");
        assert_eq!(names(r#"RUN cat <<"E O F" <<\EOF"#), "E O F EOF");
        assert_eq!(names("COPY <<a.txt <<b.txt /dir/"), "a.txt b.txt");
        assert_eq!(names("RUN cat << EOF"), "EOF");
    }

    #[test]
    fn words_that_do_not() {
        for text in [
            "RUN cat <<<EOF",
            "RUN cat<<EOF",
            "RUN echo $((1<<2))",
            "RUN echo '<<EOF'",
            "RUN echo \"<<EOF\"",
            "RUN echo \\<<EOF",
            "RUN cat <<",
            "RUN cat <<EOF 'open",
            "RUN cat <<EOF ${x@Q}",
            "RUN cat <<EOF${x:-y}",
        ] {
            assert_eq!(names(text), "", "{text}");
        }
    }
}
