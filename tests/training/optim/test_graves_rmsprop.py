"""RMSprop of Graves (2013), against a scalar implementation."""

import math

import torch

from memtape.training.optim.graves_rmsprop import GravesRMSprop


def test_the_update_computes_the_rule_of_graves():
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(3, dtype=torch.float64))
    theta = weight.detach().clone()
    optimizer = GravesRMSprop([weight], lr=0.01, smoothing=0.95, momentum=0.9)
    square, mean, change = [0.0] * 3, [0.0] * 3, [0.0] * 3
    for _ in range(5):
        gradient = torch.randn(3, dtype=torch.float64)
        weight.grad = gradient.clone()
        optimizer.step()
        for i in range(3):
            g = float(gradient[i])
            square[i] = 0.95 * square[i] + 0.05 * g * g
            mean[i] = 0.95 * mean[i] + 0.05 * g
            change[i] = 0.9 * change[i] - 0.01 * g / math.sqrt(square[i] - mean[i] ** 2 + 1e-4)
            theta[i] += change[i]
    torch.testing.assert_close(weight.detach(), theta, rtol=0, atol=1e-15)
