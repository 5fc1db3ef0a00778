//! Placeholders within text.

/// What names a block.
pub(super) const BLOCKS: &str = "prefect.blocks.";
/// What names a stored variable.
const VARIABLES: &str = "prefect.variables.";

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// Text that stays.
    Text(&'t str),
    /// A placeholder.
    Placeholder(Placeholder<'t>),
}

/// A placeholder, such as `{{ image }}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placeholder<'t> {
    /// All of it.
    pub whole: &'t str,
    /// What is between the braces.
    pub inner: &'t str,
    /// What it names.
    pub name: Name<'t>,
}

/// What a placeholder names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name<'t> {
    /// A job variable, or a part of one.
    Plain(&'t str),
    /// A block, or a part of one, with the prefix.
    Block(&'t str),
    /// A stored variable.
    Variable(&'t str),
    /// A variable of the worker's environment.
    Environment(&'t str),
}

impl<'t> Name<'t> {
    fn of(name: &'t str) -> Self {
        if name.starts_with(BLOCKS) {
            Self::Block(name)
        } else if let Some(variable) = name.strip_prefix(VARIABLES) {
            Self::Variable(variable)
        } else if name.starts_with('$') {
            Self::Environment(name.trim_start_matches('$'))
        } else {
            Self::Plain(name)
        }
    }
}

/// A text as its pieces, in order; pieces of text are not empty. Each character is looked at a
/// bounded number of times.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(at) = rest.get(from..).and_then(|tail| tail.find("{{")) {
        let start = from + at;
        let found = rest.get(start..).and_then(placeholder_at_start);
        let Some(found) = found else {
            // A brace more may stand before one.
            from = start + 1;
            continue;
        };
        if let Some(before) = rest.get(..start).filter(|before| !before.is_empty()) {
            pieces.push(Piece::Text(before));
        }
        rest = rest.get(start + found.whole.len()..).unwrap_or_default();
        from = 0;
        pieces.push(Piece::Placeholder(found));
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// The placeholders of a text.
pub(super) fn placeholders(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Placeholder(found) => Some(found),
        Piece::Text(_) => None,
    })
}

/// The placeholder that is all of a text.
pub(super) fn whole(text: &str) -> Option<Placeholder<'_>> {
    let mut pieces = pieces(text).into_iter();
    match (pieces.next(), pieces.next()) {
        (Some(Piece::Placeholder(found)), None) => Some(found),
        _ => None,
    }
}

/// `{{`, perhaps white space, a name, perhaps white space, `}}`.
fn placeholder_at_start(text: &str) -> Option<Placeholder<'_>> {
    let inner = text.strip_prefix("{{")?.trim_start();
    let is_of_name =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']' | '$');
    let end = inner.find(|c: char| !is_of_name(c))?;
    let (name, after) = inner
        .split_at_checked(end)
        .filter(|(name, _)| !name.is_empty())?;
    let after = after.trim_start().strip_prefix("}}")?;
    Some(Placeholder {
        whole: text.get(..text.len() - after.len())?,
        inner: name,
        name: Name::of(name),
    })
}
