import numpy as np
import pytest
from scipy import stats

from mlspec.engine.watching._p_values import adjusted, chi_square, exact_share, kolmogorov


def test_kolmogorov_equals_scipys_asymptotic_tail() -> None:
    for distance in (0.0, 0.01, 0.05, 0.1, 0.3, 1.0):
        for rows in (1.0, 50.0, 184.5, 10_000.0):
            expected = stats.kstwobign.sf(distance * np.sqrt(rows))
            assert kolmogorov(distance, rows) == pytest.approx(expected, abs=1e-9)


def test_kolmogorov_never_promises_more_than_the_exact_two_sample_test() -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        first, second = rng.normal(size=rng.integers(5, 60)), rng.normal(size=rng.integers(5, 60))
        exact = stats.ks_2samp(first, second, method="exact")
        rows = len(first) * len(second) / (len(first) + len(second))
        assert kolmogorov(exact.statistic, rows) >= exact.pvalue * 0.98


def test_chi_square_equals_scipys() -> None:
    for degrees in (1, 2, 3, 10, 99, 1000):
        for factor in (0.0, 0.1, 0.5, 0.9, 1.0, 1.1, 2.0, 5.0):
            expected = stats.chi2.sf(degrees * factor, degrees)
            assert chi_square(degrees * factor, degrees) == pytest.approx(expected, rel=1e-8, abs=1e-12)
    assert chi_square(1e6, 5) == pytest.approx(0.0, abs=1e-300)


def test_exact_share_is_twice_fishers_smaller_tail() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        first_rows, second_rows = (int(n) for n in rng.integers(1, 300, size=2))
        first, second = int(rng.integers(0, first_rows + 1)), int(rng.integers(0, second_rows + 1))
        hyper = stats.hypergeom(first_rows + second_rows, first + second, second_rows)
        expected = min(1.0, 2 * min(hyper.cdf(second), hyper.sf(second - 1)))
        assert exact_share(first, first_rows, second, second_rows) == pytest.approx(expected, rel=1e-8)


def test_exact_share_of_millions_is_near_its_approximation() -> None:
    near = exact_share(1_000_000, 9_000_000, 1_001_500, 9_000_000)
    far = exact_share(1_100_000, 9_900_000, 1_101_500, 9_900_000)
    table = [[1_100_000, 8_800_000], [1_101_500, 8_798_500]]
    assert far == pytest.approx(stats.chi2_contingency(table, correction=True).pvalue, rel=1e-6)
    assert near == pytest.approx(
        stats.chi2_contingency([[1_000_000, 8_000_000], [1_001_500, 7_998_500]]).pvalue, rel=0.01
    )


def test_adjusted_equals_scipys_false_discovery_control() -> None:
    rng = np.random.default_rng(3)
    for size in (1, 2, 17):
        p_values = rng.uniform(size=size) ** 3
        assert adjusted(list(p_values)) == pytest.approx(stats.false_discovery_control(p_values))
    assert adjusted([]) == ()
