"""A sender of the plain-UDP protocol, from its description alone (docs/classic.md): the standard library, nothing of weir.

Announces, sends, ends each stream, waits for the answer, again; then prints as JSON what was answered.
"""

import argparse
import json
import socket
import struct
import time


def datagrams(data, streams, split):
    """One list of datagrams for each stream, END included."""
    share = -(-len(data) // streams)
    lists = []
    for stream in range(1, streams + 1):
        own = data if split == "copies" else data[(stream - 1) * share : stream * share]
        head = struct.pack("!I", stream)
        lists.append([head + own[at : at + 1024] for at in range(0, len(own), 1024)] + [head + b"END"])
    return lists


def interleave(lists):
    for turn in range(max(len(each) for each in lists)):
        for each in lists:
            if turn < len(each):
                yield each[turn]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--reply-port", type=int, required=True)
    parser.add_argument("--streams", type=int, required=True)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--split", choices=["copies", "stripes"], default="copies")
    parser.add_argument("--rate", type=float, default=40e6, help="bits per second")
    parser.add_argument("--drop", type=int, default=0, help="leave out every Nth datagram of data")
    options = parser.parse_args()
    with open(options.file, "rb") as file:
        data = file.read()
    server = ("127.0.0.1", options.port)
    replies = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    replies.bind(("127.0.0.1", options.reply_port))
    replies.settimeout(15)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    answers = []
    for _ in range(options.iterations):
        out.sendto(struct.pack("!II", options.streams, len(data)), server)
        due = time.monotonic()
        number = 0
        for datagram in interleave(datagrams(data, options.streams, options.split)):
            number += 1
            if options.drop and len(datagram) > 7 and number % options.drop == 0:
                continue
            wait = due - time.monotonic()
            if wait > 0.001:
                time.sleep(wait)
            out.sendto(datagram, server)
            due += len(datagram) * 8 / options.rate
        answers.append(replies.recvfrom(100)[0].decode("ascii"))
    print(json.dumps({"answers": answers}))


main()
