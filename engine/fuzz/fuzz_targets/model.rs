//! Any metadata are read or refused, and what is read can be trusted; any bytes are loaded or refused as a model, where ONNX Runtime is at hand.

#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use antiphon_engine::model::{Model, ModelInfo, Runtime, RuntimeSearch};
use libfuzzer_sys::fuzz_target;

static RUNTIME: LazyLock<Option<&'static Runtime>> = LazyLock::new(|| Runtime::load(&RuntimeSearch::default()).ok());

fuzz_target!(|bytes: &[u8]| {
    // Lines of `key=value`, without the prefix that every key has.
    let text = String::from_utf8_lossy(bytes);
    let metadata: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let lookup = |key: &str| metadata.get(key.strip_prefix("antiphon.")?).map(|value| (*value).to_owned());
    if let Ok(info) = ModelInfo::parse(lookup) {
        assert!(info.layers > 0 && info.width % (2 * info.heads) == 0);
        assert_eq!(2 * info.rotary.pairs(), info.head_width());
        assert!(info.row_bytes() > 0 && info.fine_bars.is_sorted());
    }
    if let Some(runtime) = *RUNTIME {
        let _ = Model::from_bytes(runtime, bytes, "fuzzed");
    }
});
