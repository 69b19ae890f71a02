"""Underground files: the graph of the Underground, read from public lists of stations and connections."""

import csv
import math
from collections.abc import Mapping

from memtape.core.text_file import lines_of
from memtape.tasks.data_folder import DataSet
from memtape.tasks.graph.named_graph import NamedGraph
from memtape.tasks.graph.underground import network

TUBE = DataSet(
    name="the London Underground",
    folder="london_tube",
    source="the repository nicola/tubemaps on GitHub, where it is called datasets",
    counts={"london.stations.csv": 302, "london.connections.csv": 406, "london.lines.csv": 13},
)

COLUMNS = {
    "london.stations.csv": ("id", "name", "latitude", "longitude", "zone"),
    "london.connections.csv": ("station1", "station2", "line"),
    "london.lines.csv": ("line", "name"),
}
"""The columns used of each file."""

OTHER_RAILWAYS = ("Docklands Light Railway",)
"""Lines in the files that do not belong to the Underground."""

JOINED = {"Monument": "Bank"}
"""Stations that a passage connects to another, and are treated as that one."""

INTERCHANGES = 29

Neighbours = Mapping[str, Mapping[str, set[str]]]
"""For each line, the neighbours of each station."""


def read(data_dir: str) -> NamedGraph:
    """Read the graph of the interchanges of central London from the data folder.

    Raises:
        DataError: a file is missing or invalid.
    """
    stations = _rows(data_dir, "london.stations.csv")
    names = {row["id"]: JOINED.get(row["name"], row["name"]) for row in stations}
    in_zone_1 = {names[row["id"]] for row in stations if _number(data_dir, row, "zone") < 2}
    places = {
        row["name"]: (_number(data_dir, row, "latitude"), _number(data_dir, row, "longitude")) for row in stations
    }
    joined = _neighbours(data_dir, names)
    around: dict[str, set[str]] = {}
    lines_of: dict[str, set[str]] = {}
    for line, neighbours in joined.items():
        for station, others in neighbours.items():
            around.setdefault(station, set()).update(others)
            lines_of.setdefault(station, set()).add(line)
    kept = {station for station in in_zone_1 & around.keys() if len(lines_of[station]) > 1 and len(around[station]) > 2}
    links = {
        line: sorted(
            (station, other)
            for station in kept & neighbours.keys()
            for other in _next_kept(neighbours, station, kept, in_zone_1)
        )
        for line, neighbours in joined.items()
    }
    path = TUBE.path(data_dir, "london.connections.csv")
    if len(kept) != INTERCHANGES:
        raise TUBE.damaged(path, f"has {len(kept)} interchanges in zone 1, but there are {INTERCHANGES}")
    try:
        return network({station: places[station] for station in kept}, links)
    except (ValueError, ZeroDivisionError):
        raise TUBE.damaged(
            path, "has a line with more than two neighbours of a station, or all stations on one straight line"
        ) from None


def _next_kept(neighbours: Mapping[str, set[str]], station: str, kept: set[str], inside: set[str]) -> set[str]:
    """Return the kept stations of a line that are reached from a station through stations that are not kept."""
    found, seen, waiting = set(), {station}, [station]
    while waiting:
        for other in neighbours[waiting.pop()] - seen:
            seen.add(other)
            if other in kept:
                found.add(other)
            elif other in inside:
                waiting.append(other)
    return found


def _neighbours(data_dir: str, names: Mapping[str, str]) -> Neighbours:
    lines = {row["line"]: row["name"].removesuffix(" Line") for row in _rows(data_dir, "london.lines.csv")}
    joined: dict[str, dict[str, set[str]]] = {}
    for number, row in enumerate(_rows(data_dir, "london.connections.csv")):
        for column, known in (("station1", names), ("station2", names), ("line", lines)):
            if row[column] not in known:
                path = TUBE.path(data_dir, "london.connections.csv")
                raise TUBE.damaged(path, f"has in row {number} the unknown {column} {row[column][:40]!r}")
        if lines[row["line"]] in OTHER_RAILWAYS:
            continue
        one, other = names[row["station1"]], names[row["station2"]]
        if one == other:
            continue
        line = joined.setdefault(lines[row["line"]], {})
        line.setdefault(one, set()).add(other)
        line.setdefault(other, set()).add(one)
    return joined


def _rows(data_dir: str, file: str) -> list[dict[str, str]]:
    path = TUBE.path(data_dir, file)
    reader = csv.DictReader(lines_of(TUBE.text(data_dir, file)))
    try:
        rows = list(reader)
    except csv.Error as error:
        raise TUBE.damaged(path, f"is not a CSV table ({error})") from None
    wanted = COLUMNS[file]
    if missing := [column for column in wanted if column not in (reader.fieldnames or ())]:
        raise TUBE.damaged(path, f"has no column {missing[0]}")
    TUBE.check_count(path, len(rows), "rows")
    for number, row in enumerate(rows):
        if any(row[column] is None for column in wanted):
            raise TUBE.damaged(path, f"ends within row {number}")
    return rows


def _number(data_dir: str, row: Mapping[str, str], column: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        path = TUBE.path(data_dir, "london.stations.csv")
        raise TUBE.damaged(path, f"has {row[column][:40]!r} as the {column} of a station, which is not a finite number")
    return value
