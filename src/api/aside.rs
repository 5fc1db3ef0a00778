//! Long pieces of work, out of the way of other requests.

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// Up to so many bytes are read or written where the request is: less time than handing on takes.
pub(super) const SHORT: usize = 64 * 1024;

/// Does work on so many bytes. Where that takes long, what else waits on this thread is handed to
/// another one first.
pub(super) fn aside<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let has_others = || {
        let runtime = Handle::try_current();
        runtime.is_ok_and(|it| it.runtime_flavor() == RuntimeFlavor::MultiThread)
    };
    match bytes > SHORT && has_others() {
        true => block_in_place(work),
        false => work(),
    }
}
