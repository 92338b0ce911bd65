"""Write the lessons' notebooks anew and run them: ``python -m analysis.lessons.write``. Needs the extra ``test``."""

import sys
from pathlib import Path
from typing import Any, Final

import nbformat
from nbclient import NotebookClient

from analysis.app.catalog import lessons

HERE: Final = Path(__file__).parent
DRAWN: Final = {  # columns of the lesson's picture
    "cheap_money": ("capex", "spread", "loss"),
    "race": ("model_half_life", "capex"),
    "waterfall": ("lost_alone", "lost_a", "lost_b"),
    "rating": ("downgrades", "advance_rate_mezzanine", "depreciation_belief"),
    "fire_sales": ("fire_sale", "liquidations", "distressed"),
    "two_systems": ("capex", "spread"),
}


def notebook(lesson: dict[str, Any]) -> nbformat.NotebookNode:
    """One lesson, not yet run."""
    markdown, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    says = [step["says"] for step in lesson["steps"]]
    options = " / ".join(lesson["options"].values())
    note = f"\n\n{lesson['note']}" if "note" in lesson else ""
    drawn = ", ".join(f'"{column}"' for column in DRAWN[lesson["name"]])
    cells = [
        markdown(f"# {lesson['title']}\n\n{lesson['hook']}{note}"),
        markdown("\n".join(f"{number}. {text}" for number, text in enumerate(says, 1))),
        code('settings, first, end = [], None, None  # the lesson\'s own; try ["seed=2"], or other months'),
        code(
            f"from analysis.lessons import Lesson\n\n"
            f'lesson = Lesson("{lesson["name"]}", settings, first, end).live()\n'
            f"lesson.draw({drawn})"
        ),
        markdown(f"**{lesson['question']}** ({options})"),
        code("lesson.table()"),
        code("print(lesson.verdict())"),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    page = nbformat.v4.new_notebook(cells=cells)
    page.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return page


def run(page: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs, without a trace of when and where it ran."""
    done: nbformat.NotebookNode = NotebookClient(page, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    for cell in done.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    done.metadata.pop("language_info", None)
    return done


def main() -> int:
    """All six."""
    for lesson in lessons():
        page = run(notebook(lesson), HERE)
        nbformat.write(page, HERE / f"{lesson['name']}.ipynb")
        print(HERE / f"{lesson['name']}.ipynb")
    return 0


if __name__ == "__main__":
    sys.exit(main())
