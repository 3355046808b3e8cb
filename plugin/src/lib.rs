//! What the host loads. The engine comes first: this crate is still empty of behaviour.
