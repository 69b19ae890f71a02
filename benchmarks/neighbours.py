"""Neighbours: the recall of index libraries, and the cost of a changed row.

    pip install faiss-cpu hnswlib usearch
    python benchmarks/neighbours.py --rows 1000000 --index ivf
    python benchmarks/neighbours.py --rows 200000 --index hnsw
    python benchmarks/neighbours.py --rows 200000 --index usearch

queries each library for the 4 rows nearest by cosine among random unit vectors of size 32. The queries are random
vectors, and rows of the index with noise (cosine 0.87). A step of a Sparse Access Memory of 4 heads makes 4 queries and
changes 20 rows. One thread is used. memtape's own index is `csrc/parts/cells.hpp`; `benchmarks/sparse.py` measures it in the
rows "SAM, approximate".
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

WIDTH, NEAREST, QUERIES, CHANGED = 32, 4, 64, 20


def directions(count: int, generator: np.random.Generator) -> Any:
    rows = generator.standard_normal((count, WIDTH)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def ivf(rows: Any) -> tuple[Any, dict[str, Callable[[Any], Any]], Callable[[Any, Any], None]]:
    import faiss  # noqa: PLC0415

    faiss.omp_set_num_threads(1)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(WIDTH), WIDTH, 2048, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter = 5
    index.train(rows[:100_000])
    index.set_direct_map_type(faiss.DirectMap.Array)
    index.add(rows)

    def searching(probes: int) -> Callable[[Any], Any]:
        def search(queries: Any) -> Any:
            index.nprobe = probes
            return index.search(queries, NEAREST)[1]

        return search

    ways = {f"faiss IVFFlat, {probes} of 2048 lists": searching(probes) for probes in (4, 16, 64)}
    return index, ways, index.update_vectors


def hnsw(rows: Any) -> tuple[Any, dict[str, Callable[[Any], Any]], Callable[[Any, Any], None]]:
    import hnswlib  # noqa: PLC0415

    index = hnswlib.Index("ip", WIDTH)
    index.init_index(len(rows), ef_construction=40, M=8)
    index.set_num_threads(1)
    index.add_items(rows, np.arange(len(rows)))
    return (
        index,
        {"hnswlib, M 8": lambda queries: index.knn_query(queries, NEAREST)[0]},
        (lambda places, new: index.add_items(new, places)),
    )


def usearch(rows: Any) -> tuple[Any, dict[str, Callable[[Any], Any]], Callable[[Any, Any], None]]:
    from usearch.index import Index  # noqa: PLC0415

    index = Index(ndim=WIDTH, metric="ip", dtype="f32", connectivity=8, expansion_add=40, expansion_search=16)
    index.add(np.arange(len(rows)), rows, threads=1)

    def change(places: Any, new: Any) -> None:
        index.remove(places)
        index.add(places, new, threads=1)

    def search(queries: Any) -> Any:
        return index.search(queries, NEAREST, threads=1).keys.reshape(len(queries), -1)

    return index, {"usearch, connectivity 8": search}, change


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--index", choices=("ivf", "hnsw", "usearch"), default="ivf")
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    rows = directions(options.rows, generator)
    noise = 0.1 * generator.standard_normal((QUERIES, WIDTH)).astype(np.float32)
    asked = {
        "random": directions(QUERIES, generator),
        "noisy": rows[generator.integers(0, len(rows), QUERIES)] + noise,
    }
    truth = {name: np.argsort(-(queries @ rows.T), axis=1)[:, :NEAREST] for name, queries in asked.items()}
    start = time.process_time()
    _, ways, change = {"ivf": ivf, "hnsw": hnsw, "usearch": usearch}[options.index](rows)
    print(f"{options.rows} rows, built in {time.process_time() - start:.1f} s")
    for way, search in ways.items():
        recall = {}
        for name, queries in asked.items():
            pairs = zip(search(queries), truth[name], strict=True)
            recall[name] = np.mean([len(set(found) & set(wanted)) / NEAREST for found, wanted in pairs])
        start = time.process_time()
        for first in range(0, QUERIES, 4):
            search(asked["random"][first : first + 4])
        queried = (time.process_time() - start) / (QUERIES / 4) * 1e3
        places, new = generator.choice(len(rows), 20 * CHANGED, replace=False), directions(20 * CHANGED, generator)
        start = time.process_time()
        for first in range(0, len(places), CHANGED):
            change(places[first : first + CHANGED], new[first : first + CHANGED])
        changed = (time.process_time() - start) / 20 * 1e3
        print(
            f"{way}: recall {recall['random']:.2f} of random, {recall['noisy']:.2f} of noisy rows; "
            f"4 queries {queried:.3f} ms, {CHANGED} changed rows {changed:.3f} ms"
        )


if __name__ == "__main__":
    main()
