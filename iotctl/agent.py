"""The Device API as iotctl uses it: one call a method, its errors as CommandError."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from iotctl.endpoint import Endpoint
from iotctl.exits import BadInputError, CommandError, ExitCode, NotFoundError, ProblemsError

if TYPE_CHECKING:
    import httpx

    from iotistic.api.documents import Document
    from iotistic.api.errors import Problem

Json = dict[str, Any]
ANSWER_SECONDS = 30.0
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 60.0
"""An event stream that is silent for so long is broken: the agent sends a sign of life every 15 s."""
PIECE_BYTES = 256 * 1024
CODES = {
    400: ExitCode.BAD_INPUT,
    413: ExitCode.BAD_INPUT,
    422: ExitCode.BAD_INPUT,
    503: ExitCode.UNAVAILABLE,
    504: ExitCode.TIMED_OUT,
}


class Agent:
    """One agent. Every method raises CommandError: UNAVAILABLE when nobody answers."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._client = _client(endpoint)

    def get(self, path: str, **query: object) -> Json:
        """What is there."""
        return self._ask("GET", path, query)

    def get_soon(self, path: str, seconds: float) -> Json:
        """The same for who can't wait long."""
        return self._ask("GET", path, {}, None, seconds)

    def post(self, path: str, body: object = None, **query: object) -> Json:
        """Ask for something to be done."""
        return self._ask("POST", path, query, body)

    def post_patiently(self, path: str, body: object, seconds: float) -> Json:
        """The same for what may take so long."""
        return self._ask("POST", path, {}, body, seconds)

    def upload(self, path: str, file: str) -> Json:
        """Send a file, or standard input for `-`, as it is. Raises: BadInputError when it can't be read."""
        import httpx

        patience = httpx.Timeout(None, connect=CONNECT_SECONDS)
        with self._errors(), _opened(file) as content:
            headers = {"content-type": "application/x-tar"}
            answer = self._client.post(path, content=_pieces(content), headers=headers, timeout=patience)
        return self._found(answer)

    def delete(self, path: str, **query: object) -> Json:
        """Ask for something to go."""
        return self._ask("DELETE", path, query)

    def text(self, path: str) -> tuple[bool, str]:
        """A plain answer, and whether it is a good one."""
        with self._errors():
            answer = self._client.request("GET", path)
            return answer.is_success, answer.text

    def change_of(self, document: Document) -> tuple[Json | None, Json]:
        """What is there, and what would be there when this document was applied."""
        kind, name = document.data["kind"], document.data["metadata"]["name"]
        try:
            return self.get(f"/v1/{kind.lower()}s/{name}"), document.data
        except NotFoundError:
            return None, document.data

    def problems_of(self, document: Document) -> list[Problem]:
        """What of a document can't be had there; an agent says that itself when it is asked."""
        return []

    def lines(self, path: str, **query: object) -> Iterator[Json]:
        """Objects of a stream with one on each line, as they come."""
        silence = None if query.get("follow") else ANSWER_SECONDS
        with self._stream(path, query, silence=silence) as answer:
            for line in answer.iter_lines():
                if line.strip():
                    yield json.loads(line)

    def events(self, **query: object) -> Iterator[Json | None]:
        """New events as they come; None first, once they are listened for, and as a sign of life."""
        with self._stream("/v1/events", {"follow": True, **query}, silence=SILENCE_SECONDS) as answer:
            yield None
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))
                elif line.startswith(":"):
                    yield None

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: object = None,
        patience_seconds: float = ANSWER_SECONDS,
    ) -> Json:
        import httpx

        patience = httpx.Timeout(patience_seconds, connect=min(patience_seconds, CONNECT_SECONDS))
        with self._errors(patience_seconds):
            answer = self._client.request(method, path, params=_query(query), json=body, timeout=patience)
        return self._found(answer)

    def _found(self, answer: httpx.Response) -> Json:
        self._check(answer)
        if not _is_json(answer):
            raise self._stranger(answer)
        found: Json = answer.json()
        return found

    @contextmanager
    def _stream(
        self, path: str, query: Mapping[str, object], silence: float | None
    ) -> Iterator[httpx.Response]:
        import httpx

        patience = httpx.Timeout(silence, connect=CONNECT_SECONDS)
        with (
            self._errors(),
            self._client.stream("GET", path, params=_query(query), timeout=patience) as answer,
        ):
            if not answer.is_success:
                answer.read()
                self._check(answer)
            yield answer

    @contextmanager
    def _errors(self, patience_seconds: float = ANSWER_SECONDS) -> Iterator[None]:
        """httpx's errors, said as ours."""
        import httpx

        try:
            yield
        except httpx.ConnectTimeout as error:
            raise self._nobody(f"no connection within {CONNECT_SECONDS:.0f} s") from error
        except httpx.ConnectError as error:
            raise self._nobody(_why(error)) from error
        except httpx.TimeoutException as error:
            raise CommandError(
                f"The agent on {self.endpoint.address} did not answer within {patience_seconds:.0f} s.",
                hint="Look at its log; what was asked may still be done.",
                code=ExitCode.UNAVAILABLE,
            ) from error
        except httpx.TransportError as error:
            raise CommandError(
                f"The connection to the agent on {self.endpoint.address} broke ({_why(error)}).",
                hint="Did it stop? iotctl version shows whether it answers.",
                code=ExitCode.UNAVAILABLE,
            ) from error

    def _nobody(self, why: str) -> CommandError:
        where = self.endpoint
        where_to = f"on {where.address} ({why})"
        if where.looked:
            where_to = f"here: {where.looked}, and nothing listens on {where.address} ({why})"
        if "permission denied" in why:
            hint = f"Use sudo, or become a member of the group that owns {where.socket}."
        elif where.is_here:
            hint = (
                "Start it:  iotistic-edge agent      or point at one:  iotctl --url http://HOST:48484\n"
                "Does it keep its data elsewhere? Set CONFIG_DIR; iotctl help connection says more."
            )
        else:
            hint = "Is its address right, and may this machine reach it? Another one:  iotctl --url http://HOST:48484"
        return CommandError(f"No agent answers {where_to}.", hint=hint, code=ExitCode.UNAVAILABLE)

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        if not _is_json(answer):
            raise self._stranger(answer)
        problem: Json = answer.json()
        if answer.status_code == 401:
            raise self._no_key(problem)
        if problem.get("problems") and answer.status_code == 422:
            from iotistic.api.errors import Problem

            raise ProblemsError([Problem(**one) for one in problem["problems"]])
        message = str(problem.get("detail") or problem.get("message") or answer.reason_phrase)
        hint = str(problem.get("hint", ""))
        if answer.status_code == 404:
            raise NotFoundError(sentence(message), hint=sentence(hint))
        code = CODES.get(answer.status_code, ExitCode.FAILED)
        raise CommandError(sentence(message), hint=sentence(hint), code=code)

    def _no_key(self, problem: Json) -> CommandError:
        where = self.endpoint
        why = f": {where.key_problem}" if where.key_problem else " because the key is not the right one"
        return CommandError(
            f"The agent on {where.address} let nobody in{why}.",
            hint="Give its key:  iotctl --api-key KEY      or set IOTCTL_API_KEY. "
            "On the device it is in the file api-key of its data directory.",
        )

    def _stranger(self, answer: httpx.Response) -> CommandError:
        kind = answer.headers.get("content-type", "no content type").partition(";")[0]
        return CommandError(
            f"{self.endpoint.address} answers, but not as an agent of Iotistic Edge does "
            f"({answer.status_code}, {kind}).",
            hint="Is another program on that port? Point at the agent:  iotctl --url http://HOST:48484",
            code=ExitCode.UNAVAILABLE,
        )


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    """In pieces, since nobody knows how long a pipe is: httpx would ask the file system."""
    while piece := content.read(PIECE_BYTES):
        yield piece


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    if file == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise BadInputError(f"{file}: {(error.strerror or 'unreadable').lower()}") from error


def sentence(text: str) -> str:
    """With a capital and a full stop, unless it is a command; a name at the beginning stays as it is."""
    text = text.strip()
    first = text.partition(" ")[0]
    if not text or first == "iotctl":
        return text
    begin = text[0].upper() if first.replace("'", "").isalpha() else text[0]
    return begin + text[1:] + ("" if text[-1] in ".!?:" else ".")


def _client(endpoint: Endpoint) -> httpx.Client:
    # httpx's own command line comes along with it, with pygments: half of its import time.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    import httpx

    timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    headers = {"X-API-Key": endpoint.key} if endpoint.key else {}
    if endpoint.socket:
        transport = httpx.HTTPTransport(uds=str(endpoint.socket), verify=False)
        return httpx.Client(transport=transport, base_url="http://agent", timeout=timeout)
    plain = endpoint.address.startswith("http:")
    return httpx.Client(
        base_url=endpoint.address,
        headers=headers,
        timeout=timeout,
        verify=not plain,  # making a TLS context takes longer than a request on this machine
        trust_env=not endpoint.is_here,
    )


def _query(query: Mapping[str, object]) -> dict[str, str]:
    texts = {True: "true", False: "false"}
    return {
        name: texts[value] if isinstance(value, bool) else str(value)
        for name, value in query.items()
        if value is not None
    }


def _is_json(answer: httpx.Response) -> bool:
    return "json" in answer.headers.get("content-type", "")


def _why(error: Exception) -> str:
    """The words of the system below, without its numbers."""
    text = str(error) or type(error).__name__
    return text.partition("]")[2].strip().lower() if text.startswith("[") else text.rstrip(".")
