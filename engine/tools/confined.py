"""What the child process of a tool runs: it takes its own rights away, then does its work.

Run as a script, never imported: `python -I -S confined.py KIND`, with the request as JSON on
standard input. Files can be read below the folders that are named and written nowhere; there is no
network, no other process, no signal to one (Landlock and seccomp, Linux on x86-64).
"""

import ctypes
import json
import os
import resource
import struct
import sys

_ALLOWED = (
    0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 21, 23, 24, 25, 28, 32, 33, 35,
    39, 60, 63, 79, 89, 96, 102, 104, 107, 108, 131, 186, 202, 217, 228, 229, 230, 231, 257, 262,
    267, 269, 271, 273, 318, 332, 334, 439,
)  # fmt: skip
_COMMANDS = {
    16: (0x5401, 0x5450, 0x5451),
    72: (1, 2, 3, 5, 6, 1030),
}  # ioctl, fcntl: none that signals
_READ = 0b1101  # execute, read files, read folders
_LIBC = ctypes.CDLL(None, use_errno=True)


def confine(readable: list[str], seconds: int, memory: int) -> None:
    """Give up everything but computing and reading below some folders. Raises OSError."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))  # SIGXCPU, then SIGKILL
    for limit, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(limit, (most, most))
    _call(_LIBC.prctl(38, 1, 0, 0, 0))  # no new privileges, which both of the others need
    _landlock(readable)
    _seccomp()


def _call(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _landlock(readable: list[str]) -> None:
    version = _call(_LIBC.syscall(444, None, 0, 1))
    files = (1 << (13 + (version >= 2) + (version >= 3) + (version >= 5))) - 1
    handled = struct.pack("QQQ", files, 3, 3)[: 8 * (1 + (version >= 4) + (version >= 6))]
    rules = _call(_LIBC.syscall(444, handled, len(handled), 0))
    for path in readable:
        try:
            opened = os.open(path, os.O_PATH)
        except FileNotFoundError:
            continue
        rights = _READ if os.path.isdir(path) else _READ & ~0b1000
        _call(_LIBC.syscall(445, rules, 1, struct.pack("=Qi", rights, opened), 0))
        os.close(opened)
    _call(_LIBC.syscall(446, rules, 0))
    os.close(rules)


def _seccomp() -> None:
    """Every system call but those above is refused with EPERM; another architecture is killed."""
    load, equal, greater, done = 0x20, 0x15, 0x35, 0x06
    allow, refuse, kill = 0x7FFF0000, 0x00050001, 0x80000000
    lines = [
        (load, 0, 0, 4), (equal, 1, 0, 0xC000003E), (done, 0, 0, kill),
        (load, 0, 0, 0), (greater, 0, 1, 0x40000000), (done, 0, 0, kill),
    ]  # fmt: skip
    for number in _ALLOWED:
        lines += [(equal, 0, 1, number), (done, 0, 0, allow)]
    for number, commands in _COMMANDS.items():
        lines += [(equal, 0, 2 * len(commands) + 2, number), (load, 0, 0, 24)]
        for command in commands:
            lines += [(equal, 0, 1, command), (done, 0, 0, allow)]
        lines += [(done, 0, 0, refuse)]
    lines.append((done, 0, 0, refuse))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
    program = struct.pack("HxxxxxxQ", len(lines), ctypes.addressof(code))
    _call(_LIBC.prctl(22, 2, program, 0, 0))


def run_python(request: dict[str, str]) -> None:
    """Run a program; what it prints is the answer, or the last line of what went wrong."""
    scope = {"__name__": "__main__"}
    try:
        exec(compile(request["code"], "<program>", "exec"), scope)
    except SystemExit:
        pass
    except BaseException as error:
        sys.stdout.flush()
        print(f"error: {type(error).__name__}: {error}".rstrip(": "), end="")


def run_sql(request: dict[str, str]) -> None:
    """Answer one query on a database that is only read."""
    import sqlite3

    most = int(request["rows"])
    reading = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, 33)
    try:
        database = sqlite3.connect(request["uri"], uri=True)
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
        database.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_OK if action in reading else sqlite3.SQLITE_DENY
        )
        rows = database.execute(request["query"]).fetchmany(most + 1)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        print(f"error: {error}", end="")
        return
    if len(rows) > most:
        print(f"error: more than {most} rows", end="")
        return
    shown = ("|".join("" if cell is None else str(cell) for cell in row) for row in rows)
    print("\n".join(shown), end="")


def main() -> None:
    request = json.load(sys.stdin.buffer)
    confine(request["readable"], request["seconds"], request["memory"])
    {"python": run_python, "sql": run_sql}[sys.argv[1]](request)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
