"""The file of Hinton's families: it is read, and invalid files are refused."""

import pytest

from memtape.tasks.data_folder import DataError
from memtape.tasks.graph.families import ENGLISH, ITALIAN, facts_of, hinton_families
from memtape.tasks.graph.family_files import read
from memtape.tasks.graph.inference import Inference


def lines():
    """Return all facts, including those of uncles and aunts, one per line."""
    facts = facts_of(ENGLISH) + facts_of(ITALIAN)
    known = {(person, word): other for person, word, other in facts}
    for parent_of in ("father", "mother"):
        for (child, word), parent in list(known.items()):
            if word != parent_of:
                continue
            for sibling_is in ("brother", "sister"):
                sibling = known.get((parent, sibling_is))
                if sibling is None:
                    continue
                spouse = known.get((sibling, "wife"), known.get((sibling, "husband")))
                is_son = known.get((parent, "son")) == child
                for one in (sibling, spouse):
                    facts.append((child, "uncle" if (one, "wife") in known else "aunt", one))
                    facts.append((one, "nephew" if is_son else "niece", child))
    return ["\t".join(fact) for fact in facts]


def write(folder, rows):
    (folder / "kinship_hinton").mkdir(exist_ok=True)
    (folder / "kinship_hinton" / "hinton1986_triples.tsv").write_text("\n".join(rows) + "\n")
    return str(folder)


def test_the_families_of_the_file_equal_the_built_in_ones(tmp_path):
    assert len(lines()) == 112
    assert read(write(tmp_path, lines())) == hinton_families()
    assert read(write(tmp_path, lines()[::-1])) == hinton_families()


def test_the_task_reads_it(tmp_path):
    rows = [row.replace("Colin", "Conrad") for row in lines()]
    task = Inference(data_dir=write(tmp_path, rows))
    assert "Conrad" in task.atlas.graphs[1].nodes
    batch = task.batch(0, 8, lengths=(18, 18))
    names = {name for row in range(8) for name in task.picture(batch, row=row).nodes}
    assert {"Conrad", "Alfonso"} <= names
    assert "Colin" not in names


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        DataError, match=r"there is no .*hinton1986_triples\.tsv, which Hinton's families needs; get it"
    ):
        Inference(data_dir=str(tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("Colin\tfather\tJames", "Colin\tfather", "on line 29, which is not a person, a relation and a p"),
        ("Colin\tfather\tJames", "Colin\tboss\tJames", "has 'Colin\\tboss\\tJames' on line 29, which is not"),
        ("Colin\tfather\tJames", "\tfather\tJames", "has '\\tfather\\tJames' on line 29, which is not"),
        ("Colin\tfather\tJames", "Colin\tmother\tJames", "names the mother of Colin twice"),
        ("Colin\tfather\tJames", "Colin\tfather\tArthur", "relates "),
        ("Colin\tfather\tJames", "Colin\tfather\tSomeone", "relates Colin to Someone, but not Someone to Colin"),
    ],
)
def test_invalid_facts_are_refused(tmp_path, old, new, sentence):
    rows = lines()
    rows[rows.index(old)] = new
    with pytest.raises(DataError) as caught:
        read(write(tmp_path, rows))
    assert sentence in str(caught.value)
    assert str(caught.value).endswith(
        "; get it again from the repository TeamCohen/TensorLog on GitHub, whose facts it lists"
    )


def test_too_few_facts_are_refused(tmp_path):
    with pytest.raises(DataError, match="has 111 facts, but that of Hinton's families has 112"):
        read(write(tmp_path, lines()[1:]))


def test_a_file_of_another_system_is_the_same(tmp_path, written_elsewhere):
    write(tmp_path, lines())
    written_elsewhere(tmp_path)
    assert read(str(tmp_path)) == hinton_families()
