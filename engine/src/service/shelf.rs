//! One copy of the weights for all instances.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

/// A large value that is loaded by its first user, shared by all users, and dropped by the last.
///
/// ```
/// use antiphon_engine::service::Shelf;
///
/// let shelf = Shelf::new();
/// let first = shelf.get(|| Ok::<_, ()>("loaded".to_owned()))?;
/// let second = shelf.get(|| panic!("it is there") as Result<String, ()>)?;
/// assert!(std::sync::Arc::ptr_eq(&first, &second));
/// // The shelf itself keeps nothing: after the last user it is loaded again.
/// drop((first, second));
/// assert_eq!(*shelf.get(|| Ok::<_, ()>("loaded again".to_owned()))?, "loaded again");
/// # Ok::<(), ()>(())
/// ```
#[derive(Debug)]
pub struct Shelf<T> {
    loaded: Mutex<Weak<T>>,
}

impl<T> Shelf<T> {
    /// An empty shelf, usable as a `static`.
    #[must_use]
    pub const fn new() -> Self {
        Self { loaded: Mutex::new(Weak::new()) }
    }

    /// The shared value, loaded by `load` if there is none. Concurrent callers wait for it.
    ///
    /// # Errors
    /// As `load`; the next call tries again.
    pub fn get<E>(&self, load: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let mut loaded = self.loaded.lock();
        if let Some(shared) = loaded.upgrade() {
            return Ok(shared);
        }
        let fresh = Arc::new(load()?);
        *loaded = Arc::downgrade(&fresh);
        Ok(fresh)
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn value_is_loaded_once_and_again_after_the_last_user() {
        let shelf = Shelf::new();
        let loads = AtomicU32::new(0);
        let load = || Ok::<_, ()>(loads.fetch_add(1, Ordering::SeqCst));
        let held = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| shelf.get(load))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect::<Vec<_>>()
        });
        // All four are held at once, so they are the same.
        assert!(held.iter().all(|one| Arc::ptr_eq(one, &held[0])));
        assert_eq!(loads.load(Ordering::SeqCst), 1);
        drop(held);
        assert_eq!(shelf.get(load).as_deref(), Ok(&1));
    }

    #[test]
    fn failed_load_is_tried_again() {
        let shelf = Shelf::new();
        assert_eq!(shelf.get(|| Err("no such file")).map(|shared: Arc<u8>| *shared), Err("no such file"));
        assert_eq!(shelf.get(|| Ok::<_, ()>(3)).as_deref(), Ok(&3));
    }
}
