"""The figures of an evaluation, against ones that were computed by hand."""

import pytest

from worker.adapters.analysis.evaluation import BINS, Evaluation, Judged, evaluate


def judged(code: str, said: str | None, confidence: float | None = None, seconds: float = 0.0) -> Judged:
    return Judged(code, said, wants_human=False, said_wants_human=False, confidence=confidence, seconds=seconds)


def score(evaluation: Evaluation, name: str) -> list[float | None]:
    """Precision, recall, F1 and support."""
    (found,) = (score for score in evaluation.codes if score.name == name)
    return [found.precision, found.recall, found.f1, found.support]


def test_precision_and_recall_are_by_code() -> None:
    evaluation = evaluate([judged("a", "a"), judged("a", "b"), judged("a", "a"), judged("c", "a"), judged("c", None)])
    assert score(evaluation, "a") == pytest.approx([2 / 3, 2 / 3, 2 / 3, 3])
    assert score(evaluation, "b") == [0.0, None, 0.0, 0]
    assert score(evaluation, "c") == [None, 0.0, 0.0, 2]
    assert evaluation.accuracy == 0.4


def test_confidence_is_held_against_how_often_it_was_right() -> None:
    answers = [judged("a", "a", 0.95), judged("a", "b", 1.0), judged("a", "a", 0.55), judged("a", "a")]
    evaluation = evaluate(answers)
    assert len(evaluation.reliability) == BINS
    assert [(bin_.least, bin_.count) for bin_ in evaluation.reliability if bin_.count] == [(0.5, 1), (0.9, 2)]
    top = evaluation.reliability[-1]
    assert [top.mean_confidence, top.accuracy] == pytest.approx([0.975, 0.5])
    assert evaluation.calibration_error == pytest.approx((2 * 0.475 + 0.45) / 3)


def test_an_analyst_that_never_says_how_sure_it_is_has_no_calibration() -> None:
    assert evaluate([judged("a", "a")]).calibration_error is None


def test_percentiles_are_times_that_were_measured() -> None:
    evaluation = evaluate([judged("a", "a", seconds=float(second)) for second in range(1, 101)])
    assert (evaluation.p50_s, evaluation.p99_s) == (50.0, 99.0)


def test_nothing_cannot_be_evaluated() -> None:
    with pytest.raises(ValueError, match="nothing"):
        evaluate([])
