"""The optimizer for matrices."""

import pytest
import torch

from anyflow.train.muon import MuonAdamW, orthogonalise


@pytest.mark.parametrize("shape", [(24, 24), (16, 40), (40, 16)])
def test_the_singular_values_of_an_update_are_about_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    values = torch.linalg.svdvals(orthogonalise(torch.randn(3, *shape)))
    assert values.min() > 0.4 and values.max() < 1.3


def test_a_matrix_moves_the_same_alone_and_among_others() -> None:
    torch.manual_seed(2)
    starts = [torch.randn(16, 24), torch.randn(16, 24), torch.randn(24, 16), torch.randn(16, 6, 2, 2)]
    gradients = [torch.randn_like(start) for start in starts]

    def moved(chosen: list[int]) -> list[torch.Tensor]:
        parameters = [starts[i].clone().requires_grad_() for i in chosen]
        optimizer = MuonAdamW([{"params": parameters, "muon": True, "lr": 0.02}])
        for _ in range(3):
            for parameter, i in zip(parameters, chosen, strict=True):
                parameter.grad = gradients[i].clone()
            optimizer.step()
        return [parameter.detach() for parameter in parameters]

    together = moved([0, 1, 2, 3])
    for i in range(4):
        torch.testing.assert_close(moved([i])[0], together[i], atol=1e-5, rtol=1e-5)
        assert not torch.equal(together[i], starts[i])
