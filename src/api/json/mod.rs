//! Bodies as they were sent, for both dialects: read once, bounded in depth, number and length.

mod de;
mod limits;
mod parse;
mod value;

pub use limits::{Excess, PathStep, excesses};
pub use parse::{Malformed, parse};
pub use value::{JsonValue, Members, Numeral};
