"""Headers that protect an answer in the hands of browsers and proxies."""

from collections.abc import Mapping

# On every answer, those of API Gateway itself included (infra/gateway_responses.py). A route may replace one:
# most answers hold personal data, so nothing is kept unless its route says so. OWASP ASVS 5: 3.4, 14.3.2.
SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}


def build_page_headers(script_hash: str | None = None) -> dict[str, str]:
    """Return headers that allow a page its inline style and, if a hash is given, its one script."""
    scripts = f"script-src '{script_hash}'; connect-src 'self'; " if script_hash else ""
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'unsafe-inline'; {scripts}"
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    }
