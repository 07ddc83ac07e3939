"""Runs a command at a terminal and answers its prompts: terminal.py DIALOGUE COMMAND...

DIALOGUE is a JSON list of [prompt, answer]; each answer is typed once its prompt has appeared after the one before.
What the command prints is printed, its exit code is ours.
"""

import fcntl
import json
import os
import pty
import signal
import struct
import sys
import termios


def main(dialogue, command):
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
        os.execvp(command[0], command)
    unread = ""
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side is closed
            data = b""
        if not data:
            break
        text = data.decode(errors="replace").replace("\r\n", "\n")
        sys.stdout.write(text)
        sys.stdout.flush()
        unread += text
        if dialogue and dialogue[0][0] in unread:
            prompt, answer = dialogue.pop(0)
            unread = unread.split(prompt, 1)[1]
            # Ctrl-C and Ctrl-D are one key.
            os.write(terminal, answer.encode() + (b"" if answer in ("\x03", "\x04") else b"\n"))
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) or (99 if dialogue else 0)


if __name__ == "__main__":
    signal.alarm(120)  # an unanswered prompt ends the test instead of hanging it
    sys.exit(main(json.loads(sys.argv[1]), sys.argv[2:]))
