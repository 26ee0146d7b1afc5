"""The static files of the web app and of the console, as they are served.

How a file of `static/` gets its address:

index.html             /app                            asked for anew each time, with an ETag
service-worker.js      /app/service-worker.js          the same
manifest.webmanifest   /app/manifest.webmanifest       the same
<folder>/<file>        /app/<release>/<folder>/<file>  kept for a year

The console is a site of its own, so that no tablet loads it: `console/` below `/console` in the same way. The
files that it shares with the web app, and with the page of a day, are served under its own release too.

The release is one hash over all files, so that an address never has two contents, and modules import each
other by relative paths as they are written: `import "../rules/nik.js"`. There is one level of folders.

The three files at the top are filled in when they are served: `__RELEASE__` becomes the release, and
`__FILES__` the addresses of all other files, relative to the service worker, with spaces between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path

from chalicelib.http.etags import compute_etag
from chalicelib.web.errors import FileUnknown

STATIC_DIRECTORY = Path(__file__).with_name("static")
CONSOLE_DIRECTORY = Path(__file__).with_name("console")

CONSOLE_SHARED_FILES: Mapping[str, Path] = {
    **{
        name: STATIC_DIRECTORY / name
        for name in (
            *("icons/icon.svg", "rules/dates.js", "rules/rupiah.js", "screens/elements.js"),
            *("scripts/errors.js", "sync/api.js", "sync/clock.js", "texts/language.js"),
        )
    },
    "styles/page.css": Path(__file__).parents[1] / "rollups" / "renderings" / "templates" / "page.css",
}
"""The files of the console that are somebody else's, by their names in it."""

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_RELEASE_DIGITS = 16
_COMPRESSION_LEVEL = 9


@dataclass(frozen=True)
class StaticFile:
    """A file as it is sent."""

    media_type: str
    content: bytes

    @cached_property
    def etag(self) -> str:
        """A weak entity tag: the content may be sent compressed or not."""
        return f"W/{compute_etag(self.content)}"

    @cached_property
    def compressed(self) -> bytes:
        """The content in gzip format: the same bytes for the same content."""
        import gzip

        return gzip.compress(self.content, _COMPRESSION_LEVEL, mtime=0)


class Site:
    """The files under a directory, and shared ones. Each is read on first use, all for the release."""

    def __init__(self, directory: Path, shared_files: Mapping[str, Path] | None = None) -> None:
        self._directory = directory
        self._shared_files = shared_files or {}
        self._files: dict[str, StaticFile] = {}

    @cached_property
    def release(self) -> str:
        """The hash over the names and contents of all files."""
        digest = sha256()
        for name, path in self._paths.items():
            content = path.read_bytes()
            digest.update(f"{name}\n{len(content)}\n".encode() + content)
        return digest.hexdigest()[:_RELEASE_DIGITS]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The files in folders, as `<folder>/<file>`."""
        return tuple(name for name in self._paths if "/" in name)

    def get_top_file(self, name: str) -> StaticFile:
        """Return a file at the top of the directory, with the release and the list of files filled in."""
        if name not in self._files:
            self._files[name] = self._fill_in(self._read(name))
        return self._files[name]

    def get_file(self, release: str, name: str) -> StaticFile:
        """Return a file of this release. Raise FileUnknown for another release or name."""
        if release != self.release or name not in self.names:
            raise FileUnknown("not in this release")
        if name not in self._files:
            self._files[name] = self._read(name)
        return self._files[name]

    @cached_property
    def _paths(self) -> Mapping[str, Path]:
        own = {
            path.relative_to(self._directory).as_posix(): path
            for path in self._directory.rglob("*")
            if path.is_file()
        }
        return dict(sorted({**own, **self._shared_files}.items()))

    def _read(self, name: str) -> StaticFile:
        path = self._paths[name]
        return StaticFile(_MEDIA_TYPES[path.suffix], path.read_bytes())

    def _fill_in(self, file: StaticFile) -> StaticFile:
        files = " ".join(f"{self.release}/{name}" for name in self.names)
        content = file.content.replace(b"__RELEASE__", self.release.encode())
        return StaticFile(file.media_type, content.replace(b"__FILES__", files.encode()))


@cache
def load_app_site() -> Site:
    """Return the web app's files."""
    return Site(STATIC_DIRECTORY)


@cache
def load_console_site() -> Site:
    """Return the console's files."""
    return Site(CONSOLE_DIRECTORY, CONSOLE_SHARED_FILES)
