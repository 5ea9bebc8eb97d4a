"""The loader's tree against the rules of YAML 1.2, and against another reader of them."""

from __future__ import annotations

import io
import math
import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sim.scenario.faults import ScenarioError
from sim.scenario.tree import Node, core, find, parse, plain

CORE = {
    "null": None,
    "~": None,
    "Null": None,
    "true": True,
    "False": False,
    "TRUE": True,
    "0": 0,
    "-0": 0,
    "12": 12,
    "+12": 12,
    "0755": 755,
    "0o14": 12,
    "0x1F": 31,
    "1e6": 1_000_000,
    "2.5e3": 2500,
    "1e-1": 0.1,
    "1e300": 1e300,
    "1.": 1.0,
    ".5": 0.5,
    "-1.5E-3": -0.0015,
    ".inf": math.inf,
    "-.INF": -math.inf,
    "no": "no",
    "on": "on",
    "yes": "yes",
    "y": "y",
    "12:30": "12:30",
    "1_000": "1_000",
    "2026-01-01": "2026-01-01",
    "0b11": "0b11",
    "0o9": "0o9",
    "nULL": "nULL",
    "tRUE": "tRUE",
    "1e": "1e",
    "inf": "inf",
    "nan": "nan",
    "-": "-",
    ".": ".",
    "+": "+",
    "١٢": "١٢",
    "=": "=",
    "0x": "0x",
    "1.2.3": "1.2.3",
    "1 d": "1 d",
}


@pytest.mark.parametrize("text", CORE)
def test_a_plain_scalar_means_what_the_core_rules_of_yaml_1_2_say(text):
    meant = core(text)
    assert meant == CORE[text]
    assert type(meant) is type(CORE[text])


def test_not_a_number_is_one():
    number = core(".nan")
    assert isinstance(number, float)
    assert math.isnan(number)


keys = st.text(string.ascii_lowercase, min_size=1, max_size=6)
texts = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=("Cc", "Cs"),
        exclude_characters="\ufeff\u2028\u2029\ufffe\uffff",
    ),
    max_size=12,
)
# A plain text in a flow list may begin with ?, : or - since YAML 1.2; libyaml, our parser, still
# takes these for signs and the file is refused.
texts = texts.filter(lambda text: not text.startswith(("?", ":", "-")))
leaves = st.one_of(
    texts,
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)
documents = st.dictionaries(
    keys,
    st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=12,
    ),
    min_size=1,
)


@given(documents, st.booleans())
def test_a_generated_document_reads_as_another_yaml_1_2_reader_reads_it(document, flow):
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    yaml.width = 10_000
    stream = io.StringIO()
    yaml.dump(document, stream)
    text = stream.getvalue().replace("\x7f", "")

    tree, faults = parse(text, "file")

    assert faults == []
    assert plain(tree) == yaml.load(text)


def places(node: Node):
    yield node
    children = (
        node.value.values()
        if isinstance(node.value, dict)
        else node.value if isinstance(node.value, list) else ()
    )
    for child in children:
        yield from places(child)


@given(documents)
def test_a_node_stands_where_its_text_begins(document):
    yaml = YAML(typ="safe", pure=True)
    stream = io.StringIO()
    yaml.dump(document, stream)
    text = stream.getvalue()
    lines = text.split("\n")

    tree, _ = parse(text, "file")

    assert isinstance(tree.value, dict)
    for node in places(tree):
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            assert lines[node.line - 1][node.column - 1 :].startswith(str(node.value))
    for key, child in tree.value.items():
        assert child.key_at is not None
        line, column = child.key_at
        assert lines[line - 1][column - 1 :].lstrip("'\"").startswith(key)


def is_read_or_refused(text: str) -> bool:
    """Return whether *text* becomes a mapping or earns a fault with a line; any other exception
    passes through.
    """
    try:
        tree, _ = parse(text, "file")
    except ScenarioError as error:
        return all(fault.line >= 1 and bool(fault.message) for fault in error.faults) and bool(
            error.faults
        )
    return isinstance(tree.value, dict)


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_read_or_refused_with_a_fault(text):
    assert is_read_or_refused(text)


@given(st.text("{}[]:,-?&*!|>'\"%@`# \nab1<", max_size=40))
def test_any_punctuation_is_read_or_refused_with_a_fault(text):
    assert is_read_or_refused(text)


def test_a_path_that_does_not_exist_leads_to_its_deepest_part():
    tree, _ = parse("a:\n  b: [1, 2]\n", "file")
    assert find(tree, ("a", "b", 1))[0].value == 2
    node, exists = find(tree, ("a", "c", "d"))
    assert (node.line, exists) == (2, False)


def test_windows_line_ends_and_quotes_change_nothing():
    unix, _ = parse("a: 1\nb: 'x'\n", "file")
    windows, _ = parse('a: 1\r\nb: "x"\r\n', "file")
    assert plain(unix) == plain(windows) == {"a": 1, "b": "x"}


def test_a_library_that_gives_a_deep_document_up_changes_no_sentence(monkeypatch):
    """From 6.0.4 on PyYAML's libyaml raises at a depth of 1,000, before the first event is out."""
    whole = yaml.parse

    def parsed(text, Loader):
        if Loader is not yaml.SafeLoader:
            raise yaml.MarkedYAMLError(problem="exceeded maximum nesting depth")
        return whole(text, Loader=Loader)

    monkeypatch.setattr(yaml, "parse", parsed)
    with pytest.raises(ScenarioError) as refused:
        parse("a: " + "[" * 20_000, "deep.yaml")

    sentence = "is nested more than 40 deep; a scenario is at most 6 deep"
    assert str(refused.value) == f"deep.yaml:1:44: document: {sentence}"
