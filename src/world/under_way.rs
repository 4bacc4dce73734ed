//! Calls of other systems that are under way: another thread makes them, and whoever has begun them goes on meanwhile.

use super::{WebAnswer, WebError};
use crate::value::Duration;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What has come of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came {
    /// The answer, or why there is none.
    pub answer: Result<WebAnswer, WebError>,
    /// How long the call has taken.
    pub took: Duration,
}

/// A call that is under way. Clones are the same call; who forgets them all does not end it.
#[derive(Clone)]
pub struct UnderWay(Arc<Place>);

/// Where the thread that makes the call puts what has come; then everybody who waits at the bell looks again.
struct Place {
    bell: Bell,
    came: Mutex<Option<Came>>,
}

/// Rings whenever one of the calls that share it has come to its end.
#[derive(Clone, Default)]
pub struct Bell(Arc<(Mutex<()>, Condvar)>);

/// The side of the thread that makes the call.
pub struct Promise(Option<Arc<Place>>);

impl UnderWay {
    /// A call that begins now, and the side of the one that makes it.
    pub fn begin(bell: &Bell) -> (UnderWay, Promise) {
        let place = Arc::new(Place { bell: bell.clone(), came: Mutex::default() });
        (UnderWay(place.clone()), Promise(Some(place)))
    }

    /// Whether it has come to its end.
    pub fn is_over(&self) -> bool {
        self.0.came().is_some()
    }

    /// What has come, once it has.
    pub fn came(&self) -> Option<Came> {
        self.0.came().clone()
    }

    /// Waits until one of these calls has come to its end, but no longer than so long. They share a bell.
    pub fn wait_for_any(calls: &[UnderWay], at_most: Option<Duration>) {
        let Some(first) = calls.first() else { return };
        let (lock, rung) = &*first.0.bell.0;
        let mut guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        while !calls.iter().any(UnderWay::is_over) {
            match at_most {
                None => guard = rung.wait(guard).unwrap_or_else(PoisonError::into_inner),
                Some(length) => {
                    let length = std::time::Duration::from_millis(length.milliseconds().max(0).unsigned_abs());
                    drop(rung.wait_timeout(guard, length));
                    // Another call of the same bell may have woken it early: whoever waits looks again anyway.
                    return;
                }
            }
        }
    }
}

impl Place {
    fn came(&self) -> MutexGuard<'_, Option<Came>> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, came: Came) {
        *self.came() = Some(came);
        let (lock, rung) = &*self.bell.0;
        // Nobody can be between looking and waiting while this is held.
        let _guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        rung.notify_all();
    }
}

impl Promise {
    /// Says what has come.
    pub fn keep(mut self, came: Came) {
        if let Some(place) = self.0.take() {
            place.put(came);
        }
    }
}

impl Drop for Promise {
    /// A thread that has broken off must not be waited for forever.
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            let answer = Err(WebError::Unreachable("the call was broken off".to_string()));
            place.put(Came { answer, took: Duration::ZERO });
        }
    }
}

impl PartialEq for UnderWay {
    fn eq(&self, other: &UnderWay) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for UnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_over() { "UnderWay(over)" } else { "UnderWay" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Came {
        Came { answer: Ok(WebAnswer { status: 200, ..WebAnswer::default() }), took: Duration::from_milliseconds(3) }
    }

    #[test]
    fn who_waits_for_several_goes_on_with_the_first_that_has_come() {
        let bell = Bell::default();
        let ((slow, kept), (fast, promise)) = (UnderWay::begin(&bell), UnderWay::begin(&bell));
        let thread = std::thread::spawn(move || promise.keep(answer()));
        UnderWay::wait_for_any(&[slow.clone(), fast.clone()], None);
        assert!(fast.is_over() && !slow.is_over());
        assert_eq!(fast.came(), Some(answer()));
        thread.join().unwrap();
        drop(kept);
        assert!(slow.came().is_some_and(|came| came.answer.is_err()), "a promise that is broken is an answer too");
    }

    #[test]
    fn nobody_waits_for_longer_than_was_said() {
        let (call, _promise) = UnderWay::begin(&Bell::default());
        UnderWay::wait_for_any(std::slice::from_ref(&call), Some(Duration::from_milliseconds(1)));
        UnderWay::wait_for_any(&[], None);
        assert!(!call.is_over());
    }
}
