//! A missing, wrong or damaged runtime or model ends in a message that names the file and the cure, never in a panic or a crash.

mod common;

use std::{fs, path::Path, sync::Arc};

use antiphon_engine::{
    cache::FineCoarse,
    codec::{BarEnd, encode, prefix_rows, vocabulary::VOCABULARY_VERSION},
    decode::Decoder,
    model::{Model, ModelError, RUNTIME_VARIABLE, Runtime, RuntimeSearch, Weights},
    music::{Note, smf},
};
use common::{fixture, runtime, tiny};

/// Loads the runtime from `place` in a child process: in this one another test may have loaded it already. Returns its output.
fn load_in_child(place: &Path) -> String {
    let program = std::env::current_exe().expect("a test program has a path");
    let output = std::process::Command::new(program)
        .args(["--exact", "child_loads_what_the_variable_names", "--ignored", "--nocapture"])
        .env(RUNTIME_VARIABLE, place)
        .output()
        .expect("the test program starts again");
    assert!(output.status.success(), "the child ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("messages are UTF-8")
}

#[test]
#[ignore = "the program that `load_in_child` runs: prints the result of loading, and checks nothing"]
fn child_loads_what_the_variable_names() {
    match Runtime::load(&RuntimeSearch::default()) {
        Ok(runtime) => println!("loaded {}", runtime.version()),
        Err(error) => println!("{error}"),
    }
}

#[test]
fn runtime_is_found_as_a_file_and_in_its_folder() {
    let library = runtime().path();
    assert!(load_in_child(library).contains(&format!("loaded {}", runtime().version())));
    assert!(load_in_child(library.parent().unwrap()).contains("loaded 1."));
}

#[test]
fn missing_runtime_is_an_error_with_the_place_and_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    let message = load_in_child(&folder.path().join("nothing.so"));
    assert!(message.contains("nothing.so") && message.contains("no such file") && message.contains("Cure:"), "{message}");
    let message = load_in_child(folder.path());
    assert!(message.contains("holds no ONNX Runtime library"), "{message}");
}

#[test]
fn damaged_runtime_is_refused_without_loading_it() {
    let folder = tempfile::tempdir().unwrap();
    let library = fs::read(runtime().path()).unwrap();
    let cases: [(&str, &[u8]); 4] =
        [("half.so", &library[..library.len() / 2]), ("head.so", &library[..100]), ("empty.so", b""), ("text.so", b"not a library at all")];
    for (name, bytes) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let message = load_in_child(&path);
        assert!(message.contains(name) && message.contains("Cure:"), "{name}: {message}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn another_library_is_not_onnx_runtime() {
    // The C library is mapped into every process, so its path is known.
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps.lines().filter_map(|line| line.split_whitespace().last()).find(|path| path.contains("/libc.so")).unwrap();
    let message = load_in_child(Path::new(libc));
    assert!(message.contains("not ONNX Runtime"), "{message}");
}

#[test]
fn loaded_runtime_stays_for_the_process() {
    let first = runtime();
    let search = RuntimeSearch { explicit: Some("/nowhere".into()), folders: Vec::new() };
    assert!(std::ptr::eq(first, Runtime::load(&search).unwrap()));
}

#[test]
fn old_runtime_is_refused_with_its_version() {
    let mut library = fs::read(runtime().path()).unwrap();
    let version = [runtime().version().as_bytes(), b"\0"].concat();
    let old: Vec<u8> = version.iter().enumerate().map(|(index, &byte)| if index == 2 { b'1' } else { byte }).collect();
    let places: Vec<usize> = library.windows(version.len()).enumerate().filter(|(_, w)| *w == version).map(|(at, _)| at).collect();
    for at in places {
        library[at..at + old.len()].copy_from_slice(&old);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.so");
    fs::write(&path, library).unwrap();
    let message = load_in_child(&path);
    assert!(message.contains("it is ONNX Runtime 1.1") && message.contains("or later is needed"), "{message}");
}

#[test]
fn opened_model_has_its_metadata() {
    let model = tiny();
    assert!(model.info().layers > 0);
    assert_eq!(model.info().width % model.info().heads, 0);
}

#[test]
fn damaged_and_missing_models_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let sound = fs::read(fixture("tiny.onnx")).unwrap();
    let mut scrambled = sound.clone();
    for byte in scrambled.iter_mut().take(2000) {
        *byte = byte.wrapping_mul(31).wrapping_add(7);
    }
    let cases: [(&str, &[u8]); 5] = [
        ("half.onnx", &sound[..sound.len() / 2]),
        ("head.onnx", &sound[..40]),
        ("scrambled.onnx", &scrambled),
        ("empty.onnx", b""),
        ("song.onnx", b"MThd\0\0\0\x06\0\x01\0\x01\0\x60"),
    ];
    for (name, bytes) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = Model::open(runtime(), &path).expect_err(name);
        assert!(matches!(error, ModelError::Damaged { .. } | ModelError::Size { .. }), "{name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    for path in [folder.path().join("none.onnx"), folder.path().to_path_buf()] {
        let error = Model::open(runtime(), &path).unwrap_err();
        assert!(matches!(error, ModelError::Unreadable { .. }), "{error}");
    }
}

#[test]
fn model_of_another_vocabulary_or_graph_is_refused() {
    let sound = fs::read(fixture("tiny.onnx")).unwrap();
    // Metadata are length-prefixed text in the file: a value of equal length can be put in place.
    let change = |key: &str, from: &str, to: &str| {
        let (key, from) = (key.as_bytes(), from.as_bytes());
        let at = sound.windows(key.len()).rposition(|window| window == key).unwrap() + key.len();
        let value = at + sound[at..].windows(from.len()).position(|window| window == from).unwrap();
        let mut changed = sound.clone();
        changed[value..value + from.len()].copy_from_slice(to.as_bytes());
        Model::from_bytes(runtime(), &changed, "changed").unwrap_err()
    };
    let later = (VOCABULARY_VERSION + 1).to_string();
    let error = change("antiphon.vocabulary", &VOCABULARY_VERSION.to_string(), &later);
    assert!(matches!(error, ModelError::Metadata { .. }) && error.to_string().contains(&format!("vocabulary is {later}")), "{error}");
    let error = change("antiphon.format", "1", "9");
    assert!(error.to_string().contains("format is 9"), "{error}");
    let layers = tiny().info().layers;
    let error = change("antiphon.layers", &layers.to_string(), &(layers + 1).to_string());
    assert!(matches!(error, ModelError::Interface { .. }), "{error}");
}

#[test]
fn reference_graph_is_refused_as_a_model() {
    // Opened from memory, its external weights cannot be found; it is refused with any report of ONNX Runtime.
    let bytes = fs::read(fixture("tiny-reference.onnx")).unwrap();
    assert!(Model::from_bytes(runtime(), &bytes, "reference").is_err());
}

#[test]
fn shipped_model_predicts_music_better_than_shuffled_pitches() {
    let model = Arc::new(Model::shipped(runtime()).unwrap_or_else(|error| panic!("{error}")));
    assert_eq!(model.info().weights, Weights::Int8);
    let clip = smf::read(include_bytes!("../../assets/demo/pop.mid")).expect("the demo is sound").clip;
    let bits = |notes: &[Note]| -> f64 {
        let bars: Vec<_> = clip.metres.bars(clip.end).collect();
        let mut decoder =
            Decoder::new(Arc::clone(&model), Arc::new(FineCoarse::new(&model.info().fine_bars)), &prefix_rows(0, &[])).unwrap();
        let mut nats = 0.0;
        for bar in encode(notes, &bars, None).bars {
            for row in decoder.score_bar(&bar, &[], BarEnd::Bar).unwrap().rows {
                nats += row.nll.iter().zip(row.targets).filter(|(_, target)| *target >= 0).map(|(nll, _)| f64::from(*nll)).sum::<f64>();
            }
        }
        nats / std::f64::consts::LN_2 / f64::from(u32::try_from(notes.len()).unwrap())
    };
    let music = clip.notes();
    // The same onsets, lengths and pitches, but each pitch where another one was.
    let mut noise = music.clone();
    for (index, note) in noise.iter_mut().enumerate() {
        note.pitch = music[(index * 37 + 11) % music.len()].pitch;
    }
    let (music, noise) = (bits(&music), bits(&noise));
    // Uniform guessing costs 36 bits per note.
    assert!(music < 14.0, "{music} bits a note of music");
    assert!(music + 2.0 < noise, "{music} bits a note of music, {noise} of noise");
}
