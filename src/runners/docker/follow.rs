//! An engine's log, line by line, each with the engine's time for it.

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::query_parameters::LogsOptions;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc::{Receiver, Sender};

use crate::clock::{Clock, SystemClock};
use crate::domain::log::{OutputSeen, Stream};
use crate::runners::OutputLine;
use crate::runners::output::Frames;

/// How long a container may print at one line, in seconds, that is kept whole although this
/// program is started again meanwhile. Of a line that takes longer the end is kept.
const LONG_LINE: i64 = 60;

/// What is asked for of what was seen so far.
pub(in crate::runners) fn options(seen: OutputSeen, follow: bool) -> LogsOptions {
    // A line that was not over when the last one was has begun before it.
    let since = seen
        .last
        .map_or(0, |(at, _)| at.micros() / 1_000_000 - LONG_LINE);
    LogsOptions {
        follow,
        stdout: true,
        stderr: true,
        timestamps: true,
        since: i32::try_from(since.max(0)).unwrap_or_default(),
        tail: "all".to_owned(),
        ..LogsOptions::default()
    }
}

/// Sends the lines that were not seen, until the engine hangs up, nobody listens any more, or
/// `until` comes. What was seen meanwhile is counted.
pub(in crate::runners) async fn lines(
    pieces: impl futures_util::Stream<Item = Result<LogOutput, Error>>,
    unseen: &mut Unseen,
    send: &Sender<OutputLine>,
    until: impl Future<Output = ()>,
) {
    let mut pieces = std::pin::pin!(pieces);
    let mut until = std::pin::pin!(until);
    let mut frames = Frames::default();
    loop {
        let frame = tokio::select! {
            frame = pieces.next() => frame,
            () = &mut until => return,
        };
        let lines = match frame {
            Some(Ok(frame)) => {
                let from = match &frame {
                    LogOutput::StdErr { .. } => Stream::Stderr,
                    _ => Stream::Stdout,
                };
                frames.push(from, frame.as_ref(), SystemClock.now())
            }
            // The engine hung up, perhaps within a line: it is listened to again.
            Some(Err(_)) => return,
            None => break,
        };
        for line in lines {
            if unseen.is(&line) && send.send(line).await.is_err() {
                return;
            }
        }
    }
    for line in frames.finish(SystemClock.now()) {
        if unseen.is(&line) {
            // Whoever no longer listens needs no last line.
            let _ = send.send(line).await;
        }
    }
}

/// What is received, as a stream.
pub(in crate::runners) fn received(
    receive: Receiver<OutputLine>,
) -> BoxStream<'static, OutputLine> {
    let next = |mut receive: Receiver<OutputLine>| async {
        receive.recv().await.map(|line| (line, receive))
    };
    futures_util::stream::unfold(receive, next).boxed()
}

/// Passes over the lines that were seen before; the engine itself goes by whole seconds.
pub(in crate::runners) struct Unseen {
    before: OutputSeen,
    /// All that was seen, with what has come since.
    now: OutputSeen,
}

impl Unseen {
    /// Beyond that.
    pub fn new(seen: OutputSeen) -> Self {
        Self {
            before: seen,
            now: seen,
        }
    }

    /// All that was seen by now.
    pub fn so_far(&self) -> OutputSeen {
        self.now
    }

    fn is(&mut self, line: &OutputLine) -> bool {
        let is_new = match &mut self.before.last {
            None => true,
            Some((last, of_them)) if line.timestamp == *last && *of_them > 0 => {
                *of_them -= 1;
                false
            }
            Some((last, _)) => line.timestamp >= *last,
        };
        if is_new {
            self.now.count(line.timestamp);
        }
        is_new
    }
}
