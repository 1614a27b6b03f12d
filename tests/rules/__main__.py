"""Write what is made from the pairs of files and the pages of the rules."""

from tests.rules import EXAMPLE, FOLDER, GUIDE, LIST, PAGES, example, listed, printed

for folder in sorted(FOLDER.glob("SL*")):
    (folder / "expected.txt").write_text(printed(folder.name), encoding="utf-8")
    page = PAGES / f"{folder.name}.md"
    head = page.read_text(encoding="utf-8").partition(EXAMPLE)[0]
    page.write_text(f"{head}{EXAMPLE}{example(folder.name)}", encoding="utf-8")

guide = GUIDE.read_text(encoding="utf-8").partition(LIST)[0]
GUIDE.write_text(f"{guide}{LIST}{listed()}", encoding="utf-8")
