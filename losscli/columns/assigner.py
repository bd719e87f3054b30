"""Assigns columns to the roles of one loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from losscli.columns.choices import Choice, Pair, Pool, need_of, nothing, paired, rivals, single
from losscli.columns.classes import LISTED, Family, all_words, binary_words, class_words, families, pattern
from losscli.columns.evidence import Evidence, sums_to_one
from losscli.columns.labels import label_words
from losscli.columns.order import in_order_of, in_order_of_corners, in_order_of_numbers
from losscli.columns.predictions import PredictionSearch
from losscli.columns.selection import repeated, select
from losscli.columns.targets import TargetSearch
from losscli.domain import IDENTITY
from losscli.errors import UsageError, escape
from losscli.loss import BoundLoss
from losscli.names import ROLE_NAMES, joined, words
from losscli.readers.source import Field, Source


class Assigner:
    """Assigns the columns of one loss.

    Args:
        source: the data.
        evidence: its columns.
        loss: whose roles are to be served.
        explicit: what the user named, as selectors by role.
        positive: the word for the positive class, where the user says it.

    Attributes:
        notes: what was chosen without being named; complete after ``fields``.
        why: for each role, why its column was chosen.
    """

    def __init__(
        self,
        source: Source,
        evidence: Sequence[Evidence],
        loss: BoundLoss,
        explicit: Mapping[str, Sequence[str]],
        positive: str | None,
    ) -> None:
        ignored = loss.params.get("ignore_index", loss.params.get("ignore_class"))
        if isinstance(ignored, int):
            evidence = [replace(each, ignored=ignored) for each in evidence]
        self._source, self._evidence, self._loss, self._ignored = source, evidence, loss, ignored
        self._explicit, self._positive = explicit, positive
        self._by_key = {each.key: each for each in evidence}
        self.notes: list[str] = []
        self.why: dict[str, str] = {}

    def fields(self) -> list[tuple[dict[str, Field], str | None]]:
        """For each prediction, what every role reads, and how the prediction is called.

        Raises:
            UsageError: a column that there is not, a role that nothing fits or that rivals fit.
        """
        form = self._settled_form()
        self._check_lists(form)
        if "pred" not in form or "target" not in form:
            chosen = _aligned({role: self._other(role) for role in form})
            self._say({role: [choice] for role, choice in chosen.items()})
            read = {role: self._field(role, choice) for role, choice in chosen.items()}
            self._refuse_one_column_for_two_roles(read)
            return [(read, None)]
        others = {role: self._other(role) for role in form if role not in ("pred", "target")}
        pool = self._pool()
        found: list[tuple[dict[str, Field], str | None]] = []
        for pair in _pairs(pool):
            self._say({"target": [pair.target], "pred": pair.preds, **{role: [each] for role, each in others.items()}})
            for pred in pair.preds:
                fields = {**self._supervised(pool, pair, pred), **{r: self._field(r, c) for r, c in others.items()}}
                self._refuse_one_column_for_two_roles(fields)
                found.append(({role: fields[role] for role in form}, pred.name))
        return found

    def clear_roles(self) -> tuple[dict[str, tuple[str, ...] | None], dict[str, str]]:
        """The columns of each role that are clear even where another role's are not, and why they are or are not."""
        found: dict[str, tuple[str, ...] | None] = {}
        why: dict[str, str] = {}
        try:
            form = self._settled_form()
        except UsageError as error:
            return dict.fromkeys(self._loss.loss.roles), dict.fromkeys(self._loss.loss.roles, str(error))
        for role in form:
            try:
                choices = self._clear(role)
                found[role] = tuple(dict.fromkeys(e.column.name for choice in choices for e in choice.columns))
                why[role] = _sentence(role, choices)
            except UsageError as error:
                found[role], why[role] = None, str(error)
        return found, why

    def _clear(self, role: str) -> Sequence[Choice]:
        if role not in ("pred", "target"):
            return [self._other(role)]
        pool = self._pool()
        if role == "target":
            return pool.targets or TargetSearch(pool).targets()
        if pool.preds is not None:
            return pool.preds
        try:
            return [pred for pair in _pairs(pool) for pred in pair.preds]
        except UsageError:
            alone = PredictionSearch(pool, ()).without_target()
            if alone is None:
                raise
            return [alone]

    def _pool(self) -> Pool:
        given = self._given("target"), self._given("pred")
        others = [role for role in self._form() if role not in ("pred", "target")]
        taken = {
            each.key
            for role in others
            for choice in self._given(role) or self._candidates(role)
            for each in choice.columns
        }
        free = [each for each in self._evidence if each.key not in taken]
        return Pool(self._source, free, self._loss, *given, self._positive)

    # --- forms and roles ----------------------------------------------------------------------------------------------

    def _settled_form(self) -> tuple[str, ...]:
        """The form, after which the loss takes what it takes in this form."""
        form = self._form()
        self._loss = self._loss.of_form(form)
        return form

    def _check_lists(self, form: tuple[str, ...]) -> None:
        joining = self._loss.loss.joined_by
        if joining is not None and joining not in form and any(map(self._is_item, ("pred", "target"))):
            raise UsageError(
                f"{self._source.name}: {self._loss.name} takes a list in each row, or one item a row and a column that "
                "says which rows are one list",
                hint=f"name that column with --{joining}.",
            )

    def _is_item(self, role: str) -> bool:
        """Whether a role can be one number a row only, and no list."""
        given = self._given(role)
        if given is None:
            return not any(each.vector for each in self._evidence)
        return any(len(choice.columns) == 1 and not choice.columns[0].vector for choice in given)

    def _form(self) -> tuple[str, ...]:
        """The form of the loss that the user's roles or the columns fit: distances, or pairs of vectors."""
        forms = self._loss.loss.column_sets()
        given = {role for role in self._explicit if any(role in form for form in forms)}
        fitting = [form for form in forms if given <= set(form)]
        if not fitting:
            takes = " or ".join(", ".join(form) for form in forms)
            raise UsageError(f"{self._loss.name} takes {takes}, not {', '.join(self._explicit)}")
        # A role that may be left out is left out where nothing is called by its name.
        absent = {role for role in self._loss.loss.optional - given if not self._candidates(role)}
        fitting = [form for form in fitting if not absent & set(form)]
        fitting = [form for form in fitting if not any(set(form) < set(other) for other in fitting)]
        telling = given - set(forms[0]).intersection(*forms)
        if len(fitting) == 1 or telling:
            return fitting[0]
        # What serves as prediction and target is not found by these names alone.
        named = given | {"pred", "target"}
        complete = [form for form in fitting if all(role in named or self._candidates(role) for role in form)]
        if len(complete) > 1:
            ways = " and ".join(", ".join(form) for form in complete)
            options = " or ".join(f"--{next(role for role in form)}" for form in complete)
            raise UsageError(
                f"{self._source.name}: {self._loss.name} could be computed from {ways}",
                hint=f"name one with {options}.",
            )
        return complete[0] if complete else fitting[0]

    def _candidates(self, role: str) -> list[Choice]:
        """Columns that are called what the role is: the first name that any has counts."""
        domain = self._loss.domain(role)
        wants_vector = need_of(domain) == "vector"
        for name in ROLE_NAMES.get(role, (role,)):
            exact = [each for each in self._evidence if joined(each.column.name) == name]
            fitting = [each for each in exact if (each.vector or each.numeric if wants_vector else _scalar(each))]
            fitting = fitting or [each for each in exact if each.vector and domain.vector]
            # A column of the role's very name is meant, whatever it holds: the check of the domain says what is wrong.
            if domain.codes and name != role:
                fitting = [each for each in fitting if _is_coded(each, domain.codes)]
            if fitting:
                why = f"its name is {'that of the role' if name == role else 'another word for the role'}"
                return [replace(single(each, why), matrix=wants_vector and not each.vector) for each in fitting]
            if wants_vector:
                group = [each for each in self._evidence if each.numeric and _numbered(each.column.name, name)]
                if group:
                    why = "its columns are called by the role and numbers"
                    return [Choice(tuple(group), why, pattern([e.column.name for e in group]), matrix=True)]
        return []

    def _other(self, role: str) -> Choice:
        given = self._given(role)
        if given is not None:
            if len(given) > 1:
                names = ", ".join(f'"{choice.name}"' for choice in given)
                raise UsageError(f"--{role} means {len(given)} columns ({names}); it takes one")
            return given[0]
        found = self._candidates(role)
        if len(found) == 1:
            return found[0]
        if found:
            raise rivals(self._source, self._loss, role, [each for choice in found for each in choice.columns])
        forms = " or ".join(", ".join(form) for form in self._loss.loss.column_sets())
        hint = f"name it with --{_option(role)}; {self._loss.name} takes {forms}."
        raise nothing(self._source, self._loss, role, self._evidence, hint)

    # --- what the user names ------------------------------------------------------------------------------------------

    def _given(self, role: str) -> list[Choice] | None:
        """What the user named for a role: models for a loss of one number, a matrix for classes or vectors."""
        selectors = self._explicit.get(role)
        if not selectors:
            return None
        domain = self._loss.domain(role)
        side = "truth" if role == "target" else "data"
        groups = [[self._by_key[c.key] for c in select(self._source, each, side=side)] for each in selectors]
        columns = list(dict.fromkeys(each for group in groups for each in group))
        soft = role == "target" and domain.classes and len(columns) > 1
        wide = all(each.vector for each in columns)
        if not (soft or (domain.vector and not domain.scalar)) or wide:
            return [single(each, "it was named", given=True) for each in columns]
        if not any(len(group) > 1 for group in groups):
            groups, selectors = [columns], [pattern([each.column.name for each in columns])]
        found = []
        if domain.corners:
            groups = [list(in_order_of_corners(group)) for group in groups]
        for group, selector in zip(groups, selectors):
            name = selector if len(group) > 1 else group[0].column.name
            found.append(Choice(tuple(group), "it was named", name, self._family(role, group), True, True))
        return found

    def _family(self, role: str, columns: Sequence[Evidence]) -> Family | None:
        if role != "pred" or need_of(self._loss.domain("pred")) != "classes":
            return None
        if len(columns) < 2:
            raise UsageError(
                f"{self._loss.name} takes one column for each class; {columns[0].quoted} is one column",
                hint="name all of them, for example with a glob: --pred 'prob_*'.",
            )
        if "input" in self._loss.params and not self._loss.domain("pred").simplex and sums_to_one(columns):
            names = pattern([each.column.name for each in columns])
            self.notes.append(f'the rows of "{names}" sum to 1: if they are probabilities, add --input probs')
        ends = tuple(joined(each.column.name) for each in columns)
        common = words(pattern([each.column.name for each in columns]).partition("*")[0])
        endings = tuple("".join(words(each.column.name)[len(common) :]) or end for each, end in zip(columns, ends))
        return Family(tuple(columns), endings, common, (), tuple(None for _ in columns))

    # --- fields -------------------------------------------------------------------------------------------------------

    def _supervised(self, pool: Pool, pair: Pair, pred: Choice) -> dict[str, Field]:
        target = pair.target.columns[0]
        if len(pair.target.columns) > 1:
            return {"pred": _plain(pred), "target": _plain(self._in_order(pair.target, pred))}
        if target.vector or pool.target_need != "label":
            return {"pred": _plain(pred), "target": _plain(pair.target)}
        if pool.need == "label":
            if "text" not in (target.column.kind, pred.columns[0].column.kind):
                return {"pred": _plain(pred), "target": _plain(pair.target)}
            every, note = label_words(self._source, target, pred.columns[0])
            self._note(note)
            return {"pred": Field((pred.columns[0].key,), words=every), "target": Field((target.key,), words=every)}
        if pool.need == "classes":
            return self._classes(pred, target)
        predicted = pool.predicted_label()
        coded, note = binary_words(self._source, target, pred.columns[0], predicted, self._positive)
        self._note(note)
        return {"pred": _plain(pred), "target": Field((target.key,), words=coded)}

    def _in_order(self, target: Choice, pred: Choice) -> Choice:
        """A target of several columns in the order of the prediction's columns, as their endings say."""
        if len(pred.columns) == 1:
            return replace(target, columns=in_order_of_numbers(target.columns) or target.columns)
        ordered = in_order_of(target.columns, pred.columns)
        if ordered is None and self._loss.domain("target").corners:
            # The corners of a box may have other names, and are in their own order.
            return target
        if ordered is None:
            raise UsageError(
                f'{self._source.name}: the columns "{escape(target.name)}" and "{escape(pred.name)}" have other '
                f"endings: {_names(target)} beside {_names(pred)}",
                hint="a target and a prediction of several columns pair by their endings, as q_cat and p_cat do.",
            )
        return replace(target, columns=ordered)

    def _classes(self, pred: Choice, target: Evidence) -> dict[str, Field]:
        family = pred.family
        if family is None:
            if target.column.kind == "text":
                raise UsageError(
                    f"{self._source.name}: {target.quoted} holds words, and nothing says which class of "
                    f'"{pred.name}" each one is',
                    hint="number the classes 0 .. C-1.",
                )
            return {"pred": _plain(pred), "target": Field((target.key,))}
        if not family.matched:
            # The user's own choice of columns, or one by sums: their names may still hold the labels.
            named = [
                each for each in families(family.columns, target.labels, classes=True) if each.columns == family.columns
            ]
            family = named[0] if named and named[0].matched else family
        columns = tuple(each.key for each in family.columns)
        if target.column.kind == "boolean":
            order = [label.lower() for label in family.endings]
            if set(order) == {"false", "true"}:
                columns = (columns[order.index("false")], columns[order.index("true")])
            return {"pred": Field(columns, matrix=True), "target": Field((target.key,))}
        coded, note = class_words(family, target)
        if coded is not None and self._ignored is not None:
            raise UsageError(
                f"{self._source.name}: --ignore-index {self._ignored} takes classes 0 .. C-1 in the order of the "
                f'columns, but the classes in {target.quoted} are found by the endings of "{escape(pred.name)}"',
                hint="number the classes and their columns 0 .. C-1, or leave rows out with --where.",
            )
        self._note(note)
        return {"pred": Field(columns, matrix=True), "target": Field((target.key,), words=coded)}

    def _field(self, role: str, choice: Choice) -> Field:
        if self._loss.domain(role).name == IDENTITY.name and choice.columns[0].column.kind == "text":
            (words,) = all_words(self._source, choice.columns[:1])
            return Field((choice.columns[0].key,), words=tuple(words))
        if self._loss.domain(role).codes and choice.columns[0].column.kind == "text":
            coded, note = binary_words(self._source, choice.columns[0], None, None, self._positive)
            self._note(note)
            return Field((choice.columns[0].key,), words=coded)
        return _plain(choice)

    # --- what is said -------------------------------------------------------------------------------------------------

    def _note(self, note: str | None) -> None:
        if note is not None and note not in self.notes:
            self.notes.append(note)

    def _refuse_one_column_for_two_roles(self, fields: Mapping[str, Field]) -> None:
        first: dict[str, str] = {}
        for role, read in fields.items():
            for key in read.columns:
                if first.setdefault(key, role) != role:
                    raise UsageError(
                        f"{self._source.name}: {self._by_key[key].quoted} cannot be both {first[key]} and {role}",
                        hint=f"name another column with --{_option(first[key])} or --{_option(role)}.",
                    )

    def _refuse_repeated_names(self, choices: Sequence[Choice]) -> None:
        """A name that two columns of a file have tells them apart only for the user, by their positions."""
        for each in (each for choice in choices if not choice.given for each in choice.columns):
            beside = [column for column in self._source.columns if column.side == each.column.side]
            same = [column for column in beside if column.name == each.column.name]
            if len(same) > 1:
                raise repeated(same, beside)

    def _hides_another(self, choice: Choice) -> bool:
        """Whether it is a column of the truth whose name the predictions' file has too."""
        own = choice.columns[0].column
        return own.side == "truth" and any(c.side == "data" and c.name == own.name for c in self._source.columns)

    def _say(self, chosen: Mapping[str, Sequence[Choice]]) -> None:
        parts = []
        for role, choices in chosen.items():
            self._refuse_repeated_names(choices)
            self.why.setdefault(role, _sentence(role, choices))
            if not choices[0].given or self._hides_another(choices[0]):
                parts.append(f"{', '.join(map(_shown, choices))} as {role}")
        if parts:
            last = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
            self.notes.append(f"using {last}")


def _aligned(chosen: Mapping[str, Choice]) -> dict[str, Choice]:
    """Vectors of several columns, all in the order of the first one's endings where they have the same."""
    wide = [choice for choice in chosen.values() if len(choice.columns) > 1]
    return {
        role: replace(choice, columns=in_order_of(choice.columns, wide[0].columns) or choice.columns)
        if choice in wide
        else choice
        for role, choice in chosen.items()
    }


def _option(role: str) -> str:
    return role.replace("_", "-")


def _names(choice: Choice) -> str:
    shown = [each.quoted for each in choice.columns[:LISTED]]
    return ", ".join([*shown, *(["..."] if len(choice.columns) > LISTED else [])])


def _pairs(pool: Pool) -> list[Pair]:
    """Every target with its predictions."""
    targets = pool.targets if pool.targets is not None else TargetSearch(pool).targets()
    if pool.preds is not None:
        return paired(pool.loss, targets, pool.preds)
    search = PredictionSearch(pool, targets)
    if len(targets) > 1:
        return [Pair(target, (search.of_one_of_several(target),)) for target in targets]
    return [Pair(targets[0], tuple(search.of(targets[0])))]


def _plain(choice: Choice) -> Field:
    return Field(tuple(each.key for each in choice.columns), matrix=choice.matrix)


def _scalar(each: Evidence) -> bool:
    return not each.column.shape and each.column.kind in ("number", "boolean", "text")


def _is_coded(each: Evidence, codes: Sequence[Sequence[float]]) -> bool:
    if each.column.kind == "text":
        return len(each.labels) <= 2
    return any(set(each.numbers) <= set(code) for code in codes)


def _numbered(name: str, stem: str) -> bool:
    found = words(name)
    return len(found) > 1 and found[-1].isdigit() and "".join(found[:-1]) == stem


def _shown(choice: Choice) -> str:
    where = " of the truth" if choice.columns[0].column.side == "truth" else ""
    size = f" ({len(choice.columns)} columns)" if len(choice.columns) > 1 else ""
    return f'"{escape(choice.name)}"{where}{size}'


def _sentence(role: str, choices: Sequence[Choice]) -> str:
    return f"{', '.join(map(_shown, choices))} as {role}: {choices[0].why}."
