//! Sentences, as wide as the terminal.

use super::{escape, table};

/// The fewest columns that words are put into; in narrower ones a terminal breaks lines itself.
const LEAST: usize = 20;

/// A head and the words after it, whose further lines begin `indent` columns in. Anywhere but in
/// a terminal it is one line.
pub fn paragraph(head: &str, indent: usize, words: &str) -> String {
    laid_out(
        head,
        indent,
        &escape::text(words),
        table::width().map(usize::from),
    )
}

fn laid_out(head: &str, indent: usize, words: &str, width: Option<usize>) -> String {
    let Some(room) = width
        .and_then(|width| width.checked_sub(indent))
        .filter(|room| *room >= LEAST)
    else {
        return format!("{head}{words}");
    };
    let head_beyond = head.chars().count().saturating_sub(indent);
    let (mut text, mut used) = (head.to_owned(), head_beyond);
    for (index, word) in words.split(' ').enumerate() {
        let length = word.chars().count();
        if index > 0 {
            if used + 1 + length > room {
                text.push('\n');
                text.extend(std::iter::repeat_n(' ', indent));
                used = 0;
            } else {
                text.push(' ');
                used += 1;
            }
        }
        text.push_str(word);
        used += length;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_broken_between_and_begin_below_each_other() {
        let words = "one two three four five six seven";
        assert_eq!(laid_out("ok  ", 4, words, None), format!("ok  {words}"));
        assert_eq!(
            laid_out("ok  ", 4, words, Some(24)),
            "ok  one two three four\n    five six seven"
        );
        let long = format!("a {} b", "x".repeat(30));
        let shown = laid_out("ok  ", 4, &long, Some(24));
        assert_eq!(shown, format!("ok  a\n    {}\n    b", "x".repeat(30)));
        // Where there is no room for a column of words, none is made.
        assert_eq!(laid_out("ok  ", 4, words, Some(20)), format!("ok  {words}"));
    }
}
