"""The program behind `generator_graph`: loads a generator with torch, writes its graph, and takes torch away with it.

Knows nothing of who asks.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bot.torch_engine import load
from bot.types import BotError
from knowledge_base.adapter import Adapter
from knowledge_base.graph_folder import as_own_process, open_openvino
from knowledge_base.types import KnowledgeBaseError

_NEVER = -3e38  # what a token that may not be looked at is given


def converted(name: str, adapter: Adapter | None) -> Callable[[Path], None]:
    """What writes the generator's graph into a folder. Raises KnowledgeBaseError."""
    import torch

    try:
        model, tokenizer = load(name, adapter, dtype=torch.float32, attn_implementation="sdpa")
    except BotError as error:
        raise KnowledgeBaseError(str(error)) from error
    graph = traced(model)
    keep_state(graph, model.config)
    shrink(graph)
    return lambda folder: write(model, tokenizer, graph, folder)


class _Past:
    """What transformers' layers take for their cache: the past as it comes in, and the present to hand out."""

    is_compileable = False
    is_initialized = True

    def __init__(self, past: list[Any]) -> None:
        self._past = past
        self.present: list[Any] = []

    def update(self, keys: Any, values: Any, layer: int, *_: Any, **__: Any) -> tuple[Any, Any]:
        import torch

        both = torch.cat([self._past[2 * layer], keys], -2), torch.cat([self._past[2 * layer + 1], values], -2)
        self.present += both
        return both

    def get_seq_length(self, layer: int = 0) -> Any:
        return self._past[0].shape[-2]


def traced(model: Any) -> Any:
    """The decoder as a graph: tokens and past to the present and to the scores after the tokens numbered in `last`."""
    import torch

    class Decoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.whole = model

        def forward(self, input_ids: Any, attention_mask: Any, position_ids: Any, last: Any, past: Any) -> Any:
            cache = _Past(past)
            there = torch.arange(attention_mask.shape[1])[None, None, :]
            seen = (there <= position_ids[:, :, None]) & (attention_mask[:, None, :] > 0)
            mask = torch.where(seen[:, None], 0.0, _NEVER)
            hidden = self.whole.model(
                input_ids, attention_mask=mask, position_ids=position_ids, past_key_values=cache, use_cache=True
            ).last_hidden_state
            return (self.whole.lm_head(hidden.index_select(0, last)), *cache.present)

    heads, width, layers = _shape(model.config)
    example = {
        "input_ids": torch.ones(2, 4, dtype=torch.long),
        "attention_mask": torch.ones(2, 7, dtype=torch.long),
        "position_ids": torch.arange(3, 7)[None].repeat(2, 1),
        "last": torch.arange(2),
        "past": [torch.zeros(2, heads, 3, width) for _ in range(2 * layers)],
    }
    with torch.no_grad():
        return open_openvino().convert_model(Decoder().eval(), example_input=example)


def keep_state(graph: Any, config: Any) -> None:
    """Name inputs and outputs, and keep the past inside: the form in which OpenVINO finds attention to page."""
    from openvino import PartialShape
    from openvino import opset13 as ops
    from openvino._offline_transformations import apply_make_stateful_transformation

    heads, width, layers = _shape(config)
    past = [f"past.{layer}.{part}" for layer in range(layers) for part in ("key", "value")]
    shapes = {"last": [-1], **dict.fromkeys(past, [-1, heads, -1, width])}
    for taken, name in zip(graph.inputs, ["input_ids", "attention_mask", "position_ids", "last", *past], strict=True):
        taken.get_tensor().set_names({name})
        taken.get_node().set_friendly_name(name)
        taken.get_node().set_partial_shape(PartialShape(shapes.get(name, [-1, -1])))
    for given, name in zip(graph.outputs, ["logits", *(f"new.{name}" for name in past)], strict=True):
        given.get_tensor().set_names({name})
    graph.validate_nodes_and_infer_types()
    beams = ops.parameter([-1], dtype=np.int32, name="beam_idx")
    beams.output(0).get_tensor().add_names({"beam_idx"})
    graph.add_parameters([beams])
    for name in past:
        taken = graph.input(name)
        users = taken.get_target_inputs()
        chosen = ops.gather(taken, beams, ops.constant(0))
        for user in users:
            user.replace_source_output(chosen.output(0))
    graph.validate_nodes_and_infer_types()
    apply_make_stateful_transformation(graph, {name: f"new.{name}" for name in past})
    texts = ops.gather(ops.shape_of(graph.input("input_ids"), "i64"), ops.constant([0]), ops.constant(0))
    empty = ops.concat([texts, ops.constant(np.array([heads, 0, width], np.int64))], 0)
    for node in graph.get_ops():
        if node.get_type_name() == "ReadValue":
            node.set_arguments([ops.broadcast(ops.constant(0.0, dtype=np.float32), empty)])
    graph.validate_nodes_and_infer_types()


def shrink(graph: Any) -> None:
    """Give every matrix eight bits a weight, and each of its rows a scale."""
    from openvino import opset13 as ops

    for node in graph.get_ops():
        if node.get_type_name() != "MatMul":
            continue
        source = node.input_value(1).get_node()
        if source.get_type_name() != "Constant" or len(source.shape) != 2 or not node.get_transpose_b():
            continue
        weights = np.array(source.data, np.float32)
        scale = np.abs(weights).max(1, keepdims=True) / 127
        scale[scale == 0] = 1
        rounded = ops.constant(np.round(weights / scale).astype(np.int8))
        small = ops.multiply(ops.convert(rounded, "f32"), ops.constant(scale.astype(np.float32)))
        for user in source.output(0).get_target_inputs():  # an embedding that is tied to the scores too
            user.replace_source_output(small.output(0))


def write(model: Any, tokenizer: Any, graph: Any, folder: Path) -> None:
    """The graph, the tokenizer, and what a writer must know of both."""
    config, says = model.config, model.generation_config
    ends = says.eos_token_id or tokenizer.eos_token_id
    types = getattr(config, "layer_types", None) or [""] * config.num_hidden_layers
    told = {
        "ends": ends if isinstance(ends, list) else [ends],
        "windows": [config.sliding_window if one == "sliding_attention" else 0 for one in types],
    }
    (folder / "writer.json").write_text(json.dumps(told), "utf8")
    tokenizer.save_pretrained(folder)
    open_openvino().save_model(graph, folder / "graph.xml", compress_to_fp16=False)


def _shape(config: Any) -> tuple[int, int, int]:
    """Heads of keys and values, their width, and layers."""
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return config.num_key_value_heads, width, config.num_hidden_layers


if __name__ == "__main__":
    sys.exit(as_own_process(sys.argv[1], converted))
