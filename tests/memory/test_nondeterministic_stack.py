"""The nondeterministic stack: its scales, its window, grammars in its weights, its views and its interface."""

import dataclasses
import math

import pytest
import torch
from torch.nn import functional

from memtape.memory import NondeterministicStack, NondeterministicStackControl, NondeterministicStackInterface

F64 = torch.float64
BATCH, STATES, SYMBOLS, HIDDEN = 2, 2, 3, 4


def random_control(vector_size=0, spread=1.0, batch=BATCH):
    """Return a control whose weights are exponentials of normal samples."""
    several, one = (STATES, SYMBOLS, STATES, SYMBOLS), (STATES, SYMBOLS, STATES)
    parts = [torch.exp(spread * torch.randn(batch, *shape, dtype=F64)) for shape in (several, several, one)]
    return NondeterministicStackControl(
        push=parts[0],
        replace=parts[1],
        pop=parts[2],
        pushed=torch.rand(batch, vector_size, dtype=F64),
        log_scale=torch.zeros(batch, dtype=F64),
    )


def run(memory, controls):
    """Return the readings of a sequence, and the last state."""
    state, readings = memory.init_state(len(controls[0].pushed), dtype=F64), []
    for control in controls:
        reading, state = memory(control, state)
        readings.append(reading)
    return torch.stack(readings, 1), state


def log_space_weights(controls):
    """Return the logarithms of all weights after the last step, by sums of exponentials in log space without scales."""
    count, log_sum = len(controls), torch.logsumexp
    push, replace, pop = (
        [getattr(control, name)[0].log() for control in controls] for name in ("push", "replace", "pop")
    )
    nothing = torch.full((STATES, SYMBOLS, STATES, SYMBOLS), -math.inf, dtype=F64)
    first = nothing.clone()
    first[0, 0, 0, 0] = 0
    gamma, ended = {(-1, 0): first}, {}
    source = {-1: first[:, :, 0, 0]}
    source[0] = first[0, 0]
    for t in range(1, count + 1):
        p, r, o = push[t - 1], replace[t - 1], pop[t - 1]
        gamma[t - 1, t] = p
        for k in range(t - 1):
            ended[k] = log_sum((gamma[k, t - 1][..., None] + o).flatten(2, 3), 2)
        for i in range(-1, t - 1):
            terms = [log_sum((gamma[i, t - 1][..., None, None] + r).flatten(2, 3), 2)]
            if i + 1 < t - 1:
                both = [
                    log_sum(gamma[i, k][..., None] + ended[k][None, None], 2).transpose(2, 3)
                    for k in range(i + 1, t - 1)
                ]
                terms += both
            gamma[i, t] = log_sum(torch.stack(terms), 0)
        every = torch.stack([(source[i][..., None, None] + gamma[i, t]).flatten(0, 1) for i in range(-1, t)])
        source[t] = log_sum(every.flatten(0, 1), 0)
    return source[count]


def test_scaled_weights_equal_those_in_log_space_after_many_steps():
    torch.manual_seed(3)
    controls = [random_control(spread=2.0, batch=1) for _ in range(40)]
    memory = NondeterministicStack(STATES, SYMBOLS)
    _, state = run(memory, controls)
    assert not torch.isfinite(torch.exp2(state.exponent.float())).all()  # beyond the range of float32
    torch.testing.assert_close(memory.log_weights(state)[0], log_space_weights(controls), rtol=1e-12, atol=0)


def test_readings_do_not_depend_on_the_scale_of_a_step():
    controls = [random_control(2) for _ in range(6)]
    scaled = []
    for n, control in enumerate(controls):
        factor = (1e9, 1e-7, 3.0)[n % 3]
        changes = {name: factor * getattr(control, name) for name in ("push", "replace", "pop")}
        scaled.append(dataclasses.replace(control, log_scale=control.log_scale - math.log(factor), **changes))
    memory = NondeterministicStack(STATES, SYMBOLS, vector_size=2)
    (readings, state), (others, end) = run(memory, controls), run(memory, scaled)
    torch.testing.assert_close(others, readings, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(memory.log_weights(end), memory.log_weights(state), rtol=1e-12, atol=1e-12)


def test_unreachable_configurations_with_large_weights_do_no_harm_in_float32():
    """State 1 is never reached, and its weights exceed those of state 0 by a factor that overflows."""
    weights = torch.zeros(1, 2, 2, 2, 2)
    weights[:, 0, :, 0], weights[:, 1] = 0.2, 1e3
    control = NondeterministicStackControl(
        push=weights, replace=weights, pop=weights[..., 0], pushed=torch.zeros(1, 0), log_scale=torch.zeros(1)
    )
    memory = NondeterministicStack(2, 2)
    state = memory.init_state(1)
    for _ in range(60):
        reading, state = memory(control, state)
    torch.testing.assert_close(reading.sum(), torch.tensor(1.0))
    assert reading[0, 2:].tolist() == [0, 0]
    assert all(leaf.isfinite().all() for leaf in (state.table, state.sources, state.tops))


def test_readings_over_states_sum_to_1_and_those_over_symbols_are_their_sums():
    controls = [random_control() for _ in range(5)]
    readings, _ = run(NondeterministicStack(STATES, SYMBOLS), controls)
    torch.testing.assert_close(readings.sum(-1), torch.ones(BATCH, 5, dtype=F64))
    symbols, _ = run(NondeterministicStack(STATES, SYMBOLS, reading="symbols"), controls)
    torch.testing.assert_close(symbols, readings.unflatten(-1, (STATES, SYMBOLS)).sum(-2))


def test_the_first_reading_is_the_bottom_symbol_in_state_0():
    reading = NondeterministicStack(STATES, SYMBOLS)
    assert reading.read(reading.init_state(1)).tolist() == [[1, 0, 0, 0, 0, 0]]
    for bottom, value in (("learned", 0.5), ("ones", 1.0), ("zeros", 0.0)):
        memory = NondeterministicStack(1, 2, vector_size=2, bottom=bottom)
        assert memory.read(memory.init_state(1)).tolist() == [[value, value, 0, 0]]


def test_a_mean_vector_lies_between_the_pushed_vectors_and_that_of_the_bottom():
    controls = [random_control(2, spread=3.0) for _ in range(8)]
    memory = NondeterministicStack(STATES, SYMBOLS, vector_size=2, bottom="ones")
    readings, _ = run(memory, controls)
    means = readings.unflatten(-1, (STATES * SYMBOLS, 2)).sum(-2)
    for t in range(8):
        seen = torch.stack([control.pushed for control in controls[: t + 1]] + [torch.ones(BATCH, 2, dtype=F64)])
        assert (means[:, t] >= seen.amin(0) - 1e-12).all()
        assert (means[:, t] <= seen.amax(0) + 1e-12).all()


def test_a_window_of_all_steps_changes_nothing_and_a_shorter_one_does():
    controls = [random_control(1) for _ in range(7)]
    readings, _ = run(NondeterministicStack(STATES, SYMBOLS, vector_size=1), controls)
    enough, state = run(NondeterministicStack(STATES, SYMBOLS, vector_size=1, window=7), controls)
    torch.testing.assert_close(enough, readings, rtol=1e-13, atol=0)
    assert state.sources.shape[1] == 8
    short, state = run(NondeterministicStack(STATES, SYMBOLS, vector_size=1, window=4), controls)
    assert state.sources.shape[1] == 5
    torch.testing.assert_close(short[:, :4], readings[:, :4], rtol=1e-13, atol=0)
    assert not torch.allclose(short[:, 4:], readings[:, 4:])


def grammar_control(states, symbols, rules):
    """Return the control of a step from rules (operation, from state, top symbol, to state, symbol): weight."""
    several, one = (1, states, symbols, states, symbols), (1, states, symbols, states)
    parts = {"push": torch.zeros(several, dtype=F64), "replace": torch.zeros(several, dtype=F64)}
    parts["pop"] = torch.zeros(one, dtype=F64)
    for (operation, *place), weight in rules.items():
        parts[operation][(0, *place)] = weight
    return NondeterministicStackControl(
        **parts, pushed=torch.zeros(1, 0, dtype=F64), log_scale=torch.zeros(1, dtype=F64)
    )


@pytest.mark.parametrize(
    ("long", "short", "expected"),
    [
        (1.0, 1.0, [1, 0, 1, 0, 2, 0, 5, 0, 14, 0, 42, 0, 132]),
        (0.4, 0.6, [0.6, 0, 0.144, 0, 0.06912, 0, 0.041472, 0, 0.02786918]),
    ],
)
def test_the_number_of_parses_and_the_inside_probability_of_a_grammar(long, short, expected):
    """S -> a S S | a: the state is the symbol to expand or "done", the stack holds the rest."""
    to_expand, done, bottom, rest = 0, 1, 0, 1
    rules = {("push", to_expand, top, to_expand, rest): long for top in (bottom, rest)}
    rules |= {("pop", to_expand, rest, to_expand): short, ("replace", to_expand, bottom, done, bottom): short}
    memory, control = NondeterministicStack(2, 2), grammar_control(2, 2, rules)
    state = memory.init_state(1, dtype=F64)
    for count in expected:
        _, state = memory(control, state)
        found = memory.weights(state)[0, done, bottom].item()
        assert found == (count if long == 1 else pytest.approx(count, rel=1e-6))


def test_without_any_run_the_reading_and_its_gradients_are_zero():
    memory, control = NondeterministicStack(STATES, SYMBOLS), random_control()
    nothing = {name: torch.zeros_like(getattr(control, name)).requires_grad_() for name in ("push", "replace", "pop")}
    state = memory.init_state(BATCH, dtype=F64)
    for _ in range(3):
        reading, state = memory(dataclasses.replace(control, **nothing), state)
    assert not reading.any()
    assert torch.isneginf(memory.log_weights(state)).all()
    reading.sum().backward()
    assert all(part.grad.isfinite().all() for part in nothing.values())


def test_log_weights_have_gradients_beside_configurations_without_a_run():
    weight = torch.full((), 0.5, dtype=F64, requires_grad=True)
    memory, control = NondeterministicStack(2, 2), grammar_control(2, 2, {("push", 0, 0, 1, 1): 1})
    _, state = memory(dataclasses.replace(control, push=weight * control.push), memory.init_state(1, dtype=F64))
    log_weights = memory.log_weights(state)
    assert torch.isneginf(log_weights).flatten().tolist() == [True, True, True, False]
    log_weights[0, 1, 1].backward()
    assert weight.grad.item() == pytest.approx(2)


def test_views_are_shares_of_the_runs_after_the_step():
    memory, controls = NondeterministicStack(STATES, SYMBOLS, vector_size=1), [random_control(1) for _ in range(4)]
    _, state = run(memory, controls[:3])
    _, after = memory(controls[3], state)
    views = {view.name: view for view in memory.views(controls[3], state)}
    assert list(views) == ["operations", "tops", "ages"]
    for view in views.values():
        torch.testing.assert_close(view.values.sum(1), torch.ones(BATCH, dtype=F64))
    tops = after.tops[..., 0].flatten(1)
    torch.testing.assert_close(views["tops"].values, tops / tops.sum(1, keepdim=True))
    assert views["tops"].entries[:2] == ("0, bottom", "0, symbol 1")
    assert views["ages"].values.shape == (BATCH, state.sources.shape[1] + 1)
    only = {name: torch.zeros_like(getattr(controls[3], name)) for name in ("push", "replace", "pop")}
    for n, name in enumerate(only):
        control = dataclasses.replace(controls[3], **(only | {name: getattr(controls[3], name)}))
        assert memory.views(control, state)[0].values[:, n].tolist() == pytest.approx([1, 1])
        age = memory.views(control, state)[2].values[:, 0]
        assert age.tolist() == pytest.approx([1, 1] if name == "push" else [0, 0])


@pytest.mark.parametrize("normalised", [False, True])
def test_the_interface_by_the_letter(normalised):
    interface = NondeterministicStackInterface(HIDDEN, STATES, SYMBOLS, vector_size=2, normalised=normalised).double()
    hidden = torch.randn(1, HIDDEN, dtype=F64)
    control, linear = interface(hidden), interface.head_parameters.linear
    raw = [
        sum(w * h for w, h in zip(row, hidden[0].tolist(), strict=True)) + bias
        for row, bias in zip(linear.weight.tolist(), linear.bias.tolist(), strict=True)
    ]
    many, place = STATES * SYMBOLS, 0
    sizes = {"push": many, "replace": many, "pop": STATES}
    logits = {}
    for name, size in sizes.items():
        logits[name] = [raw[place + n * size : place + (n + 1) * size] for n in range(many)]
        place += many * size
    scale = control.log_scale.exp().item()
    for source in range(many):
        powers = {name: [math.exp(z) for z in rows[source]] for name, rows in logits.items()}
        total = sum(map(sum, powers.values())) if normalised else 1.0
        for name, expected in powers.items():
            found = getattr(control, name).flatten(1, 2)[0, source].flatten() * scale
            assert found.tolist() == pytest.approx([power / total for power in expected])
    assert control.pushed[0].tolist() == pytest.approx([1 / (1 + math.exp(-z)) for z in raw[place:]])


def test_saturated_logits_give_weights_of_0_and_1():
    interface = NondeterministicStackInterface(1, 1, 2)
    with torch.no_grad():
        interface.head_parameters.linear.weight.zero_()
        interface.head_parameters.linear.bias.copy_(-1000 * functional.one_hot(torch.tensor(0), 10))
    control = interface(torch.zeros(1, 1))
    assert control.push.flatten().tolist() == [0, 1, 1, 1]
    assert control.log_scale.tolist() == [0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: NondeterministicStack(0, 2), "states of NondeterministicStack is 0, but it must be at least 1"),
        (lambda: NondeterministicStack(1, 0), "symbols of NondeterministicStack is 0, but it must be at least 1"),
        (lambda: NondeterministicStack(vector_size=-1), "vector_size is -1, but it must be at least 0"),
        (lambda: NondeterministicStack(window=0), "window is 0, but it must be at least 1"),
        (lambda: NondeterministicStack(reading="top"), "reading is 'top', but it must be one of 'states', 'symbols'"),
        (lambda: NondeterministicStack(bottom="random"), "bottom is 'random', but it must be one of 'learned'"),
        (lambda: NondeterministicStackInterface(0), "hidden_size of HeadParameters is 0, but it must be at least 1"),
    ],
)
def test_invalid_options_are_refused(build, message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        build()
