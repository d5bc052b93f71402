"""Why the node could not fetch an image, in words that stay the same from try to try, and what helps. Pure.

Of containerd's layers of words the image and the innermost cause are left: the registry's own word for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LENGTH = 500
_BACKING_OFF = re.compile(r'^Back-off pulling image "[^"]*"(: \w+)?(: )?')
_IMAGE = re.compile(r'failed to pull and unpack image "([^"]+)"')
_LAYERS = re.compile(
    r"rpc error: code = \w+ desc = |failed to (?:pull and unpack image|resolve reference) \"[^\"]*\": "
    r"|failed to (?:pull|resolve) image(?: \"[^\"]*\")?: |failed to do request: \w+ \"[^\"]*\": "
    r"|pulling from host \S+ failed with status code (?:\[[^\]]*\])?:? ?"
    r"|unexpected status (?:code )?from \w+ request to \S+: "
)
_OWN_END = re.compile(r"\b(read|write) tcp \S+->(\S+): ")
"""The node's own end of a connection has another port at each try."""
_NOW = re.compile(r"current time \S+ (is (?:after|before) )")
_NOT_FOUND = re.compile(r"^\S+: not found$")
_UNTRUSTED = re.compile(r"x509: .*(?:unknown authority|not trusted|self[- ]signed)")
_LOGIN = re.compile(
    r"\b40[13] (?:Unauthorized|Forbidden)|no basic auth credentials|authorization failed|failed to authorize"
)
_HIDDEN = re.compile(r"pull access denied|insufficient_scope|access to the resource is denied")
"""Said of what is not there and of what is somebody else's."""
_HELP = re.compile(
    r"(?P<host>\S+) (?:refused the login of|has no such image, or does not show it to) "
    r"Secret (?P<secrets>[^:]+): |"
    r"(?P<open>\S+) (?:wants a login|has no such image, or does not show it without a login): |"
    r"the node does not trust the certificate of (?P<untrusted>\S+): "
)


def pull_words(message: str, secrets: Sequence[str] = ()) -> str:
    """The kubelet's words for an image that can't be had, the same while it tries and while it waits.

    Args:
        message: of the waiting container.
        secrets: names of the logins that the service has.
    """
    words = _BACKING_OFF.sub("", message) or message
    found = _IMAGE.search(words)
    cause = _NOW.sub(r"it \1", _OWN_END.sub(r"\1 from \2: ", _LAYERS.sub("", words)))
    if found is None or not cause or cause == words:
        return _brief(words)
    image = found[1].removeprefix("docker.io/").removeprefix("library/")
    return _brief(f"{image} can't be pulled: {_cause(found[1].partition('/')[0], cause, secrets)}")


def _cause(host: str, cause: str, secrets: Sequence[str]) -> str:
    login = f"Secret {', '.join(secrets)}"
    if _NOT_FOUND.match(cause):
        return f"{host} has no such image: not found"
    if _HIDDEN.search(cause):
        to = f"to {login}" if secrets else "without a login"
        return f"{host} has no such image, or does not show it {to}: {cause}"
    if _LOGIN.search(cause):
        return (
            f"{host} refused the login of {login}: {cause}" if secrets else f"{host} wants a login: {cause}"
        )
    if _UNTRUSTED.search(cause):
        return f"the node does not trust the certificate of {host}: {cause}"
    return cause


def pull_help(text: str) -> str:
    """What to type when these words of `pull_words` stand in a text; empty where only waiting helps."""
    found = _HELP.search(text)
    if found is None:
        return ""
    if found["untrusted"]:
        return (
            f"(on the node, name the CA of {found['untrusted']} in containerd's hosts.toml, or on k3s in "
            "/etc/rancher/k3s/registries.yaml, and restart k3s)"
        )
    if found["open"]:
        return f"(name a Secret with a login for {found['open']} in imagePullSecrets) iotctl apply -f FILE"
    return f"(correct the login for {found['host']} in Secret {found['secrets']}) iotctl apply -f FILE"


def _brief(message: str) -> str:
    return " ".join(message.split())[:LENGTH]
