"""Put before a program: notes and refuses every name that it looks up and every machine that it calls."""

import os
import sys


def _watch(event, details):
    if event == "socket.getaddrinfo":
        host = details[0]
    elif event == "socket.connect" and isinstance(details[1], tuple):
        host = details[1][0]
    else:
        return
    if host in {None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0"}:
        return
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(f"{event} {details[1:] if event == 'socket.connect' else details}\n")
    raise OSError(f"this test has no network: {host}")


sys.addaudithook(_watch)
