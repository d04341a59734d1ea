"""A name server that can fall silent."""

import socket
import threading


class NameServer:
    """Answers questions for addresses (A) of the names it knows, at port 53 of this machine; others do not exist."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names
        self.is_silent = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            question, asker = self._socket.recvfrom(512)
            if not self.is_silent.is_set():
                self._socket.sendto(self._answer(question), asker)

    def _answer(self, question: bytes) -> bytes:
        end = question.index(b"\0", 12)
        labels, position = [], 12
        while position < end:
            length = question[position]
            labels.append(question[position + 1 : position + 1 + length].decode())
            position += 1 + length
        asked = question[12 : end + 5]
        address = self._names.get(".".join(labels).lower())
        is_for_a = question[end + 1 : end + 3] == b"\0\x01"
        records = b""
        if address and is_for_a:
            records = b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04" + socket.inet_aton(address)
        flags = b"\x81\x80" if address else b"\x81\x83"
        count = bytes([0, 1 if records else 0])
        return question[:2] + flags + b"\0\x01" + count + b"\0\0\0\0" + asked + records
