"""The options that commands share, declared once as annotated fields, and the making of commands from losses."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

import typer
from typer.main import get_command_from_info
from typer.models import CommandInfo

from losscli.cli.help import Command, Group
from losscli.domain import Flag
from losscli.loss import BoundLoss, Loss
from losscli.registry import losses, parse_specs

ROLES, INPUT, COMPUTE, ANSWERS, GATES, OUTPUT = "Roles", "Input", "Computation", "Answers", "Gates", "Output"
LOAD_HELP = "Bring a loss of your own: a function or criterion in a file."
FORMATS = ("auto", "table", "plain", "json", "jsonl", "csv", "tsv", "md", "latex", "github", "junit")


def option(*names: str, panel: str, help: str, metavar: str | None = None) -> Any:
    """An option with its names, its help and the panel of the help page that it stands in."""
    return typer.Option(*names, help=literal(help), metavar=metavar, rich_help_panel=panel)


def literal(text: str) -> str:
    """Help text whose square brackets are brackets, not Rich's markup."""
    return text.replace("[", r"\[")


@dataclass(frozen=True)
class InputOptions:
    """What is read, and how."""

    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILES", help="CSV, TSV, Parquet, JSON Lines, Arrow, .npy or .npz; - is standard input."
        ),
    ] = None
    truth: Annotated[
        str | None, option("--truth", panel=INPUT, metavar="FILE", help="A second file that holds the targets.")
    ] = None
    id: Annotated[
        str | None,
        option("--id", panel=INPUT, metavar="COL", help="The column that joins FILE and --truth; kept in rows."),
    ] = None
    positive_label: Annotated[
        str | None,
        option(
            "--positive-label",
            panel=INPUT,
            metavar="WORD",
            help="The word for the positive class in a column of words.",
        ),
    ] = None
    where: Annotated[
        str | None,
        option(
            "--where", panel=INPUT, metavar="SQL", help="Use only the rows that meet this condition on the columns."
        ),
    ] = None
    input_format: Annotated[
        str | None,
        option("--input-format", panel=INPUT, metavar="FORMAT", help="csv, tsv, jsonl, parquet, arrow, npy or npz."),
    ] = None
    delimiter: Annotated[
        str | None, option("--delimiter", "-d", panel=INPUT, metavar="CHAR", help="What separates the fields.")
    ] = None
    no_header: Annotated[
        bool, option("--no-header", panel=INPUT, help="The first line is data; columns are called #1, #2, ...")
    ] = False
    na_values: Annotated[
        list[str] | None,
        option("--na-values", panel=INPUT, metavar="WORD", help="A word that means missing, beside empty and nan."),
    ] = None
    encoding: Annotated[str, option("--encoding", panel=INPUT, metavar="NAME", help="The encoding of text files.")] = (
        "utf-8"
    )
    decimal: Annotated[
        str, option("--decimal", panel=INPUT, metavar="CHAR", help="The decimal mark of text files: . or ,")
    ] = "."


@dataclass(frozen=True)
class ComputeOptions(InputOptions):
    """Everything that ``compute`` takes beside the loss's own options and roles."""

    weight: Annotated[
        str | None, option("--weight", "-w", panel=INPUT, metavar="COL", help="The weight of each row in the cost.")
    ] = None
    by: Annotated[
        list[str] | None,
        option("--by", "-g", panel=INPUT, metavar="COL[,COL]", help="One result for each value of these columns."),
    ] = None
    nan: Annotated[
        str,
        option(
            "--nan",
            panel=INPUT,
            metavar="error|skip|propagate",
            help="What a missing value does. Skipped rows are counted.",
        ),
    ] = "error"
    per_datum: Annotated[
        bool, option("--per-datum/--cost", panel=COMPUTE, help="The loss of each row, or the cost over all.")
    ] = False
    reduction: Annotated[
        str,
        option(
            "--reduction",
            "-r",
            panel=COMPUTE,
            metavar="mean|sum|none",
            help="How losses make a cost; none is --per-datum.",
        ),
    ] = "mean"
    compat: Annotated[
        str | None,
        option(
            "--compat",
            panel=COMPUTE,
            metavar="LIBRARY",
            help="As torch, keras, optax or sklearn computes it, or a dotted name such as torch.nn.BCELoss.",
        ),
    ] = None
    load: Annotated[str | None, option("--load", panel=COMPUTE, metavar="FILE.py:NAME", help=LOAD_HELP)] = None
    device: Annotated[
        str, option("--device", panel=COMPUTE, metavar="auto|cpu|cuda[:N]|mps", help="What computes.")
    ] = "auto"
    dtype: Annotated[
        str, option("--dtype", panel=COMPUTE, metavar="float64|float32", help="The precision of each loss.")
    ] = "float64"
    threads: Annotated[
        int | None, option("--threads", panel=COMPUTE, metavar="N", help="How many blocks are computed at once.")
    ] = None
    chunk_rows: Annotated[
        int | None, option("--chunk-rows", panel=COMPUTE, metavar="N", help="How many rows are read at a time.")
    ] = None
    clip: Annotated[
        float | None, option("--clip", panel=COMPUTE, metavar="EPS", help="Keep probabilities in [EPS, 1-EPS].")
    ] = None
    allow_inf: Annotated[
        bool, option("--allow-inf", panel=COMPUTE, help="Let a loss be infinite, and say so in the result.")
    ] = False
    ci: Annotated[bool, option("--ci/--no-ci", panel=ANSWERS, help="A normal interval around the cost.")] = True
    level: Annotated[float, option("--level", panel=ANSWERS, metavar="P", help="The level of that interval.")] = 0.95
    top: Annotated[
        int | None, option("--top", panel=ANSWERS, metavar="N", help="The N rows with the largest loss.")
    ] = None
    keep: Annotated[
        list[str] | None,
        option("--keep", panel=ANSWERS, metavar="COLS|all", help="Columns to hand through beside each row's loss."),
    ] = None
    fail_over: Annotated[
        float | None, option("--fail-over", panel=GATES, metavar="X", help="Exit 1 if a cost is above X.")
    ] = None
    fail_under: Annotated[
        float | None, option("--fail-under", panel=GATES, metavar="X", help="Exit 1 if a cost is below X.")
    ] = None
    output: Annotated[
        str | None,
        option("--output", "-o", panel=OUTPUT, metavar="FILE", help="Write there; the suffix gives the format."),
    ] = None
    format: Annotated[
        str, option("--format", "-f", panel=OUTPUT, metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")
    ] = "auto"
    precision: Annotated[
        int | None,
        option("--precision", panel=OUTPUT, metavar="N", help="Significant digits for people; files keep all."),
    ] = None
    force: Annotated[bool, option("--force", panel=OUTPUT, help="Replace an existing output file.")] = False
    quiet: Annotated[bool, option("--quiet", "-q", panel=OUTPUT, help="Say nothing on stderr but errors.")] = False
    verbose: Annotated[bool, option("--verbose", "-v", panel=OUTPUT, help="Say how the numbers came about.")] = False
    no_progress: Annotated[bool, option("--no-progress", panel=OUTPUT, help="No progress line.")] = False
    color: Annotated[
        str, option("--color", panel=OUTPUT, metavar="auto|always|never", help="Colours on a terminal.")
    ] = "auto"


@dataclass(frozen=True)
class PlotOptions:
    """Everything that ``plot`` takes beside the loss's own options."""

    output: Annotated[
        str | None,
        option("--output", "-o", panel=OUTPUT, metavar="FILE", help=".png, .svg or .pdf; - needs --format."),
    ] = None
    format: Annotated[
        str | None, option("--format", "-f", panel=OUTPUT, metavar="png|svg|pdf", help="Instead of the suffix.")
    ] = None
    load: Annotated[str | None, option("--load", panel=COMPUTE, metavar="FILE.py:NAME", help=LOAD_HELP)] = None
    range: Annotated[
        str | None, option("--range", panel=COMPUTE, metavar="A,B", help="The ends of the horizontal axis.")
    ] = None
    at: Annotated[
        str | None,
        option("--at", panel=COMPUTE, metavar="V[,V]", help="Draw against the prediction, at these true values."),
    ] = None
    grad: Annotated[bool, option("--grad", panel=COMPUTE, help="The derivative beside the loss.")] = False
    data: Annotated[
        str | None,
        option("--data", panel=COMPUTE, metavar="FILE", help="Lay the residuals of this file under the curve."),
    ] = None
    size: Annotated[
        str | None, option("--size", panel=OUTPUT, metavar="WxH", help="Width and height in inches, such as 6x4.")
    ] = None
    dpi: Annotated[int, option("--dpi", panel=OUTPUT, metavar="N", help="Dots per inch of a PNG.")] = 150
    style: Annotated[str | None, option("--style", panel=OUTPUT, metavar="NAME", help="A style of matplotlib.")] = None
    title: Annotated[str | None, option("--title", panel=OUTPUT, metavar="TEXT", help="Above the picture.")] = None
    log_y: Annotated[bool, option("--log-y", panel=OUTPUT, help="A logarithmic vertical axis.")] = False
    quiet: Annotated[bool, option("--quiet", "-q", panel=OUTPUT, help="Say nothing on stderr but errors.")] = False


# --- commands from losses ---------------------------------------------------------------------------------------------

_COLUMN = "a column, a key, #3 or a glob; without FILES a path"
ROLE_SHORT = {"pred": "-p", "target": "-t"}


def parameters(options: type) -> list[inspect.Parameter]:
    """The fields of an options class as keyword parameters, which Typer reads."""
    hints = get_type_hints(options, include_extras=True)
    return [
        inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=hints[each.name])
        for each in dataclasses.fields(options)
    ]


def loss_parameters(loss: Loss) -> list[inspect.Parameter]:
    """The loss's own options. Values stay text here: the loss's ranges parse them and say what is wrong."""
    made = []
    for param in loss.params:
        panel, default = f"Options of {loss.name}", f"[default: {param.range.text(param.default)}]"
        if isinstance(param.range, Flag):
            switch = option(f"--{param.option}/--no-{param.option}", panel=panel, help=f"{param.help} {default}")
            annotation: Any = Annotated[bool | None, switch]
        else:
            taken = f"{param.help} Takes {param.range}. {default}"
            metavar = param.range.kind.upper().split()[0]
            annotation = Annotated[str | None, option(f"--{param.option}", panel=panel, metavar=metavar, help=taken)]
        name = f"param_{param.name}"
        made.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation))
    return made


def role_parameters(bound: Sequence[BoundLoss]) -> list[inspect.Parameter]:
    """An option for every role of these losses."""
    made = []
    roles = dict.fromkeys(role for each in bound for form in each.loss.role_sets() for role in form)
    for role in roles:
        owner = next(each for each in bound if any(role in form for form in each.loss.role_sets()))
        takes = "the path of an array" if role in owner.loss.shared else _COLUMN
        names = [f"--{role.replace('_', '-')}", *([ROLE_SHORT[role]] if role in ROLE_SHORT else [])]
        annotation = Annotated[
            list[str] | None,
            option(
                *names,
                panel=ROLES,
                metavar="FILE" if role in owner.loss.shared else "COL",
                help=f"{_capitalised(owner.domain(role).phrase)}: {takes}.",
            ),
        ]
        name = f"role_{role}"
        made.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation))
    return made


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


Run = Callable[[list[BoundLoss], dict[str, list[str]], Mapping[str, str], Any], None]


class LossGroup(Group):
    """A group with a subcommand for each loss, made when it is asked for; lists and specs are commands as well."""

    options: type
    run: Run
    usage = "[OPTIONS] [FILES]..."

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What the usage line shows."""
        return ["LOSS", self.usage]

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the losses."""
        return list(losses())

    def get_command(self, ctx: Any, cmd_name: str) -> Command:
        """The command of a loss, a spec, or a list of either joined by commas."""
        bound = parse_specs(cmd_name)
        own = loss_parameters(bound[0].loss) if len(bound) == 1 and ":" not in cmd_name else []
        made = [*parameters(self.options), *role_parameters(bound), *own]
        made.sort(key=lambda parameter: parameter.name.startswith(("role_", "param_")), reverse=True)
        options, run = self.options, type(self).run

        def callback(**values: Any) -> None:
            given = {name.removeprefix("param_"): text for name, text in values.items() if name.startswith("param_")}
            chosen = {name.removeprefix("role_"): text for name, text in values.items() if name.startswith("role_")}
            shared = {name: value for name, value in values.items() if not name.startswith(("param_", "role_"))}
            run(
                bound,
                {role: selectors for role, selectors in chosen.items() if selectors},
                {
                    name: str(text).lower() if text in (True, False) else text
                    for name, text in given.items()
                    if text is not None
                },
                options(**shared),
            )

        callback.__signature__ = inspect.Signature(made)  # type: ignore[attr-defined]
        callback.__annotations__ = {}
        text = bound[0].loss.summary if len(bound) == 1 else ", ".join(each.spec for each in bound) + " in one pass."
        info = CommandInfo(name=cmd_name, callback=callback, help=literal(text), cls=Command, context_settings=CONTEXT)
        command: Command = get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode="rich")  # type: ignore[assignment]
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """As a group does, with the catalogue's own words for a name that it does not know."""
        return args[0], self.get_command(ctx, args[0]), args[1:]


CONTEXT = {"help_option_names": ["-h", "--help"]}
