"""The server of the tests in a browser: nothing of a test is at work when the next one begins."""

import threading
from http.client import HTTPConnection

from chalice.app import Chalice

from chalicelib.clock import utc_now
from ops.project import LOOPBACK
from tests.support.app_server import run_app_server

_WAIT = 10


def test_a_request_ends_before_its_server() -> None:
    app, started, release = Chalice("app"), threading.Event(), threading.Event()
    ended = []

    @app.route("/slow")
    def answer_slowly() -> dict[str, str]:
        started.set()
        release.wait(_WAIT)
        ended.append("request")
        return {}

    with run_app_server(app, utc_now) as server:
        connection = HTTPConnection(LOOPBACK, server.server_port, timeout=_WAIT)
        connection.request("GET", "/api/slow")
        assert started.wait(_WAIT)
        threading.Timer(0.2, release.set).start()
    ended.append("server")
    connection.close()
    assert ended == ["request", "server"]


def test_a_request_after_the_end_does_not_reach_the_app() -> None:
    app, answered = Chalice("app"), []

    @app.route("/quick")
    def answer() -> dict[str, str]:
        answered.append("request")
        return {}

    with run_app_server(app, utc_now) as server:
        connection = HTTPConnection(LOOPBACK, server.server_port, timeout=_WAIT)
        connection.request("GET", "/api/quick")
        connection.getresponse().read()
    # The connection is still open, as a browser's is.
    connection.request("GET", "/api/quick")
    assert connection.getresponse().status == 503
    connection.close()
    assert answered == ["request"]
