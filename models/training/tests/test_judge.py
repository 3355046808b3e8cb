"""The judge of generated music: statistics that are known by hand, and clips that only one of its kinds can tell apart."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from antiphon_training.evaluation import judge
from antiphon_training.evaluation.clip_statistics import Bar, distance, entropy, statistics, top_line, unseen
from antiphon_training.evaluation.judge import Clips, Kind, Verdict

QUARTERS = (0, 24, 48, 72)


def bar(pitches: list[int], key: int = 1) -> Bar:
    """Four quarters."""
    return Bar(96, [(tick, 0, pitch, 24, 20, 4) for tick, pitch in zip(QUARTERS, pitches)], key, 5)


SCALE, THIRDS = bar([60, 62, 64, 65]), bar([67, 64, 60, 60])


def test_a_clip_that_goes_on_as_its_prompt_did_differs_in_nothing():
    of = statistics([SCALE, THIRDS] * 8, [SCALE, THIRDS] * 4)
    changed = {name: value for name, value in of.items() if value and name.endswith(("distance", "new", "gone", "size", "more", "trend"))}
    assert not changed
    assert (of["notes like 2 back"], of["notes exact repeats"], of["distinct bars"], of["empty bars"]) == (1, 0, 0.25, 0)
    assert of["seam leap"] == 0 and of["seam rest"] == 1, "from the c' on the last quarter to the next bar line"
    assert of["tonic at the end"] == 1, "c in C major"


def test_each_change_shows_where_it_belongs():
    prompt = [SCALE, THIRDS] * 8
    same = statistics(prompt, [SCALE, THIRDS] * 4)

    def changed(clip: list[Bar]) -> dict[str, float]:
        of = statistics(prompt, clip)
        return {name: of[name] - same[name] for name in of}

    higher = changed([bar([pitch + 12 for _, _, pitch, *_ in one.notes]) for one in [SCALE, THIRDS] * 4])
    assert (higher["register"], higher["register spread"], higher["classes distance"], higher["keys new"]) == (12, 0, 0, 1)
    assert higher["seam leap"] == 12 and higher["notes like 2 back"] == -0.25, "of the eight bars the first two like none before"
    thinner = changed([bar([60])] * 8)
    assert thinner["density"] == pytest.approx(np.log(0.3 / 1.05)) and thinner["grid gone"] == 0.75 and thinner["grid new"] == 0
    foreign = changed([SCALE, THIRDS] * 3 + [bar([61, 63, 66, 68])] * 2)
    assert foreign["classes new"] == 0.25 and foreign["notes least like any"] < same["notes least like any"]
    stops = changed([SCALE, THIRDS] * 3 + [Bar(96, [], 0, 0)] * 2)
    assert (stops["empty bars"], stops["tonic at the end"]) == (0.25, -1) and stops["density trend"] < 0


def test_statistics_of_nothing_are_finite():
    silence, drums = Bar(96, [], 0, 0), Bar(96, [(0, 14, 164, 6, 20, 4)], 0, 0)
    for prompt in ([silence] * 16, [drums] * 16, [SCALE] * 16):
        for clip in ([silence] * 8, [drums] * 8, [SCALE] * 8):
            assert np.isfinite(list(statistics(prompt, clip).values())).all()


def test_distributions_are_compared_by_their_shares():
    assert distance(Counter("aab"), Counter("aaaabb")) == 0 and distance(Counter("a"), Counter("b")) == 1
    assert distance(Counter("ab"), Counter("a")) == 0.5 and unseen(Counter("abcc"), Counter("ab")) == 0.5
    assert (entropy(Counter("abab")), entropy(Counter())) == (1, 0)
    chords = [Bar(96, [(0, 0, 60, 24, 20, 4), (0, 0, 64, 48, 20, 4), (0, 14, 164, 6, 20, 4)], 0, 0), SCALE]
    assert top_line(chords)[:2] == [(0, 64, 48), (96, 60, 24)]


def clips(piece: str, realness: list[float], noise: np.random.Generator) -> Clips:
    """A prompt whose clips have one statistic that tells how real they are, among others that do not."""
    statistics = noise.normal(size=(len(realness), 4))
    statistics[:, 0] = realness
    bars = [[frozenset({(0, 60 + index)})] * 8 for index in range(len(realness))]
    return Clips(piece.split("/")[0], piece, statistics, noise.normal(size=(len(realness), 11)), np.zeros((len(realness), 2)), bars)


@pytest.fixture(scope="module")
def distinguished() -> tuple[list[Clips], list[Clips]]:
    """Clips to learn from and to test: of the generated ones to test one in four is like real music."""
    noise = np.random.default_rng(1)
    like_real = lambda index: 1.0 if index % 4 == 3 else -1.0  # noqa: E731
    learnt = [clips(f"a/{piece}", [1.0, -1.0, -1.0, -1.0, -1.0], noise) for piece in range(80)]
    return learnt, [clips(f"b/{piece}", [1.0, *map(like_real, range(8))], noise) for piece in range(10)]


STATISTICS = Kind("statistics", ("statistics",), trees=False)


@pytest.mark.parametrize("kind", [STATISTICS, replace(STATISTICS, trees=True)])
def test_a_critic_chooses_what_the_judge_cannot_tell(distinguished, kind):
    of = judge.verdicts(*distinguished, kind, kind)
    assert len(of) == 2 * judge.ROUNDS * 10 and {(one.real, one.one()) for one in of} == {(1, 0.75)}, "six of eight were recognised"
    assert judge.accuracy(of) == 0.875
    assert (judge.accuracy(of, judge.best_of(4)), judge.accuracy(of, judge.best_of(8))) == (0.5, 0.5)
    assert {one.order[0] for one in of} <= {3, 7}


def test_a_critic_that_sees_nothing_of_it_gains_nothing(distinguished):
    of = judge.verdicts(*distinguished, STATISTICS, Kind("nats", ("nats",), trees=False, strength=1e-3))
    assert judge.accuracy(of, judge.best_of(8)) == pytest.approx(0.875, abs=0.13)


def test_pieces_of_judge_and_critic_differ(distinguished):
    seen = []

    class Spy(Kind):
        def learn(self, clips):
            seen.append({prompt.piece for prompt in clips})
            return super().learn(clips)

    judge.verdicts(*distinguished, Spy("spy", ("statistics",), trees=False), STATISTICS)
    halves = list(zip(seen[::2], seen[1::2], strict=True))
    assert len(halves) == judge.ROUNDS and all(not one & other and len(one | other) == 80 for one, other in halves)
    assert len({tuple(sorted(one)) for one, _ in halves}) == judge.ROUNDS, "each round halves them in its own way"


def test_an_informed_judge_knows_what_the_critic_likes():
    """Generated music here is what statistic 0 says; the critic also goes by statistic 1, which the judge learns only from what it has chosen."""
    noise = np.random.default_rng(3)

    def prompt(piece: str) -> Clips:
        of = clips(piece, [0.0, *[0.0] * 8], noise)
        of.statistics[:, 1] = [0, 3, 0, 0, 0, 0, 0, 0, 0]
        return of

    class Likes(Kind):
        def learn(self, clips):
            return lambda prompt: prompt.statistics[:, 1]

    learnt, tested = [prompt(f"a/{piece}") for piece in range(40)], [prompt(f"b/{piece}") for piece in range(10)]
    likes = Likes("likes", ("statistics",), trees=False)
    assert judge.accuracy(judge.informed(learnt, tested, STATISTICS, likes)) == 1
    first_has_it = judge.informed(learnt, tested, STATISTICS, None)
    assert judge.accuracy(first_has_it) == 1, "without a critic it is the first one, which has the statistic"
    nobody = [Clips(one.source, one.piece, one.statistics[[0, *range(2, 9)]], one.nats[1:], one.hidden[1:], one.bars[1:]) for one in learnt + tested]
    assert judge.accuracy(judge.informed(nobody[:40], nobody[40:], STATISTICS, None)) < 0.8


def test_distinct_bars_are_counted_over_the_variations():
    one = judge.Verdict(clips("a/1", [1.0] * 9, np.random.default_rng(1)), np.array([1.0, *[-1.0] * 8]), np.arange(9.0))
    assert (one.distinct(np.arange(4)), one.order.tolist()) == (4 / 32, [7, 6, 5, 4, 3, 2, 1, 0])
    assert (one.pair(), one.pair_of_best()) == (1, 1)


def test_intervals_hold_the_value_and_shrink_with_more_pieces():
    def of(pieces: int) -> list[Verdict]:
        noise = np.random.default_rng(1)
        return [Verdict(clips(f"a/{n}", [0.0] * 3, noise), np.array([n % 2 - 0.5, 1, -1]), np.zeros(3)) for n in range(pieces)]

    (low, high), (nearer_low, nearer_high) = (judge.bounds(*judge.drawn(of(pieces), Verdict.one)) for pieces in (8, 128))
    assert low < nearer_low < judge.accuracy(of(8)) == 0.5 < nearer_high < high
    one, same = judge.drawn(of(8), Verdict.one, Verdict.one)
    assert np.array_equal(one, same), "the same samples for both"


def test_the_section_says_what_choosing_is_worth(distinguished, monkeypatch):
    monkeypatch.setattr(judge, "CRITICS", (judge.CRITIC,))
    monkeypatch.setattr(judge, "ROUNDS", 1)
    monkeypatch.setattr(judge, "SECOND_JUDGE", judge.JUDGE)
    text = judge.section(*distinguished)
    assert "learns from 80 prompts of training pieces" in text and "is tested on 10 of validation pieces" in text
    assert "\n| all | 10 | 10 |" in text and "\n| b | 10 | 10 |" in text and "\n| the critic's choice |" in text
    assert "nan" not in text


def test_nearer_is_a_share_of_the_way_to_half():
    assert judge.nearer(np.array([0.9, 0.7, 0.4]), np.array([0.7, 0.9, 0.5])) == pytest.approx([0.5, -1, 1])


def test_a_file_of_rows_is_read(tmp_path):
    note = [1, 12, 0, 60, 23, 20, 4]
    one = {"ticks": 96, "fields": [1, 2, 3, 4, 5, 6, 7], "notes": [note]}
    clip = {"bars": [one] * 8, "nats": [8.0, 0, 0, 0, 4.0, 2.0, 1.0, 1.0], "hidden": [0.5, -0.5]}
    file = tmp_path / "0000-a-b.json"
    file.write_text(json.dumps({"source": "a", "piece": "a/b.mid", "prompt": [one] * 16, "real": clip, "generated": [clip, clip]}))
    read = Clips.read(file)
    assert (read.source, read.piece, read.statistics.shape[0], read.hidden.tolist()) == ("a", "a/b.mid", 3, [[0.5, -0.5]] * 3)
    assert read.bars[0][0] == {(36, 60)}
    # Eight notes and 16 nats: two a note and a bar, one a note of the place.
    assert read.nats[0] == pytest.approx(np.log(np.array([1, 0, 0, 0, 0.5, 0.25, 0.125, 0.125, 2, 1, 2]) + 0.01))
    assert read.view(("hidden", "nats")).shape == (3, 13)
