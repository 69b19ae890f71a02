"""Underground: the interchanges of central London and the lines between them, as a graph."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise

from memtape.tasks.graph.named_graph import NamedGraph, to_unit_square

STATIONS = {
    "Aldgate East": (51.515, -0.073),
    "Baker Street": (51.523, -0.157),
    "Bank": (51.513, -0.089),
    "Bond Street": (51.514, -0.149),
    "Charing Cross": (51.508, -0.125),
    "Earl's Court": (51.492, -0.197),
    "Elephant & Castle": (51.494, -0.100),
    "Embankment": (51.507, -0.122),
    "Euston": (51.528, -0.134),
    "Gloucester Road": (51.494, -0.183),
    "Green Park": (51.507, -0.143),
    "High Street Kensington": (51.501, -0.192),
    "Holborn": (51.517, -0.120),
    "King's Cross St. Pancras": (51.531, -0.124),
    "Leicester Square": (51.511, -0.128),
    "Liverpool Street": (51.518, -0.082),
    "London Bridge": (51.505, -0.086),
    "Moorgate": (51.519, -0.089),
    "Notting Hill Gate": (51.509, -0.197),
    "Oxford Circus": (51.515, -0.142),
    "Paddington": (51.515, -0.176),
    "Piccadilly Circus": (51.510, -0.134),
    "South Kensington": (51.494, -0.174),
    "Tottenham Court Road": (51.516, -0.131),
    "Tower Hill": (51.510, -0.077),
    "Victoria": (51.496, -0.144),
    "Warren Street": (51.525, -0.138),
    "Waterloo": (51.504, -0.114),
    "Westminster": (51.501, -0.125),
}
"""Latitude and longitude of the interchanges in zone 1 and on its border with zone 2: stations of more than one line with more
than two neighbouring stations. Bank and Monument, which are connected by a passage, are one station."""

LINES = {
    "Bakerloo": (
        "Paddington, Baker Street, Oxford Circus, Piccadilly Circus, Charing Cross, Embankment, Waterloo, Elephant & Castle",
    ),
    "Central": (
        "Notting Hill Gate, Bond Street, Oxford Circus, Tottenham Court Road, Holborn, Bank, Liverpool Street",
    ),
    "Circle": (
        "Paddington, Baker Street, King's Cross St. Pancras, Moorgate, Liverpool Street, Tower Hill, Bank, Embankment, "
        "Westminster, Victoria, South Kensington, Gloucester Road, High Street Kensington, Notting Hill Gate, Paddington",
    ),
    "District": (
        "Earl's Court, Gloucester Road, South Kensington, Victoria, Westminster, Embankment, Bank, Tower Hill, Aldgate East",
        "Earl's Court, High Street Kensington, Notting Hill Gate, Paddington",
    ),
    "Hammersmith & City": (
        "Paddington, Baker Street, King's Cross St. Pancras, Moorgate, Liverpool Street, Aldgate East",
    ),
    "Jubilee": ("Baker Street, Bond Street, Green Park, Westminster, Waterloo, London Bridge",),
    "Metropolitan": ("Baker Street, King's Cross St. Pancras, Moorgate, Liverpool Street",),
    "Northern": (
        "Euston, King's Cross St. Pancras, Moorgate, Bank, London Bridge, Elephant & Castle",
        "Euston, Warren Street, Tottenham Court Road, Leicester Square, Charing Cross, Embankment, Waterloo",
    ),
    "Piccadilly": (
        "Earl's Court, Gloucester Road, South Kensington, Green Park, Piccadilly Circus, Leicester Square, Holborn, "
        "King's Cross St. Pancras",
    ),
    "Victoria": ("King's Cross St. Pancras, Euston, Warren Street, Oxford Circus, Green Park, Victoria",),
    "Waterloo & City": ("Waterloo, Bank",),
}
"""The interchanges of each line in order; other stations are skipped."""

Links = Mapping[str, Sequence[tuple[str, str]]]
"""The pairs of stations that each line connects."""


def links() -> Links:
    """Return the pairs of stations that each line connects."""
    routes = {line: [route.split(", ") for route in parts] for line, parts in LINES.items()}
    return {line: [pair for stops in parts for pair in pairwise(stops)] for line, parts in routes.items()}


def network(stations: Mapping[str, tuple[float, float]], lines: Links) -> NamedGraph:
    """Build the graph of the stations, with an edge in each direction for each pair that a line connects.

    If several lines connect two stations, the edges belong to the line that comes first by name. The word of an edge is its
    line and "east" or "west": of the two edges of a line that leave a station, the one to the more eastern station is "east".

    Args:
        stations: latitude and longitude by name.
        lines: the pairs of stations that each line connects.
    """
    names = tuple(sorted(stations))
    line_of: dict[frozenset[str], str] = {}
    for line in sorted(lines):
        for pair in lines[line]:
            line_of.setdefault(frozenset(pair), line)
    edges = []
    for place, name in enumerate(names):
        leaving: dict[str, list[str]] = {}
        for ends_of_link, line in line_of.items():
            if name in ends_of_link:
                leaving.setdefault(line, []).extend(ends_of_link - {name})
        for line, targets in sorted(leaving.items()):
            ends = sorted(targets, key=lambda station: stations[station][1])
            words = ["west", "east"] if len(ends) == 2 else ["east" if _is_east(stations, ends[0], name) else "west"]
            edges += [(place, f"{line} {way}", names.index(end)) for way, end in zip(words, ends, strict=True)]
    places = to_unit_square([(stations[name][1], stations[name][0]) for name in names])
    return NamedGraph("London Underground", names, places, tuple(edges))


def _is_east(stations: Mapping[str, tuple[float, float]], one: str, other: str) -> bool:
    return stations[one][1] > stations[other][1]


@cache
def underground() -> NamedGraph:
    """Return the graph shipped with memtape."""
    return network(STATIONS, links())
