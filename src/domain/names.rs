//! Names for runs whose creator gave none.

/// Two random words joined by a hyphen, as Prefect names its runs.
pub fn random() -> String {
    // Only a zero word count yields nothing.
    petname::petname(2, "-").unwrap_or_else(|| "unnamed-run".to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_random_name_is_two_words_joined_by_a_hyphen() {
        let name = super::random();
        let words: Vec<_> = name.split('-').collect();
        assert_eq!(words.len(), 2, "{name}");
        assert!(words.iter().all(|word| !word.is_empty()), "{name}");
    }
}
