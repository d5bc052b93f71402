"""Asks a service by its name, as a container on its network would, so many times a second.

Runs in the network namespace of a container:
`nsenter --net=/proc/PID/ns/net python load.py NAME PORT RATE SECONDS`.
Prints one JSON object: asked, failed, slowest, errors, served (answers by what they said).
"""

from __future__ import annotations

import json
import random
import socket
import struct
import sys
import threading
import time
from collections import Counter

RESOLVER = ("127.0.0.11", 53)
TIMEOUT_SECONDS = 5.0


def addresses(name: str) -> list[str]:
    """What the engine's resolver says now: nothing is kept."""
    number = random.randrange(65536)
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = struct.pack(">HHHHHH", number, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(TIMEOUT_SECONDS)
        asking.sendto(question, RESOLVER)
        answer = asking.recv(4096)
    count = struct.unpack(">H", answer[6:8])[0]
    position, found = len(question), []
    for _ in range(count):
        position = answer.index(b"\0", position) + 1 if answer[position] < 0xC0 else position + 2
        kind, _, _, length = struct.unpack(">HHIH", answer[position : position + 10])
        position += 10
        if kind == 1:
            found.append(socket.inet_ntoa(answer[position : position + length]))
        position += length
    return found


def ask(name: str, port: int) -> str:
    """One request to the first address that the name has."""
    [first, *_] = addresses(name)
    with socket.create_connection((first, port), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head:
        raise OSError(f"answer {head[:40]!r}")
    return body.decode().strip()


def main() -> None:
    name, port, rate, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    served: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    times: list[float] = []
    lock = threading.Lock()

    def one() -> None:
        began = time.monotonic()
        try:
            said = ask(name, port)
        except (OSError, ValueError) as error:
            with lock:
                errors[f"{type(error).__name__}: {error}"] += 1
            return
        with lock:
            served[said] += 1
            times.append(time.monotonic() - began)

    threads = []
    start = time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, start + number / rate - time.monotonic()))
        threads.append(threading.Thread(target=one))
        threads[-1].start()
    for thread in threads:
        thread.join()
    print(
        json.dumps(
            {
                "asked": len(threads),
                "failed": sum(errors.values()),
                "slowest": max(times, default=0.0),
                "errors": dict(errors),
                "served": dict(served),
            }
        )
    )


if __name__ == "__main__":
    main()
