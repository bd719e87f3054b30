"""``losscli list``, ``show`` and ``inspect``: what there is, what a loss is, what a file holds. None needs torch."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from losscli.cli.terminal import stdout_is_terminal, use_color, width, write_text
from losscli.errors import UsageError, shown
from losscli.loss import Loss
from losscli.registry import PEER_MODULES, find, losses, parse_specs
from losscli.registry import peers as registry_peers

LIST_FORMATS = ("auto", "table", "plain", "json", "tsv", "csv", "md")
SHOW_FORMATS = ("auto", "table", "json", "md")
INSPECT_FORMATS = ("auto", "table", "json")


def _format_option(formats: tuple[str, ...]) -> Any:
    return typer.Option("--format", "-f", metavar="FORMAT", help=f"One of {', '.join(formats)}.")


Color = Annotated[str, typer.Option("--color", metavar="auto|always|never", help="Colours on a terminal.")]


def list_losses(
    search: Annotated[
        str | None, typer.Argument(metavar="WORD", help="Only losses whose names or texts hold this word.")
    ] = None,
    family: Annotated[str | None, typer.Option("--family", metavar="NAME", help="Only this family.")] = None,
    peers: Annotated[
        str | None,
        typer.Option("--peers", metavar="LIBRARY", help="The losses of torch, keras, optax, sklearn, sgd, or all."),
    ] = None,
    format: Annotated[str, _format_option(LIST_FORMATS)] = "auto",
    color: Color = "auto",
) -> None:
    """The catalogue of losses, by family."""
    from losscli import report
    from losscli.plugins import installed

    catalogue = list((losses() if peers is None else _peers(peers)).values())
    families = list(dict.fromkeys(loss.family for loss in catalogue))
    if family is not None and family not in families:
        raise UsageError(f"there is no family {shown(family)}", hint=f"the families are {', '.join(families)}.")
    chosen = [loss for loss in catalogue if family in (None, loss.family) and _holds(loss, search)]
    if not chosen:
        raise UsageError(f"no loss is found by {shown(search or '')}", hint="losscli list shows them all.")
    kind = _format(format, LIST_FORMATS, pipe="tsv")
    everything = search is None and family is None and peers is None
    offered = {name: each.dist.name if each.dist else each.value for name, each in installed().items()}
    write_text(
        report.catalogue(chosen, kind, offered=offered if everything else {}, width=width(), color=use_color(color))
    )


def show_loss(
    name: Annotated[str, typer.Argument(metavar="LOSS", help="A name, an alias or a spec.")],
    format: Annotated[str, _format_option(SHOW_FORMATS)] = "auto",
    color: Color = "auto",
) -> None:
    """One loss: formula, what it punishes, parameters, domain, conventions, references, other libraries."""
    from losscli import report

    kind = _format(format, SHOW_FORMATS, pipe="table")
    loss = find(name.partition(":")[0])
    write_text(report.page(loss, kind, width=width(), color=use_color(color)))


def inspect_files(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file to look at; - is standard input.")],
    loss: Annotated[
        str | None, typer.Argument(metavar="LOSS", help="The loss whose roles are to be found in it.")
    ] = None,
    format: Annotated[str, _format_option(INSPECT_FORMATS)] = "auto",
    color: Color = "auto",
    input_format: Annotated[
        str | None,
        typer.Option("--input-format", metavar="FORMAT", help="csv, tsv, jsonl, parquet, arrow, npy or npz."),
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option("--delimiter", "-d", metavar="CHAR", help="What separates the fields.")
    ] = None,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first line is data; columns are called #1, #2, ...")
    ] = False,
    na_values: Annotated[
        list[str] | None,
        typer.Option("--na-values", metavar="WORD", help="A word that means missing, beside empty and nan."),
    ] = None,
    encoding: Annotated[str, typer.Option("--encoding", metavar="NAME", help="The encoding of text files.")] = "utf-8",
    decimal: Annotated[
        str, typer.Option("--decimal", metavar="CHAR", help="The decimal mark of text files: . or ,")
    ] = ".",
) -> None:
    """What a file holds: format, columns, missing values, which column serves which role, which losses suit."""
    from losscli import report
    from losscli.columns.inspection import inspect
    from losscli.readers import open_source
    from losscli.readers.source import ReadOptions

    kind = _format(format, INSPECT_FORMATS, pipe="table")
    options = ReadOptions(input_format, delimiter, not no_header, ("", "nan", *(na_values or ())), encoding, decimal)
    found = inspect(open_source(file, options), parse_specs(loss) if loss is not None else None)
    write_text(report.inspection([found], kind, width=width(), color=use_color(color)))


def _peers(library: str) -> dict[str, Loss]:
    if library != "all" and library not in PEER_MODULES:
        raise UsageError(f"--peers {shown(library)} is not one of all, {', '.join(PEER_MODULES)}")
    return registry_peers(None if library == "all" else library)


def _holds(loss: object, word: str | None) -> bool:
    if word is None:
        return True
    texts = (loss.name, *loss.aliases, loss.summary, loss.description, loss.family)  # type: ignore[attr-defined]
    return any(word.lower() in text.lower() for text in texts)


def _format(name: str, known: tuple[str, ...], *, pipe: str) -> str:
    if name not in known:
        raise UsageError(f"--format {shown(name)} is not one of {', '.join(known)}")
    if name == "auto":
        return "table" if stdout_is_terminal() else pipe
    return name
