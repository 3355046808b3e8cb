//! A pop song's verse and pre-chorus: a tune over a piano, sixteen bars of vi-IV-I-V in C and its variation.

use antiphon_engine::music::{Clip, Metre, Part, Role};

use crate::ensemble;
use crate::notation::{Dynamics, voice};

/// Two phrases that answer each other, a third that climbs, and the way back.
const MELODY: &str = "
    r:8 a4:8 b4:8 c5:8 e5:4 d5:8 c5:8 | c5:4. a4:8 a4:2           | r:8 g4:8 a4:8 c5:8 e5:4 d5:8 c5:8 | d5:4. b4:8 b4:4 r:4 |
    r:8 a4:8 b4:8 c5:8 e5:4 g5:8 e5:8 | f5:4. e5:8 c5:2           | r:8 e5:8 d5:8 c5:8 e5:4 d5:8 c5:8 | d5:2. r:4           |
    >a5:4. g5:8 f5:4 e5:8 f5:8        | g5:4. f5:8 d5:2           | >g5:4. e5:8 d5:4 b4:8 d5:8        | c5:2 r:8 a4:8 b4:8 c5:8 |
    d5:4 c5:8 a4:8 c5:4. a4:8         | b4:4 d5:8 g5:8 f5:4 e5:8 d5:8 | e5:2 d5:8 c5:8 g4:4         | r:8 g4:8 a4:8 b4:8 d5:2";

/// Broken chords, then block chords under the climb; every voice moves by a step or stays.
const RIGHT_HAND: &str = "
    a3:8 e4:8 c4:8 e4:8 a3:8 e4:8 c4:8 e4:8 | a3:8 f4:8 c4:8 f4:8 a3:8 f4:8 c4:8 f4:8 |
    g3:8 e4:8 c4:8 e4:8 g3:8 e4:8 c4:8 e4:8 | g3:8 d4:8 b3:8 d4:8 g3:8 d4:8 b3:8 d4:8 |
    a3:8 e4:8 c4:8 e4:8 a3:8 e4:8 c4:8 e4:8 | a3:8 f4:8 c4:8 f4:8 a3:8 f4:8 c4:8 f4:8 |
    g3:8 e4:8 c4:8 e4:8 g3:8 e4:8 c4:8 e4:8 | g3,c4,d4:2 g3,b3,d4:2                   |
    a3,c4,f4:4. a3,c4,f4:8 a3,c4,f4:4 c4,f4:4 | g3,b3,f4:4. g3,b3,f4:8 g3,b3,f4:4 b3,f4:4 |
    g3,b3,e4:4. g3,b3,e4:8 g3,b3,e4:4 b3,e4:4 | a3,c4,e4:4. a3,c4,e4:8 a3,c4,e4:2         |
    a3,c4,f4:4. a3,c4,f4:8 a3,c4,f4:4 c4,f4:4 | g3,b3,f4:4. g3,b3,f4:8 g3,b3,f4:4 b3,f4:4 |
    g3,c4,e4:4. g3,c4,e4:8 g3,c4,e4:4 c4,e4:4 | g3,c4,d4:2 g3,b3,d4:2";

/// Root, fifth, root; octaves where it grows.
const LEFT_HAND: &str = "
    a2:4. e3:8 a2:2        | f2:4. c3:8 f2:2        | c3:4. g2:8 c3:2        | g2:4. d3:8 g2:2   |
    a2:4. e3:8 a2:2        | f2:4. c3:8 f2:2        | c3:4. g2:8 c3:2        | g2:4. d3:8 g2:4 a2:8 g2:8 |
    f1,f2:4. f2:8 f2:2     | g1,g2:4. g2:8 g2:2     | e1,e2:4. e2:8 e2:2     | a1,a2:4. e3:8 a2:4 g2:4 |
    f1,f2:4. f2:8 f2:2     | g1,g2:4. g2:8 g2:4 b2:4 | c2,c3:4. g2:8 c3:4 a2:4 | g2:4. d3:8 g2:2";

pub(crate) fn clip() -> Clip {
    let line = |text, role, level, swell| voice(text, Metre::COMMON, role, Dynamics { level, swell, phrase: 4 });
    let mut piano = line(RIGHT_HAND, Role::Keys, 56, 8);
    piano.extend(line(LEFT_HAND, Role::Keys, 60, 8));
    piano.sort_by_key(antiphon_engine::music::Note::order);
    let parts = vec![
        Part { name: "Melody".into(), channel: 0, program: Some(73), notes: line(MELODY, Role::Melody, 78, 14), ..Part::default() },
        Part { name: "Piano".into(), channel: 1, program: Some(0), notes: piano, ..Part::default() },
    ];
    ensemble(parts, Metre::COMMON, 92.0)
}
