"""HTTP requests to granted addresses, through the host.

`get`, `post` and the like are short for `send`. A response with whatever status is an answer; `raise_for_status` makes
a failure of one that tells of an error.
"""

from __future__ import annotations

import json as _json
from typing import Any, Mapping, Optional, Union
from urllib.parse import urlencode

from .failure import Failure
from .interfaces import http as _host
from .interfaces.http import Denied as Denied
from .interfaces.http import Error as Error
from .interfaces.http import Invalid as Invalid
from .interfaces.http import Other as Other
from .interfaces.http import Request as Request
from .interfaces.http import TimedOut as TimedOut
from .interfaces.http import TooLarge as TooLarge
from .interfaces.http import Unavailable as Unavailable
from .values import Values


class Response(_host.Response):
    """An answer."""

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body, read as JSON."""
        return _json.loads(self.body)

    def header(self, name: str) -> Optional[str]:
        """The first header of this name."""
        wanted = name.lower()
        return next((pair.value for pair in self.headers if pair.name == wanted), None)

    def raise_for_status(self) -> None:
        """Raises a `Failure` for a status of 400 and above."""
        if not self.ok:
            raise Failure(f"{self.url} answered with {self.status}")


def send(request: Union[Request, Mapping[str, Any]]) -> Response:
    """Sends a request and reads the whole answer. Raises `Error`, or one of its kinds."""
    answer = _host.send(request)  # type: ignore[arg-type]
    return Response(answer.status, answer.headers, answer.body, answer.url)


def request(
    method: str,
    url: str,
    *,
    params: Optional[Mapping[str, object]] = None,
    headers: Values = (),
    data: Union[bytes, str, None] = None,
    json: Any = None,
    timeout: Optional[float] = None,
    redirects: int = 20,
    max_body: Optional[int] = None,
) -> Response:
    """Sends a request. A header may be a secret; `timeout` is in seconds, and 30 of them without it."""
    all_headers: list[Any] = list(headers.items() if isinstance(headers, Mapping) else headers)
    if json is not None:
        data = _json.dumps(json)
        if not any(name.lower() == "content-type" for name, _ in all_headers):
            all_headers.append(("content-type", "application/json"))
    if params:
        url += ("&" if "?" in url else "?") + urlencode(params, doseq=True)
    return send(
        Request(
            method=method.upper(),
            url=url,
            headers=all_headers,
            body=data,
            timeout_ms=None if timeout is None else round(timeout * 1000),
            redirects=redirects,
            max_body=max_body,
        )
    )


def get(url: str, **options: Any) -> Response:
    """A GET, with the options of `request`."""
    return request("GET", url, **options)


def head(url: str, **options: Any) -> Response:
    """A HEAD, with the options of `request`."""
    return request("HEAD", url, **options)


def post(url: str, **options: Any) -> Response:
    """A POST, with the options of `request`."""
    return request("POST", url, **options)


def put(url: str, **options: Any) -> Response:
    """A PUT, with the options of `request`."""
    return request("PUT", url, **options)


def patch(url: str, **options: Any) -> Response:
    """A PATCH, with the options of `request`."""
    return request("PATCH", url, **options)


def delete(url: str, **options: Any) -> Response:
    """A DELETE, with the options of `request`."""
    return request("DELETE", url, **options)
