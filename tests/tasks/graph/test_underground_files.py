"""The files of the London Underground: they are read, and invalid files are refused."""

import csv
import io
import itertools

import pytest

from memtape.tasks.data_folder import DataError
from memtape.tasks.graph.shortest_path import ShortestPath
from memtape.tasks.graph.traversal import Traversal
from memtape.tasks.graph.underground import LINES, STATIONS, links, underground
from memtape.tasks.graph.underground_files import read

BETWEEN = {("Circle", "Embankment", "Bank"): ["Temple", "Monument"], ("Central", "Holborn", "Bank"): ["St Paul's"]}
AGAIN = "; get it again from the repository nicola/tubemaps on GitHub"


def tables():
    """Return rows of the built-in graph, some skipped stations, and stations far away, as many as in the real files."""
    names = [*STATIONS, "Temple", "Monument", "St Paul's"]
    names += [f"Far {number}" for number in range(302 - len(names))]
    stations = [
        {
            "id": str(number + 1),
            "latitude": str(STATIONS.get(name, (51.5, -0.1))[0]),
            "longitude": str(STATIONS.get(name, (51.5, -0.1))[1]),
            "name": name,
            "zone": "3" if name.startswith("Far") else "1.5" if name == "Earl's Court" else "1",
            "rail": "0",
        }
        for number, name in enumerate(names)
    ]
    lines = [{"line": str(number + 1), "name": f"{line} Line"} for number, line in enumerate(LINES)]
    lines += [{"line": "12", "name": "Docklands Light Railway"}, {"line": "13", "name": "Another Line"}]
    joined = []
    for number, (line, pairs) in enumerate(links().items()):
        for one, other in pairs:
            stops = [one, *BETWEEN.get((line, one, other), BETWEEN.get((line, other, one), [])[::-1]), other]
            joined += [(a, b, number + 1) for a, b in itertools.pairwise(stops)]
    joined += [(name, f"Far {number}", 13) for number, name in enumerate(STATIONS)]
    joined += [("Bank", "Tower Hill", 12), ("Holborn", "Victoria", 12)]
    joined += [("Far 100", f"Far {number % 200}", 13) for number in range(406 - len(joined))]
    where = {name: str(number + 1) for number, name in enumerate(names)}
    connections = [{"station1": where[a], "station2": where[b], "line": str(n)} for a, b, n in joined]
    return {"stations": stations, "connections": connections, "lines": lines}


def write(folder, **tables):
    (folder / "london_tube").mkdir(exist_ok=True)
    for name, rows in tables.items():
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        (folder / "london_tube" / f"london.{name}.csv").write_text(text.getvalue())
    return str(folder)


def refusal(folder, **tables):
    with pytest.raises(DataError) as caught:
        read(write(folder, **tables))
    assert str(caught.value).endswith(AGAIN + ", where it is called datasets")
    return str(caught.value)


def test_the_graph_of_the_files_equals_the_built_in_one(tmp_path):
    graph = read(write(tmp_path, **tables()))
    assert graph.nodes == underground().nodes
    assert set(graph.edges) == set(underground().edges)
    assert graph.places == underground().places


@pytest.mark.parametrize("task", [Traversal, ShortestPath])
def test_a_task_reads_them(tmp_path, task):
    rows = tables()
    rows["stations"][0]["name"] = "Aldgate Far East"
    loaded = task(data_dir=write(tmp_path, **rows))
    assert loaded.atlas.graphs[0].nodes[0] == "Aldgate Far East"
    last = len(loaded.atlas.graphs[0].nodes)
    assert last == 29
    assert len(loaded.batch(0, 2, lengths=(15, 15))) == 2


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        DataError, match=r"there is no .*london\.stations\.csv, which the London Underground needs; get it"
    ):
        Traversal(data_dir=str(tmp_path))


@pytest.mark.parametrize(
    ("table", "column", "value", "sentence"),
    [
        ("stations", "latitude", "north", "has 'north' as the latitude of a station, which is not a fin"),
        ("stations", "longitude", "nan", "has 'nan' as the longitude of a station, which is not a fin"),
        ("stations", "zone", "", "has '' as the zone of a station, which is not a finite numb"),
        ("connections", "station2", "999", "has in row 0 the unknown station2 '999'"),
        ("connections", "line", "77", "has in row 0 the unknown line '77'"),
        ("stations", "zone", "2", "has 28 interchanges in zone 1, but there are 29"),
    ],
)
def test_an_invalid_value_is_refused(tmp_path, table, column, value, sentence):
    rows = tables()
    rows[table][0][column] = value
    assert sentence in refusal(tmp_path, **rows)


@pytest.mark.parametrize(("table", "column"), [("stations", "zone"), ("connections", "line"), ("lines", "name")])
def test_a_missing_column_is_refused(tmp_path, table, column):
    rows = tables()
    rows[table] = [{name: value for name, value in row.items() if name != column} for row in rows[table]]
    assert f"london.{table}.csv has no column {column}" in refusal(tmp_path, **rows)


def test_too_few_rows_and_rows_that_end_early_are_refused(tmp_path):
    rows = tables()
    assert "has 405 rows, but that of the London Underground has 406" in refusal(
        tmp_path, **{**rows, "connections": rows["connections"][1:]}
    )
    write(tmp_path, **rows)
    file = tmp_path / "london_tube" / "london.lines.csv"
    file.write_text(file.read_text().replace("2,Central Line", "2"))
    with pytest.raises(DataError, match=r"london\.lines\.csv ends within row 1"):
        read(str(tmp_path))


def test_a_line_with_three_branches_is_refused(tmp_path):
    rows = tables()
    where = {row["name"]: row["id"] for row in rows["stations"]}
    rows["connections"][-1] = {"station1": where["Oxford Circus"], "station2": where["Victoria"], "line": "1"}
    rows["connections"][-2] = {"station1": where["Oxford Circus"], "station2": where["Holborn"], "line": "1"}
    assert "has a line with more than two neighbours of a station" in refusal(tmp_path, **rows)


def test_files_of_another_system_are_the_same(tmp_path, written_elsewhere):
    expected = read(write(tmp_path, **tables()))
    written_elsewhere(tmp_path)
    graph = read(str(tmp_path))
    assert (graph.nodes, graph.edges, graph.places) == (expected.nodes, expected.edges, expected.places)
