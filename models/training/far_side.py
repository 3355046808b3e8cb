"""What copies of the bars before and after a gap would know of it: `python far_side.py --corpus corpus.rows`.

For random gaps in validation pieces: note F1 (onset, role, pitch) of each bar of the gap against single earlier bars at the distances of the recall columns,
and against bars behind the gap at the same distances. The best of several is chosen with knowledge of the truth; "by evidence" is the copy at the distance at
which the four bars before the gap agree most with their counterparts, which needs no such knowledge. Then what the recall columns pass on of
it: the share of the notes of gaps whose pitch is in a slot of the bars back, of the bars ahead, or of either. Means of the sources.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from antiphon_training import recall
from antiphon_training import rows as r
from antiphon_training.corpus import VALID, Corpus
from antiphon_training.data import Augmentation, Windows
from antiphon_training.recall import DISTANCES, WITNESSES

GAPS = (1, 2, 4, 8)
BARS_AROUND = 12
"""Least number of bars before a gap; after it there are at least eight."""
GAP_ALONE = Augmentation(
    transpose=False, drop_control=1, drop_prefix=1, cut=0, loudness=0, shift=0, tempo=0, drop_track=0, chords=0, infill=1, clip=0, live=0
)


def notes_of(corpus: Corpus, bar: int) -> set[tuple[int, int, int]]:
    """Tick, role and pitch of the notes of a bar."""
    notes = corpus.notes[corpus.bar_notes[bar] : corpus.bar_notes[bar + 1]].astype(int).tolist()
    return {(n[r.N_BEAT] * 24 + n[r.N_SUB], n[r.N_ROLE], n[r.N_PITCH]) for n in notes}


def agreement(one: set, other: set) -> float:
    """Note F1 of two bars."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0


def of_bar(corpus: Corpus, bar: int, piece: tuple[int, int], gap: tuple[int, int]) -> tuple[float, ...] | None:
    """The best copy before the gap, behind it, and on either side; the copy by evidence before it, and on either side. None where the bar is empty or a
    side has none."""
    truth = notes_of(corpus, bar)

    def known(number: int) -> bool:
        return piece[0] <= number < piece[1] and not gap[0] <= number < gap[1]

    def copy(distance: int) -> tuple[float, float, float]:
        """Evidence, nearness, and note F1."""
        witnesses = [number for number in range(gap[0] - WITNESSES, gap[0]) if known(number) and known(number + distance)]
        evidence = [agreement(notes_of(corpus, number), notes_of(corpus, number + distance)) for number in witnesses]
        return float(np.mean(evidence or [0.0])), -abs(distance), agreement(truth, notes_of(corpus, bar + distance))

    before = [copy(-k) for k in DISTANCES if piece[0] <= bar - k < gap[0]]
    behind = [copy(k) for k in DISTANCES if gap[1] <= bar + k < piece[1]]
    if not (truth and before and behind):
        return None
    best = [max(f1 for _, _, f1 in copies) for copies in (before, behind, before + behind)]
    return *best, max(before)[2], max(before + behind)[2]


def of_source(corpus: Corpus, source: int, length: int, rng: np.random.Generator) -> np.ndarray | None:
    """Means over the bars of 240 gaps at most; None where no piece is long enough."""
    pieces = corpus.pieces(VALID, source)[:40]
    values = []
    for piece in pieces:
        first, end = (int(bar) for bar in corpus.piece_bars[piece : piece + 2])
        if end - first < length + 2 * BARS_AROUND:
            continue
        for _ in range(6 if len(pieces) > 5 else 30):
            start = int(rng.integers(first + BARS_AROUND, end - length - 8))
            gap = (start, start + length)
            values += [value for bar in range(*gap) if (value := of_bar(corpus, bar, (first, end), gap))]
    return np.mean(values, 0) if values else None


def in_slots(windows: Windows, source: int, count: int) -> np.ndarray | None:
    """Shares of notes in the first slot of the bars back, in one of both, the same of the bars ahead, in either first slot, and in any; None without notes."""
    hits = []
    for window in windows.validation(source, count, 5, GAP_ALONE):
        bar, order = window.key[:, 0], np.arange(len(window))
        rows = (order > bar.argmax()) & (bar < bar.max()) & (window.targets[:, r.F_PITCH] >= 0)
        pitches = window.rows[rows][:, [first + slot for first in (recall.CONTENT, recall.AHEAD) for slot in (1, 5)]]
        back, other_back, ahead, other_ahead = ((pitches > 0) & ((pitches - 1) % 256 == window.targets[rows, r.F_PITCH, None])).T
        hits.append([back, back | other_back, ahead, ahead | other_ahead, back | ahead, back | other_back | ahead | other_ahead])
    notes = np.concatenate(hits, 1) if hits else np.zeros((6, 0))
    return notes.mean(1) if notes.shape[1] else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="file written by `antiphon-lab corpus`")
    parser.add_argument("--without", default="", help="sources to leave out, separated by commas")
    given = parser.parse_args()
    corpus, rng = Corpus.load(given.corpus), np.random.default_rng(5)
    sources = [s for s, name in enumerate(corpus.sources) if name not in given.without.split(",")]
    print("| bars of the gap | best copy before it | best copy behind it | best of both | by evidence before it | by evidence of both |\n|---|---|---|---|---|---|")
    for length in GAPS:
        means = [mean for s in sources if (mean := of_source(corpus, s, length, rng)) is not None]
        print(f"| {length} | " + " | ".join(f"{100 * value:.1f} %" for value in np.mean(means, 0)) + " |", flush=True)
    windows = Windows(corpus, 2048, {})
    shares = np.mean([share for s in sources if (share := in_slots(windows, s, 12)) is not None], 0)
    print("\n| back, slot 1 | back | ahead, slot 1 | ahead | either slot 1 | any |\n|---|---|---|---|---|---|")
    print("| " + " | ".join(f"{100 * value:.1f} %" for value in shares) + " |")


if __name__ == "__main__":
    main()
