"""Reference values of calibration, ranking, corrections and agreement, by scikit-learn, scipy and statsmodels.

    python tooling/oracles/eval_statistics.py > packages/eval/fixtures/statistics.json
"""
import json

import numpy as np
import scipy
import sklearn
import statsmodels
from scipy.stats import binomtest, norm
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, brier_score_loss, cohen_kappa_score, roc_auc_score
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower

SEED = 8311
rng = np.random.default_rng(SEED)


def ranking(rows, distinct, weighted):
    truth = rng.random(rows) < 0.3
    truth[:2] = [True, False]
    scores = np.clip(rng.normal(0.35 + 0.25 * truth, 0.2), 0, 1)
    if distinct:
        scores = np.round(scores * distinct) / distinct
    weights = rng.integers(0, 4, rows).astype(float) if weighted else None
    if weighted:
        weights[:2] = 1
    case = dict(scores=scores.tolist(), truth=truth.astype(int).tolist())
    if weighted:
        case['weights'] = weights.tolist()
    case['auroc'] = roc_auc_score(truth, scores, sample_weight=weights)
    case['average_precision'] = average_precision_score(truth, scores, sample_weight=weights)
    return case


def expected_error(groups):
    total = sum(len(p) for p, _ in groups)
    return float(sum(len(p) * abs(p.mean() - t.mean()) for p, t in groups if len(p)) / total)


def calibration(rows, bins, rounded=None):
    probabilities = rng.beta(1.2, 2.0, rows)
    if rounded:
        probabilities = np.round(probabilities * rounded) / rounded
    truth = (rng.random(rows) < probabilities**1.4).astype(int)
    order = np.argsort(probabilities, kind='stable')
    adaptive = [(probabilities[part], truth[part]) for part in np.array_split(order, bins)]
    edges = np.linspace(0, 1, bins + 1)
    which = np.clip(np.searchsorted(edges, probabilities, side='left') - 1, 0, bins - 1)
    width = [(probabilities[which == b], truth[which == b]) for b in range(bins)]
    observed, predicted = calibration_curve(truth, probabilities, n_bins=bins, strategy='uniform')
    return dict(
        probabilities=probabilities.tolist(), truth=truth.tolist(), bins=bins,
        brier=brier_score_loss(truth, probabilities),
        ece_adaptive=expected_error(adaptive), ece_equal_width=expected_error(width),
        curve_observed=observed.tolist(), curve_predicted=predicted.tolist(),
    )


def holm(p):
    return dict(p=list(p), adjusted=multipletests(p, method='holm')[1].tolist())


def mcnemar(only_first, only_second):
    n = only_first + only_second
    return dict(only_first=only_first, only_second=only_second,
                p=binomtest(only_first, n).pvalue if n else 1.0)


def kappa(rows, classes):
    first = rng.integers(0, classes, rows)
    second = np.where(rng.random(rows) < 0.6, first, rng.integers(0, classes, rows))
    return dict(first=first.tolist(), second=second.tolist(), kappa=cohen_kappa_score(first, second))


print(json.dumps(dict(
    seed=SEED,
    versions=dict(numpy=np.__version__, scipy=scipy.__version__, sklearn=sklearn.__version__, statsmodels=statsmodels.__version__),
    ranking=[ranking(*a) for a in [(40, 0, False), (200, 10, False), (200, 0, True), (300, 5, True), (7, 2, False)]],
    calibration=[calibration(*a) for a in [(150, 15), (97, 10), (40, 15), (6, 15)]],
    holm=[holm(p) for p in [[.01, .04, .03, .005], [.5], [.9, .8, .02, .02], [0.0, 1.0, .2], rng.random(12).tolist()]],
    mcnemar=[mcnemar(*a) for a in [(3, 9), (0, 0), (10, 10), (0, 5), (412, 371), (1500, 1720)]],
    kappa=[kappa(*a) for a in [(50, 2), (80, 3), (200, 5)]],
    normal=[dict(share=s, quantile=norm.ppf(s)) for s in [.001, .025, .2, .5, .8, .9, .975, .9995]],
    cdf=[dict(z=z, share=norm.cdf(z)) for z in [-7.5, -5, -2.3, -.1, 0, .7, 1.96, 4, 7.9]],
    detectable=[dict(n=n, alpha=a, power=w, one_tail=float((norm.ppf(1 - a / 2) + norm.ppf(w)) / np.sqrt(n)),
        two_tails=float(NormalIndPower().solve_power(effect_size=None, nobs1=n, alpha=a, power=w, ratio=0)))
        for n, a, w in [(25, .05, .8), (100, .05, .9), (400, .01, .8)]],
), indent=1))
