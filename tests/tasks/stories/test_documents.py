"""Documents: text files, questions made of their sentences, generated articles, and the sentences of each question."""

from random import Random

import pytest

from memtape.core.inputs.stories import NONE
from memtape.tasks.data_folder import DataError
from memtape.tasks.stories.documents.article_wording import FILM, LISTS, PERSON, RELATIONS, REMARKS, TOWN
from memtape.tasks.stories.documents.articles import collection_of_articles, names
from memtape.tasks.stories.documents.candidate_sentences import candidates, titled_sentences
from memtape.tasks.stories.documents.cloze import with_cloze_questions
from memtape.tasks.stories.documents.document import BLANK, Collection, Document, DocumentQuestion
from memtape.tasks.stories.documents.document_folder import LONGEST, documents_in


def written(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.txt").write_bytes(content.encode())
    return str(folder)


def test_sentences_end_with_lines_and_marks_and_titles_are_names_of_files(tmp_path):
    written(
        tmp_path / "notes",
        **{"The Lake": "Cold water! It's deep.\n\nWho swims?  3.5 metres (about)\r\n", "a": "Well-known\n"},
    )
    (tmp_path / "notes" / "picture.png").write_bytes(b"\xff")
    assert documents_in(str(tmp_path), "notes") == (
        Document("the_lake", (("cold", "water"), ("it's", "deep"), ("who", "swims"), ("3", "5", "metres", "about"))),
        Document("a", (("well-known",),)),
    )


def test_a_long_sentence_is_split_into_equal_parts(tmp_path):
    words = [f"w{number}" for number in range(2 * LONGEST + 1)]
    place = written(tmp_path / "notes", long=" ".join(words))
    (found,) = documents_in(place, ".")
    assert [word for part in found.sentences for word in part] == words
    assert sorted(map(len, found.sentences)) == [17, 17, 17]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, r"there is no folder .*notes; name a folder of text files, or leave data_dir out to use generated"),
        ({}, r"the folder .*notes has no file whose name ends in \.txt; put documents there, one in each file"),
        ({"a.txt": b"caf\xe9"}, r"a\.txt is not UTF-8 at byte 3; get it again from the place that it came from"),
        ({"a.txt": b" \n"}, r"a\.txt is empty; get it again"),
        (
            {"--.txt": b"text"},
            r"the name of .*--\.txt, which is the title of the document, has no letter or digit; rename",
        ),
    ],
)
def test_a_folder_that_is_no_collection_is_refused(tmp_path, files, message):
    if files is not None:
        (tmp_path / "notes").mkdir()
        for name, content in files.items():
            (tmp_path / "notes" / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        documents_in(str(tmp_path), "notes")


def test_a_sentence_gives_a_question_for_one_of_its_rare_words_and_one_for_its_title():
    documents = (
        Document(
            "lake", (("the", "carp", "eats", "moss"), ("moss", "moss", "eats", "carp"), ("the", "eats", "it", "carp"))
        ),
        Document("sea", (("salt", "and", "cod", "here"),)),
    )
    found = with_cloze_questions(documents, {"carp", "moss", "salt", "cod"}, Random(0)).questions
    (word, title, alone) = found
    assert word.answer in ("carp", "moss")
    assert word.words == tuple(BLANK if other == word.answer else other for other in ("the", "carp", "eats", "moss"))
    assert (word.kind, word.place, word.hidden) == ("words", (0, 0), False)
    assert title == DocumentQuestion(("the", "carp", "eats", "moss"), "lake", "titles", (0, 0), hidden=True)
    assert alone.kind == "words"
    assert alone.place == (1, 0)


def test_a_question_has_the_four_words_on_each_side_of_the_blank():
    words = ("a", "cold", "deep", "lake", "the", "carp", "eats", "moss", "in", "mud", "at", "its", "shore")
    documents = (Document("lake", (words,)),)
    expected = {"carp": "cold deep lake the _ eats moss in mud", "eats": "deep lake the carp _ moss in mud at"}
    seen = set()
    for seed in range(8):
        (found,) = with_cloze_questions(documents, {"carp", "eats"}, Random(seed)).questions
        assert " ".join(found.words) == expected[found.answer]
        seen.add(found.answer)
    assert seen == set(expected)


def test_a_word_without_a_rare_word_around_it_is_not_left_out():
    documents = (Document("lake", (("carp", "are", "in", "the", "cold", "lake", "with", "moss"),)),)
    assert not with_cloze_questions(documents, {"carp", "moss"}, Random(0)).questions


def collection(*questions):
    documents = (
        Document("lake", (("carp", "eat", "moss"), ("carp", "swim", "in", "it"))),
        Document("sea", (("cod", "swim", "in", "it"), ("cod", "eat", "shrimps"))),
    )
    return Collection(documents, tuple(questions))


def asked(words, place, hidden=False):
    return DocumentQuestion(tuple(words.split()), "cod", "words", place, hidden)


def test_sentences_are_preceded_by_their_titles():
    assert titled_sentences(collection())[2] == ("sea", "cod", "swim", "in", "it")


def test_sentences_with_more_rare_words_of_the_question_come_first_and_then_those_with_other_words():
    questions = (
        asked("what swim in it with shrimps", (1, 1)),
        asked("who eat moss", (0, 0), hidden=True),
        asked("nothing shared", (0, 0)),
        asked("sea", (1, 0)),
    )
    found, about = candidates(collection(*questions), {"shrimps", "moss", "sea"}, 2)
    # Sentence 3 has the rare word of the first question; sentences 1 and 2 have three common words, and 1 is earlier.
    assert found.tolist() == [[1, 3], [3, NONE], [NONE, NONE], [2, 3]]
    assert about.tolist() == [1, NONE, NONE, 0]


def test_a_common_word_counts_less_than_a_less_common_one():
    found, _ = candidates(collection(asked("carp eat swim in", (0, 0)), asked("it moss", (0, 0))), set(), 1)
    assert found.tolist() == [[1], [0]]


def test_generated_names_differ_and_are_those_of_the_seed():
    assert len(set(names(500, Random(1)))) == 500
    assert names(5, Random(1)) == names(5, Random(1)) != names(5, Random(2))


def generated(seed=0, count=12):
    source = Random(seed)
    drawn = names(4 * count, source)
    entities = {kind: drawn[at::4] for at, kind in enumerate(("film", "person", "town", "river"))}
    return entities, collection_of_articles(entities, source)


def test_articles_are_those_of_the_seed():
    assert generated(3) == generated(3)
    assert generated(3)[1] != generated(4)[1]


def test_an_article_has_a_sentence_for_each_fact_and_a_remark():
    entities, found = generated()
    assert [document.title for document in found.documents] == [
        *entities["film"],
        *entities["person"],
        *entities["town"],
    ]
    assert {len(document.sentences) for document in found.documents} == {5}


def test_the_answer_of_a_question_is_in_the_sentence_that_it_is_about_and_no_other_article_answers_it():
    _, found = generated()
    for question in found.questions:
        document, line = question.place
        article = found.documents[document]
        if question.kind == "words":
            assert question.answer in article.sentences[line]
            assert article.title in question.words
        else:
            assert question.answer == article.title
            assert set(question.words) & set(article.sentences[line])
    titles = [question for question in found.questions if question.kind == "titles"]
    assert len({question.words for question in titles}) == len(titles)
    assert len(found.questions) > len(titles) > len(found.documents)


def test_a_title_is_the_answer_only_if_no_other_article_of_its_kind_has_the_fact():
    _, found = generated(count=30)
    of_lists = {name for listed in LISTS.values() for name in listed}
    kinds = [found.documents[first : first + 30] for first in (0, 30, 60)]
    checked = 0
    for question in found.questions:
        if question.kind == "titles" and (listed := of_lists & set(question.words)):
            same = kinds[question.place[0] // 30]
            assert sum(bool(listed & set(words)) for document in same for words in document.sentences) == 1
            checked += 1
    assert checked > 10


def test_no_person_is_their_own_mother_or_master():
    _, found = generated(count=4)
    assert not any(document.title in words for document in found.documents for words in document.sentences)


def test_each_wording_names_the_subject_or_the_object_once():
    for relation in (*FILM, *PERSON, *TOWN):
        assert all(line.count("{o}") == 1 and "{s}" not in line for line in (*relation.statements, *relation.backward))
        assert all(line.count("{s}") == 1 and "{o}" not in line for line in relation.forward)
    assert RELATIONS.keys() == REMARKS.keys()
