//! Maps and sets that are asked very often: with a hasher that is quick for names and numbers. The order in which they
//! are gone through means nothing, as that of the maps of the standard library.

use foldhash::fast::RandomState;

/// A map from names or numbers.
pub(super) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// A set of names or numbers.
pub(super) type HashSet<T> = std::collections::HashSet<T, RandomState>;
