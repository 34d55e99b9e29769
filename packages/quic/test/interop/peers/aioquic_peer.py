"""aioquic, with its own TLS 1.3. Run with: python3 aioquic_peer.py server|client ...

Speaks what ../program.ts speaks: its arguments (hq-interop and perf), and JSON lines on standard output. What it can be
told beyond that is for the variants of ../stacks.ts; the line "agreed ..." is the evidence that it happened.
"""

import argparse
import asyncio
import hashlib
import json
import os
import socket
import sys
import time

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, StopSendingReceived, StreamDataReceived
from aioquic.tls import CipherSuite, Epoch

# QUIC version 1 (RFC 9000), version 2 (RFC 9369), and one that exists only to be refused (RFC 9000 section 15).
VERSIONS = {"1": 1, "2": 0x6B3343CF, "reserved": 0x1A2A3A4A}
CHUNK = bytes(1 << 18)
# Seconds between key updates and before a change of port: several, or one, within the transfer of the files.
KEY_UPDATE_INTERVAL = 0.05
PORT_CHANGE_AFTER = 0.05


def report(event, **fields):
    print(json.dumps({"event": event, **fields}, separators=(",", ":")), flush=True)


class Peer(QuicConnectionProtocol):
    """One connection, which says what became of it."""

    key_updates = 0
    key_phase = 0

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.ended = set()
        self.stopped = set()

    def quic_event_received(self, event):
        if isinstance(event, StreamDataReceived):
            # aioquic says it again when a FIN comes again, which its own handler does not survive.
            if event.stream_id in self.ended:
                return
            if event.end_stream:
                self.ended.add(event.stream_id)
        elif isinstance(event, StopSendingReceived):
            self.stopped.add(event.stream_id)
        super().quic_event_received(event)
        if isinstance(event, HandshakeCompleted):
            report("connected", alpn=event.alpn_protocol)
        elif isinstance(event, ConnectionTerminated):
            quic = self._quic
            schedule = quic.tls.key_schedule
            cipher = schedule.cipher_suite.name if schedule is not None else "none"
            retried = quic._retry_source_connection_id is not None
            print(f"agreed version=0x{quic._version:08x} cipher={cipher} retried={retried} keys={self.key_updates}")
            report("closed", code=event.error_code, reason=event.reason_phrase)

    def datagram_received(self, data, addr):
        super().datagram_received(data, addr)
        # Either side's update turns the phase of both.
        phase = self._quic._cryptos[Epoch.ONE_RTT].key_phase
        if phase != self.key_phase:
            self.key_phase = phase
            self.key_updates += 1

    async def keep_updating_keys(self):
        while True:
            await asyncio.sleep(KEY_UPDATE_INTERVAL)
            self.request_key_update()

    async def change_port(self, how):
        await asyncio.sleep(PORT_CHANGE_AFTER)
        before = self._transport
        await open_socket(self)
        before.close()
        if how == "migrate":
            self.change_connection_id()
        else:  # as behind a NAT that forgot: the same connection ID
            self._quic.send_ping(0)
            self.transmit()
        print("changed port")


async def open_socket(protocol):
    """Gives the connection a socket of its own, its first or its next."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    # One side's full window may come at once, faster than Python reads.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: protocol, sock=sock)


async def answer_perf(reader, writer):
    request = await reader.read()
    left = int.from_bytes(request[:8], "big") if len(request) >= 8 else 0
    connection, stream_id = writer.transport.protocol, writer.get_extra_info("stream_id")
    sender = connection._quic._streams[stream_id].sender
    while left > 0 and stream_id not in connection.stopped and not connection._closed.is_set():
        # Nothing waits in aioquic's writers, and an answer may be without end.
        if len(sender._buffer) > len(CHUNK):
            await asyncio.sleep(0.001)
            continue
        writer.write(CHUNK[: min(left, len(CHUNK))])
        left -= min(left, len(CHUNK))
    if left == 0:
        writer.write_eof()


async def answer_hq(reader, writer, www):
    request = (await reader.read()).decode()
    with open(os.path.join(www, os.path.normpath(request.split()[1]).lstrip("/")), "rb") as file:
        writer.write(file.read())
    writer.write_eof()


async def serve_stream(args, reader, writer):
    try:
        await (answer_perf(reader, writer) if args.alpn == "perf" else answer_hq(reader, writer, args.www))
    except Exception as error:  # the runner shows it
        report("failed", reason=repr(error))


def configure(args, is_client):
    configuration = QuicConfiguration(
        is_client=is_client,
        alpn_protocols=[args.alpn],
        supported_versions=[VERSIONS[version] for version in args.versions.split(",")],
        connection_id_length=args.connection_id_length,
        idle_timeout=30.0,
    )
    if args.ciphers is not None:
        configuration.cipher_suites = [CipherSuite[name] for name in args.ciphers.split(",")]
    if args.window is not None:
        configuration.max_data = configuration.max_stream_data = args.window
    return configuration


async def run_server(args):
    configuration = configure(args, is_client=False)
    configuration.load_cert_chain(args.cert, args.key)
    tasks = set()

    def on_stream(reader, writer):
        task = asyncio.ensure_future(serve_stream(args, reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await serve(
        "127.0.0.1", 0, configuration=configuration, create_protocol=Peer, stream_handler=on_stream, retry=args.retry
    )
    report("listening", port=server._transport.get_extra_info("sockname")[1])
    await asyncio.Event().wait()


async def download(connection, expected):
    name, size, sha256 = expected.split(":")
    reader, writer = await connection.create_stream()
    writer.write(f"GET /{name}\r\n".encode())
    writer.write_eof()
    content = await reader.read()
    digest = hashlib.sha256(content).hexdigest()
    report("file", name=name, bytes=len(content), sha256=digest)
    if len(content) != int(size) or digest != sha256:
        raise RuntimeError(f"{name}: {len(content)} bytes came, and they are not the file")


async def run_perf(connection, args):
    share = args.bytes // args.streams
    wanted, sent = (share, 0) if args.direction == "down" else (0, share)

    async def one_stream():
        reader, writer = await connection.create_stream()
        writer.write(wanted.to_bytes(8, "big") + bytes(sent))
        writer.write_eof()
        return len(await reader.read())

    started = time.monotonic()
    received = sum(await asyncio.gather(*(one_stream() for _ in range(args.streams))))
    if received != wanted * args.streams:
        raise RuntimeError(f"{received} bytes came, {wanted * args.streams} were asked for")
    report("rate", bytes=share * args.streams, milliseconds=(time.monotonic() - started) * 1000)


async def run_client(args):
    configuration = configure(args, is_client=True)
    configuration.server_name = "localhost"
    configuration.load_verify_locations(cafile=args.ca)
    quic = QuicConnection(configuration=configuration)
    if args.connection_id_length == 0:
        # aioquic makes the server's first one as long as its own, but it must have eight bytes (RFC 9000 section 7.2).
        quic._peer_cid.cid = quic._original_destination_connection_id = os.urandom(8)
        # Nor may it send NEW_CONNECTION_ID frames then (RFC 9000 section 19.15).
        quic._replenish_connection_ids = lambda: None
    connection = Peer(quic)
    await open_socket(connection)
    connection.connect(("127.0.0.1", args.port))
    await connection.wait_connected()
    extras = []
    if args.update_keys:
        extras.append(asyncio.ensure_future(connection.keep_updating_keys()))
    if args.change_port is not None:
        extras.append(asyncio.ensure_future(connection.change_port(args.change_port)))
    if args.alpn == "perf":
        await run_perf(connection, args)
    else:
        await asyncio.gather(*(download(connection, file) for file in args.files))
    for task in extras:
        task.cancel()
    connection.close(error_code=0)
    await connection.wait_closed()


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["server", "client"])
    parser.add_argument("--alpn", default="hq-interop", choices=["hq-interop", "perf"])
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--ca")
    parser.add_argument("--www", default=".")
    parser.add_argument("--port", type=int)
    parser.add_argument("--direction", default="down", choices=["up", "down"])
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--bytes", type=int, default=0)
    parser.add_argument("--retry", action="store_true", help="server: every client must prove its address first")
    parser.add_argument("--update-keys", action="store_true", help="client: again and again")
    parser.add_argument("--change-port", choices=["migrate", "rebind"], help="client: once, during the transfer")
    parser.add_argument("--ciphers", help="such as CHACHA20_POLY1305_SHA256")
    parser.add_argument("--window", type=int, help="credit for the connection and each stream, bytes")
    parser.add_argument("--versions", default="1", help="1, 2, reserved; preferred first")
    parser.add_argument("--connection-id-length", type=int, default=8)
    # After the options, so that a file's name may follow any of them.
    parser.add_argument("files", nargs="*", metavar="NAME:SIZE:SHA256")
    return parser.parse_args()


async def main():
    args = parse()
    try:
        await (run_server(args) if args.role == "server" else run_client(args))
    except Exception as error:
        report("failed", reason=repr(error))
        sys.exit(1)


asyncio.run(main())
