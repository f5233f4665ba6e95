"""The program behind `graph`: loads an encoder with torch, writes its OpenVINO graph, and takes torch away with it.

Knows nothing of who asks.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from knowledge_base.adapter import Adapter
from knowledge_base.graph_folder import as_own_process, open_openvino
from knowledge_base.reader import load


def converted(name: str, adapter: Adapter | None) -> Callable[[Path], None]:
    """What writes the encoder's graph into a folder. Raises KnowledgeBaseError."""
    model = load(name, "cpu", adapter)
    graph = convert(model)
    return lambda folder: write(model, graph, folder)


def convert(model: Any) -> Any:
    """The transformer of a SentenceTransformer as a graph from ids and mask to the last layer, for any sizes."""
    import torch

    class Hidden(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = model[0].auto_model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
            return self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    example = model.tokenizer(["a", "a a a"], padding=True, return_tensors="pt")
    inputs = {name: example[name] for name in ("input_ids", "attention_mask")}
    return open_openvino().convert_model(Hidden().eval(), example_input=inputs)


def write(model: Any, graph: Any, folder: Path) -> None:
    """The graph, the tokenizer, and what a reader must know of both."""
    told = {
        "dimension": model.get_embedding_dimension(),
        "max_tokens": model.max_seq_length or 512,
        "prompts": model.prompts,
        "precision": str(model.dtype),
        "padding": model.tokenizer.pad_token_id,
    }
    (folder / "reader.json").write_text(json.dumps(told), "utf8")
    model.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    open_openvino().save_model(graph, folder / "graph.xml")


if __name__ == "__main__":
    sys.exit(as_own_process(sys.argv[1], converted))
