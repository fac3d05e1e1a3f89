"""DRPO's advantages with scikit-learn's KMeans: question normalisation, clusters of a domain's reward vectors by the elbow,
temperatures, KL damping, batch scale (section 3.3 and appendix B of the paper).

options: questions, groupSize
"""

from peer import serve

SHARES = [0.35, 0.22, 0.14, 0.1, 0.07, 0.05, 0.04, 0.02, 0.01]
MAX_CLUSTERS, RESTARTS, TOLERANCE, EPSILON, QUANTILE = 10, 10, 0.1, 1e-6, 0.9


def prepare(options):
    import numpy as np
    from sklearn.cluster import KMeans

    questions, size = options["questions"], options["groupSize"]
    random = np.random.default_rng(42)
    domains = random.choice(len(SHARES), questions, p=SHARES)
    right = random.random((questions, size)) < random.random((questions, 1))
    overlap = np.where(right, random.random((questions, size)), 0)
    rewards = 0.6 * right + 0.2 * overlap + 0.05 * np.floor(5 * random.random((questions, size)))
    kl = 0.1 * random.random((questions, size))

    def clusters_of(vectors):
        most = min(MAX_CLUSTERS, len(np.unique(vectors, axis=0)))
        inertias, labels = [], []
        for k in range(1, most + 1):
            model = KMeans(n_clusters=k, n_init=RESTARTS, random_state=0).fit(vectors)
            inertias.append(model.inertia_)
            labels.append(model.labels_)
            if k >= 3 and inertias[-2] - inertias[-1] < TOLERANCE * (inertias[-3] - inertias[-2]):
                return labels[-2]
        return labels[-1]

    def work():
        deviation = rewards.std(axis=1, ddof=1, keepdims=True)
        scaled = (rewards - rewards.mean(axis=1, keepdims=True)) / (deviation + EPSILON)
        for domain in np.unique(domains):
            rows = np.flatnonzero(domains == domain)
            domain_temperature = max(np.sqrt(len(rows)) * rewards[rows].mean(), EPSILON)
            labels = clusters_of(rewards[rows])
            for cluster in np.unique(labels):
                own = rows[labels == cluster]
                scaled[own] /= domain_temperature * max(np.sqrt(len(own)) * rewards[own].mean(), EPSILON)
        harm = scaled * kl.sum(axis=1, keepdims=True)
        threshold = np.quantile(harm, QUANTILE)
        damped = scaled * (threshold / (threshold + np.maximum(harm, 0)) if threshold > EPSILON else 1)
        damped / damped.std(ddof=1)

    return work


serve(prepare, packages=["numpy", "scikit-learn"])
