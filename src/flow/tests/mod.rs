//! What the engine promises, shown on small flows.
