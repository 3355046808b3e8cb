//! Helpers shared by the tests of the engine, the command line and the lab.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod bytes;
pub(crate) mod exact;
pub(crate) mod music;
pub(crate) mod reference;

use std::path::{Path, PathBuf};

use antiphon_engine::model::{Model, RUNTIME_VARIABLE, Runtime, RuntimeSearch};

/// ONNX Runtime, from where `cargo xtask test` has put it.
pub(crate) fn runtime() -> &'static Runtime {
    assert!(
        std::env::var_os(RUNTIME_VARIABLE).is_some(),
        "these tests need ONNX Runtime: run `cargo xtask test`, which fetches it, or name the library with {RUNTIME_VARIABLE}"
    );
    Runtime::load(&RuntimeSearch::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// A file in the engine's `tests/fixtures`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/tests/fixtures").join(name)
}

/// The tiny model with random weights.
pub(crate) fn tiny() -> Model {
    Model::open(runtime(), &fixture("tiny.onnx")).unwrap_or_else(|error| panic!("{error}"))
}

/// The tiny model without query outputs, as older versions exported it.
pub(crate) fn tiny_without_queries() -> Vec<u8> {
    let bytes = std::fs::read(fixture("tiny.onnx")).unwrap_or_else(|error| panic!("{error}"));
    let mut older = bytes.clone();
    let name = b"turned_query_";
    for at in 0..bytes.len() - name.len() {
        if bytes[at..].starts_with(name) {
            older[at..at + 6].copy_from_slice(b"hidden");
        }
    }
    assert_ne!(older, bytes, "the fixture has query outputs");
    older
}
