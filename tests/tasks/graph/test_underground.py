"""The built-in graph of the London Underground: checks against known facts."""

from memtape.tasks.graph.underground import LINES, STATIONS, links, network

GRAPH = network(STATIONS, links())


def test_every_station_is_on_two_lines_and_every_stop_is_a_station():
    stops = {station for pairs in links().values() for pair in pairs for station in pair}
    assert stops == STATIONS.keys()
    for station in STATIONS:
        assert sum(any(station in pair for pair in pairs) for pairs in links().values()) >= 2
    assert len(LINES) == 11


def test_each_link_has_both_directions_and_a_label_at_each_end():
    joined = {(source, target) for source, _, target in GRAPH.edges}
    assert len(joined) == len(GRAPH.edges) == 104
    assert joined == {(target, source) for source, target in joined}
    calls = {(source, word) for source, word, _ in GRAPH.edges}
    assert len(calls) == 104
    lines = {(frozenset((source, target)), word.rsplit(" ", 1)[0]) for source, word, target in GRAPH.edges}
    assert len(lines) == 52


def test_all_stations_can_be_reached():
    reached, new = {0}, {0}
    while new:
        new = {target for source, _, target in GRAPH.edges if source in new} - reached
        reached |= new
    assert len(reached) == len(GRAPH.nodes) == 29


def test_known_connections_are_present():
    def neighbour(source, word):
        return GRAPH.nodes[dict(GRAPH.leaving(GRAPH.nodes.index(source)))[word]]

    assert neighbour("Oxford Circus", "Central east") == "Tottenham Court Road"
    assert neighbour("Bond Street", "Jubilee east") == "Green Park"
    assert neighbour("Bank", "Waterloo & City west") == "Waterloo"
    assert neighbour("Euston", "Northern east") == "King's Cross St. Pancras"
    assert neighbour("Green Park", "Victoria west") == "Victoria"
