"""Prompts as text with numbered options, for channels without buttons: SMS and USSD. Pure."""

from chalicelib.conversations.capabilities import CAPABILITIES, Capabilities
from chalicelib.conversations.layout import cut_pages, render_numbered, render_page_mark
from chalicelib.conversations.messages import OutboxContent
from chalicelib.conversations.model import Prompt
from chalicelib.languages import WorkerLanguage
from chalicelib.messaging import gsm7

CONTINUE, END = "CON ", "END "
"""How an answer to a USSD gateway begins: the session goes on, or is over."""


def render_pages(prompt: Prompt, language: WorkerLanguage, capabilities: Capabilities) -> list[str]:
    """Return every page of a prompt, each within the limit of the channel."""
    text = gsm7.transliterate(render_numbered(prompt, language))
    mark = render_page_mark(language)
    return cut_pages(text, capabilities.max_length, mark, gsm7.count_septets)


def render_page(reply: OutboxContent) -> str:
    """Return the page of a reply that was asked for. After the last one comes the first."""
    prompt = _require_prompt(reply)
    pages = render_pages(prompt, reply.language, CAPABILITIES[reply.channel])
    return pages[prompt.page % len(pages)]


def render_ussd(reply: OutboxContent) -> str:
    """Return a reply as a USSD gateway expects it. The session ends where nothing is asked."""
    prompt = _require_prompt(reply)
    pages = render_pages(prompt, reply.language, CAPABILITIES[reply.channel])
    page = prompt.page % len(pages)
    is_over = prompt.closes and page == len(pages) - 1 and not prompt.options
    return f"{END if is_over else CONTINUE}{pages[page]}"


def _require_prompt(reply: OutboxContent) -> Prompt:
    if not isinstance(reply.message, Prompt):
        raise TypeError("a channel that is answered at once gets prompts alone")
    return reply.message
