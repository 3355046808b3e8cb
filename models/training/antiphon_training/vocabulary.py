"""The numbers of vocabulary 7. Their source is `engine/src/codec/vocabulary.rs`; a test holds the two together."""

VERSION = 7
OLDEST_CORPUS = 4
"""Corpus files of this vocabulary and later have the same content rows."""

# Columns of a row: name and table size (highest value + 1). Value 0 is absent.
COLUMNS = [
    ["kind", 6],
    ["beat", 17],
    ["sub", 25],
    ["role", 17],
    ["pitch", 257],
    ["duration", 65],
    ["velocity", 33],
    ["offset", 9],
    ["pitch_class", 14],
    ["octave", 13],
    ["target_beat", 17],
    ["target_sub", 25],
    ["target_role", 17],
    ["phase", 17],
    ["metre", 24],
    ["tempo", 9],
    ["key", 25],
    ["density", 9],
    ["register", 9],
    ["span", 9],
    ["voices", 9],
    ["style", 16],
    ["mood", 10],
    ["repeats", 10],
    ["recall_bars_1", 9],
    ["recall_pitch_1", 1281],
    ["recall_duration_1", 321],
    ["recall_velocity_1", 161],
    ["recall_bars_2", 9],
    ["recall_pitch_2", 1281],
    ["recall_duration_2", 321],
    ["recall_velocity_2", 161],
    ["recall_beat_1", 86],
    ["recall_sub_1", 121],
    ["recall_role_1", 81],
    ["recall_beat_2", 86],
    ["recall_sub_2", 121],
    ["recall_role_2", 81],
    ["own_1", 17],
    ["own_2", 17],
    ["own_3", 17],
    ["chord_root", 13],
    ["chord_third", 13],
    ["chord_fifth", 13],
    ["chord_seventh", 13],
    ["ahead_bars_1", 9],
    ["ahead_pitch_1", 1281],
    ["ahead_duration_1", 321],
    ["ahead_velocity_1", 161],
    ["ahead_bars_2", 9],
    ["ahead_pitch_2", 1281],
    ["ahead_duration_2", 321],
    ["ahead_velocity_2", 161],
    ["ahead_beat_1", 86],
    ["ahead_sub_1", 121],
    ["ahead_role_1", 81],
    ["ahead_beat_2", 86],
    ["ahead_sub_2", 121],
    ["ahead_role_2", 81],
]
OWN_ROLES = 3
"""Most roles a sequence can have as its own."""
CHORD_TONES = 4
"""Most tones of a chord, each in a column of its own."""
COLUMN = {name: index for index, (name, _) in enumerate(COLUMNS)}

# Fields in chain order: 0-3 describe the row's target, 4-7 the note after it.
FIELDS = [
    ["pitch", 256],
    ["duration", 64],
    ["velocity", 32],
    ["offset", 8],
    ["type", 3],
    ["beat", 16],
    ["sub", 24],
    ["role", 16],
]
FIELD = {name: index for index, (name, _) in enumerate(FIELDS)}
CONTENT_FIELDS = 4  # pitch, duration, velocity, offset

# Kinds of a row, column 0. Padding has kind 0.
PRE, BAR, NOTE, GIVEN, SUM = 1, 2, 3, 4, 5

# Lengths in ticks of the duration classes 0..62; class 63 is OPEN.
DURATIONS = [
    *range(1, 25), *range(26, 37, 2), 40, 42, 44, 48, 51, 54, 57, 60, 64, 68, 72, 78, 84, 90, 96, 102, 108, 120, 132, 144, 156, 168,
    180, 192, 216, 240, 288, 336, 384, 432, 480, 576, 768,
]  # fmt: skip
