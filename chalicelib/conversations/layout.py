"""The parts of a prompt as text, which the renderers of all channels put together. Pure."""

from collections.abc import Callable, Iterator

from chalicelib.conversations.model import Option, Prompt, TextRef
from chalicelib.conversations.texts import render_text
from chalicelib.languages import WorkerLanguage

_ELLIPSIS = "..."


def render_body(prompt: Prompt, language: WorkerLanguage) -> str:
    """Return notices and question, without the options."""
    parts = (*prompt.notices, *([] if prompt.question is None else [prompt.question]))
    return "\n\n".join(render_text(part, language) for part in parts)


def render_option(option: Option, language: WorkerLanguage) -> str:
    """Return the label of an option."""
    return render_text(option.label, language)


def render_numbered(prompt: Prompt, language: WorkerLanguage) -> str:
    """Return the whole prompt as text, each option with what is typed for it."""
    options = [f"{option.token}. {render_option(option, language)}" for option in prompt.options]
    link = [] if prompt.link is None else [prompt.link]
    return "\n".join([render_body(prompt, language), *link, *options])


def render_page_mark(language: WorkerLanguage) -> str:
    """Return the line that says how the next page is asked for."""
    return render_text(TextRef(key="page_more"), language)


def cut_pages(text: str, limit: int, mark: str, measure: Callable[[str], int]) -> list[str]:
    """Return a text in pages, cut between lines or else words. All but the last end with `mark`."""
    if measure(text) <= limit:
        return [text]
    pages, page = [], ""
    room = limit - measure(f"\n{mark}")
    for piece in _iter_pieces(text, room, measure):
        if page and measure((page + piece).rstrip()) > room:
            pages.append(f"{page.rstrip()}\n{mark}")
            page = ""
        page += piece
    return [*pages, page.rstrip()]


def shorten(text: str, limit: int) -> str:
    """Return a label that fits a button."""
    return text if len(text) <= limit else text[: limit - len(_ELLIPSIS)].rstrip() + _ELLIPSIS


def _iter_pieces(text: str, room: int, measure: Callable[[str], int]) -> Iterator[str]:
    """Yield the lines of a text; one that is longer than a page in words, and a longer word in parts."""
    for line in text.splitlines(keepends=True):
        if measure(line.rstrip()) <= room:
            yield line
            continue
        for word in line.split(" "):
            rest = f"{word} " if not word.endswith("\n") else word
            while measure(rest.rstrip()) > room:
                length = next(size for size in range(room, 0, -1) if measure(rest[:size]) <= room)
                yield rest[:length]
                rest = rest[length:]
            yield rest
