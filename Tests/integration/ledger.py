#!/usr/bin/python3
"""A client of one volume that keeps a ledger: what it asked for, and what was answered.

usage: ledger.py write URI LEDGER SECONDS   many requests at once, until the time or the server ends
       ledger.py check URI LEDGER           every sector is as the ledger says

The ledger survives the client: it is written without a buffer, a line before each request and a
line after each answer. `begin SLOT NUMBER FIRST END` and `done …` of a request that changes the
sectors FIRST to END - 1 of a slot, `read SLOT`, and after a check `found SLOT NUMBER…`: what the
sectors of a slot hold that had a request under way at the end.

A slot is twelve sectors, so that slots share blocks with their neighbours and slots of one group
lie in one region. Sectors of a write under way at the end may hold the old or the new number each;
but whatever a check has found is what every later one has to find.
"""
import os
import random
import struct
import sys
import time

import nbd

SECTOR, SECTORS = 512, 12
SLOT_BYTES = SECTOR * SECTORS
SLOTS, GROUP, GROUP_BYTES = 2048, 64, 7 << 20
DEPTH = 24


def offset(slot):
    return slot // GROUP * GROUP_BYTES + slot % GROUP * SLOT_BYTES


def sector(slot, number, index):
    """Number 0 stands for zeros: never written, or written as zeros."""
    if not number:
        return bytes(SECTOR)
    return struct.pack("<QQ", number, slot << 8 | index) * (SECTOR // 16)


def whole_blocks(slot):
    """Sectors of the slot's whole blocks of 4 KiB: all that a trim has to give back."""
    first = -offset(slot) // SECTOR % 8
    return first, first + (SECTORS - first) // 8 * 8


class Ledger:
    def __init__(self, path):
        self.known = [[0] * SECTORS for _ in range(SLOTS)]
        # Of each slot at most one request: its number and sectors.
        self.under_way = [None] * SLOTS
        self.last = 0
        if os.path.exists(path):
            for line in open(path, encoding="ascii"):
                self.take(line.split())
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def take(self, words):
        if words[0] == "read":
            return
        slot, numbers = int(words[1]), [int(word) for word in words[2:]]
        if words[0] == "found":
            self.known[slot] = numbers
            self.under_way[slot] = None
            return
        number, first, end = numbers
        self.last = max(self.last, abs(number))
        if words[0] == "begin":
            self.under_way[slot] = (number, first, end)
        else:
            self.under_way[slot] = None
            self.known[slot][first:end] = [max(number, 0)] * (end - first)

    def write(self, *words):
        line = " ".join(map(str, words))
        self.take(line.split())
        os.write(self.file, (line + "\n").encode("ascii"))

    def numbers_allowed(self, slot, index):
        allowed = {self.known[slot][index]}
        if self.under_way[slot]:
            number, first, end = self.under_way[slot]
            # A negative number is a request for zeros.
            if first <= index < end:
                allowed.add(max(number, 0))
        return allowed

    def compare(self, slot, data):
        """The number in each sector; ends the client when one is not allowed."""
        found = []
        for index in range(SECTORS):
            piece = bytes(data[index * SECTOR:(index + 1) * SECTOR])
            allowed = self.numbers_allowed(slot, index)
            fitting = [number for number in allowed if piece == sector(slot, number, index)]
            if not fitting:
                head = struct.unpack_from("<QQ", piece)
                sys.exit(f"slot {slot} sector {index} at byte {offset(slot) + index * SECTOR}:"
                         f" holds {head}, allowed are {sorted(allowed)}")
            found.append(fitting[0])
        return found


class Writer:
    def __init__(self, handle, ledger):
        self.handle, self.ledger = handle, ledger
        self.random = random.Random(ledger.last)
        self.busy = set()
        self.failed = None

    def send_one(self):
        slot = self.random.randrange(SLOTS)
        if slot in self.busy:
            return
        self.busy.add(slot)
        kind = self.random.random()
        if kind < 0.2:
            self.read(slot)
        else:
            self.change(slot, kind)

    def read(self, slot):
        buffer = nbd.Buffer(SLOT_BYTES)

        def answered(error):
            self.busy.discard(slot)
            if error.value:
                self.failed = self.failed or f"read: {os.strerror(error.value)}"
            else:
                self.ledger.compare(slot, buffer.to_bytearray())
                self.ledger.write("read", slot)
            return 1

        self.handle.aio_pread(buffer, offset(slot), answered)

    def change(self, slot, kind):
        """A write of some of the slot's sectors, of zeros, or a trim; numbered, in the ledger."""
        first, end = whole_blocks(slot) if kind < 0.3 else self.some_sectors()
        number = self.ledger.last + 1
        number = -number if kind < 0.4 else number
        self.ledger.write("begin", slot, number, first, end)

        def answered(error):
            if error.value:
                # The slot stays busy: the request may have been done, or not.
                self.failed = self.failed or f"write: {os.strerror(error.value)}"
            else:
                self.busy.discard(slot)
                self.ledger.write("done", slot, number, first, end)
            return 1

        start, length = offset(slot) + first * SECTOR, (end - first) * SECTOR
        if kind < 0.3:
            self.handle.aio_trim(length, start, answered)
        elif kind < 0.4:
            self.handle.aio_zero(length, start, answered)
        else:
            data = b"".join(sector(slot, number, index) for index in range(first, end))
            buffer = nbd.Buffer.from_bytearray(bytearray(data))
            flags = nbd.CMD_FLAG_FUA if kind < 0.5 else 0
            self.handle.aio_pwrite(buffer, start, answered, flags)

    def some_sectors(self):
        first = self.random.randrange(SECTORS)
        return first, self.random.randint(first + 1, SECTORS)

    def run(self, seconds):
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end and not self.failed:
                while self.handle.aio_in_flight() < DEPTH:
                    self.send_one()
                self.handle.poll(100)
            # What is under way is heard to its end.
            while self.handle.aio_in_flight():
                self.handle.poll(100)
        except nbd.Error as error:
            self.failed = self.failed or str(error)


def check(handle, ledger):
    for slot in range(SLOTS):
        found = ledger.compare(slot, handle.pread(SLOT_BYTES, offset(slot)))
        if ledger.under_way[slot]:
            ledger.write("found", slot, *found)


def main():
    what, uri, ledger = sys.argv[1], sys.argv[2], Ledger(sys.argv[3])
    handle = nbd.NBD()
    handle.connect_uri(uri)
    if what == "check":
        check(handle, ledger)
        print(f"{SLOTS} slots are as the ledger says, up to number {ledger.last}")
        return
    writer = Writer(handle, ledger)
    writer.run(float(sys.argv[4]))
    print(f"up to number {ledger.last}; ended with {writer.failed or 'its time'}")
    sys.exit(3 if writer.failed else 0)


main()
