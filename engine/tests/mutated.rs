//! Damaged files: any bytes are read or refused, and a clip that was read can be written and edited. The fuzz target `midi` goes on from here.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use antiphon_engine::music::smf::{Source, write};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// One change of a file's bytes.
#[derive(Debug, Clone)]
enum Mutation {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    /// Copies bytes from one place over those at another.
    Copy(Index, Index, usize),
}

fn any_mutation() -> impl Strategy<Value = Mutation> {
    // Status bytes, lengths and small numbers are where a reader can go wrong.
    let byte = || prop_oneof![any::<u8>(), Just(0xFF), Just(0xF0), Just(0xF7), Just(0x2F), Just(0x51), Just(0x58), 0x80..=0xEF_u8, 0..4_u8];
    prop_oneof![
        (any::<Index>(), byte()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (any::<Index>(), vec(byte(), 1..6)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (any::<Index>(), 1..9_usize).prop_map(|(at, count)| Mutation::Remove(at, count)),
        (any::<Index>(), any::<Index>(), 1..40_usize).prop_map(|(from, to, count)| Mutation::Copy(from, to, count)),
    ]
}

fn mutated(mut bytes: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        let end = |start: usize, count: usize| (start + count).min(bytes.len());
        match mutation {
            _ if bytes.is_empty() => {}
            Mutation::Set(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Mutation::Insert(at, new) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Mutation::Remove(at, count) => {
                let at = at.index(bytes.len());
                bytes.drain(at..end(at, *count));
            }
            Mutation::Copy(from, to, count) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let copied = bytes[from..end(from, *count)].to_vec();
                bytes.splice(to..end(to, copied.len()), copied);
            }
        }
    }
    bytes
}

/// The demo clips, or the MIDI files of the folder that `ANTIPHON_MIDI_FOLDER` names.
fn files() -> Vec<Vec<u8>> {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo");
    let folder = std::env::var_os("ANTIPHON_MIDI_FOLDER").map_or(demo, PathBuf::from);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| ["mid", "rmi"].iter().any(|known| extension == *known)));
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Checks the laws of a file that may be damaged. Returns whether it was read.
fn is_read(bytes: &[u8]) -> bool {
    let Ok(source) = Source::read(bytes.to_vec()) else { return false };
    let clip = source.clip();
    assert!(clip.notes().is_sorted_by_key(|note| note.order()));
    assert!(clip.closing_bar_line().is_none_or(|closing| closing <= clip.end));
    // A piece may be so close to the longest one that its last bar line lies beyond it.
    if let Ok(written) = write(clip) {
        assert_eq!(Source::read(written).expect("our own file").clip(), clip);
    }
    let edited = source.edited(clip, clip).expect("nothing is to be placed");
    assert!(
        edited.left_out == 0 && bytes.windows(edited.bytes.len()).any(|window| window == edited.bytes),
        "an edit of nothing is the file"
    );
    true
}

proptest! {
    #[test]
    fn mutated_file_is_read_or_refused(which in any::<Index>(), mutations in vec(any_mutation(), 1..6)) {
        let files = files();
        is_read(&mutated(which.get(&files).clone(), &mutations));
    }
}

#[test]
fn files_that_the_mutations_start_from_are_read() {
    let files = files();
    assert!(!files.is_empty() && files.iter().all(|bytes| is_read(bytes)));
}
