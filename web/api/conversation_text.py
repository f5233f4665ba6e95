"""One conversation as plain text, as a person reads it or mails it. Pure; knows no database."""

from bot.transcript import Line, Transcript
from knowledge_base.types import Language

_ROLES: dict[str, dict[Language, str]] = {
    "customer": {"zh": "客户", "en": "Customer"},
    "bot": {"zh": "机器人", "en": "Bot"},
    "staff": {"zh": "客服", "en": "Staff"},
}
_WORDS: dict[str, dict[Language, str]] = {
    "title": {"zh": "会话 {id}，{at}", "en": "Conversation {id}, {at}"},
    "source": {"zh": "来源", "en": "Source"},
    "correction": {"zh": "更正", "en": "Correction"},
    "note": {"zh": "内部备注", "en": "Note"},
    "contact": {"zh": "联系方式", "en": "Contact"},
}


def as_text(conversation: Transcript, language: Language) -> str:
    """Messages with time and speaker, sources under the answers; notes and contacts last."""
    title = _WORDS["title"][language].format(
        id=conversation.id, at=f"{conversation.opened.astimezone():%Y-%m-%d %H:%M}"
    )
    parts = [title, *(_line(line, language) for line in conversation.lines)]
    parts += [_named("contact", f"{one['contact']} {one['text']}".strip(), language) for one in conversation.contacts]
    parts += [_named("note", f"{one['staff_name']}: {one['text']}", language) for one in conversation.notes]
    return "\n\n".join(parts) + "\n"


def _line(line: Line, language: Language) -> str:
    who = line.author or _ROLES[line.role][language]
    parts = [f"[{line.at.astimezone():%H:%M:%S}] {who}", line.text]
    parts += [_named("source", one["title"], language) for one in (line.answer or {}).get("citations", ())]
    if line.correction:
        parts.append(_named("correction", line.correction["text"], language))
    return "\n".join(parts)


def _named(word: str, text: str, language: Language) -> str:
    return f"{_WORDS[word][language]}{'：' if language == 'zh' else ': '}{text}"
