#!/usr/bin/python3
"""Speaks with a node's ports as no node does: docs/protocol.md is all it knows.

usage: wire.py late ADDRESS PORT EPOCH SIZE CLUSTER NODE VOLUME REPLICA INSTANCE
           asks a replica for a write, a discard and a flush of an epoch that has passed, and
           prints the status and the promised epoch of each reply
       wire.py noise ADDRESS PORT COUNT      frames that do not fit, each on a connection of its own
       wire.py nbd SOCKET EXPORT COUNT       the same to an NBD server
The last two expect that every connection is closed, or answered with an error.
"""
import os
import random
import socket
import struct
import sys

MAGIC, HEADER = 0xC10DA7A1, 64
HELLO, HEARTBEAT, PROMISE, WRITE, DISCARD, FLUSH = 1, 2, 16, 18, 19, 21
BLOCK = 4096
SECONDS = 10


def make_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


TABLE = make_table()


def crc32c(data):
    """RFC 3720, appendix B.4."""
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ TABLE[(value ^ byte) & 255]
    return value ^ 0xFFFFFFFF


def header(kind, request=0, epoch=0, generation=0, volume=bytes(16), offset=0, length=0,
           magic=MAGIC, version=1, flags=0):
    head = struct.pack("<IHBBQQQ16sQI", magic, version, kind, flags, request, epoch, generation,
                       volume, offset, length)
    return head + struct.pack("<I", crc32c(head))


def hello(cluster, node, volume=bytes(16), replica=bytes(16), instance=bytes(16), versions=(1, 1),
          size=0):
    body = cluster + node + os.urandom(32) + volume + replica + instance
    body += struct.pack("<HHQ", *versions, size)
    return header(HELLO, length=128) + body + struct.pack("<I", crc32c(body))


def receive(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise EOFError("the connection was closed")
        data += piece
    return data


def connect(address, port):
    connection = socket.create_connection((address, port), SECONDS)
    connection.settimeout(SECONDS)
    return connection


def late(address, port, epoch, size, *identifiers):
    cluster, node, volume, replica, instance = map(bytes.fromhex, identifiers)
    connection = connect(address, int(port))
    connection.sendall(hello(cluster, node, volume, replica, instance, size=int(size)))
    length = struct.unpack_from("<I", receive(connection, HEADER), 56)[0]
    status = struct.unpack_from("<H", receive(connection, length), 116)[0]
    if status:
        sys.exit(f"the hello was refused: {status}")
    block = b"late" * (BLOCK // 4)
    checksums = struct.pack("<II", crc32c(block), 0)
    stamp = {"epoch": int(epoch), "generation": 1 << 40, "volume": volume}
    connection.sendall(header(WRITE, 1, length=BLOCK, **stamp) + checksums + block)
    connection.sendall(header(DISCARD, 2, length=BLOCK, **stamp))
    connection.sendall(header(FLUSH, 3, epoch=int(epoch), volume=volume))
    replies = {}
    for _ in range(3):
        head = receive(connection, HEADER)
        _, _, kind, status, request, promised = struct.unpack_from("<IHBBQQ", head)
        replies[request] = f"{kind & 0x7f} {status} {promised}"
    for request in sorted(replies):
        print(replies[request])


def is_closed(connection):
    """Reads what is still said; true when the other side closes, false when it waits for more."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def bad_frames(chance):
    """Frames of which each has to close its connection."""
    some = chance.randbytes
    fine = hello(some(16), some(16))
    volume = some(16)
    magic = MAGIC ^ 1 << chance.randrange(32)
    version = chance.randrange(2, 65536)
    zeros = bytes(124) + struct.pack("<I", crc32c(bytes(124)))
    end = 2**64 - 1
    yield "noise", some(chance.randrange(HEADER, 9000))
    yield "a wrong magic", header(HELLO, length=128, magic=magic) + bytes(128)
    yield "a wrong header checksum", fine[:60] + some(4) + fine[64:]
    yield "a wrong version", header(HELLO, length=128, version=version) + bytes(128)
    yield "an unknown kind", header(chance.choice([0, 3, 15, 27, 127, 200, 255]), volume=volume)
    yield "a hello that is too long", header(HELLO, length=0xFFFFFFF8)
    yield "a hello that is too short", header(HELLO, length=8) + bytes(8)
    yield "a hello's wrong checksum", fine[:-4] + some(4)
    yield "a hello of zeros", header(HELLO, length=128) + zeros
    yield "another cluster", fine
    yield "a write first", header(WRITE, 1, 1, 1, volume, 0, BLOCK) + bytes(8 + BLOCK)
    yield "a heartbeat first", header(HEARTBEAT)
    yield "a promise of no epoch", header(PROMISE, 1, 0, 0, volume)
    yield "a reply first", header(0x80 | WRITE, 1, 1, 1, volume)
    yield "the end of time", header(DISCARD, end, end, end, volume, end, 2**32 - 1)


def noise(address, port, count):
    half_open = []
    for number in range(int(count)):
        chance = random.Random(number)
        for name, frame in bad_frames(chance):
            connection = connect(address, int(port))
            connection.sendall(frame)
            if not is_closed(connection):
                sys.exit(f"{name}, round {number}: the connection stays open")
        # Who begins a frame and does not go on is nobody's harm.
        half_open.append(connect(address, int(port)))
        half_open[-1].sendall(header(HELLO, length=128)[:chance.randrange(HEADER)])


OPTION = 0x49484156454F5054


def option(number, data, length=None):
    return struct.pack(">QII", OPTION, number, len(data) if length is None else length) + data


def nbd_connect(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(SECONDS)
    connection.connect(path)
    receive(connection, 18)
    return connection


def nbd_go(path, export):
    """A connection in transmission, without structured replies."""
    connection = nbd_connect(path)
    name = export.encode()
    go = option(7, struct.pack(">I", len(name)) + name + bytes(2))
    connection.sendall(struct.pack(">I", 3) + go)
    while True:
        _, _, kind, length = struct.unpack(">QIII", receive(connection, 20))
        receive(connection, length)
        if kind == 1:
            return connection
        if kind & 1 << 31:
            sys.exit(f"the export {export} was refused: {kind:x}")


def bad_options(chance):
    """What follows the greeting; each has to be answered with an error, or to close."""
    some, flags = chance.randbytes, struct.pack(">I", 3)
    no_text = struct.pack(">I", 4) + b"\xff\xfe\xfd\xfc" + bytes(2)
    yield "unknown flags", struct.pack(">I", 1 << chance.randrange(2, 32))
    yield "noise", some(chance.randrange(20, 5000))
    yield "noise after flags", flags + some(chance.randrange(16, 5000))
    yield "an option that is too long", flags + option(7, b"", 0xFFFFFFFF)
    yield "an unknown option", flags + option(chance.randrange(100, 2**32), some(9))
    yield "a name that is too long", flags + option(1, b"x" * 5000)
    yield "go without data", flags + option(7, b"")
    yield "go with a length beyond its data", flags + option(7, b"\xff" * 4 + bytes(2))
    yield "go with information that is not there", flags + option(7, struct.pack(">IH", 0, 9))
    yield "a name that is no text", flags + option(6, no_text)
    yield "contexts before structured replies", flags + option(10, bytes(8))
    yield "structured replies with data", flags + option(8, b"data")
    yield "a list with data", flags + option(3, b"data")


def is_answered_badly(connection):
    """An error reply, or the end."""
    try:
        _, _, kind, length = struct.unpack(">QIII", receive(connection, 20))
        return length < 8192 and bool(kind & 1 << 31)
    except (EOFError, ConnectionError):
        return True
    except TimeoutError:
        return False


def bad_requests(chance, size):
    """Flags, command, offset and length; each has to be answered with an error, or to close."""
    yield "an unknown command", (0, chance.choice([7, 8, 100, 65535]), 0, 512)
    yield "unknown flags", (1 << chance.randrange(7, 16), 0, 0, 512)
    yield "a read behind the end", (0, 0, size, 512)
    yield "a read over the end", (0, 0, size - 512, 1024)
    yield "a read at the end of time", (0, 0, 2**64 - 512, 1024)
    yield "a read of 4 GB", (0, 0, 0, 2**32 - 512)
    yield "a trim behind the end", (0, 4, size, 4096)
    yield "zeros over the end", (0, 6, size - 4096, 8192)
    yield "zeros at the end of time", (0, 6, 2**64 - 4096, 2**32 - 1)


def request(flags, command, cookie, offset, length):
    return struct.pack(">IHHQQI", 0x25609513, flags, command, cookie, offset, length)


def nbd_noise(path, export, count):
    for number in range(int(count)):
        chance = random.Random(number)
        for name, data in bad_options(chance):
            connection = nbd_connect(path)
            try:
                connection.sendall(data)
            except ConnectionError:
                continue
            if not is_answered_badly(connection):
                sys.exit(f"{name}, round {number}: not answered with an error")
        for name, (flags, command, offset, length) in bad_requests(chance, 1 << 30):
            connection = nbd_go(path, export)
            connection.sendall(request(flags, command, 77, offset, length))
            try:
                _, error, cookie = struct.unpack(">IIQ", receive(connection, 16))
                if not error or cookie != 77:
                    sys.exit(f"{name}, round {number}: error {error}, cookie {cookie}")
            except (EOFError, ConnectionError):
                pass
        connection = nbd_go(path, export)
        # A magic that is none.
        connection.sendall(b"\x00" + chance.randbytes(chance.randrange(27, 9000)))
        if not is_closed(connection):
            sys.exit(f"noise after the handshake, round {number}: the connection stays open")
        # Gone in the middle of a write.
        connection = nbd_go(path, export)
        connection.sendall(request(0, 1, 1, 0, 65536) + bytes(1000))
        connection.close()


{"late": late, "noise": noise, "nbd": nbd_noise}[sys.argv[1]](*sys.argv[2:])
