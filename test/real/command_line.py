"""Runs command lines one after the other and tells their streams apart, each asked for by a line of JSON on standard input:
{"command", "env", "terminal", "dialogue"}.

`terminal` says whether its stdin is a terminal. `dialogue` is a list of [prompt, answer]: an answer is typed once its prompt
has appeared, on any stream; where it is null, a line {"seen": text} is printed for the test instead. The last line is
{"code", "stdout", "stderr", "screen"}; `screen` is what was written to the terminal by its name.

A program of this Python is run in a fork that has its modules already, since each import would take longer than the rest.
"""

import fcntl
import json
import os
import pty
import runpy
import selectors
import signal
import struct
import sys
import termios

LIMIT = 180  # seconds; an unanswered prompt fails the test instead of hanging it


def become(command, env, stdin, stdout, stderr, terminal):
    """In the fork: the program."""
    os.setsid()
    for number, stream in enumerate((stdin, stdout, stderr)):
        os.dup2(stream, number)
    if terminal:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.closerange(3, 256)
    os.environ.update(env)
    if os.path.dirname(command[0]) != os.path.dirname(sys.executable):
        os.execvpe(command[0], command, os.environ)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    sys.stdin = sys.__stdin__ = open(0)
    sys.argv = command
    runpy.run_path(command[0], run_name="__main__")


def read(pid, streams, outer, dialogue):
    texts = {"stdout": "", "stderr": "", "screen": ""}
    unread = ""
    selector = selectors.DefaultSelector()
    for name, stream in streams.items():
        selector.register(stream, selectors.EVENT_READ, name)
    if outer is not None:
        selector.register(outer, selectors.EVENT_READ, "screen")
    open_streams = len(streams)
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
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    texts["stderr"] += "".join(f"\nThe prompt did not appear: {prompt}" for prompt, _ in dialogue)
    return {"code": code, **texts}


def main():
    preloaded = False
    while line := sys.stdin.readline():
        asked = json.loads(line)
        command, terminal = asked["command"], asked["terminal"]
        if not preloaded and os.path.dirname(command[0]) == os.path.dirname(sys.executable):
            import tiled.client.constructors  # noqa: F401
            import tiled.commandline.main  # noqa: F401
            import tiled.profiles  # noqa: F401

            preloaded = True
        outer, inner = pty.openpty() if terminal else (None, os.open(os.devnull, os.O_RDONLY))
        if terminal:
            fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        (stdout, stdout_of), (stderr, stderr_of) = os.pipe(), os.pipe()
        pid = os.fork()
        if pid == 0:
            return become(command, asked["env"], inner, stdout_of, stderr_of, terminal)
        for stream in (inner, stdout_of, stderr_of):
            os.close(stream)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
        signal.alarm(LIMIT)
        report = read(pid, {"stdout": stdout, "stderr": stderr}, outer, asked["dialogue"])
        signal.alarm(0)
        for stream in (stdout, stderr, *([] if outer is None else [outer])):
            os.close(stream)
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
