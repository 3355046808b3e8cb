"""The tables of the evaluation, on numbers that are known by hand."""

import numpy as np
import pytest

from antiphon_training.evaluation import bits

HEAD = "path,source,bars,predictor,notes," + ",".join(bits.FIELDS)


def write(path, pieces):
    """Pieces as (path, source, notes by stretch, bits per note of every field by predictor)."""
    lines = [HEAD]
    for name, source, notes, cost in pieces:
        for stretch, count in zip(bits.STRETCHES, notes):
            for predictor, each in cost.items():
                lines.append(f"{name},{source},{stretch},{predictor},{count}," + ",".join([f"{each * count}"] * len(bits.FIELDS)))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def groups(tmp_path):
    many = [(f"pop/{i}.mid", "pop", (8, 24, 10 + i), {"model": 0.5 + 0.01 * (i % 5), "ngram_copy": 1.0}) for i in range(40)]
    few = [("freedoom/a.mid", "freedoom", (8, 0, 0), {"model": 1.0, "ngram_copy": 2.0}), ("simutrans/a.mid", "simutrans", (24, 0, 0), {"model": 3.0, "ngram_copy": 2.0})]
    return bits.read(write(tmp_path / "pieces.csv", many + few))


def test_each_note_weighs_the_same_in_a_pool(groups):
    assert list(groups) == ["freedoom", "pop", "simutrans", "band pool"]
    assert groups["band pool"].per_note("model") == pytest.approx((8 * 8 * 1.0 + 24 * 8 * 3.0) / 32)
    assert len(groups["band pool"]) == 2 and len(groups["pop"]) == 40


def test_fields_and_subtotals_sum_to_the_whole(groups):
    pop = groups["pop"]
    whole = pop.per_note("model")
    assert sum(pop.per_note("model", (field,)) for field in bits.FIELDS) == pytest.approx(whole)
    assert sum(pop.per_note("model", part) for part in bits.SUBTOTALS.values()) == pytest.approx(whole)


def test_intervals_hold_the_value_and_say_how_sure_a_saving_is(groups):
    pop = groups["pop"]
    low, high = pop.interval("model")
    assert low < pop.per_note("model") < high < low + 0.2
    least, most = pop.interval("model", "ngram_copy")
    assert least > 3 and most < 4.1, "it saves about half a bit in each of eight fields, in every piece"
    assert pop.interval("model") == (low, high), "the same every time"


def test_stretches_without_notes_are_no_number(groups, tmp_path):
    assert np.isnan(groups["freedoom"].per_note("model", stretches=("33+",)))
    text = bits.tables(groups)
    assert "nan" not in text and "| band pool | 2 | 32 |" in text
    bits.picture(groups, tmp_path / "bits.png")
    assert (tmp_path / "bits.png").stat().st_size > 5000


def test_an_empty_table_says_how_to_make_one(tmp_path):
    with pytest.raises(ValueError, match="--by-piece"):
        bits.read(write(tmp_path / "none.csv", []))
