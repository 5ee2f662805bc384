"""Calls to a volume driver that no Docker would make, and many at once.

usage: plugin_calls.py SOCKET wrong             every wrong call, one after the other
       plugin_calls.py SOCKET crowd VOLUME N    N calls at the same time, most of them right

Ends with status 1 and a line that names the call when an answer is not what it should be. A wrong
call has to be answered with a status from 400 on and an Err that is not empty, or by the end of the
connection where it is no HTTP at all.
"""

import json
import socket
import sys

CALLS = ["Create", "Remove", "Mount", "Unmount", "Path", "Get"]
TYPES = [None, 7, -1.5e300, True, [], {}, ["db"], {"db": "db"}]
ID = "0123456789abcdef" * 4

# No JSON, or none that is an object with a name.
BODIES = [
    b"", b" ", b"{", b"}", b"null", b"[]", b"7", b'"db"', b"{}", b"[{}]", b'{"Name"}', b'{"Name":}',
    b'{"Name":"db"', b'{,"Name":"db"}', b"{'Name':'db'}", b'{"Name":"\xff\xfe"}', b'{"Name":"\\ud800"}',
    b"\x00" * 100, b"[" * 50_000, b'{"a":' * 10_000, b'{"Name":"db","ID":"' + b"9" * 60_000,
    b'{"name":"db","id":"1"}', b'\xef\xbb\xbf{"Nam":"db"}', b"1e99999",
]
# Names that no volume can have.
NAMES = ["", ".", "..", "../../etc", "/", "a/b", "a\0b", "a\nb", "x" * 300, "x" * 60_000, " ", "\u202e"]
# Ids that Docker does not give.
IDS = ["", " ", "a b", "a\nb", "\x7f", "found:1", "x" * 300]
OPTIONS = [
    {"colour": "red"}, {"": ""}, {"capacity": ""}, {"capacity": "-1"}, {"capacity": "1e3"},
    {"capacity": "9" * 40}, {"capacity": "0"}, {"level": "4"}, {"filesystem": "ntfs"},
    {"directory": "relative"}, {"directory": "/x\0y"}, {"directory": "/" + "y" * 5000},
    {"label": "a"}, {"label": ",,,"}, {"label": "a=b,a=c"}, {"profile": "../MYSQL"},
    {"iopsmin": "9", "iopsmax": "8"}, {"snapshot": "perhaps"}, {"interval": "5"},
    {"CAPACITY": "1"}, {f"option{number}": "x" for number in range(1000)},
]


def message(path, body, method="POST", length=None, extra=""):
    length = len(body) if length is None else length
    head = (f"{method} {path} HTTP/1.1\r\nHost: \r\nContent-Length: {length}\r\n{extra}"
            "Connection: close\r\n\r\n")
    return head.encode() + body


def call(name, body):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return message("/VolumeDriver." + name, body)


def exchange(path, data, patience=60):
    """What comes back until the other side closes. The answer may come before all is sent."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(patience)
        client.connect(path)
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return received(client)


def received(client):
    answer = b""
    try:
        while piece := client.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def error(answer):
    """Nil where the answer is none of a volume driver."""
    try:
        return json.loads(answer.split(b"\r\n\r\n", 1)[1])["Err"]
    except (IndexError, ValueError, KeyError):
        return None


def expect(condition, what, answer):
    if not condition:
        sys.exit(f"{what[:300]} was answered with {answer[:600]}")


def refused(path, data):
    answer = exchange(path, data)
    expect(status(answer) >= 400 and error(answer), data, answer)


def requests():
    """Well-formed HTTP, and wrong."""
    for name in CALLS:
        for body in BODIES:
            yield call(name, body)
        for value in TYPES:
            yield call(name, {"Name": value, "ID": ID})
        yield call(name, {"ID": ID})
        # Over the bound: announced, sent, and endless.
        for size in (65_537, 1 << 20, 16 << 20):
            yield call(name, b" " * size)
    for name in ("Remove", "Mount", "Unmount", "Path", "Get"):
        for volume in NAMES + ["none"]:
            yield call(name, {"Name": volume, "ID": ID})
    for name in ("Mount", "Unmount"):
        for one in IDS + TYPES:
            yield call(name, {"Name": "db", "ID": one})
        yield call(name, {"Name": "db"})
    for volume in NAMES:
        yield call("Create", {"Name": volume, "Opts": {"capacity": "1"}})
    for options in OPTIONS:
        yield call("Create", {"Name": "wrong", "Opts": options})
    for value in TYPES[1:5] + TYPES[6:]:
        yield call("Create", {"Name": "wrong", "Opts": value if value != TYPES[7] else 1})
        yield call("Create", {"Name": "wrong", "Opts": {"capacity": value}})
    for path in ("/", "/VolumeDriver", "/VolumeDriver.Fly", "/VolumeDriver.Get/", "/" + "x" * 5000,
                 "/volumedriver.get", "/%2e%2e/VolumeDriver.Get", "/Plugin.Activate/../x"):
        yield message(path, b"{}")
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        yield message("/VolumeDriver.List", b"{}", method)


# No HTTP, or only the beginning of a call: the connection has to end, with an answer or without.
NOISE = [
    b"", b"FLY / HTTP/1.1\r\n\r\n", b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET", b"POST /VolumeDriver.List HTTP/9.9\r\n\r\n",
    b"POST /VolumeDriver.Get HTTP/1.1\r\n", b"\0" * 70_000, b"A" * 200_000,
    b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    b"POST / HTTP/1.1\r\nX: " + b"y" * 500_000 + b"\r\n\r\n",
    message("/VolumeDriver.Get", b'{"Name":"db"}', length=1000),
    message("/VolumeDriver.Get", b'{"Name":"db"}', length=-1),
    message("/VolumeDriver.Get", b"{}", extra="Transfer-Encoding: chunked\r\n"),
    b"POST /VolumeDriver.Get HTTP/1.1\r\nHost: \r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
]


def wrong(path):
    count = 0
    for data in requests():
        refused(path, data)
        count += 1
    for data in NOISE:
        # What is too long to be a call is not read to its end, and the rest of it cannot be sent.
        exchange(path, data, patience=1)
    # Gone before the answer, and before the end of the request.
    for data in (call("Get", {"Name": "db"}), b"POST /Volume"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(data)
    print(f"{count} wrong calls, each refused; {len(NOISE)} that are no calls")


def one_of(volume, number):
    """What the caller of this number says, and whether it may be refused."""
    unknown = {"Name": "none", "ID": str(number)}
    return [
        (call("Mount", {"Name": volume, "ID": f"crowd{number}"}), "changes"),
        (call("Get", {"Name": volume}), "right"),
        (message("/VolumeDriver.List", b"{}"), "right"),
        (call("Unmount", {"Name": volume, "ID": f"nobody{number}"}), "changes"),
        (call("Mount", unknown), "wrong"),
        (call("Path", {"Name": volume}), "right"),
        (call("Create", {"Name": volume, "Opts": {"level": "1"}}), "wrong"),
        (call("Remove", {"Name": volume}), "wrong"),
        (call("Get", b"{"), "wrong"),
        (message("/VolumeDriver.Capabilities", b"{}"), "right"),
    ][number % 10]


def crowd(path, volume, count):
    """All are sent before the first answer is read. Prints the ids that are mounted."""
    clients = []
    for number in range(count):
        client = socket.socket(socket.AF_UNIX)
        # Without a time limit this waits for room in the socket's queue.
        client.connect(path)
        client.settimeout(120)
        data, kind = one_of(volume, number)
        client.sendall(data)
        clients.append((client, number, data, kind))
    mounted = 0
    for client, number, data, kind in clients:
        answer = received(client)
        client.close()
        expect(status(answer) in (200, 500), data, answer)
        if kind == "right":
            expect(error(answer) == "", data, answer)
        elif kind == "wrong":
            expect(error(answer), data, answer)
        elif error(answer) != "":
            # Above the number of calls that are worked on at a time.
            expect("calls are under way" in str(error(answer)), data, answer)
        elif number % 10 == 0:
            mounted += 1
            print(f"crowd{number}")
    expect(mounted > 0, b"every Mount", b"a refusal")


if sys.argv[2] == "wrong":
    wrong(sys.argv[1])
else:
    crowd(sys.argv[1], sys.argv[3], int(sys.argv[4]))
