"""Hybrid search by txtai, haystack and llama-index over one JSON file of texts and queries; knows nothing of Kefu.

Usage, in the peers' virtual environment: python peer_adapters.py PEER request.json answer.json
The request holds `encoder`, `query_prefix`, `passage_prefix`, `language` (of the texts), `texts`, `queries`, `warm`
and `limit`; the answer `rankings` (positions of texts, best first, per query), `milliseconds` per query and
`versions`. Lines on stdout that begin with PROGRESS tell how far it is.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

Request = dict[str, Any]
Search = Callable[[str], list[int]]

PROGRESS = "progress: "
PACKAGES = {
    "txtai": ("txtai",),
    "haystack": ("haystack-ai", "sentence-transformers-haystack"),
    "llama-index": (
        "llama-index-core",
        "llama-index-retrievers-bm25",
        "llama-index-embeddings-huggingface",
        "rjieba",
    ),
}


def open_txtai(request: Request) -> Search:
    """The hybrid index of txtai's documentation: `hybrid=True` (normalised BM25 and vectors, half each) with content.

    Prefixes are its `instructions`. Chinese: its default tokenizer, Unicode text segmentation (UAX 29), which is what
    txtai came to offer for Chinese; it makes a token of each character and takes settings, but no tokenizer of ours.
    """
    from txtai import Embeddings  # type: ignore[import-not-found, unused-ignore]

    embeddings = Embeddings(
        path=request["encoder"],
        hybrid=True,
        content=True,
        instructions={"query": request["query_prefix"], "data": request["passage_prefix"]},
    )
    embeddings.index([(position, text, None) for position, text in enumerate(request["texts"])])
    # A bound parameter, since a customer's question may itself begin with "select".
    statement = "select id, score from txtai where similar(:query)"

    def search(query: str) -> list[int]:
        rows = embeddings.search(statement, request["limit"], parameters={"query": query})
        return [int(row["id"]) for row in rows]

    return search


def open_haystack(request: Request) -> Search:
    """The hybrid pipeline of haystack's documentation: BM25 and embeddings in memory, joined by reciprocal rank.

    Prefixes are its embedders' `prefix`; both retrievers hand on ten texts, their default. Chinese: its default
    tokenization, which makes a token of each Chinese character; it takes other regular expressions, but no tokenizer.
    """
    from haystack import Document, Pipeline  # type: ignore[import-not-found, unused-ignore]
    from haystack.components.joiners import DocumentJoiner  # type: ignore[import-not-found, unused-ignore]
    from haystack.components.retrievers.in_memory import (  # type: ignore[import-not-found, unused-ignore]
        InMemoryBM25Retriever,
        InMemoryEmbeddingRetriever,
    )
    from haystack.document_stores.in_memory import (  # type: ignore[import-not-found, unused-ignore]
        InMemoryDocumentStore,
    )
    from haystack_integrations.components.embedders.sentence_transformers import (  # type: ignore[import-not-found, unused-ignore]  # noqa: E501
        SentenceTransformersDocumentEmbedder,
        SentenceTransformersTextEmbedder,
    )

    quiet: dict[str, Any] = {"model": request["encoder"], "progress_bar": False, "normalize_embeddings": True}
    store = InMemoryDocumentStore()
    documents = [Document(id=str(position), content=text) for position, text in enumerate(request["texts"])]
    embedder = SentenceTransformersDocumentEmbedder(prefix=request["passage_prefix"], **quiet)
    embedder.warm_up()
    store.write_documents(embedder.run(documents)["documents"])
    pipeline = Pipeline()
    pipeline.add_component("words", InMemoryBM25Retriever(store, top_k=request["limit"]))
    pipeline.add_component("embedder", SentenceTransformersTextEmbedder(prefix=request["query_prefix"], **quiet))
    pipeline.add_component("meaning", InMemoryEmbeddingRetriever(store, top_k=request["limit"]))
    pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=request["limit"]))
    pipeline.connect("embedder.embedding", "meaning.query_embedding")
    pipeline.connect("words.documents", "joiner.documents")
    pipeline.connect("meaning.documents", "joiner.documents")

    def search(query: str) -> list[int]:
        found = pipeline.run({"words": {"query": query}, "embedder": {"text": query}})
        return [int(document.id) for document in found["joiner"]["documents"]]

    return search


def open_llama_index(request: Request) -> Search:
    """The hybrid retriever of llama-index's documentation: BM25Retriever and vector index, `reciprocal_rerank`, no LLM.

    Prefixes are its embedding's instructions; the vectors lie in its default store. Both retrievers hand on no more
    than is wanted in the end: BM25Retriever fills up with texts that share no word, which the fusion would count.
    """
    from llama_index.core import VectorStoreIndex  # type: ignore[import-not-found, unused-ignore]
    from llama_index.core.llms import MockLLM  # type: ignore[import-not-found, unused-ignore]
    from llama_index.core.retrievers import QueryFusionRetriever  # type: ignore[import-not-found, unused-ignore]
    from llama_index.core.schema import TextNode  # type: ignore[import-not-found, unused-ignore]
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding  # type: ignore[import-not-found]

    # Its fusion takes nodes of the same text and metadata for one node and adds their scores up, so that a phrasing
    # that stands twice would win every search; real nodes have their source in the metadata, and so have these.
    nodes = [
        TextNode(id_=str(n), text=text, metadata={"source": str(n)}, excluded_embed_metadata_keys=["source"])
        for n, text in enumerate(request["texts"])
    ]
    embedding = HuggingFaceEmbedding(
        model_name=request["encoder"],
        query_instruction=request["query_prefix"],
        text_instruction=request["passage_prefix"],
    )
    depth = min(request["limit"], len(nodes))
    index = VectorStoreIndex(nodes, embed_model=embedding)
    words = (_chinese_bm25 if request["language"] == "zh" else _english_bm25)(nodes, depth)
    retriever = QueryFusionRetriever(
        [index.as_retriever(similarity_top_k=depth), words],
        llm=MockLLM(),  # never asked: one query is the customer's own
        mode="reciprocal_rerank",
        similarity_top_k=request["limit"],
        num_queries=1,
        use_async=False,
    )

    def search(query: str) -> list[int]:
        return [int(hit.node.node_id) for hit in retriever.retrieve(query)]

    return search


def _english_bm25(nodes: list[Any], depth: int) -> Any:
    """As documented: English stop words and stemmer."""
    from llama_index.retrievers.bm25 import BM25Retriever  # type: ignore[import-not-found, unused-ignore]
    from Stemmer import Stemmer  # type: ignore[import-not-found, unused-ignore]

    return BM25Retriever.from_defaults(
        nodes=nodes, similarity_top_k=depth, stemmer=Stemmer("english"), language="english"
    )


def _chinese_bm25(nodes: list[Any], depth: int) -> Any:
    """BM25Retriever over an index of jieba's words, made outside and passed as `existing_bm25`.

    Its own splitting takes a whole clause of Chinese for one word, so that it would find nothing; words cut by jieba,
    in texts and queries alike, are what its users resort to.
    """
    import bm25s  # type: ignore[import-not-found, unused-ignore]
    from llama_index.core.schema import QueryBundle
    from llama_index.core.vector_stores.utils import (  # type: ignore[import-not-found, unused-ignore]
        node_to_metadata_dict,
    )
    from llama_index.retrievers.bm25 import BM25Retriever
    from rjieba import cut_for_search

    pattern = r"(?u)\b\w+\b"

    def spaced(text: str) -> str:
        return " ".join(cut_for_search(text))

    class JiebaBM25Retriever(BM25Retriever):  # type: ignore[misc, unused-ignore]
        def _retrieve(self, query_bundle: Any) -> Any:
            return super()._retrieve(QueryBundle(spaced(query_bundle.query_str)))

    bm25 = bm25s.BM25(corpus=[node_to_metadata_dict(node) | {"node_id": node.node_id} for node in nodes])
    texts = [spaced(node.text) for node in nodes]
    bm25.index(bm25s.tokenize(texts, stopwords="zh", token_pattern=pattern, show_progress=False), show_progress=False)
    return JiebaBM25Retriever(
        existing_bm25=bm25, similarity_top_k=depth, skip_stemming=True, token_pattern=pattern, language="zh"
    )


PEERS: dict[str, Callable[[Request], Search]] = {
    "txtai": open_txtai,
    "haystack": open_haystack,
    "llama-index": open_llama_index,
}


def answer(peer: str, request: Request, say: Callable[[str], None]) -> dict[str, Any]:
    """Index the texts, then put every query by itself."""
    say(f"indexing {len(request['texts'])} texts")
    search = PEERS[peer](request)
    for query in request["warm"]:
        search(query)
    rankings, milliseconds = [], []
    for done, query in enumerate(request["queries"], 1):
        began = time.perf_counter()
        rankings.append(search(query))
        milliseconds.append((time.perf_counter() - began) * 1000)
        say(f"{done} of {len(request['queries'])} queries")
    versions = {name: version(name) for name in PACKAGES[peer]}
    return {"rankings": rankings, "milliseconds": milliseconds, "versions": versions}


def main() -> None:
    peer, request, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])

    def say(text: str) -> None:
        sys.stdout.write(f"{PROGRESS}{text}\n")
        sys.stdout.flush()

    result = answer(peer, json.loads(request.read_text("utf8")), say)
    partial = target.with_suffix(".part")
    partial.write_text(json.dumps(result), "utf8")
    partial.replace(target)  # a file that is there is whole


if __name__ == "__main__":
    main()
