from __future__ import annotations

import itertools
import json
import shlex
from collections.abc import Mapping
from dataclasses import replace

import pytest
from rich.cells import cell_len

from losscli import report
from losscli.domain import PROBABILITY, REAL, Choice, Interval, Number
from losscli.errors import UsageError
from losscli.loss import Derived, Loss, Param, Traits
from losscli.registry import losses, parse_spec
from losscli.report.page import commands, example_setting
from tests.pace import book_first

ALL = list(losses().values())
EVERY = pytest.mark.parametrize("loss", book_first(ALL))
TRAITS = Traits("Errors.", "Convex.", "Smooth.", "Unbounded.", "Not robust.")


@pytest.fixture
def toy() -> Loss:
    return Loss(
        name="toy",
        family="robust",
        function=lambda: None,
        roles={"pred": REAL, "target": REAL},
        params=(Param("scale", 1.0, Number(Interval(low=0, open_low=True)), "The ``scale`` of [red]errors[/]."),),
        summary="A toy with ``scale`` and a_b.",
        description="One.\ntwo\n\nThree <b>.",
        formula=r"\tfrac12 e^2",
        unit="target^2",
        range="[0, inf)",
        traits=TRAITS,
        convention="Factor 1/2.",
        curve="error",
        cites=("huber1964",),
        aliases=("plaything",),
        differs=("torch does not.",),
        same_as={"torch": "toy(pred)"},
        gradient="e",
    )


def test_the_terminal_shows_a_page_of_sections(toy: Loss) -> None:
    assert report.page(toy, "table", width=70) == (
        "toy  also plaything  (robust)\n"
        "A toy with scale and a_b.\n"
        "\n"
        "Formula\n"
        "  ½e²\n"
        "\n"
        "  Its derivative with respect to the prediction:\n"
        "\n"
        "  e\n"
        "\n"
        "What it does\n"
        "  One. two\n"
        "\n"
        "  Three <b>.\n"
        "\n"
        "Behaviour\n"
        "  punishes        Errors.\n"
        "  convex          Convex.\n"
        "  differentiable  Smooth.\n"
        "  bounded         Unbounded.\n"
        "  robust          Not robust.\n"
        "  values          [0, inf)\n"
        "  unit            target^2\n"
        "\n"
        "Inputs\n"
        "  role    holds          shape\n"
        "  ───────────────────────────────\n"
        "  pred    a real number  (n, ...)\n"
        "  target  a real number  (n, ...)\n"
        "\n"
        "Parameters\n"
        "  option   default  range     meaning\n"
        "  ────────────────────────────────────────────────────────\n"
        "  --scale  1        (0, inf)  The scale of [red]errors[/].\n"
        "\n"
        "Convention\n"
        "  Factor 1/2.\n"
        "\n"
        "Who defines it otherwise\n"
        "  - torch does not.\n"
        "\n"
        "The same in other libraries\n"
        "  library  call\n"
        "  ──────────────────\n"
        "  PyTorch  toy(pred)\n"
        "\n"
        "Commands\n"
        "  losscli compute toy preds.csv\n"
        "  losscli compute toy --scale 2 preds.csv\n"
        "  losscli compute toy --per-datum -o losses.csv preds.csv\n"
        "  losscli plot toy --scale 0.5,1,2\n"
        "\n"
        "Python\n"
        "  import losscli\n"
        "\n"
        '  criterion = losscli.loss("toy", scale=2)\n'
        "  criterion(pred, target).mean().backward()\n"
        '  losscli.compute("toy:scale=2", pred=pred, target=target).value\n'
        "\n"
        "References\n"
        "  - P. J. Huber (1964). Robust Estimation of a Location Parameter. The\n"
        "    Annals of Mathematical Statistics 35(1), 73-101.\n"
        "    https://doi.org/10.1214/aoms/1177703732\n"
    )


def test_markdown_is_a_page_of_the_documentation(toy: Loss) -> None:
    text = report.page(replace(toy, differs=(), same_as={}, params=()), "md")
    assert text == (
        "# toy\n\nA toy with `scale` and a\\_b.\n\nAlso known as `plaything`. Family: robust.\n\n"
        "![The curve of toy](../images/toy.svg)\n\n"
        "## Formula\n\n$$\n\\tfrac12 e^2\n$$\n\nIts derivative with respect to the prediction:\n\n$$\ne\n$$\n\n"
        "## What it does\n\nOne.\ntwo\n\nThree &#60;b>.\n\n"
        "## Behaviour\n\n- **punishes**: Errors.\n- **convex**: Convex.\n- **differentiable**: Smooth.\n"
        "- **bounded**: Unbounded.\n- **robust**: Not robust.\n- **values**: \\[0, inf)\n- **unit**: target^2\n\n"
        "## Inputs\n\n| role | holds | shape |\n| --- | --- | --- |\n"
        "| `pred` | a real number | (n, ...) |\n| `target` | a real number | (n, ...) |\n\n"
        "## Convention\n\nFactor 1/2.\n\n"
        "## Commands\n\n```bash\nlosscli compute toy preds.csv\n"
        "losscli compute toy --per-datum -o losses.csv preds.csv\nlosscli plot toy\n```\n\n"
        "## Python\n\n```py\nimport losscli\n\n"
        'criterion = losscli.loss("toy")\ncriterion(pred, target).mean().backward()\n'
        'losscli.compute("toy", pred=pred, target=target).value\n```\n\n'
        "## References\n\n- P. J. Huber (1964). Robust Estimation of a Location Parameter. The Annals of Mathematical "
        "Statistics 35(1), 73-101. <https://doi.org/10.1214/aoms/1177703732>\n"
    )


def test_a_role_that_depends_on_the_input_has_a_row_for_each(toy: Loss) -> None:
    kinds: Mapping[str, object] = {"probs": PROBABILITY, "logits": REAL}
    param = Param("input", "probs", Choice(("probs", "logits")), "What it is.")
    loss = replace(toy, roles={"pred": kinds, "target": REAL}, params=(param,))  # type: ignore[dict-item]
    lines = report.page(loss, "table", width=90).splitlines()
    assert "  role    with          holds                    shape" in lines
    assert "  pred    input=probs   a probability in [0, 1]  (n, ...)" in lines
    assert "  pred    input=logits  a real number            (n, ...)" in lines
    assert "  target                a real number            (n, ...)" in lines
    assert "losscli compute toy --input logits preds.csv" in commands(loss)


def test_words_that_lead_to_the_same_domain_share_a_row(toy: Loss) -> None:
    kinds: Mapping[str, object] = {"near": REAL, "cosine": PROBABILITY, "far": REAL}
    param = Param("way", "near", Choice(("near", "cosine", "far")), "Which.")
    loss = replace(toy, roles={"pred": kinds, "target": {**kinds, "cosine": REAL}}, params=(param,))  # type: ignore[dict-item]
    lines = report.page(loss, "table", width=90).splitlines()
    assert "  pred    way=near or far  a real number            (n, ...)" in lines
    assert "  pred    way=cosine       a probability in [0, 1]  (n, ...)" in lines
    assert "  target                   a real number            (n, ...)" in lines


def test_what_is_said_about_the_roles_comes_first(toy: Loss) -> None:
    helped = replace(toy, role_help={"pred": "The guess.", "target": "The ``truth``."})
    text = report.page(helped, "table", width=90)
    assert "Inputs\n  pred    The guess.\n  target  The truth.\n\n  role    holds" in text


def test_a_role_that_can_be_computed_names_its_sources(toy: Loss) -> None:
    derived = {"pred": Derived(lambda a, b: a, {"first": REAL, "second": REAL})}
    text = report.page(replace(toy, derived=derived), "table", width=90)
    assert "  pred may be given, or is computed from first and second.\n" in text
    assert "  second  a real number  (n, ...)\n" in text


def test_json_holds_the_facts_for_programs(toy: Loss) -> None:
    document = json.loads(report.page(toy, "json"))
    assert document["schema"] == 1
    facts = document["loss"]
    assert facts["name"] == "toy"
    assert facts["formula"] == r"\tfrac12 e^2"
    assert facts["roles"][0] == {
        "role": "pred",
        "help": "",
        "when": None,
        "holds": "a real number",
        "shapes": ["(n, ...)"],
    }
    assert facts["params"] == [
        {
            "name": "scale",
            "option": "scale",
            "kind": "number",
            "default": 1.0,
            "range": "(0, inf)",
            "help": "The ``scale`` of [red]errors[/].",
            "low": 0,
            "high": None,
            "open_low": True,
            "open_high": False,
        }
    ]
    assert facts["same_as"] == {"torch": "toy(pred)"}


def test_an_unknown_format_is_refused(toy: Loss) -> None:
    with pytest.raises(UsageError) as caught:
        report.page(toy, "csv")
    assert str(caught.value) == 'the page of a loss cannot be printed as "csv". Hint: use table, md or json.'


@EVERY
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_every_page_fits_its_terminal_and_loses_no_word(loss: Loss, width: int) -> None:
    page = report.page(loss, "table", width=width)
    assert max(cell_len(line) for line in page.splitlines()) <= width
    squeezed = "".join(page.split())
    for text in (loss.summary, loss.convention, *loss.same_as.values(), *loss.differs):
        words = "".join(text.replace("``", "").split())
        assert all(word in squeezed for word in words.split()) or set(words) <= set(squeezed)


@EVERY
def test_every_page_is_whole_in_every_format(loss: Loss) -> None:
    assert json.loads(report.page(loss, "json"))["loss"]["references"]
    page = report.page(loss, "md")
    assert page.count("```") % 2 == 0
    assert page.count("$$") % 2 == 0
    for title in ("Formula", "Behaviour", "Inputs", "Convention", "Commands", "References"):
        assert f"\n## {title}\n" in page


@EVERY
def test_the_example_commands_name_parameters_in_their_range(loss: Loss) -> None:
    for command in commands(loss):
        words = shlex.split(command)
        assert words[0] == "losscli"
        assert words[2] == loss.name
        for option, value in itertools.pairwise(words):
            if option.startswith("--") and option[2:] in [param.option for param in loss.params]:
                for one in value.split(","):
                    parse_spec(f"{loss.name}:{option[2:]}={one}")


def test_examples_show_another_value_than_the_default(toy: Loss) -> None:
    def setting(default: object, interval: Interval) -> object:
        return example_setting(replace(toy, params=(Param("x", default, Number(interval), ""),)))  # type: ignore[arg-type]

    assert setting(1.0, Interval(low=0)) == ("x", "2", ("0.5", "1", "2"))
    assert setting(0.0, Interval(0, 1)) == ("x", "0.2", ("0", "0.1", "0.2"))
    assert setting(0.5, Interval(0, 1)) == ("x", "0.9", ("0.1", "0.5", "0.9"))
    assert setting(0.0, Interval(low=0)) == ("x", "1", ("0", "0.5", "1"))
