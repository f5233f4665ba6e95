"""Texts that try to run a script, made by putting each way to run one into each place that may let it out."""

from collections.abc import Iterator

MARK = "(window.hits=window.hits||[]).push({n})"
"""What runs where a script gets through."""

VECTORS = (
    "<script>{js}</script>",
    "<img src=x onerror={js}>",
    "<svg onload={js}>",
    "<svg><script>{js}</script></svg>",
    "<svg><animate onbegin={js} attributeName=x></svg>",
    "<iframe srcdoc='<script>parent.{js}</script>'></iframe>",
    "<iframe src='javascript:parent.{js}'></iframe>",
    "<body onload={js}>",
    "<details open ontoggle={js}>",
    "<video src=x onerror={js}></video>",
    "<audio src=x onerror={js}></audio>",
    "<object data='javascript:{js}'></object>",
    "<embed src='javascript:{js}'>",
    "<a href='javascript:{js}'>go</a>",
    "<form action='javascript:{js}'><button>go</button></form>",
    "<button formaction='javascript:{js}' form=f>go</button>",
    "<input autofocus onfocus={js}>",
    "<style onload={js}></style>",
    "<link rel=stylesheet href=x onerror={js}>",
    "<meta http-equiv=refresh content='0;url=javascript:{js}'>",
    "<base href='javascript:{js}//'>",
    "<math><mi xlink:href='javascript:{js}'>go</mi></math>",
    "{{{{constructor.constructor('{js}')()}}}}",
    "{{{{_c.constructor('{js}')()}}}}",
    "${{{js}}}",
    "[go](javascript:{js})",
    "![go](javascript:{js})",
    "<javascript:{js}>",
)
PLACES = (
    "{0}",
    '">{0}',
    "'>{0}",
    "</script>{0}",
    "</textarea></title></style></template>{0}",
    "--><!-- -->{0}",
    "]]>{0}",
    "`{0}`",
    "| a | {0} |",
    "# {0}\n- {0}",
    '\\u003c/script>\\"{0}',
    "\x00{0}\x0b",
)


def payloads() -> list[str]:
    """Every vector in every place, each with a number of its own; and again with the case of tags mixed."""
    return [text.format(js=MARK.format(n=number)) for number, text in enumerate(_texts())]


def _texts() -> Iterator[str]:
    for place in PLACES:
        for vector in VECTORS:
            yield place.replace("{0}", vector) if place != PLACES[3] else place.replace("{0}", _mixed(vector))


def _mixed(text: str) -> str:
    """The case of letters before the script mixed, as a filter on "<script" would miss it."""
    head, mark, rest = text.partition("{js}")
    return "".join(c.upper() if i % 2 else c for i, c in enumerate(head)) + mark + rest


LEAKS = """() => {
    const all = [...document.querySelectorAll('*')];
    for (const node of [...all]) if (node.shadowRoot) all.push(...node.shadowRoot.querySelectorAll('*'));
    const runs = (a) => /^on/i.test(a.name)
        || /^(href|src|action|formaction|xlink:href|data|srcdoc)$/i.test(a.name)
            && /^\\s*(javascript|vbscript|data:text)/i.test(a.value);
    const foreign = /^(iframe|object|embed|base|math|animate|details|form|audio|video)$/;
    return {
        hits: window.hits || [],
        handlers: all.flatMap((node) => [...node.attributes].filter(runs).map((a) => `${node.localName} ${a.name}`)),
        foreign: all.filter((node) => foreign.test(node.localName) && node.outerHTML.includes('hits'))
            .map((node) => node.outerHTML.slice(0, 200)),
        shown: all.some((node) => String(node.value || '').includes('window.hits'))
            || all.some((node) => node.shadowRoot && node.shadowRoot.textContent.includes('window.hits'))
            || document.body.innerText.includes('window.hits'),
    };
}"""
"""What of the payloads has become more than text on a page, its shadow roots included."""

SHOWN = """() => document.body.innerText.includes('window.hits')
    || [...document.querySelectorAll('input, textarea')].some((node) => node.value.includes('window.hits'))"""
"""Whether a page shows any of them yet."""
