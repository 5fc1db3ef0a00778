//! The making of parts, shared by all who look at the same: made when somebody asks for them as
//! they are now, at most once in a while, and by one of those who ask.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::PAINT;
use crate::domain::error::Result;

/// A part of a page.
pub struct Part {
    /// The id of its element.
    pub id: &'static str,
    /// Its markup.
    pub html: String,
    /// Tells it from what it was before.
    pub sum: u64,
}

impl Part {
    /// With that markup.
    pub fn new(id: &'static str, html: String) -> Self {
        let mut hash = DefaultHasher::new();
        html.hash(&mut hash);
        Self {
            id,
            html,
            sum: hash.finish(),
        }
    }
}

/// All makers that somebody uses, by what they make and for whom; clones share them.
#[derive(Clone, Default)]
pub struct Makers(Arc<Mutex<HashMap<String, Weak<Maker>>>>);

impl Makers {
    /// The one that makes that.
    pub fn of(&self, what: String) -> Arc<Maker> {
        let mut all = self.0.lock();
        all.retain(|_, maker| maker.strong_count() > 0);
        if let Some(known) = all.get(&what).and_then(Weak::upgrade) {
            return known;
        }
        let fresh = Arc::new(Maker::default());
        all.insert(what, Arc::downgrade(&fresh));
        fresh
    }
}

/// Makes the same parts for everybody.
#[derive(Default)]
pub struct Maker(tokio::sync::Mutex<Option<Made>>);

struct Made {
    begun: Instant,
    parts: Arc<[Part]>,
}

/// What comes of asking for parts.
pub enum Turn {
    /// They are these.
    Made(Arc<[Part]>),
    /// They are made anew from then on.
    Later(Instant),
}

impl Maker {
    /// The parts as they were at `since` or later.
    ///
    /// # Errors
    /// As `make`, which is called where nobody has made them since.
    pub async fn made<F>(&self, since: Instant, make: impl FnOnce() -> F) -> Result<Turn>
    where
        F: Future<Output = Result<Vec<Part>>>,
    {
        let mut last = self.0.lock().await;
        if let Some(made) = &*last {
            if made.begun >= since {
                return Ok(Turn::Made(Arc::clone(&made.parts)));
            }
            let next = made.begun + PAINT;
            if Instant::now() < next {
                return Ok(Turn::Later(next));
            }
        }
        let begun = Instant::now();
        let parts: Arc<[Part]> = make().await?.into();
        *last = Some(Made {
            begun,
            parts: Arc::clone(&parts),
        });
        Ok(Turn::Made(parts))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_many_look_at_is_made_once_in_a_while() {
        let makers = Makers::default();
        let number = AtomicUsize::new(0);
        let make = || async {
            number.fetch_add(1, Ordering::SeqCst);
            Ok(vec![Part::new("a", "x".to_owned())])
        };
        let first = makers.of("dashboard".to_owned());
        for _ in 0..5 {
            let same = makers.of("dashboard".to_owned());
            assert!(Arc::ptr_eq(&first, &same));
            let now = Instant::now();
            assert!(matches!(same.made(now, make).await.unwrap(), Turn::Made(_)));
        }
        assert_eq!(number.load(Ordering::SeqCst), 1);
        tokio::time::advance(PAINT / 2).await;
        let turn = first.made(Instant::now(), make).await.unwrap();
        let Turn::Later(then) = turn else {
            panic!("made twice within a second");
        };
        tokio::time::sleep_until(then).await;
        first.made(Instant::now(), make).await.unwrap();
        assert_eq!(number.load(Ordering::SeqCst), 2);
        let other = makers.of("runs".to_owned());
        assert!(!Arc::ptr_eq(&first, &other));
        drop(first);
        drop(makers.of("other".to_owned()));
        assert_eq!(makers.0.lock().len(), 2);
    }
}
