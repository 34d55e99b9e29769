"""A server of the plain-UDP protocol, from its description alone (docs/classic.md): the standard library, nothing of weir.

Binds, says its port, serves the iterations of one run, and prints as JSON what each stream of each iteration brought.
"""

import argparse
import hashlib
import json
import select
import socket
import struct


def receive(sock, streams):
    """One iteration: until every stream has ended, or a second of silence."""
    content = {}
    ended = set()
    while len(ended) < streams:
        if not select.select([sock], [], [], 1)[0]:
            break
        datagram, _ = sock.recvfrom(1028)
        (stream,) = struct.unpack("!I", datagram[:4])
        if datagram[4:] == b"END":
            ended.add(stream)
        else:
            content.setdefault(stream, []).append(datagram[4:])
    return content, ended


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--reply-port", type=int, required=True)
    parser.add_argument("--iterations", type=int, default=5)
    options = parser.parse_args()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(("127.0.0.1", 0))
    print(json.dumps({"port": sock.getsockname()[1]}), flush=True)
    iterations = []
    for number in range(1, options.iterations + 1):
        announcement, (host, _) = sock.recvfrom(4096)
        # Exactly eight bytes, or this fails: the original is no more tolerant.
        streams, size = struct.unpack("!II", announcement)
        content, ended = receive(sock, streams)
        joined = {stream: b"".join(parts) for stream, parts in content.items()}
        iterations.append(
            {
                "streams": streams,
                "size": size,
                "ended": len(ended),
                "longest": max((len(part) for parts in content.values() for part in parts), default=0),
                "bytes": [len(joined.get(stream, b"")) for stream in range(1, streams + 1)],
                "copies": [hashlib.sha256(joined.get(stream, b"")).hexdigest() for stream in range(1, streams + 1)],
                "stripes": hashlib.sha256(b"".join(joined[stream] for stream in sorted(joined))).hexdigest(),
            }
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as answer:
            answer.sendto(b"FINISHED" if number == options.iterations else b"READY", (host, options.reply_port))
    print(json.dumps({"iterations": iterations}))


main()
