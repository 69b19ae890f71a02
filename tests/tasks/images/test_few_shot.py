"""Few-shot: the layout of episodes, the splits of the characters, scores by presentation, and distorted images."""

import math
from collections import Counter

import pytest
import torch
from torch.nn import functional

from memtape.tasks.images import distortion
from memtape.tasks.images.alphabet import Alphabet
from memtape.tasks.images.distortion import distorted
from memtape.tasks.images.few_shot import FewShot, synthetic_characters


def images_of(batch, row):
    return batch.inputs[row, :, :400]


def labels_of(task, batch, row):
    """Return the label of each step of a row as a tuple."""
    return [tuple(label) if isinstance(label, list) else (label,) for label in batch.targets[row].tolist()]


@pytest.fixture
def undistorted(monkeypatch):
    """Turn and shift no image."""
    monkeypatch.setattr(distortion, "LARGEST_SHIFT", 0)
    monkeypatch.setattr(distortion, "LARGEST_TURN", 0.0)


@pytest.fixture
def counted(monkeypatch):
    """Let images be grey levels that count the characters and their drawers."""
    images = torch.arange(12 * 20).reshape(12, 20, 1, 1).expand(12, 20, 35, 35).to(torch.uint8)
    monkeypatch.setattr(
        "memtape.tasks.images.few_shot.synthetic_characters", lambda: Alphabet(images, training=8, validation=4)
    )
    monkeypatch.setattr(
        "memtape.tasks.images.few_shot.distorted", lambda images, *_: images.flatten(1)[:, :400].float()
    )


@pytest.mark.parametrize("options", [{}, {"labels": "letters", "classes": 4}, {"episodes": 3, "presentations": 6}])
def test_a_class_has_every_image_once_with_one_label_of_its_own(options, counted):
    task = FewShot(**({"classes": 3} | options))
    batch, count = task.batch(0, 8, split="test"), task.lengths[0]
    for row in range(8):
        for episode in range(task.episodes):
            steps = slice(episode * task.classes * count, (episode + 1) * task.classes * count)
            images = [int(image[0]) for image in images_of(batch, row)[steps]]
            labels = labels_of(task, batch, row)[steps]
            assert len(set(images)) == len(images) == task.classes * count
            assert set(Counter(labels).values()) == {count}
            assert len({(image // 20, label) for image, label in zip(images, labels, strict=True)}) == task.classes


def test_rows_differ_in_characters_labels_and_order(counted):
    batch = FewShot(classes=4).batch(0, 300)
    seen = [[int(image[0]) // 20 for image in images_of(batch, row)] for row in range(300)]
    assert len({tuple(sorted(set(row))) for row in seen}) == 1  # there are four characters for training
    assert len({tuple(row) for row in seen}) == 300
    named = {tuple(sorted(set(zip(seen[row], batch.targets[row].tolist(), strict=True)))) for row in range(300)}
    assert len(named) == math.factorial(4)
    pairs = FewShot(classes=2).batch(0, 60)
    assert len({frozenset((images_of(pairs, row)[:, 0] // 20).tolist()) for row in range(60)}) == math.comb(4, 2)


@pytest.mark.parametrize(("labels", "parts", "letters"), [("one-hot", 1, 4), ("letters", 5, 5)])
def test_the_label_of_the_step_before_is_given(labels, parts, letters):
    task = FewShot(classes=4, labels=labels, episodes=2, presentations=5)
    batch = task.batch(0, 3)
    assert (task.input_size, task.output_size) == (400 + parts * letters, parts * letters)
    given = batch.inputs[:, :, 400:]
    for row in range(3):
        shown = labels_of(task, batch, row)
        for step in range(40):
            if step in (0, 20):
                assert not given[row, step].any()
                continue
            wanted = torch.zeros(parts, letters)
            wanted[torch.arange(parts), torch.tensor(shown[step - 1])] = 1
            assert torch.equal(given[row, step], wanted.flatten())


def test_splits_share_no_character():
    numbers = torch.arange(1623)
    images = torch.stack([numbers // 256, numbers % 256], 1).to(torch.uint8)[:, :, None, None]  # a byte for each drawer
    found = {name: Alphabet(images).split(name).flatten(1).tolist() for name in ("train", "validation", "test")}
    parts = {name: {256 * high + low for high, low in part} for name, part in found.items()}
    assert [len(part) for part in parts.values()] == [1100, 100, 423]
    assert set.union(*parts.values()) == set(range(1623))
    assert parts["train"] != set(range(1100))


@pytest.mark.parametrize("labels", ["one-hot", "letters"])
def test_scores_count_the_presentations_of_a_class(labels):
    task = FewShot(classes=3, presentations=6, labels=labels, episodes=2)
    batch = task.batch(0, 7)
    outputs = torch.randn(7, 36, task.output_size) + 3 * functional.one_hot(
        batch.targets.reshape(7, 36, -1), task.letters
    ).flatten(2)
    found = outputs.unflatten(-1, (task.parts, task.letters)).argmax(-1).tolist()
    right = {number: [] for number in range(1, 7)}
    for row in range(7):
        shown = labels_of(task, batch, row)
        for episode in (0, 18):
            seen = Counter()
            for step in range(episode, episode + 18):
                seen[shown[step]] += 1
                right[seen[shown[step]]].append(tuple(found[row][step]) == shown[step])
    means = {number: sum(answers) / 42 for number, answers in right.items()}
    assert 0.2 < means[1] < 1
    scores = task.scores(outputs, batch)
    assert scores == pytest.approx(
        {"accuracy": sum(means.values()) / 6, "second": means[2], "third": means[3], "fifth": means[5]}
    )
    curve = task.curve(task.tally(outputs, batch))
    assert curve.places == (1, 2, 3, 4, 5, 6)
    assert curve.values == pytest.approx(tuple(means.values()))
    assert curve.chance == 1 / 3


@pytest.mark.parametrize(("labels", "nats"), [("one-hot", math.log(4)), ("letters", 5 * math.log(5))])
def test_a_uniform_prediction_has_the_loss_of_the_number_of_labels(labels, nats):
    task = FewShot(classes=4, presentations=5, labels=labels)
    batch = task.batch(0, 2)
    assert task.loss(torch.zeros(2, 20, task.output_size), batch).item() == pytest.approx(nats, rel=1e-6)


def test_a_nearest_neighbour_with_the_given_labels_learns_an_episode():
    """Independent of any network: the nearest of the images before has the label more often at each presentation."""
    task = FewShot()
    batch = task.batch(0, 60, split="test")
    outputs = torch.zeros(60, 50, 5)
    for row in range(60):
        images = images_of(batch, row)
        for step in range(1, 50):
            nearest = int((images[:step] - images[step]).abs().sum(1).argmin())
            outputs[row, step] = batch.inputs[row, nearest + 1, 400:]
    scores = task.scores(outputs, batch)
    assert 0.25 < scores["second"] < scores["fifth"] < 1


def test_the_number_of_presentations_is_the_length_of_an_example():
    task = FewShot(presentations=5)
    assert task.batch(0, 2, lengths=(7, 7)).inputs.shape == (2, 35, 405)
    assert {task.batch(index, 2, lengths=(6, 8)).mask.shape[1] for index in range(20)} == {30, 35, 40}
    with pytest.raises(ValueError, match=r"lengths are 4\.\.5, but FewShot needs 5 <= shortest"):
        task.batch(0, 2, lengths=(4, 5))
    with pytest.raises(
        ValueError, match="presentations is 21, but there are 20 images of a character; give at most 20"
    ):
        task.batch(0, 2, lengths=(5, 21))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"classes": 41},
            "classes is 41, but an episode of validation has at most the 40 characters of that split; give",
        ),
        (
            {"classes": 3126, "labels": "letters"},
            "classes is 3126, but there are 3125 strings of 5 letters; give fewer",
        ),
        ({"classes": 1}, "classes is 1"),
        ({"presentations": 4}, "presentations is 4"),
        ({"presentations": 21}, "presentations is 21, but there are 20 images of a character"),
        ({"episodes": 0}, "episodes is 0"),
        ({"labels": "words"}, "labels is 'words', but it must be one of 'one-hot', 'letters'"),
    ],
)
def test_invalid_options_are_refused(options, message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        FewShot(**options)


def squares():
    """Return an image with a square left of the centre and one in the upper right corner."""
    image = torch.zeros(1, 35, 35, dtype=torch.uint8)
    image[0, 14:21, 4:11] = 200
    image[0, 0:7, 28:35] = 100
    return image


def test_quarter_turns_are_anticlockwise(undistorted):
    straight, *turned = (
        distorted(squares(), torch.tensor([quarters]), torch.Generator()).reshape(20, 20) for quarters in range(4)
    )
    assert straight[10, 4] == 1
    assert straight[2, 17] == pytest.approx(0.5)
    for quarters, image in enumerate(turned, start=1):
        torch.testing.assert_close(image, straight.rot90(quarters), rtol=0, atol=1e-4)


def test_an_image_without_distortion_is_the_image_at_the_centres_of_its_pixels(undistorted):
    image = (torch.rand(1, 35, 35, generator=torch.Generator().manual_seed(1)) * 255).to(torch.uint8)
    found = distorted(image, torch.tensor([0]), torch.Generator()).reshape(20, 20)
    for row, column in ((3, 5), (10, 17), (0, 0)):
        y, x = (1.75 * (place + 0.5) - 0.5 for place in (row, column))
        top, left = math.floor(y), math.floor(x)
        down, right = y - top, x - left
        corners = image[0, top : top + 2, left : left + 2].double()
        weights = torch.tensor([[(1 - down) * (1 - right), (1 - down) * right], [down * (1 - right), down * right]])
        wanted = float((corners * weights).sum()) / float(distorted_largest(image))
        assert found[row, column] == pytest.approx(wanted, rel=1e-5)


def distorted_largest(image):
    grid = functional.affine_grid(torch.eye(2, 3)[None], [1, 1, 20, 20], align_corners=False)
    return functional.grid_sample(image[:, None].float(), grid, align_corners=False).max()


def test_a_shift_moves_an_image_by_at_most_a_tenth_of_its_size(monkeypatch):
    monkeypatch.setattr(distortion, "LARGEST_TURN", 0.0)
    far = (torch.arange(35) - 17) ** 2
    image = (255 * torch.exp(-(far[:, None] + far) / 18)).to(torch.uint8)[None]
    many = distorted(image.expand(400, -1, -1), torch.zeros(400, dtype=torch.long), torch.Generator().manual_seed(0))
    many = many.reshape(400, 20, 20) / many.sum(1)[:, None, None]
    places = torch.arange(20) - 9.5
    down, across = (many.sum(2) * places).sum(1), (many.sum(1) * places).sum(1)
    largest = 10 * 20 / 105
    for moved in (down, across):
        assert 0.95 * largest < moved.max() <= 1.03 * largest
        assert -1.03 * largest <= moved.min() < -0.95 * largest
    assert abs(torch.corrcoef(torch.stack([down, across]))[0, 1]) < 0.15


def test_synthetic_characters_differ_more_than_their_images():
    images = synthetic_characters().images[:40].float().flatten(2)
    means = images[:, :10].mean(1)
    nearest = torch.cdist(images[:, 10:].flatten(0, 1), means).argmin(1)
    assert 0.6 < (nearest == torch.arange(40).repeat_interleave(10)).float().mean() < 1
    assert 0.03 < images.mean() / 255 < 0.2


def test_an_example_is_shown_with_the_presentation_of_each_class():
    task = FewShot(classes=2, presentations=5, labels="letters")
    batch = task.batch(0, 1)
    outputs = functional.one_hot(batch.targets, 5).flatten(2).float()
    title, *lines = task.show(batch, outputs).splitlines()
    assert title == "FewShot, 10 steps"
    presented, target, output = (line.split() for line in lines)
    assert sorted(presented[1:]) == sorted(2 * list("12345"))
    assert target[1:] == output[1:]
    assert [tuple("abcde".index(letter) for letter in label) for label in target[1:]] == labels_of(task, batch, 0)
