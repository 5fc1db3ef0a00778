//! The names of this machine.

/// Its name, and those that its table of hosts gives to the same address.
pub(super) fn own_names() -> Vec<String> {
    let Ok(name) = nix::unistd::gethostname() else {
        return Vec::new();
    };
    let name = name.to_string_lossy().to_ascii_lowercase();
    let table = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let mut names = beside(&table, &name);
    names.push(name);
    names
}

/// The names on the lines of a table of hosts that hold `name`.
fn beside(table: &str, name: &str) -> Vec<String> {
    let lines = table
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    let names = lines.map(|line| line.split_whitespace().skip(1).map(str::to_ascii_lowercase));
    let names = names.map(Iterator::collect::<Vec<_>>);
    names
        .filter(|names| names.iter().any(|one| one == name))
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn the_full_name_is_beside_the_short_one() {
        let table = "127.0.0.1 localhost\n127.0.1.1\tBox.example.com box # other.example\n";
        assert_eq!(beside(table, "box"), ["box.example.com", "box"]);
        assert!(beside(table, "other").is_empty());
    }
}
