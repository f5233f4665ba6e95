"""Settings of the knowledge base, read once at the edge from KEFU_* variables; inner classes take plain arguments."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`data`: the one data folder. `encoder`: "embedded", a Hugging Face name or a local folder.

    `models`: where converted models are kept, which several data folders may share; in the data folder when empty.

    `milvus`: the server that is searched with, such as http://milvus:19530 or http://milvus:19530/DATABASE, and
    `milvus_token`, what lets in there; a file that ends in .db is opened by milvus-lite, for trying. Empty: FAISS and
    tantivy, in this process.
    """

    model_config = SettingsConfigDict(env_prefix="KEFU_", extra="ignore")

    data: Path = Path("data")
    models: str = ""
    encoder: str = "embedded"
    device: str = "auto"  # auto | cpu | cuda | cuda:1 | mps
    database_url: str = ""  # empty: SQLite in the data folder
    milvus: str = ""
    milvus_token: str = ""

    @property
    def models_folder(self) -> Path:
        return Path(self.models) if self.models else self.data / "models"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data / 'kefu.sqlite'}"
