"""A judge that tells generated continuations from real ones, and a critic that chooses among several of the same prompt.

Both are classifiers of one clip, learnt from real and generated continuations of training pieces: each from half of the pieces, then with the halves
exchanged. On validation pieces the critic chooses the most real of the first four or eight continuations, and the judge, which has seen neither the critic
nor its pieces, says of each clip whether it is real. An accuracy of 50 % means that it cannot tell.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .clip_statistics import Bar, statistics
from .tables import percent, table

TYPE, BEAT, SUB, ROLE = 4, 5, 6, 7
"""Fields of the nats that say where a note is; the others say what it is."""
CHOICES = (4, 8)
"""Of how many continuations the critic chooses."""
SHOWN = 4
"""Variations that a plan has in the plug-in."""
ROUNDS = 3
"""Ways to halve the pieces; all numbers are means over them."""
DRAWS = 5000
"""Samples of the bootstrap."""
BARS = 8
LEARNT, TESTED = 330, 110
"""Prompts of training and of validation pieces."""
SOURCES = "cre-irish freedoom groove-midi mutopia-ccby mutopia-pd nifc-chopin-first-ed nifc-polish-scores openhymnal openscore-lieder openscore-quartets pop909".split()
"""Sources with five validation pieces or more."""

Run = Callable[..., str]
"""Runs `antiphon-lab` with these arguments and returns its standard output."""


@dataclass(frozen=True)
class Clips:
    """The continuations of one prompt: the real one, then the generated ones."""

    source: str
    piece: str
    statistics: np.ndarray
    """[clips, statistics]: `clip_statistics.statistics`."""
    nats: np.ndarray
    """[clips, 11]: logarithms of the model's nats a note, by field, of all fields, of the fields of its place, and a bar."""
    hidden: np.ndarray
    """[clips, width]: the model's last hidden state, mean over the clip."""
    bars: list[list[frozenset]]
    """Onsets and keys of each bar of each clip."""

    @staticmethod
    def read(path: Path) -> Clips:
        """The clips of a file in OUT/rows of `antiphon-lab eval --generate N --variations V --out OUT`."""
        file = json.loads(path.read_text())
        prompt = [Bar.read(bar) for bar in file["prompt"]]
        clips = [file["real"], *file["generated"]]
        bars = [[Bar.read(bar) for bar in clip["bars"]] for clip in clips]
        values = [list(statistics(prompt, clip).values()) for clip in bars]
        nats = [_nats(np.array(clip["nats"]), [len(bar.notes) for bar in of]) for clip, of in zip(clips, bars, strict=True)]
        hidden = np.array([clip["hidden"] for clip in clips])
        return Clips(file["source"], file["piece"], np.array(values), np.array(nats), hidden, [[bar.struck() for bar in clip] for clip in bars])

    def alone(self, clip: int) -> Clips:
        """The real continuation and one of the generated ones, counted from 0."""
        kept = [0, 1 + clip]
        return Clips(self.source, self.piece, self.statistics[kept], self.nats[kept], self.hidden[kept], [self.bars[clip] for clip in kept])

    def view(self, names: tuple[str, ...]) -> np.ndarray:
        """What a classifier sees of the clips."""
        return np.concatenate([getattr(self, name) for name in names], axis=1)


def _nats(nats: np.ndarray, notes: list[int]) -> np.ndarray:
    count = max(sum(notes), 1)
    place = nats[[TYPE, BEAT, SUB, ROLE]].sum()
    return np.log(np.array([*nats / count, nats.sum() / count, place / count, nats.sum() / len(notes)]) + 0.01)


@dataclass(frozen=True)
class Kind:
    """A kind of classifier."""

    name: str
    views: tuple[str, ...]
    trees: bool
    """Gradient boosting; otherwise logistic regression."""
    strength: float = 1.0
    """Inverse of the weight decay of a logistic regression."""

    def learn(self, clips: list[Clips]) -> Callable[[Clips], np.ndarray]:
        """A function that gives how real each clip of a prompt is: the logarithm of the odds. Real and generated clips weigh the same."""
        seen = np.concatenate([prompt.view(self.views) for prompt in clips])
        real = np.concatenate([np.arange(len(prompt.nats)) == 0 for prompt in clips])
        weights = np.concatenate([[1.0] + [1 / (len(prompt.nats) - 1)] * (len(prompt.nats) - 1) for prompt in clips])
        if self.trees:
            trees = HistGradientBoostingClassifier(
                max_iter=150, learning_rate=0.06, max_leaf_nodes=8, min_samples_leaf=20, l2_regularization=5, max_features=0.3, random_state=0
            ).fit(seen, real, sample_weight=weights)
            return lambda prompt: trees.decision_function(prompt.view(self.views))
        line = make_pipeline(StandardScaler(), LogisticRegression(C=self.strength, max_iter=2000))
        line.fit(seen, real, logisticregression__sample_weight=weights)
        return lambda prompt: line.decision_function(prompt.view(self.views))


def part_of(piece: str, salt: str) -> int:
    """0 or 1, the same for every prompt of a piece."""
    return hashlib.sha256(f"{salt} {piece}".encode()).digest()[0] % 2


def parts(clips: list[Clips], salt: str) -> list[list[Clips]]:
    """Two halves without a common piece."""
    return [[prompt for prompt in clips if part_of(prompt.piece, salt) == part] for part in (0, 1)]


NOTES = ("statistics", "nats")
JUDGE = Kind("logistic regression on statistics and nats", NOTES, trees=False, strength=0.003)
SECOND_JUDGE = Kind("gradient boosting on statistics and nats", NOTES, trees=True)
CRITIC = Kind("logistic regression on statistics, nats and hidden state", (*NOTES, "hidden"), trees=False, strength=0.001)
CRITICS = (
    Kind("logistic regression on statistics", ("statistics",), trees=False, strength=0.003),
    Kind("logistic regression on nats", ("nats",), trees=False, strength=0.1),
    Kind("logistic regression on hidden state", ("hidden",), trees=False, strength=0.003),
    JUDGE,
    CRITIC,
)
"""What can choose."""


@dataclass(frozen=True)
class Verdict:
    """What a judge says of the clips of a prompt, and a critic that has learnt from other pieces."""

    clips: Clips
    judged: np.ndarray
    """How real each clip is: above 0 is real."""
    criticised: np.ndarray
    """The same by the critic."""

    @property
    def real(self) -> float:
        """1 if the real continuation was judged real."""
        return float(self.judged[0] > 0)

    @property
    def recognised(self) -> np.ndarray:
        """1 for each generated continuation that was judged generated."""
        return (self.judged[1:] <= 0).astype(float)

    @property
    def order(self) -> np.ndarray:
        """The generated continuations by the critic, the most real first."""
        return np.argsort(-self.criticised[1:], kind="stable")

    def one(self) -> float:
        """Share of the generated continuations that were judged generated."""
        return float(self.recognised.mean())

    def best(self, count: int) -> float:
        """The same of those that the critic chooses from `count` each."""
        groups = [range(first, first + count) for first in range(0, len(self.recognised) - count + 1, count)]
        return float(np.mean([self.recognised[max(group, key=lambda clip: self.criticised[1 + clip])] for group in groups]))

    def pair(self) -> float:
        """Share of the generated continuations that were judged less real than the real one."""
        return float((self.judged[1:] < self.judged[0]).mean())

    def pair_of_best(self) -> float:
        """The same of the one that the critic chooses from all."""
        return float(self.judged[1 + self.order[0]] < self.judged[0])

    def distinct(self, clips: np.ndarray) -> float:
        """Distinct bars of these generated continuations, as a share of their bars."""
        bars = [bar for clip in clips for bar in self.clips.bars[1 + clip]]
        return len(set(bars)) / len(bars)


def verdicts(learnt: list[Clips], tested: list[Clips], judge: Kind, critic: Kind) -> list[Verdict]:
    """Verdicts on the tested prompts, with judge and critic learnt from different halves of the pieces, in each way to halve them."""
    of = []
    for salt in map(str, range(ROUNDS)):
        halves = parts(learnt, salt)
        judges, critics = ([kind.learn(half) for half in halves] for kind in (judge, critic))
        of += [Verdict(clips, judges[half](clips), critics[1 - half](clips)) for half in (0, 1) for clips in tested]
    return of


def informed(learnt: list[Clips], tested: list[Clips], judge: Kind, critic: Kind | None) -> list[Verdict]:
    """Verdicts of a judge that has learnt from chosen continuations, so that it knows what the critic likes; of the first ones without a critic.

    It learns from those that the critic chooses in its half of the pieces and in half of the tested ones, and is tested on those in the other half of these.
    """
    of = []
    for salt in map(str, range(ROUNDS)):
        halves, folds = parts(learnt, salt), parts(tested, f"tested {salt}")
        for half in (0, 1):
            criticise = critic.learn(halves[1 - half]) if critic else lambda clips: np.zeros(len(clips.nats))

            def chosen(prompts: list[Clips]) -> list[Clips]:
                return [clips.alone(int(np.argmax(criticise(clips)[1:]))) for clips in prompts]  # noqa: B023

            for fold in (0, 1):
                judged = judge.learn(chosen(halves[half] + folds[fold]))
                of += [Verdict(clips, judged(clips), np.zeros(2)) for clips in chosen(folds[1 - fold])]
    return of


Recognised = Callable[[Verdict], float]
"""Share of some generated clips of a prompt that were judged generated."""


def accuracy(of: list[Verdict], recognised: Recognised = Verdict.one) -> float:
    """Balanced accuracy: mean of the shares of real and of generated clips that were judged right."""
    return float(np.mean([verdict.real for verdict in of]) + np.mean([recognised(verdict) for verdict in of])) / 2


def best_of(count: int) -> Recognised:
    """That of those that the critic chooses from `count` each."""
    return lambda verdict: verdict.best(count)


def nearer(one: np.ndarray, best: np.ndarray) -> np.ndarray:
    """By how much an accuracy is nearer to 50 % than another, as a share of the way; below 0 if it is farther."""
    return 1 - abs(best - 0.5) / np.maximum(abs(one - 0.5), 1e-9)


def drawn(of: list[Verdict], *recognised: Recognised, seed: int = 1) -> list[np.ndarray]:
    """Accuracies of bootstrap samples of the pieces, the same samples for each of `recognised`."""
    names = sorted({verdict.clips.piece for verdict in of})
    place = {name: index for index, name in enumerate(names)}
    sums = np.zeros((len(names), 2 + len(recognised)))
    for verdict in of:
        sums[place[verdict.clips.piece]] += [1, verdict.real, *(share(verdict) for share in recognised)]
    counts = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=DRAWS)
    prompts, real, *shares = (counts @ sums).T
    return [(real + share) / prompts / 2 for share in shares]


def bounds(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def measure(run: Run, music: Path, work: Path, threads: int) -> tuple[list[Clips], list[Clips]]:
    """Clips to learn from and to test; those that are in WORK/judge already are not generated again."""
    folder = work / "judge"
    folder.mkdir(exist_ok=True)
    common = ["eval", music, "--split", music / "split.csv", "--sources", ",".join(SOURCES), "--bars", BARS, "--threads", threads, "--json"]
    commands = {
        "learnt": ["--only", "train", "--limit-pieces", 60, "--generate", LEARNT, "--variations", 2, "--seed", 14],
        "tested": ["--generate", TESTED, "--variations", max(CHOICES), "--seed", 13],
    }
    for name, words in commands.items():
        if not (folder / name / "clips.json").exists():
            run(*common, *words, "--out", folder / name)
    return read([folder / "learnt"]), read([folder / "tested"])


def read(folders: list[Path]) -> list[Clips]:
    """All clips of some folders written by `antiphon-lab eval --generate N --variations V`."""
    return [Clips.read(file) for folder in folders for file in sorted((folder / "rows").glob("*.json"))]


def section(learnt: list[Clips], tested: list[Clips]) -> str:
    """The section of EVALUATION.md on the judge, as Markdown."""
    of = verdicts(learnt, tested, JUDGE, CRITIC)
    sources = [[name, str(len({one.clips.piece for one in some})), str(len(some) // (2 * ROUNDS)), *_accuracies(some)] for name, some in _by_source(of)]
    kinds = [(JUDGE, CRITIC, of), (SECOND_JUDGE, CRITIC, verdicts(learnt, tested, SECOND_JUDGE, CRITIC))]
    kinds += [(JUDGE, critic, verdicts(learnt, tested, JUDGE, critic)) for critic in CRITICS if critic is not CRITIC]
    choices = [[judge.name, critic.name, *_choice(some)] for judge, critic, some in kinds]
    first, chosen = (informed(learnt, tested, JUDGE, critic) for critic in (None, CRITIC))
    knows = [[name, _bounded(some), percent(_mean(some, Verdict.pair))] for name, some in (("one continuation", first), ("the critic's choice", chosen))]
    best = [f"best of {count}" for count in CHOICES]
    return f"""## Judge

Can a classifier tell a generated continuation of {BARS} bars from the real one? It learns from {len(learnt)} prompts of training pieces, with the real and two or more generated continuations each, and is tested on {len(tested)} of validation pieces, with {CHOICES[-1]} generated ones each. The critic, which chooses the most real of several, learns from one half of the pieces and the judge from the other, in both ways and for {ROUNDS} divisions; neither knows a tested piece. The judge: {JUDGE.name}; the critic: {CRITIC.name}. Statistics are of the notes beside the last bars of the prompt, nats the model's own by field, both of the clips as the model encodes them. Accuracy: mean of the shares of real and of generated clips judged right; 50 % means that it cannot tell. Intervals: 95 %, bootstrapped over pieces.

{table("source | pieces | prompts | one continuation | " + " | ".join(best), sources)}
By judge and critic. Pairs: of a real and a generated clip of one prompt the judge finds the real one more real. Distinct bars: of the {SHOWN} continuations that the critic ranks first; of the first {SHOWN} they are {percent(_mean(of, lambda one: one.distinct(np.arange(SHOWN))))}.

{table(" | ".join(["judge", "critic", "one continuation", *best, f"{best[-1]}: nearer to 50 % by", "pairs: one", best[-1], "distinct bars"]), choices)}
A judge that has not seen what the critic likes can miss it. One that has learnt from the critic's choices, and one that has learnt from single continuations, each tested on the same kind:

{table("tested | accuracy | pairs", knows)}"""


def _mean(of: list[Verdict], value: Callable[[Verdict], float]) -> float:
    return float(np.mean([value(one) for one in of]))


def _choice(of: list[Verdict]) -> list[str]:
    """What choosing is worth, overall."""
    most = best_of(CHOICES[-1])
    low, high = bounds(nearer(*drawn(of, Verdict.one, most)))
    gain = f"{percent(float(nearer(accuracy(of), accuracy(of, most))))} ({percent(low)} to {percent(high)})"
    pairs = [percent(_mean(of, value)) for value in (Verdict.pair, Verdict.pair_of_best)]
    return [*_accuracies(of), gain, *pairs, percent(_mean(of, lambda one: one.distinct(one.order[:SHOWN])))]


def _bounded(of: list[Verdict]) -> str:
    """Accuracy with its interval."""
    low, high = bounds(*drawn(of, Verdict.one))
    return f"{percent(accuracy(of))} ({percent(low)} to {percent(high)})"


def _by_source(of: list[Verdict]) -> list[tuple[str, list[Verdict]]]:
    sources = sorted({one.clips.source for one in of})
    return [*((source, [one for one in of if one.clips.source == source]) for source in sources), ("all", of)]


def _accuracies(of: list[Verdict]) -> list[str]:
    """Accuracies of one continuation and of the best of several."""
    return [percent(accuracy(of, recognised)) for recognised in (Verdict.one, *map(best_of, CHOICES))]
