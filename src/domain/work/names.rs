//! What pools and queues may be called.

/// How many characters a name may have.
pub const LONGEST_NAME: usize = 255;

/// What no name has.
const BANNED: [char; 5] = ['/', '%', '&', '>', '<'];

/// What the names of pools begin with that Prefect keeps for itself, in any case of letters.
const RESERVED: &str = "prefect";

/// Checks a name of a pool or a queue.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.trim_matches([' ', '\'', '"']).is_empty() {
        return Err("A name cannot be empty.".to_owned());
    }
    if name.contains(BANNED) {
        return Err("A name must not have any of the characters / % & > <.".to_owned());
    }
    match name.chars().count() > LONGEST_NAME {
        true => Err(format!("A name has at most {LONGEST_NAME} characters.")),
        false => Ok(()),
    }
}

/// Whether a pool's name is kept for Prefect itself.
pub fn is_reserved(name: &str) -> bool {
    let start = name.get(..RESERVED.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(RESERVED))
}

/// Refuses a name that is kept for Prefect itself.
///
/// # Errors
/// That it is, in the words of Prefect's server.
pub fn check_not_reserved(name: &str, what: &str) -> Result<(), String> {
    match is_reserved(name) {
        true => Err(format!(
            "Work pools starting with 'Prefect' are reserved for internal use{what}."
        )),
        false => Ok(()),
    }
}
