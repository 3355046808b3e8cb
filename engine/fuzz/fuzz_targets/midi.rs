//! Any bytes are read or refused; what is read can be written, and reads back as the same music.

#![no_main]

use antiphon_engine::music::smf::{read, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(import) = read(bytes) else { return };
    let clip = import.clip;
    assert!(clip.notes().is_sorted_by_key(|note| note.order()));
    assert!(clip.closing_bar_line().is_none_or(|closing| closing <= clip.end));
    // A piece may be so close to the longest one that its last bar line lies beyond it.
    let Ok(written) = write(&clip) else { return };
    let again = read(&written).expect("our own file").clip;
    assert_eq!(again, clip);
});
