"""Floor 2: the equations of the papers as pure functions of tensors, without parameters and state."""

from memtape.ops.addressing import content_weights, interpolate, sharpen, shift
from memtape.ops.allocation import allocation_weights, retention, usage_after
from memtape.ops.attention import additive_scores, attention_weights, dot_scores, weights_beside_empty
from memtape.ops.backpropagation import (
    ElmanGradients,
    ElmanParameters,
    cross_entropy_gradient,
    elman,
    elman_backward,
    elman_forward,
)
from memtape.ops.correlation import correlation_matrix, crosstalk, delta_write, optimal_matrix
from memtape.ops.dense_associative import dense_energy, dense_field
from memtape.ops.fast_weights import attend_to_the_past, fast_weights_after
from memtape.ops.hopfield import hebbian_weights, hopfield_energy, projection_weights, signs_of_fields
from memtape.ops.last_step import last_step
from memtape.ops.link_lists import (
    add_to_lists,
    linked,
    precedence_lists,
    predecessor_lists,
    successor_lists,
)
from memtape.ops.links import follow_links, links_after, precedence_after
from memtape.ops.modern_hopfield import metastable_size, modern_hopfield_energy, modern_hopfield_update
from memtape.ops.nondeterministic_stack import stack_column, stack_tops
from memtape.ops.outer_product_attention import feature_similarities, outer_product_attention
from memtape.ops.random_index import random_index
from memtape.ops.read_write import erase_and_add, read
from memtape.ops.ridge import RidgeSums, ridge, ridge_readout, ridge_sums
from memtape.ops.sparse_access import (
    clear_and_add,
    cosines,
    discounted_usage,
    last_access,
    least_used,
    nearest_weights,
    write_weights,
)
from memtape.ops.sparse_links import follow_sparse_links, sparse_links_after, strongest
from memtape.ops.stored_programs import key_similarity, mix_programs, program_scores
from memtape.ops.strength_stack import read_coefficients, strengths_after_pop
from memtape.ops.superposition_list import superpose_list
from memtape.ops.superposition_stack import one_hot_of_largest, superpose
from memtape.ops.tape import fixed_tape, move_with_blanks, move_with_jumps, write_at_head
from memtape.ops.vanishing import vanishing_penalty

__all__ = [
    "ElmanGradients",
    "ElmanParameters",
    "RidgeSums",
    "add_to_lists",
    "additive_scores",
    "allocation_weights",
    "attend_to_the_past",
    "attention_weights",
    "clear_and_add",
    "content_weights",
    "correlation_matrix",
    "cosines",
    "cross_entropy_gradient",
    "crosstalk",
    "delta_write",
    "dense_energy",
    "dense_field",
    "discounted_usage",
    "dot_scores",
    "elman",
    "elman_backward",
    "elman_forward",
    "erase_and_add",
    "fast_weights_after",
    "feature_similarities",
    "fixed_tape",
    "follow_links",
    "follow_sparse_links",
    "hebbian_weights",
    "hopfield_energy",
    "interpolate",
    "key_similarity",
    "last_access",
    "last_step",
    "least_used",
    "linked",
    "links_after",
    "metastable_size",
    "mix_programs",
    "modern_hopfield_energy",
    "modern_hopfield_update",
    "move_with_blanks",
    "move_with_jumps",
    "nearest_weights",
    "one_hot_of_largest",
    "optimal_matrix",
    "outer_product_attention",
    "precedence_after",
    "precedence_lists",
    "predecessor_lists",
    "program_scores",
    "projection_weights",
    "random_index",
    "read",
    "read_coefficients",
    "retention",
    "ridge",
    "ridge_readout",
    "ridge_sums",
    "sharpen",
    "shift",
    "signs_of_fields",
    "sparse_links_after",
    "stack_column",
    "stack_tops",
    "strengths_after_pop",
    "strongest",
    "successor_lists",
    "superpose",
    "superpose_list",
    "usage_after",
    "vanishing_penalty",
    "weights_beside_empty",
    "write_at_head",
    "write_weights",
]
