"""Compare contenders case by case in every regime, with a matrix product as reference."""

import importlib.util

from benchmarks.timing import REGIMES, alternate, start_workers

PRODUCT = "matrix product"
PRODUCT_TASK = ("benchmarks.contenders.operators:matrix_product", {"rows": 2048})


def compare(tasks, cases, effort):
    """Return one record per regime and case, with the times of each contender's units of that case.

    Args:
        tasks: {contender: (target, arguments)}; units are named "<case>" or "<case>, <variant>".
        cases: Names of cases.
        effort: See `alternate`.

    Returns:
        [{"regime", "case", "seconds": {"<contender>[, <variant>]": [...]}, "facts": {contender: {}}}];
        the matrix product is a contender in each.
    """
    records = []
    for regime in REGIMES:
        with start_workers({**tasks, PRODUCT: PRODUCT_TASK}, regime) as workers:
            for case in cases:
                runs = {
                    name + unit.removeprefix(case): (workers[name], unit)
                    for name in tasks
                    for unit in workers[name].units
                    if f"{unit}, ".startswith(f"{case}, ")
                }
                runs[PRODUCT] = (workers[PRODUCT], PRODUCT)
                facts = {name: workers[name].facts.get(case, {}) for name in tasks}
                facts[PRODUCT] = workers[PRODUCT].facts[PRODUCT]
                seconds = alternate(runs, effort)
                records.append({"regime": regime, "case": case, "seconds": seconds, "facts": facts})
    return records


def with_peer(tasks, package, name, task):
    """Return the tasks with the peer's, and {name: message} if the peer's package is missing."""
    if importlib.util.find_spec(package):
        return {**tasks, name: task}, {}
    return tasks, {name: f"the package {package} is not installed"}
