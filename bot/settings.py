"""Settings of the bot, on top of the knowledge base's. Knows nothing of how they are used."""

from knowledge_base.settings import Settings as KnowledgeBaseSettings


class Settings(KnowledgeBaseSettings):
    """`generator`: "embedded" (used once the release says it is fit), a Hugging Face name or a local folder.

    `generator_url` points to an OpenAI-compatible server instead, with `generator_model` and `generator_key`.
    `release`: the name of a release, or "current" for the promoted one.
    """

    generator: str = "embedded"
    generator_url: str = ""
    generator_model: str = ""
    generator_key: str = ""
    release: str = "current"
