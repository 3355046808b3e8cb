//! A band's groove in D Dorian: eight bars on the loop, then the bridge and back; drums, bass, electric piano and a lead in call and response.

use antiphon_engine::music::{Clip, DRUM_CHANNEL, Metre, Note, Part, Role};

use crate::ensemble;
use crate::notation::{Dynamics, drum_line, voice};

const KICK: u8 = 36;
const SNARE: u8 = 38;
const CLOSED_HAT: u8 = 42;
const OPEN_HAT: u8 = 46;
const CRASH: u8 = 49;
const TOM_LOW: u8 = 45;
const TOM_HIGH: u8 = 48;

const NOTHING: &str = "---- ---- ---- ----";

fn drums() -> Vec<Note> {
    // Four bars of groove, their last with a push into the next bar; bars 8 and 16 end in a fill.
    let kick = ["X--- --x- --x- ----", "X--- --x- -x-- x---", "X--- --x- --x- ----", "X--- --x- --x- --x-"];
    let snare = ["---- X--o -o-- X---", "---- X--- -o-- X--o", "---- X--o -o-- X---", "---- X--- -o-- X-o-"];
    let hat = ["X-x- x-x- X-x- x-x-", "X-x- x-x- X-x- x---", "X-x- x-x- X-x- x-x-", "X-x- x-x- X-x- x---"];
    let open = [NOTHING, "---- ---- ---- --x-", NOTHING, "---- ---- ---- --x-"];
    let filled = |groove: [&'static str; 4], fill: &'static str| {
        let half = [groove[0], groove[1], groove[2], groove[3], groove[0], groove[1], groove[2], fill];
        [half, half].concat()
    };
    let first_bars = |stroke: &'static str| (0..16).map(|bar| if bar % 8 == 0 { stroke } else { NOTHING }).collect::<Vec<_>>();
    let mut notes = [
        drum_line(&filled(kick, "X--- --x- x--- x---"), KICK, 96),
        drum_line(&filled(snare, "---- X--- xx-- ---X"), SNARE, 92),
        drum_line(&filled(hat, "X-x- x-x- ---- ----"), CLOSED_HAT, 66),
        drum_line(&filled(open, NOTHING), OPEN_HAT, 70),
        drum_line(&filled([NOTHING; 4], "---- ---- --xx ----"), TOM_HIGH, 88),
        drum_line(&filled([NOTHING; 4], "---- ---- ---- xx--"), TOM_LOW, 90),
        drum_line(&first_bars("x--- ---- ---- ----"), CRASH, 92),
    ]
    .concat();
    notes.sort_by_key(Note::order);
    notes
}

/// Bass on the kick; walks at changes of harmony.
const BASS: &str = "
    >d2:8. d2:16 r:8 c2:8 r:8 d2:8 f2:8 a2:8 | >d2:8. d2:16 r:8 c2:8 r:8 d2:8 a2:8 c3:8 |
    >g2:8. g2:16 r:8 f2:8 r:8 g2:8 b2:8 d3:8 | >g2:8. g2:16 r:8 f2:8 r:8 g2:8 f2:8 e2:8 |
    >d2:8. d2:16 r:8 c2:8 r:8 d2:8 f2:8 a2:8 | >d2:8. d2:16 r:8 c2:8 r:8 d2:8 a2:8 c3:8 |
    >g2:8. g2:16 r:8 f2:8 r:8 g2:8 b2:8 d3:8 | >a2:4 r:8 g2:8 a2:4 g2:8 a2:8            |
    >bb2:8. bb2:16 r:8 a2:8 r:8 bb2:8 f2:8 bb2:8 | >c3:8. c3:16 r:8 g2:8 r:8 c3:8 g2:8 c3:8 |
    >a2:8. a2:16 r:8 g2:8 r:8 a2:8 e2:8 a2:8 | >d2:8. d2:16 r:8 a2:8 r:8 d3:8 c3:8 a2:8 |
    >bb2:8. bb2:16 r:8 a2:8 r:8 bb2:8 f2:8 bb2:8 | >c3:8. c3:16 r:8 g2:8 r:8 c3:8 g2:8 e2:8 |
    >d2:8. d2:16 r:8 c2:8 r:8 d2:8 f2:8 a2:8 | >a2:4 r:8 g2:8 a2:4 b2:8 c#3:8";

/// Rootless ninths and sevenths off the beat, with common tones.
const KEYS: &str = "
    r:4 f3,a3,c4,e4:8 r:8 r:8 f3,a3,c4,e4:8 r:4 | r:4 f3,a3,c4,e4:8 r:8 r:8 f3,a3,c4,e4:8 r:8 f3,a3,c4,e4:8 |
    r:4 f3,a3,b3,e4:8 r:8 r:8 f3,a3,b3,e4:8 r:4 | r:4 f3,a3,b3,e4:8 r:8 r:8 f3,a3,b3,e4:8 r:8 f3,a3,b3,e4:8 |
    r:4 f3,a3,c4,e4:8 r:8 r:8 f3,a3,c4,e4:8 r:4 | r:4 f3,a3,c4,e4:8 r:8 r:8 f3,a3,c4,e4:8 r:8 f3,a3,c4,e4:8 |
    r:4 f3,a3,b3,e4:8 r:8 r:8 f3,a3,b3,e4:8 r:4 | g3,a3,d4,e4:2 g3,a3,c#4,e4:2 |
    f3,a3,d4:2. r:8 f3,a3,d4:8 | e3,g3,d4:2. r:8 e3,g3,d4:8 | e3,g3,c4:2. r:8 e3,g3,c4:8 | f3,a3,c4,e4:2 r:8 f3,a3,c4,e4:8 r:4 |
    f3,a3,d4:2. r:8 f3,a3,d4:8 | e3,g3,d4:2. r:8 e3,g3,d4:8 | r:4 f3,a3,c4,e4:8 r:8 r:8 f3,a3,c4,e4:8 r:4 | g3,a3,d4,e4:2 g3,a3,c#4,e4:2";

/// Lead: rests first, then short phrases, and a sustained line in the bridge.
const LEAD: &str = "
    r:1 | r:2 r:8 a4:8 c5:8 d5:8 | >f5:8 e5:8 r:8 d5:8 r:8 b4:8 d5:4 | r:1 |
    r:8 d5:8 f5:8 g5:8 a5:4 g5:8 f5:8 | >g5:8 e5:8 r:8 c5:8 d5:2 | r:8 b4:8 d5:8 e5:8 f5:8 e5:8 d5:8 b4:8 | a4:2 r:8 a4:8 c#5:8 e5:8 |
    >f5:2 r:8 d5:8 f5:8 a5:8 | >g5:2 r:8 e5:8 d5:8 c5:8 | e5:4. c5:8 a4:2 | r:8 a4:8 c5:8 d5:8 f5:8 e5:8 c5:8 d5:8 |
    >f5:2 r:8 d5:8 f5:8 a5:8 | >c6:4. bb5:8 g5:4 e5:4 | >a5:4 g5:8 f5:8 d5:4 c5:8 d5:8 | e5:2 r:2";

pub(crate) fn clip() -> Clip {
    let part = |name: &str, channel, program, text, role, level, swell| Part {
        name: name.into(),
        channel,
        program: Some(program),
        notes: voice(text, Metre::COMMON, role, Dynamics { level, swell, phrase: 4 }),
        ..Part::default()
    };
    let parts = vec![
        Part { name: "Drums".into(), channel: DRUM_CHANNEL, program: Some(0), notes: drums(), ..Part::default() },
        part("Bass", 1, 33, BASS, Role::Bass, 84, 4),
        part("Electric Piano", 2, 4, KEYS, Role::Keys, 62, 8),
        part("Synth Lead", 3, 80, LEAD, Role::Lead, 82, 10),
    ];
    ensemble(parts, Metre::COMMON, 104.0)
}
