"""Makes data/references.json: what irrCAC and crowd-kit say about random answers.

The tests read the file, since these two libraries cannot be installed beside the others: irrCAC asks for an old scipy,
and crowd-kit brings transformers. To make the file again, in an environment of its own:

    pip install numpy scipy pandas scikit-learn nltk attrs tqdm
    pip install --no-deps irrCAC==0.4.4 crowd-kit==1.4.2
    python tests/statistics/references.py
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parent / "data" / "references.json"


def random_units(random: np.random.Generator, values: int) -> list[list[int | None]]:
    """Return answers of two to five people with a pull to one value, some of them gaps, and no unit of gaps only."""
    people, units = int(random.integers(2, 6)), int(random.integers(20, 60))
    right = random.integers(0, values, units)
    answers = np.where(
        random.random((units, people)) < 0.7, right[:, None], random.integers(0, values, (units, people))
    )
    gaps = random.random((units, people)) < 0.25
    gaps[np.arange(units), random.integers(0, people, units)] = False
    return [
        [None if gap else int(value) for value, gap in zip(*row, strict=True)]
        for row in zip(answers, gaps, strict=True)
    ]


def gwet(units: list[list[int | None]], values: int) -> dict[str, Any]:
    import pandas
    from irrCAC.raw import CAC

    table = pandas.DataFrame([[np.nan if value is None else value for value in unit] for unit in units])
    estimate = CAC(table, categories=list(range(values)), digits=12).gwet()["est"]
    return {"units": units, "values": values, "percent": estimate["pa"], "ac1": estimate["coefficient_value"]}


def dawid_skene(random: np.random.Generator, values: int) -> dict[str, Any]:
    import pandas
    from crowdkit.aggregation.classification.dawid_skene import OneCoinDawidSkene

    people, units = 8, 120
    accuracy, right = random.uniform(0.6, 0.95, people), random.integers(0, values, units)
    rows = []
    for unit in range(units):
        for person in random.choice(people, 4, replace=False).tolist():
            wrong = (right[unit] + random.integers(1, values)) % values
            rows.append([unit, person, int(right[unit] if random.random() < accuracy[person] else wrong)])
    model = OneCoinDawidSkene(n_iter=2000, tol=-1.0)  # it ends early unless an improvement may be negative
    model.fit(pandas.DataFrame(rows, columns=["task", "worker", "label"]))
    return {"answers": rows, "values": values, "accuracy": {str(who): share for who, share in model.skills_.items()}}


def main() -> None:
    random = np.random.default_rng(13)
    found = {
        "gwet": [gwet(random_units(random, values), values) for values in (2, 2, 3, 3, 4)],
        "dawid_skene": [dawid_skene(random, values) for values in (2, 2, 3)],
    }
    FILE.write_text(json.dumps(found, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
