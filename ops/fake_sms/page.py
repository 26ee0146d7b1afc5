"""A page that shows the received SMS by phone."""

from html import escape
from itertools import groupby

from ops.fake_sms.inbox import ReceivedSms

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>Daftar: SMS</title>
<style>
  body {{ margin: 0; padding: 1rem; font: 16px/1.4 system-ui, sans-serif;
          background: #eef1f4; color: #1c2733; }}
  h1 {{ font-size: 1.2rem; margin: 0 0 1rem; }}
  main {{ display: grid; gap: 1rem;
          grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); }}
  section {{ background: #fff; border: .5rem solid #1c2733; border-radius: 1.6rem; padding: .8rem; }}
  h2 {{ font-size: .95rem; margin: 0 0 .6rem; text-align: center; }}
  p {{ background: #dcecdf; border-radius: 1rem 1rem 1rem .2rem; margin: 0 0 .2rem; padding: .6rem .8rem;
       overflow-wrap: anywhere; white-space: pre-wrap; }}
  time {{ display: block; font-size: .75rem; color: #5b6875; margin: 0 0 .6rem .3rem; }}
</style>
<h1>{heading}</h1>
<main>
{phones}
</main>
</html>
"""


def render_page(sms_list: list[ReceivedSms]) -> str:
    """Return a self-contained page; the phone of the newest SMS comes first."""
    by_number = sorted(sms_list, key=lambda sms: (sms.to, sms.received_at))
    phones = [list(received) for _, received in groupby(by_number, key=lambda sms: sms.to)]
    phones.sort(key=lambda received: received[-1].received_at, reverse=True)
    heading = f"{len(sms_list)} SMS on {len(phones)} phones"
    return _PAGE.format(heading=heading, phones="\n".join(_render_phone(received) for received in phones))


def _render_phone(received: list[ReceivedSms]) -> str:
    bubbles = "\n".join(
        f"<p>{escape(sms.text)}</p><time>{escape(sms.received_at[:19].replace('T', ' '))} UTC</time>"
        for sms in received
    )
    return f"<section><h2>{escape(received[0].to)}</h2>\n{bubbles}\n</section>"
