"""Queries that a schema allows, run by the database while the model writes.

The model has random weights, so whatever is right below is right by the grammar alone:
`database.lark` names the columns and tables that a query may hold, and its clause
`writes ROWS = sql(select)` lets SQLite write the rows into the trace.

    python examples/ask_a_database.py
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import outlines

import statelang
from statelang.engine import generate, validate
from statelang.engine.tools import Sqlite
from statelang.training.model import tiny_llama
from statelang.training.tokenizer import train_tokenizer

SPACE = statelang.load(Path(__file__).with_name("database.lark"))
TABLES = """
create table singer (name text, age integer);
insert into singer values ('Nina', 38), ('Umm', 71), ('Fela', 58);
create table song (title text, singer text, year integer);
insert into song values ('Feeling Good', 'Nina', 1965), ('Zombie', 'Fela', 1976);
"""


def schema(path: Path) -> dict[str, Any]:
    """The inputs that the space declares, read off a database."""
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master")]
        columns = {
            table: [row[1] for row in database.execute(f"pragma table_info({table})")]
            for table in tables
        }
    return {
        "columns": columns,
        "names": sorted({name for each in columns.values() for name in each}),
    }


def main(count: int = 4) -> None:
    """Ask a few times, and judge every answer by running its query again."""
    tokenizer = train_tokenizer(["Which song is the oldest?"], SPACE.literals)
    model = outlines.from_transformers(tiny_llama(tokenizer, seed=0), tokenizer)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "music.db"
        with closing(sqlite3.connect(path)) as database:
            database.executescript(TABLES)
        tools = {"sql": Sqlite(path, seconds=30)}
        problem = {"question": "Which song is the oldest?", **schema(path)}
        for found in generate(SPACE, model, [problem] * count, max_tokens=120, tools=tools):
            print(found.text)
            assert found.verdict.contracts
        forged = found.text.replace("<rows>", "<rows>Nobody|", 1)
        error = validate(SPACE, forged, problem, tools=tools).error
        assert error is not None
        print(f"rows that the database did not give: {error.rule}")


if __name__ == "__main__":
    main()
