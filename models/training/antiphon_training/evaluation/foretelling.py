"""How much of real bars the model foretells: the next one, those of a gap, one role's beside the others. Each number stands beside that of copies."""

from __future__ import annotations

from .tables import percent, table

PIECES, BARS = 20, 8
"""Pieces of each source, and bars of each piece, that are foretold."""

GAPS, GAP_BARS = 4, 4
"""Gaps in each piece, and their length."""

COPIES = {"copy_1": "copy of the bar before", "copy_2": "2 back", "copy_4": "4 back", "copy_8": "8 back", "copy_best": "best of the four"}
NEXT = {"likeliest": "model, likeliest", "played": "model, as it plays", **COPIES}
MORE = {"likeliest": "model, likeliest", "played": "model, as it plays", "past": "model that knows the past alone", **COPIES}

MEASURES = {"onset_f1": "Onset F1", "note_f1": "Note F1", "pitch_top1": "Pitches foretold, given onset and role", "pitch_top5": "Pitches among the five likeliest"}


def commands(music, split: list) -> dict[str, list]:
    """What `antiphon` is asked, by the name of what it says."""
    few = ["eval", music, *split, "--limit-pieces", PIECES]
    return {
        "next": [*few, "--next-bar", BARS],
        "fill": [*few, "--fill", GAPS, "--gap-bars", GAP_BARS],
        "accompany": [*few, "--accompany", BARS],
    }


def section(said: dict) -> str:
    """The sections of the page."""
    return "\n".join([_next_bar(said["next"]), _fill(said["fill"]), _accompany(said["accompany"])])


def _tables(said: dict, tellers: dict[str, str]) -> str:
    def cells(shares: dict, measure: str) -> list[str]:
        told = [shares[teller][measure] for teller in tellers]
        return ["" if share is None else percent(share) for share in told]

    parts = []
    for measure, title in MEASURES.items():
        rows = [["**mean of the sources**", "", *cells(said["tellers"], measure)]]
        rows += [[name, str(source["bars"]), *cells(source["tellers"], measure)] for name, source in said["sources"].items()]
        parts.append(table(f"{title} | bars | " + " | ".join(tellers.values()), rows))
    return "\n".join(parts)


def _next_bar(said: dict) -> str:
    return f"""## The next bar

What of a bar is foretold from the true past: {BARS} bars of at most {PIECES} pieces of each source, none before its ninth; the model knows the notes before and the metre. An onset is right at the right place in the right role, a note if its pitch is right as well. Pitches: the likeliest one, or one of the five likeliest, given the true notes before and the true onset and role; of a chord a copy foretells them in their order. The best of the four copies is chosen for each bar and measure by who knows the outcome; of five pitches it has those that any of the four has there.

{_tables(said, NEXT)}"""


def _fill(said: dict) -> str:
    return f"""## Infill

The same for gaps of {said['gap_bars']} bars, {GAPS} in each piece, each with at least 8 bars on either side; the model hears up to 64 bars before and 16 after. Beside it the same model when it knows the bars before the gap only; copies repeat the last bars before the gap.

{_tables(said, MORE)}"""


def _accompany(said: dict) -> str:
    return f"""## Accompaniment

The same for one role of a bar, each in its turn, from what the others play: {BARS} bars of each piece of two roles or more. Of a clip the others' notes of the bar are known, and given first:

{_tables(said['clip'], MORE)}
Live they have been heard up to a beat of the bar, drawn at random, as has the role itself, and what comes from there on is foretold:

{_tables(said['live'], MORE)}"""
