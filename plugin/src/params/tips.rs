//! What a parameter does, in one sentence, as the window says it under the pointer.

/// Ids of the parameters that the window shows, each with its sentence.
const TIPS: [(&str, &str); 40] = [
    ("horizon", "Plans so many bars ahead; fewer are quicker on a slow machine."),
    ("adventurousness", "Safe takes the likeliest continuation, Character goes on in your manner, Surprise strays from it."),
    ("density", "Sets how many notes a beat the plan has; Auto is about as many as you play."),
    ("register_low", "Holds planned notes at or above this key, drums apart."),
    ("register_high", "Holds planned notes at or below this key, drums apart."),
    ("span", "Sets how far apart the lowest and the highest note of a bar are."),
    ("voices", "Limits the notes that each role plays at once, drums apart."),
    ("note_length", "Makes notes of this length likelier than others."),
    ("repetition", "Brings more new bars on the left, and more repeats of earlier bars on the right."),
    ("phrase_length", "Ends the phrase after so many bars."),
    ("lock_rhythm", "Other plans start each note when this one does and hold it as long, at new pitches."),
    ("lock_pitches", "Other plans have the pitches of each bar in the same order, in a new rhythm."),
    ("key", "Holds the key of the plan, or follows the one that is detected."),
    ("scale", "Sets the scale on the key that you chose."),
    ("scale_lock", "Holds every planned note within the scale, drums apart."),
    ("chord", "Holds this chord: planned notes on the beat are its tones, drums apart."),
    ("chord_kind", "Sets the kind of the chord that is held."),
    ("feel", "Plays the plan on the grid on the left, and with its own timing on the right."),
    ("player_swing", "Plays the off-beats of the plan where you play yours."),
    ("loudness_follow", "Brings the plan to the loudness of your last four bars."),
    ("latency_ms", "Plays planned notes earlier or later than their place, for an instrument that is slow to speak."),
    ("memory", "Uses your remembered phrases less or more in suggestions."),
    ("answer_after", "In Answer, takes over once all keys have been up for so long."),
    ("trade_bars", "In Trade, sets the length of a turn."),
    ("infill_from", "In Infill, fills the song from this bar on."),
    ("infill_bars", "In Infill, fills so many bars."),
    ("take", "Records what Antiphon plays at its place in the song, or plays that recording."),
    ("seed", "Repeats the same phrase for the same music with a number, and varies freely with Free."),
    ("thru", "Passes your own notes and controllers on."),
    ("input_role", "Says what you play, where Auto guesses it wrong."),
    ("output_role", "Sets what the plan plays."),
    ("output_role_2", "Adds a second role to the plan."),
    ("output_role_3", "Adds a third role to the plan."),
    ("output_channel", "Sends the plan on this MIDI channel."),
    ("channel_per_role", "Sends each role of the plan on a channel of its own."),
    ("drum_channel", "Sends planned drums on this MIDI channel."),
    ("hears", "Listens to the chords or to all notes of the Antiphons on other tracks."),
    ("hears_whom", "Listens to this instance alone."),
    ("look", "Shows the window in light or in dark colours."),
    ("window_scale", "Makes the whole window larger, where your host does not."),
];

/// The sentence of a parameter; empty for one that the window does not show.
pub(super) fn tip(id: &str) -> &'static str {
    TIPS.iter().find(|(other, _)| *other == id).map_or("", |(_, tip)| tip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::AntiphonParams;

    #[test]
    fn every_parameter_of_the_window_has_one_sentence_of_its_own() {
        let params = AntiphonParams::new(true);
        let drawer = params.drawer().into_iter().flat_map(|(_, parameters)| parameters);
        let mut seen = std::collections::BTreeSet::new();
        for parameter in params.front().into_iter().chain(drawer) {
            let tip = parameter.tip;
            assert!(tip.ends_with('.') && tip.matches(". ").count() == 0 && tip.len() > 10, "{}: {tip:?}", parameter.id);
            seen.insert((parameter.id, tip));
        }
        assert_eq!(seen.iter().map(|(_, tip)| tip).collect::<std::collections::BTreeSet<_>>().len(), seen.len());
        for (id, _) in TIPS {
            assert!(params.find(id).is_some(), "{id} is no parameter");
        }
    }
}
