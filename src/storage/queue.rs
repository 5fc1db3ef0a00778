//! A bounded queue between async callers and the threads that work for them.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex, MutexGuard};

/// Waiting work; one idle thread is woken for each piece.
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    ready: Condvar,
    most: usize,
}

struct Inner<T> {
    waiting: VecDeque<T>,
    idle: usize,
    open: bool,
}

/// Why something was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// As much as may wait does.
    Full,
    /// Nobody works any more.
    Closed,
}

impl<T> Queue<T> {
    /// In which `most` may wait.
    pub fn new(most: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                waiting: VecDeque::new(),
                idle: 0,
                open: true,
            }),
            ready: Condvar::new(),
            most,
        }
    }

    /// Hands in a piece of work.
    pub fn push(&self, work: T) -> Result<(), Refused> {
        let mut inner = self.lock();
        if !inner.open {
            return Err(Refused::Closed);
        }
        if inner.waiting.len() >= self.most {
            return Err(Refused::Full);
        }
        inner.waiting.push_back(work);
        let is_awaited = inner.idle > 0;
        drop(inner);
        if is_awaited {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Waits for the next piece; none once the queue is closed and empty.
    pub fn next(&self) -> Option<T> {
        let mut inner = self.lock();
        loop {
            if let Some(work) = inner.waiting.pop_front() {
                return Some(work);
            }
            if !inner.open {
                return None;
            }
            inner.idle += 1;
            self.ready.wait(&mut inner);
            inner.idle -= 1;
        }
    }

    /// Takes no more; what waits is still handed out.
    pub fn close(&self) {
        self.lock().open = false;
        self.ready.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_as_may_wait_is_taken_and_handed_out_in_order() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1), Ok(()));
        assert_eq!(queue.push(2), Ok(()));
        assert_eq!(queue.push(3), Err(Refused::Full));
        assert_eq!(queue.next(), Some(1));
        assert_eq!(queue.push(4), Ok(()));
        queue.close();
        assert_eq!(queue.push(5), Err(Refused::Closed));
        assert_eq!([queue.next(), queue.next()], [Some(2), Some(4)]);
        assert_eq!(queue.next(), None);
    }

    #[test]
    fn an_idle_thread_is_woken_for_each_piece_and_for_the_end() {
        let queue = Queue::new(100);
        std::thread::scope(|scope| {
            let threads = [(), (), ()]
                .map(|()| scope.spawn(|| std::iter::from_fn(|| queue.next()).sum::<u64>()));
            (1..=100).for_each(|n| while queue.push(n).is_err() {});
            queue.close();
            let sums = threads.map(|thread| thread.join().unwrap());
            assert_eq!(sums.iter().sum::<u64>(), 5050);
        });
    }
}
