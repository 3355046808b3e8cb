"""Prediction of real bars: the next bar, the bars of a gap, one role given the others. Copies of earlier bars are the baselines."""

from __future__ import annotations

from .tables import percent, table

PIECES, BARS = 20, 8
"""Pieces of each source, and predicted bars of each piece."""

GAPS, GAP_BARS = 4, 4
"""Gaps in each piece, and their length in bars."""

COPIES = {"copy_1": "copy of the bar before", "copy_2": "2 back", "copy_4": "4 back", "copy_8": "8 back", "copy_best": "best of the four"}
NEXT = {"likeliest": "model, most likely", "played": "model, sampled", **COPIES}
MORE = {"likeliest": "model, most likely", "played": "model, sampled", "past": "model, past only", **COPIES}

MEASURES = {"onset_f1": "Onset F1", "note_f1": "Note F1", "pitch_top1": "Pitch accuracy, given onset and role", "pitch_top5": "Pitch among the five likeliest"}


def commands(music, split: list) -> dict[str, list]:
    """Arguments of `antiphon-lab`, by the name of the result."""
    few = ["eval", music, *split, "--limit-pieces", PIECES]
    return {
        "next": [*few, "--next-bar", BARS],
        "fill": [*few, "--fill", GAPS, "--gap-bars", GAP_BARS],
        "accompany": [*few, "--accompany", BARS],
    }


def section(results: dict) -> str:
    """The three sections of EVALUATION.md, as Markdown."""
    return "\n".join([_next_bar(results["next"]), _fill(results["fill"]), _accompany(results["accompany"])])


def _tables(results: dict, predictors: dict[str, str]) -> str:
    def cells(shares: dict, measure: str) -> list[str]:
        values = [shares[predictor][measure] for predictor in predictors]
        return ["" if share is None else percent(share) for share in values]

    parts = []
    for measure, title in MEASURES.items():
        rows = [["**mean of the sources**", "", *cells(results["tellers"], measure)]]
        rows += [[name, str(source["bars"]), *cells(source["tellers"], measure)] for name, source in results["sources"].items()]
        parts.append(table(f"{title} | bars | " + " | ".join(predictors.values()), rows))
    return "\n".join(parts)


def _next_bar(results: dict) -> str:
    return f"""## The next bar

Prediction of one bar from the true bars before it: {BARS} bars of at most {PIECES} pieces of each source, from the ninth bar on. The model is given the notes before the bar and its metre. "Most likely" samples at temperature 0.05, "sampled" at the default controls. An onset is correct if position and role match, a note if its pitch matches as well. Pitch: the most likely one, or one of the five likeliest, given the true notes before it and its true onset and role; a copy predicts the pitches of a chord in order. The best of the four copies is selected for each bar and measure with knowledge of the truth; for the five likeliest pitches it counts those that any of the four copies has there.

{_tables(results, NEXT)}"""


def _fill(results: dict) -> str:
    return f"""## Infill

The same for gaps of {results['gap_bars']} bars, {GAPS} in each piece, each with at least 8 bars on either side. The context is up to 64 bars before the gap and 16 after it; "past only" has the bars before the gap only. The bars of a gap are asked to repeat what the bars around it repeat, those of "past only" what the bars before it do ([decision 38](../docs/decisions/0038-gaps-repeat-what-their-surroundings-repeat.md)). Copies repeat the last bars before the gap.

{_tables(results, MORE)}"""


def _accompany(results: dict) -> str:
    return f"""## Accompaniment

The same for one role of a bar at a time, given the notes of the other roles: {BARS} bars of each piece with two roles or more. Accompanying a clip, the other roles' notes in the whole bar are given:

{_tables(results['clip'], MORE)}
Accompanying live, the notes of all roles are given up to a random beat of the bar, and the predicted role's notes from there on are scored:

{_tables(results['live'], MORE)}"""
