"""Runs one command line and tells its streams apart: command_line.py TERMINAL DIALOGUE COMMAND...

TERMINAL is 1 where stdin is a terminal, 0 where there is none. DIALOGUE is a JSON list of [prompt, answer]: an answer is typed
once its prompt has appeared, on any stream; where it is null, a line {"seen": text} is printed for the test instead. The last
line is {"code", "stdout", "stderr", "screen"}; `screen` is what was written to the terminal by its name.
"""

import fcntl
import json
import os
import pty
import selectors
import signal
import struct
import subprocess
import sys
import termios


def start(command, terminal):
    def own_session():
        os.setsid()
        if terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    outer, inner = pty.openpty() if terminal else (None, os.open(os.devnull, os.O_RDONLY))
    if terminal:
        fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    process = subprocess.Popen(
        command, stdin=inner, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=own_session
    )
    os.close(inner)
    return process, outer


def main(terminal, dialogue, command):
    process, outer = start(command, terminal)
    signal.signal(signal.SIGALRM, lambda *_: process.kill())  # an unanswered prompt fails the test instead of hanging it
    signal.alarm(120)
    texts = {"stdout": "", "stderr": "", "screen": ""}
    unread = ""
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ, "stdout")
    selector.register(process.stderr, selectors.EVENT_READ, "stderr")
    if terminal:
        selector.register(outer, selectors.EVENT_READ, "screen")
    open_streams = 2
    while open_streams:
        for key, _ in selector.select():
            try:
                data = os.read(key.fd, 65536)
            except OSError:  # how Linux says that the other side of a terminal is closed
                data = b""
            if not data:
                selector.unregister(key.fileobj)
                open_streams -= key.data != "screen"
                continue
            text = data.decode(errors="replace").replace("\r\n", "\n")
            texts[key.data] += text
            unread += text
            while dialogue and dialogue[0][0] in unread:
                prompt, answer = dialogue.pop(0)
                if answer is None:
                    print(json.dumps({"seen": unread}), flush=True)
                else:
                    os.write(outer, answer.encode() + b"\n")
                unread = unread.split(prompt, 1)[1]
    code = process.wait()
    texts["stderr"] += "".join(f"\nThe prompt did not appear: {prompt}" for prompt, _ in dialogue)
    print(json.dumps({"code": code, **texts}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1] == "1", json.loads(sys.argv[2]), sys.argv[3:])
