//! A slow waltz in G for violin, piano and double bass: eight bars to the half close and home, eight through the circle of fifths.

use antiphon_engine::music::{Clip, Metre, Part, Role};

use crate::ensemble;
use crate::notation::{Dynamics, voice};

const VIOLIN: &str = "
    b4:4. c5:8 d5:4  | g5:2 e5:4       | c5:4. d5:8 e5:4 | a5:2 f#5:4 |
    e5:4 g5:4 c5:4   | d5:4 f#5:4 a4:4 | b4:4 c5:8 b4:8 a4:4 | g4:2 r:4 |
    g#4:4. a4:8 b4:4 | e5:2 c5:4       | f#4:4. g4:8 a4:4 | d5:2 b4:4 |
    e5:4 g5:4 e5:4   | d5:4 b4:4 d5:4  | c5:4 b4:8 a4:8 f#4:4 | g4:2.";

/// The second and third beats, in close position.
const PIANO: &str = "
    r:4 g3,b3,d4:4 g3,b3,d4:4     | r:4 g3,b3,e4:4 g3,b3,e4:4   | r:4 a3,c4,e4:4 a3,c4,e4:4   | r:4 a3,c4,f#4:4 a3,c4,f#4:4 |
    r:4 a3,c4,e4:4 a3,c4,e4:4     | r:4 a3,c4,f#4:4 a3,c4,f#4:4 | r:4 b3,d4,g4:4 b3,d4,f#4:4  | r:4 b3,d4,g4:4 b3,d4:4      |
    r:4 b3,d4,e4:4 b3,d4,e4:4     | r:4 a3,c4,e4:4 a3,c4,e4:4   | r:4 a3,c4,d4:4 a3,c4,d4:4   | r:4 g3,b3,d4:4 g3,b3,d4:4   |
    r:4 g3,c4,e4:4 g3,c4,e4:4     | r:4 g3,b3,d4:4 g3,b3,d4:4   | r:4 f#3,c4,d4:4 f#3,c4,d4:4 | r:4 g3,b3,d4:2";

const BASS: &str = "
    g2:2 r:4  | e2:2 r:4  | a2:2 r:4  | d3:2 r:4      |
    c3:2 r:4  | d3:2 d2:4 | g2:2 d3:4 | g2:4 b2:4 g2:4 |
    g#2:2 r:4 | a2:2 r:4  | f#2:2 r:4 | g2:2 r:4      |
    c3:2 r:4  | d3:2 r:4  | d2:2 r:4  | g2:2.";

pub(crate) fn clip() -> Clip {
    let metre = Metre::new(3, 4).expect("a metre");
    let part = |name: &str, channel, program, text, role, level, swell| Part {
        name: name.into(),
        channel,
        program: Some(program),
        notes: voice(text, metre, role, Dynamics { level, swell, phrase: 8 }),
        ..Part::default()
    };
    let parts = vec![
        part("Violin", 0, 40, VIOLIN, Role::Strings, 74, 18),
        part("Piano", 1, 0, PIANO, Role::Keys, 52, 8),
        part("Double Bass", 2, 43, BASS, Role::Bass, 66, 8),
    ];
    ensemble(parts, metre, 126.0)
}
