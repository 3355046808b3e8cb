"""The sections on generated music and prediction, on numbers that are known by hand."""

import json
from pathlib import Path

import pytest

from antiphon_training.evaluation import generation, prediction


def busy(steady, median):
    return {"generated": {"steady": steady, "below": 0.0, "above": 1 - steady, "median": median}, "real": {"steady": 0.9, "below": 0.1, "above": 0.0, "median": 1.0}}


def pair(generated, real):
    return {"generated": generated, "real": real}


def passage(notes_once, notes):
    return {"notes_once": notes_once, "notes": notes, "voice": "melody (part 1)", "bar": 1, "training_piece": "pop/1.mid", "training_voice": "keys (part 2)", "training_bar": 17}


def lengths(values):
    ordered = sorted(values)
    return {"count": len(values), "bars": 16, "values": values, "p50": ordered[len(values) // 2], "p90": ordered[-2], "p99": ordered[-1], "max": ordered[-1]}


@pytest.fixture
def results():
    distance = {"mean": pair(0.9, 0.85), "distance": 0.08, "floor": 0.02}
    clips = {
        "clips": 2, "bars": 64, "prompt_bars": 16, "seed": 1, "too_short": ["hymns"], "first_bars": busy(0.75, 1.25), "last_bars": busy(0.5, 1.5),
        "similarity": {"error": 0.0447, "interval": [0.04, 0.05], "floor": 0.011, "distribution": pair([0.1] * 40, [0.2] * 40)},
        "scale": distance, "pitch_class": distance, "groove": distance, "repeats": pair(0.069, 0.27), "empty": pair(0.001, 0.003), "stuck": pair(0.0, 0.0),
        "looping": pair(0.01, 0.001), "sources": {"pop": {"clips": 2, "first_bars": busy(0.75, 1.25), "last_bars": busy(0.5, 1.5), "repeats": pair(0.069, 0.27)}},
    }
    copied = [{"path": "short/generated/a.mid", "bars": 16, "longest": passage(30, 44), "plain": None}, {"path": "short/generated/b.mid", "bars": 16, "longest": None, "plain": None}]
    copies = {"training_pieces": 1234, "limit": 20, "unseen": lengths([4, 9, 20]), "lengths": lengths([30, 0]), "share_longer": 0.5, "clips": copied}
    scores = {predictor: {"onset_f1": 0.5, "note_f1": 0.25, "pitch_top1": None if predictor == "played" else 0.375, "pitch_top5": 0.625 if predictor in ("likeliest", "copy_best") else None} for predictor in prediction.MORE}
    sheet = {"tellers": scores, "sources": {"pop": {"pieces": 2, "bars": 16, "tellers": scores}}}
    control = {"exact": 0.4, "near": 0.81, "bars": [], "base": {"exact": 0.12, "near": 0.33, "bars": []}}
    return {
        "next": sheet, "fill": {**sheet, "gap_bars": 4}, "accompany": {"clip": sheet, "live": sheet},
        "long": clips, "short": {**clips, "bars": 16}, "copies": copies, "real_copies": {**copies, "lengths": lengths([3, 12])},
        "controls": {"prompts": 2, "bars": 8, "controls": {"density": control}, "role": {"exact": 1.0, "base": 0.25}, "chord": {"on_beats": 0.9, "base": 0.4, "notes": 900}, "limits": {"notes": 4000, "outside_scale": 0, "outside_register": 0}},
    }


def test_section_shows_real_music_beside_every_measure(results, tmp_path):
    text = generation.section(results, tmp_path)
    assert "| last 8 bars that repeat an earlier one exactly | 6.9 % | 27.0 % |" in text
    assert "| 64-bar clips: first 8 bars, 0.6 to 1.6 times the prompt's density | 75.0 % | 90.0 % |" in text
    assert "| similarity error |  |  | 4.5 % (4.0 % to 5.0 %) | 1.1 % |" in text
    assert "| density | **40.0 %** | **81.0 %** | 12.0 % | 33.0 % |" in text
    assert "| pop | 16 | 37.5 % |  | 37.5 % |" in text and "| **mean of the sources** |  | 50.0 % | 50.0 % |" in text
    assert "| pop | 16 | 62.5 % |  |  |  |  |  |  | 62.5 % |" in text, "of five pitches the best of the copies has those of any"
    assert "gaps of 4 bars" in text and text.count("| **mean of the sources** |") == 4 * 4
    assert "No piece of hymns" in text and "0 of 4,000 notes were outside the scale" in text
    for picture in ("similarity.png", "copies.png"):
        assert (tmp_path / picture).stat().st_size > 5000


def test_copies_are_named_and_compared_with_validation_pieces_and_continuations(results, tmp_path):
    text = generation.section(results, tmp_path)
    assert "| generated clips | 2 | 30 |" in text and "| a.mid | 30 | 44 | pop/1.mid, bar 17 |" in text
    assert "**50.0 %** of the generated clips exceed the p99 of the validation pieces (20 notes)" in text
    assert "50.0 % the p99 of the real continuations (12 notes)" in text
    assert "b.mid" not in text, "it shares nothing"


def test_what_was_measured_is_not_measured_again_and_what_was_made_is_not_made_again(tmp_path):
    (tmp_path / "long").mkdir()
    (tmp_path / "long" / "clips.json").write_text("{}")
    (tmp_path / "controls.json").write_text(json.dumps({"old": True}))
    ran = []

    def run(*words):
        ran.append(words)
        return json.dumps({"new": words[0]})

    results = generation.measure(run, Path("music"), tmp_path, 1)
    assert results["controls"] == {"old": True} and results["short"] == {"new": "eval"}
    assert [words[0] for words in ran] == ["corpus", *["eval"] * 7]
    assert "--measure" in ran[1] and "--generate" in ran[2]
    assert generation.measure(run, Path("music"), tmp_path, 1) == results and len(ran) == 9, "only the corpus, which this run does not write"
