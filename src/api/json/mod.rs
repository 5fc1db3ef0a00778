//! Bodies as they were sent, for both dialects: read once, bounded in depth, number and length.

mod de;
mod given;
mod limits;
mod parse;

pub use given::{Given, Members, Numeral};
pub use limits::{Excess, Place, excesses};
pub use parse::{Malformed, parse};
