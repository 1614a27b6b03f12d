"""Write every rule's expected text and the example on its page, from the pair of files."""

from tests.rules import EXAMPLE, FOLDER, PAGES, example, printed

for folder in sorted(FOLDER.glob("SL*")):
    (folder / "expected.txt").write_text(printed(folder.name), encoding="utf-8")
    page = PAGES / f"{folder.name}.md"
    head = page.read_text(encoding="utf-8").partition(EXAMPLE)[0]
    page.write_text(f"{head}{EXAMPLE}{example(folder.name)}", encoding="utf-8")
