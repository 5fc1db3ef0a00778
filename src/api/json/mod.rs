//! Bodies as they were sent, for both dialects: read once, bounded in depth, number and length.

mod de;
pub mod lax;
mod limits;
mod misfit;
mod parse;
mod value;

pub use de::make;
pub use limits::{Excess, PathStep, excesses};
pub use misfit::{Location, Misfit, shortened};
pub use parse::{Malformed, parse};
pub use value::{JsonValue, Members, Numeral};
