"""The loss of the encoder's trainer, on a toy model whose tokens can be told."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from knowledge_base.late_interaction import max_sim as served
from training.two_looks import TwoLooks, by_length, max_sim

LENGTHS = 8 * torch.tensor([9, 4, 7, 4, 5, 8, 4, 4, 5, 6, 4, 5])
MASK = (torch.arange(72)[None] < LENGTHS[:, None]).long()


class Table(nn.Module):
    """Looks a token's vector up; a text is the mean of its tokens. Counts the tokens it was given, padding too."""

    def __init__(self, dimension: int = 5) -> None:
        super().__init__()
        self.rows = nn.Embedding(3000, dimension)
        self.seen = 0

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        ids, mask = features["input_ids"], features["attention_mask"].unsqueeze(-1)
        self.seen += ids.numel()
        tokens = self.rows(ids) * mask
        return {"token_embeddings": tokens, "sentence_embedding": tokens.sum(1) / mask.sum(1)}


def texts(seed: int) -> dict[str, Tensor]:
    """Twelve texts of tokens that stand nowhere else."""
    return {"input_ids": (torch.arange(864).reshape(12, 72) + 900 * seed) * MASK, "attention_mask": MASK}


def test_parts_of_like_length_give_the_same_vectors_with_less_padding() -> None:
    parted, plain = Table(), Table()
    plain.load_state_dict(parted.state_dict())
    wanted = normalize(plain(texts(1))["sentence_embedding"], dim=-1)
    found = by_length(parted, texts(1) | {"prompt": "x"}, 2)  # type: ignore[arg-type]
    torch.testing.assert_close(found.whole, wanted)
    assert parted.seen < 0.8 * plain.seen
    assert found.shown.sum(1).tolist() == (LENGTHS - 3).tolist()  # neither what comes before nor the mark at the end


def test_the_second_look_is_the_one_that_is_served() -> None:
    model = Table()
    asked, told = by_length(model, texts(1), 1), by_length(model, texts(2), 2)
    found = max_sim(asked, told).detach().numpy()
    for query in range(12):
        for text in range(12):
            rows = [one.tokens[i][one.shown[i]].detach().numpy() for one, i in ((asked, query), (told, text))]
            assert max(0.0, found[query, text]) == pytest.approx(served(*rows), abs=1e-5)


def test_training_brings_each_text_to_its_query_at_both_looks() -> None:
    torch.manual_seed(3)
    model = Table(16)
    loss = TwoLooks(model, 10.0, 1.0, (1, 1))
    optimiser = torch.optim.Adam(model.parameters(), 0.05)
    first = loss([texts(1), texts(2)]).item()
    for _ in range(60):
        optimiser.zero_grad()
        found = loss([texts(1), texts(2)])
        found.backward()
        optimiser.step()
    assert found.item() < 0.3 * first
    asked, told = by_length(model, texts(1), 1), by_length(model, texts(2), 1)
    own = torch.arange(12)
    assert (asked.whole @ told.whole.T).argmax(1).equal(own) and max_sim(asked, told).argmax(1).equal(own)


def test_without_the_second_look_only_the_whole_texts_count() -> None:
    model = Table()
    first, both, twice = (TwoLooks(model, 10.0, w, (1, 1))([texts(1), texts(2)]).item() for w in (0.0, 1.0, 2.0))
    assert twice - both == pytest.approx(both - first, abs=1e-4) and both > first
