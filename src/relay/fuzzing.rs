//! What `tests/fuzz` calls: the reader of what comes by websockets.

use futures_util::FutureExt;

use super::frames::Frame;

/// Reads frames to the end of a stream. They are handed on as they came.
pub fn read_frames(stream: &[u8]) {
    let (mut left, mut read) = (stream, Vec::new());
    while let Some(Ok(Some(frame))) = Frame::read(&mut left, None).now_or_never() {
        assert!(frame.code().is_none() || frame.payload().len() > 1);
        read.extend(frame.bytes);
    }
    assert!(stream.starts_with(&read));
}
