"""The notebooks run from beginning to end, say what the report says, and stand in the checkout
without outputs.
"""

from __future__ import annotations

import ast

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

from tests.house.source import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
# Smaller than the notebooks' own, so that each takes seconds.
SIZES = {
    "01_is_it_a_storm": {"scale": "1/4000"},
    "02_cheapest_record": {"premises": 300, "warm_up": "7 d", "length": "14 d"},
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_and_its_pair_agree(path):
    """The `.ipynb` holds the cells of the `.py`, each with an id, and no outputs."""
    script, book = jupytext.read(path), nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(book)

    assert [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in book.cells] == [
        (c.cell_type, c.source, c.metadata.get("tags", [])) for c in script.cells
    ]
    assert len({cell.id for cell in book.cells}) == len(book.cells)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * len(code)
    assert code[0].metadata["tags"] == ["parameters"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_defines_nothing(path):
    """It reads, draws and says; whatever can be wrong lives where it is tested."""
    made = {type(node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))}

    assert not made & {ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.AsyncFunctionDef}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    """Every cell runs on a small estate, the answer is printed, and the figure is drawn."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    parameters = next(cell for cell in book.cells if cell.cell_type == "code")
    parameters.source += "".join(
        f"\n{name} = {value!r}" for name, value in SIZES[path.stem].items()
    )
    folder = tmp_path / "notebooks"
    folder.mkdir()
    NotebookClient(
        book, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()

    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    printed = "".join(
        output.text
        for output in outputs
        if output.output_type == "stream" and output.name == "stdout"
    )
    assert not [
        output for output in outputs if output.output_type == "stream" and output.name == "stderr"
    ]
    assert {
        "01_is_it_a_storm": "the moment make a storm",
        "02_cheapest_record": "of the PPMID records wrong for more",
    }[path.stem] in printed
    assert sum("image/svg+xml" in output.get("data", {}) for output in outputs) == 1
    assert (tmp_path / "results").is_dir()


def test_both_questions_have_a_notebook():
    """And no notebook goes untested."""
    assert [path.stem for path in NOTEBOOKS] == sorted(SIZES)
    assert sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")) == sorted(SIZES)
