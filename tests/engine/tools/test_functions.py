"""Tools for `writes` clauses: what they answer, and that what a model writes changes nothing."""

from __future__ import annotations

import os
import pickle
import platform
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import Matcher, Vocabulary, generate, validate
from statelang.engine.tools import Python, Sqlite, arithmetic, functions
from tests.training.small import small_model, small_tokenizer

confined = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="programs of a model are run on Linux on x86-64 alone",
)
run = Python(seconds=60)  # on a busy machine
hurried = Python(seconds=1)  # what has no end is stopped


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("0.875", "(3 + 4) / 8"),
        ("-12", "3 * -4"),
        ("error: division by zero", "1 / 0"),
        ("error: the number has no finite decimal spelling", "1 / 3"),
    ],
)
def test_arithmetic_is_exact(answer: str, text: str) -> None:
    """A value without a finite decimal is an error, not a rounded number."""
    assert answer == arithmetic(text)


@confined
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("2", "print(1 + 1)"),
        ("a\nb", "print('a'); print('b')"),
        ("é€", "print('é€')"),
        ("3628800", "import math, json, re, decimal\nprint(math.factorial(10))"),
        ("", "x = 1"),
        ("1", "import sys\nprint(1)\nsys.exit(3)"),
        ("error: ZeroDivisionError: division by zero", "1 / 0"),
        ("error: SyntaxError: '(' was never closed (<program>, line 1)", "x = ("),
        ("error: more than 1000 characters", "print('x' * 10**6)"),
        ("error: MemoryError", "x = 'a' * 10**10"),
        ("error: the program broke off", "import ctypes\nctypes.string_at(0)"),
        ("error: EOFError: EOF when reading a line", "input()"),
    ],
)
def test_a_program_answers_with_what_it_prints(answer: str, code: str) -> None:
    """What goes wrong is an answer too."""
    assert answer == run(code)


@confined
def test_a_program_without_an_end_is_stopped() -> None:
    """After the seconds of CPU time that it is given, whatever it has printed by then."""
    assert "error: no answer within 1 s" == hurried("print(1, flush=True)\nwhile True: pass")


@confined
def test_a_program_may_wait_longer_than_it_may_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock runs on where the machine is busy; a program that sleeps is stopped by it alone."""
    assert "1" == hurried("import time\ntime.sleep(1.5)\nprint(1)")
    monkeypatch.setattr(functions, "_PATIENCE", 1)
    assert "error: no answer within 1 s" == hurried("import time\ntime.sleep(60)")


# ---- hostile programs ------------------------------------------------------------------------


@frozen
class Outside:
    """What hostile programs try to change."""

    file: Path
    port: int
    process: subprocess.Popen[bytes]
    server: socket.socket


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """A file, a server and a process."""
    file = tmp_path_factory.mktemp("outside") / "file"
    file.write_text("untouched")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        with process:
            yield Outside(file, server.getsockname()[1], process, server)
            process.kill()


_ATTACKS = {
    "files": [
        "open(FILE, 'w').write('x')",
        "open(FILE, 'a').write('x')",
        "open(FILE, 'r+').write('x')",
        "open(FILE).read(); print('ESCAPED')",
        "os.unlink(FILE)",
        "os.rename(FILE, FILE + '2')",
        "os.truncate(FILE, 0)",
        "os.chmod(FILE, 0)",
        "os.chown(FILE, 1, 1)",
        "os.utime(FILE, (0, 0))",
        "os.link(FILE, FILE + '2')",
        "os.symlink(FILE, FILE + '2')",
        "os.mkdir(FILE + '2')",
        "os.rmdir(os.path.dirname(FILE))",
        "os.mkfifo(FILE + '2')",
        "os.open(FILE, os.O_RDWR | os.O_TRUNC)",
        "os.open(os.path.dirname(FILE), os.O_TMPFILE | os.O_RDWR)",
        "os.setxattr(FILE, 'user.x', b'x')",
        "os.chroot('/tmp')",
        "os.memfd_create('x')",
        "tempfile.TemporaryFile().write(b'x')",
        "pathlib.Path('/etc/passwd').read_text(); print('ESCAPED')",
        "os.listdir('/'); print('ESCAPED')",
        "open('/proc/self/mem', 'r+b')",
        "open('/proc/1/environ', 'rb').read(); print('ESCAPED')",
    ],
    "processes": [
        "while True: os.fork()",
        "os.forkpty()",
        "os.system('echo x > ' + FILE)",
        "os.popen('echo x > ' + FILE).read()",
        "os.execv('/bin/sh', ['sh', '-c', 'echo x > ' + FILE])",
        "os.posix_spawn('/bin/sh', ['sh', '-c', 'echo x > ' + FILE], {})",
        "subprocess.run(['/bin/sh', '-c', 'echo x > ' + FILE])",
        "[threading.Thread(target=time.sleep, args=(9,)).start() for _ in range(999)]",
        "multiprocessing.Process(target=print).start()",
        "os.setsid()",
        "os.nice(-5)",
        "os.setuid(0)",
        "os.sched_setaffinity(PID, {0})",
        "resource.setrlimit(resource.RLIMIT_CPU, (9, 9))",
        "resource.prlimit(PID, resource.RLIMIT_CPU, (0, 0))",
        "LIBC.ptrace(16, PID, 0, 0) == 0 and print('ESCAPED')",
        "LIBC.syscall(435, 0, 0) >= 0 and print('ESCAPED')",
        "LIBC.syscall(57) >= 0 and print('ESCAPED')",
        "LIBC.syscall(425, 8, 0) >= 0 and print('ESCAPED')",
        "LIBC.syscall(0x40000039) >= 0 and print('ESCAPED')",
    ],
    "signals": [
        "os.kill(PID, 9)",
        "os.kill(-1, 9)",
        "os.kill(os.getppid(), 9)",
        "os.killpg(0, 9)",
        "signal.pthread_kill(threading.get_ident(), 9)",
        "LIBC.syscall(234, PID, PID, 9) == 0 and print('ESCAPED')",
        "LIBC.syscall(424, 3, 9, 0, 0) == 0 and print('ESCAPED')",
        "fcntl.fcntl(1, 8, PID); fcntl.fcntl(1, 4, 0x2000)",
        "fcntl.ioctl(1, 0x8901, PID.to_bytes(4, 'little'))",
        "signal.alarm(1); signal.pause()",
        "signal.signal(15, signal.SIG_IGN); time.sleep(60)",
        "os.abort()",
    ],
    "network": [
        "socket.create_connection(('127.0.0.1', PORT))",
        "socket.socket()",
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
        "socket.socketpair()",
        "socket.getaddrinfo('localhost', PORT)",
        "urllib.request.urlopen('http://127.0.0.1:%d' % PORT)",
        "asyncio.run(asyncio.open_connection('127.0.0.1', PORT))",
        "LIBC.syscall(41, 2, 1, 0) >= 0 and print('ESCAPED')",
    ],
    "time": [
        "while True: pass",
        "time.sleep(60)",
        "sum(x for x in itertools.count())",
        "10 ** 10 ** 9",
        "re.match('(a+)+$', 'a' * 60 + 'b')",
        "'x' in itertools.repeat('y')",
        "hash((10 ** 6 * '(' ,) * 10 ** 8)",
        "threading.Lock().__enter__() or threading.Lock().acquire() and sys.stdin.read()",
    ],
    "memory": [
        "bytearray(10 ** 12)",
        "[0] * 10 ** 11",
        "x = [1]\nwhile True: x += x",
        "x = 'x'\nwhile True: x += x",
        "mmap.mmap(-1, 10 ** 11)",
        "x = []\nwhile True: x.append(x[:])",
        "sys.setrecursionlimit(10 ** 9)\ndef f(): return f() + 1\nf()",
        "compile('(' * 10 ** 5, 'x', 'eval')",
        "eval('-' * 10 ** 6 + '1')",
    ],
    "output": [
        "while True: print('x' * 1000)",
        "sys.stdout.write('x' * 10 ** 7)",
        "os.write(1, b'x' * 10 ** 7)",
        "sys.stderr.write('x' * 10 ** 7)",
        "os.write(1, bytes(range(256)))",
        "os.close(1)",
        "os.dup2(0, 1)",
        "sys.stdout.close()",
        "sys.stdout = None",
        "for n in range(3, 64): os.write(n, b'x')",
    ],
    "the machine": [
        "ctypes.string_at(0)",
        "ctypes.memset(0, 1, 1)",
        "(lambda: 0).__code__.replace(co_code=b'\\xff' * 99).__class__ and os._exit(7)",
        "os._exit(0)",
        "sys.exit(FILE)",
        "raise BaseException",
        "raise KeyboardInterrupt",
        "sys.settrace(lambda *a: 1 / 0)",
        "gc.get_objects().clear()",
        "builtins.__dict__.clear()",
        "del sys.modules['sys']",
        "LIBC.reboot(0) == 0 and print('ESCAPED')",
        "LIBC.mount(b'x', b'/', b'tmpfs', 0, 0) == 0 and print('ESCAPED')",
        "LIBC.unshare(0x10000000) == 0 and print('ESCAPED')",
        "LIBC.prctl(22, 0, 0) == 0 and print('ESCAPED')",
        "time.clock_settime(0, 0)",
    ],
}
_MODULES = (
    "asyncio", "builtins", "fcntl", "gc", "itertools", "mmap", "multiprocessing", "os", "pathlib",
    "re", "resource", "signal", "socket", "subprocess", "sys", "tempfile", "threading", "time",
    "urllib.request",
)  # fmt: skip
_HEAD = "import ctypes\nLIBC = ctypes.CDLL(None)\n"
ATTACKS = [attack for attacks in _ATTACKS.values() for attack in attacks]


@confined
def test_there_are_a_hundred_attacks_and_they_begin() -> None:
    """Each is a different one, and what they import can be imported."""
    assert len(set(ATTACKS)) >= 100
    assert "ready" == run(f"import {', '.join(_MODULES)}\n{_HEAD}print('ready')")


@confined
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_hostile_program_changes_nothing(
    attack: str, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file, the server and the process outside are as before, no process is left, and the
    program is over with a short answer that says nothing from outside."""
    given = {"FILE": str(outside.file), "PORT": outside.port, "PID": outside.process.pid}
    head = "".join(f"{name} = {value!r}\n" for name, value in given.items())
    used = "".join(f"import {name}\n" for name in _MODULES if f"{name}." in attack)
    monkeypatch.setattr(functions, "_PATIENCE", 1)  # several sleep
    before = _children()
    answer = hurried(f"{_HEAD}{used}{head}{attack}\n")
    assert len(answer) <= 1_000 and "ESCAPED" not in answer
    assert "untouched" == outside.file.read_text()
    assert [outside.file.name] == os.listdir(outside.file.parent)
    assert outside.process.poll() is None
    with pytest.raises(BlockingIOError):
        outside.server.accept()
    assert outside.process.pid in before and not _children() - before


def _children() -> set[int]:
    """Processes that this one has started and that still are."""
    children = Path("/proc/self/task").glob("*/children")
    return {int(pid) for file in children for pid in file.read_text().split()}


# ---- databases -------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A table of two rows."""
    path = tmp_path / "db.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("create table t (a, b)")
        connection.executemany("insert into t values (?, ?)", [(1, "x"), (2.5, None)])
    connection.close()
    return path


@confined
@pytest.mark.parametrize(
    ("answer", "query"),
    [
        ("1|x\n2.5|", "select * from t"),
        ("2", "select count(*) from t"),
        ("", "select * from t where a > 9"),
        ("error: Bob", "select 'error: Bob'"),
        (
            "'error: Bob'|'x|''y'|1|NULL",
            "select quote('error: Bob'), quote('x|''y'), quote(1), quote(null)",
        ),
        ("error: no such column: nope", "select nope"),
        ("error: not authorized", "delete from t"),
        ("error: not authorized", "attach '/etc/passwd' as x"),
        ("error: not authorized", "pragma table_info(t)"),
        ("error: not authorized", "select load_extension('x')"),
        ("error: string or blob too big", "select zeroblob(1000000000)"),
        ("error: more than 100 rows", "select 1 from t, t t2, t t3, t t4, t t5, t t6, t t7"),
    ],
)
def test_a_query_reads_and_nothing_else(answer: str, query: str, database: Path) -> None:
    """Rows are lines; their number and lengths are bounded; the file stays as it is."""
    before = database.read_bytes()
    assert answer == Sqlite(database, seconds=60)(query)
    assert before == database.read_bytes()


@confined
@pytest.mark.parametrize("name", ["db.sqlite", "50 %41?mode=rw#.sqlite"])
def test_a_database_may_have_any_path(
    name: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path is taken from the folder of the caller, whatever characters are in it."""
    monkeypatch.chdir(database.rename(database.with_name(name)).parent)
    assert "2" == Sqlite(Path(name), seconds=60)("select count(*) from t")


def _beside(path: Path) -> dict[str, bytes]:
    """The files of a folder, and what is in them."""
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}


@confined
@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_database_is_read_while_it_is_open_elsewhere(mode: str, database: Path) -> None:
    """What is committed is seen, also where it is in the log alone; what is not is not seen; no
    file is made or changed. When the writer is gone, with its log or without, it is the same."""
    count = "select count(*) from t"
    writer = sqlite3.connect(database)
    writer.execute(f"pragma journal_mode={mode}")
    writer.execute("insert into t values (3, 'y')")
    writer.commit()
    writer.execute("insert into t values (4, 'z')")
    before = _beside(database)
    assert "3" == Sqlite(database, seconds=60)(count)
    assert before == _beside(database)
    writer.rollback()
    left = database.with_name("left") / database.name  # as a writer that was killed leaves it
    shutil.copytree(database.parent, left.parent, ignore=shutil.ignore_patterns("left"))
    writer.close()
    for path in (left, database):
        before = _beside(path)
        assert "3" == Sqlite(path, seconds=60)(count)
        assert before == _beside(path)


@confined
def test_a_log_that_cannot_be_read_without_writing_is_named(database: Path) -> None:
    """The rows of the log are not left out in silence."""
    writer = sqlite3.connect(database)
    writer.execute("pragma journal_mode=wal")
    writer.execute("insert into t values (3, 'y')")
    writer.commit()
    alone = database.with_name("alone.sqlite")
    shutil.copy(database, alone)
    shutil.copy(f"{database}-wal", f"{alone}-wal")
    writer.close()
    with pytest.raises(StatelangError, match="wal_checkpoint"):
        Sqlite(alone)("select 1")
    Path(f"{alone}-wal").unlink()
    assert "2" == Sqlite(alone, seconds=60)("select count(*) from t")


@confined
def test_a_query_without_an_end_is_stopped(database: Path) -> None:
    """After the seconds that it is given."""
    query = "with recursive r(n) as (select 1 union all select n + 1 from r) select sum(n) from r"
    assert "error: no answer within 1 s" == Sqlite(database, seconds=1)(query)


def test_a_missing_database_is_named(tmp_path: Path) -> None:
    """No empty one is made."""
    with pytest.raises(StatelangError, match=r"there is no database .*none\.sqlite"):
        Sqlite(tmp_path / "none.sqlite")("select 1")
    assert not (tmp_path / "none.sqlite").exists()


SPACE = r"""
start : program _run
_run : answer

//@ writes OUT = python(CODE)
program : "<python>" CODE "</python>\n<out>" OUT "</out>\n"
//@ requires LINE == last(program).OUT
answer : "<answer>" LINE "</answer>\n"

CODE : /[^<]{1,80}/
OUT : /[^<]{0,80}/
LINE : /[^<]{1,80}/
"""


@confined
@pytest.mark.parametrize(("holds", "out"), [(True, "6"), (False, "7"), (False, "error: x")])
def test_a_verdict_runs_the_tool_again(holds: bool, out: str) -> None:
    """What the environment is said to have written is compared with what it writes."""
    text = f"<python>print(2 * 3)</python>\n<out>{out}</out>\n<answer>{out}</answer>\n"
    space = statelang.loads(SPACE.replace("{0,80}", "{1,80}"))
    assert holds == validate(space, text, tools={"python": run}).holds
    assert validate(space, text).holds


ASK = r"""
start : ask _asked
_asked : ask _asked
       | tell

//@ writes OUT = echo(WORD, 2)
ask : "ask " WORD " " OUT "\n"
//@ requires OUT == last(ask).OUT
tell : "tell " OUT "\n"

WORD : /[a-c]{1,3}/
OUT : /[a-z!]{1,9}/
"""


class Echo:
    """Says a word twice, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, word: str, times: int) -> str:
        self.asked.append(word)
        return word * times + "!"


def test_the_environment_writes_while_a_model_generates() -> None:
    """Whatever the model would say, its field holds what the tool gives, and the trace ends within
    its budget."""
    import outlines

    space, tokenizer = statelang.loads(ASK), small_tokenizer()
    steered: Any = outlines.from_transformers
    model = steered(small_model(tokenizer).train(False), tokenizer)
    echo = Echo()
    problems = [{"question": f"{n}?"} for n in range(4)]
    found = list(generate(space, model, problems, max_tokens=40, tools={"echo": echo}))
    assert all(g.verdict.contracts for g in found)
    asked = [line.split() for g in found for line in g.text.splitlines() if line[:3] == "ask"]
    assert len(asked) >= 4 and all(out == f"{word * 2}!" for _, word, out in asked)
    assert {word for _, word, _ in asked} <= set(echo.asked)


def test_what_a_tool_gives_is_forced() -> None:
    """A matcher appends it without asking a model; a snapshot keeps the tool."""
    tokens = (*(bytes((byte,)) for byte in range(256)), b"")
    matcher = Matcher(
        statelang.loads(ASK), Vocabulary(tokens, frozenset({256})), tools={"echo": Echo()}
    )
    assert 8 == matcher.try_consume_tokens(b"ask abc ")
    assert b"abcabc!\n" == bytes(pickle.loads(pickle.dumps(matcher)).forced_tokens())


@pytest.mark.parametrize(("said", "trace"), [("", "<a></a>"), ("hi", "<a>hi</a>")])
def test_a_tool_that_says_nothing_leaves_an_optional_field_out(said: str, trace: str) -> None:
    """A text that may be empty is written with `?`: left out, it is the empty text."""
    space = statelang.loads("""
start : say
//@ writes OUT = tool("x")
say : "<a>" OUT? "</a>"
OUT : /[a-z]{1,9}/
""")
    tools = {"tool": lambda _: said}
    letters = tuple(bytes((byte,)) for byte in range(256))
    vocabulary = Vocabulary((*letters, b""), stops=frozenset({256}))
    matcher = Matcher(space, vocabulary, max_tokens=20, tools=tools)
    assert matcher.try_consume_tokens(list(b"<a>"))
    assert [trace[3] == first for first in "<hi"] == [matcher.allows(ord(one)) for one in "<hi"]
    for text in ("<a></a>", "<a>hi</a>", "<a>ho</a>"):
        assert (text == trace) is validate(space, text, tools=tools).contracts
