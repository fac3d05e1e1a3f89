"""Multi-label metrics with scikit-learn, or their bootstrap by patient with NumPy.

options: rows, labels, rowsPerPatient, intervals
"""

from peer import serve

RESAMPLES = 1000


def prepare(options):
    import numpy as np
    from sklearn import metrics

    rows, labels = options["rows"], options["labels"]
    random = np.random.default_rng(7)
    names = [f"finding {i}" for i in range(labels)]
    true_sets = [[name for name, on in zip(names, row) if on] for row in random.random((rows, labels)) < 0.15]
    predicted_sets = [[name for name, on in zip(names, row) if on] for row in random.random((rows, labels)) < 0.15]
    patients = np.floor(np.arange(rows) / options["rowsPerPatient"]).astype(int)

    def encoded():
        index = {name: i for i, name in enumerate(names)}
        arrays = []
        for sets in (true_sets, predicted_sets):
            array = np.zeros((rows, labels), np.uint8)
            for i, chosen in enumerate(sets):
                array[i, [index[name] for name in chosen]] = 1
            arrays.append(array)
        return arrays

    def all_metrics():
        truth, predicted = encoded()
        matrices = metrics.multilabel_confusion_matrix(truth, predicted)
        (matrices[:, 0, 0] + matrices[:, 1, 1]) / rows
        metrics.precision_recall_fscore_support(truth, predicted, zero_division=0)
        for average in ("macro", "micro", "weighted", "samples"):
            metrics.f1_score(truth, predicted, average=average, zero_division=0)
        metrics.accuracy_score(truth, predicted)
        metrics.hamming_loss(truth, predicted)

    def bootstrap():
        truth, predicted = encoded()
        count = patients[-1] + 1

        def by_patient(values):
            sums = np.zeros((count, values.shape[1]))
            np.add.at(sums, patients, values)
            return sums

        hits, alarms = by_patient(truth & predicted), by_patient((1 - truth) & predicted)
        misses, exact = by_patient(truth & (1 - predicted)), by_patient((truth == predicted).all(axis=1, keepdims=True))
        sizes = np.bincount(patients, minlength=count)
        results = []
        for _ in range(RESAMPLES):
            weights = np.bincount(random.integers(0, count, count), minlength=count)
            tp, fp, fn, total = weights @ hits, weights @ alarms, weights @ misses, weights @ sizes
            f1 = np.mean(2 * tp / np.maximum(2 * tp + fp + fn, 1))
            results.append((np.mean((total - fp - fn) / total), f1, (weights @ exact)[0] / total))
        np.quantile(np.array(results), [0.025, 0.975], axis=0)

    return bootstrap if options["intervals"] else all_metrics


serve(prepare, packages=["numpy", "scikit-learn"])
