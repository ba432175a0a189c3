"""The table of what a derivation's document can have: a row for each section."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from symrnn.algebra import nodes
from symrnn.calculus.flow import flow
from symrnn.calculus.remarks import remarks
from symrnn.characters import clean
from symrnn.documents.algorithm import write_algorithm
from symrnn.documents.flow import write_flow
from symrnn.documents.further import write_properties, write_rewritings
from symrnn.documents.jacobians import count_up, write_one_step, write_parameters, write_several_steps
from symrnn.documents.lecture import write_lecture
from symrnn.documents.loss import write_loss
from symrnn.documents.passes import write_backward, write_forward, write_gradients, write_through_time
from symrnn.documents.setting import Setting, phrase
from symrnn.documents.structure import Authored, Block, Bullets, Display, NumberedEquation, Paragraph, Section
from symrnn.documents.symbols import conventions, symbol_table


@dataclass(frozen=True)
class DocumentDraft:
    """What the rows are given.

    Attributes:
        setting: the document's choices.
        numbers: the numbers of equations after those of the derivation.
        others: the sections that are written already, for those that explain them.
    """

    setting: Setting
    numbers: Iterator[str]
    others: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Part:
    """A row.

    Attributes:
        write: the section, or nothing where there is nothing to say.
        opens: whether it stands without a heading where it comes before all that has one.
        explains: whether it is about the other sections, and is written after them.
        has_words: whether its words are what it is for; otherwise a brief document leaves them out.
    """

    write: Callable[[DocumentDraft], Iterable[Section]]
    opens: bool = False
    explains: bool = False
    has_words: bool = True


def write_parts(setting: Setting, keys: Sequence[str]) -> tuple[tuple[Block, ...], tuple[Section, ...]]:
    """What stands before the first heading, and the sections."""
    draft = DocumentDraft(setting, count_up(setting.derivation.steps[-1].number))
    written = {key: _write_part(PARTS[key], draft) for key in keys if not PARTS[key].explains}
    draft = replace(draft, others=tuple(section for key in keys if key in written for section in written[key]))
    written |= {key: _write_part(PARTS[key], draft) for key in keys if PARTS[key].explains}
    opening: list[Block] = []
    sections: list[Section] = []
    for key in keys:
        if PARTS[key].opens and not sections:
            opening += [block for section in written[key] for block in _without_heading(section)]
        else:
            sections += written[key]
    return tuple(opening), tuple(sections)


def _write_part(part: Part, draft: DocumentDraft) -> tuple[Section, ...]:
    sections = tuple(part.write(draft))
    return sections if part.has_words or draft.setting.has_words else tuple(map(_formulas_alone, sections))


def _formulas_alone(section: Section) -> Section:
    blocks = [block for block in section.blocks if isinstance(block, Display)]
    return replace(section, blocks=tuple(Display(tuple(map(_without_notes, block.equations))) for block in blocks))


def _without_notes(equation: NumberedEquation) -> NumberedEquation:
    return replace(equation, lines=tuple(replace(line, note=()) for line in equation.lines))


def _without_heading(section: Section) -> tuple[Block, ...]:
    """The blocks, with a word in front where the heading was one that the reader needs."""
    lead = (Paragraph((), section.heading),) if section.key == "conventions" else ()
    return (*lead, *section.blocks)


# --- short sections ---------------------------------------------------------------------------------------------------


def _quote(*headings: str) -> Callable[[DocumentDraft], Iterable[Section]]:
    """What the author says under some headings of the cell's text."""

    def write(draft: DocumentDraft) -> Iterable[Section]:
        cell = draft.setting.derivation.cell
        said = [(heading, clean(cell.section(heading))) for heading in headings]
        blocks = tuple(Paragraph((Authored(text),), heading) for heading, text in said if text)
        return (Section(headings[0].lower(), headings[0], blocks),) if blocks else ()

    return write


def _write_remarks(draft: DocumentDraft) -> Iterable[Section]:
    """What a reader of the gradients has to be told; nothing for most cells."""
    setting = draft.setting
    found = remarks(setting.derivation)
    items = tuple(tuple(part if isinstance(part, str) else setting.maths(part) for part in one) for one in found)
    return (Section("remarks", "Remarks", (Bullets(items),)),) if items else ()


def _write_conventions(draft: DocumentDraft) -> Iterable[Section]:
    return (Section("conventions", "Conventions", (conventions(draft.setting, draft.others),)),)


def _write_symbols(draft: DocumentDraft) -> Iterable[Section]:
    return (Section("symbols", "Symbols", (symbol_table(draft.setting),)),)


def _write_backward(draft: DocumentDraft) -> Iterable[Section]:
    is_lecture = draft.setting.level == "lecture"
    return (write_lecture(draft.setting) if is_lecture else write_backward(draft.setting),)


def _write_rules(draft: DocumentDraft) -> Iterable[Section]:
    setting = draft.setting
    derivation = setting.derivation
    used = dict.fromkeys(name for step in derivation.steps for name in step.rules)
    rows = [rule for rule in derivation.rules.values() if rule.name in used]
    read = (part for equation in derivation.forward for part in nodes.parts(equation.value))
    functions = dict.fromkeys(part.name for part in read if isinstance(part, nodes.Act))
    blocks: list[Block] = []
    if rows:
        text = r"$G$ is the derivative of the loss with respect to $Y$; what a bar stands over receives the term."
        blocks.append(Paragraph(phrase(text)))
        statements = ((row, phrase(setting.signed_as(f"${row.statement}$"))) for row in rows)
        blocks.append(Bullets(tuple((f"{row.name}: ", *said, f" ({row.source})") for row, said in statements)))
    if functions:
        blocks.append(Paragraph(("The slopes of the functions used:",)))
        blocks.append(Bullets(tuple(map(setting.slope, functions))))
    return (Section("rules", "Rules used", tuple(blocks)),)


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "source": Part(_quote("Source", "Variant"), opens=True),
        "wrong": Part(_quote("Wrong"), opens=True),
        "conventions": Part(_write_conventions, opens=True, explains=True),
        "symbols": Part(_write_symbols, opens=True),
        "forward": Part(lambda draft: (write_forward(draft.setting),)),
        "loss": Part(lambda draft: write_loss(draft.setting)),
        "backward": Part(_write_backward),
        "time": Part(lambda draft: (write_through_time(draft.setting),)),
        "gradients": Part(lambda draft: write_gradients(draft.setting)),
        "algorithm": Part(lambda draft: (write_algorithm(draft.setting, draft.others),), explains=True),
        "jacobians": Part(lambda draft: (write_one_step(draft.setting, draft.numbers),), has_words=False),
        "kronecker": Part(lambda draft: write_parameters(draft.setting, draft.numbers), has_words=False),
        "steps": Part(lambda draft: (write_several_steps(draft.setting, draft.numbers),), has_words=False),
        "flow": Part(lambda draft: (write_flow(flow(draft.setting.derivation), draft.setting, draft.numbers),)),
        "remarks": Part(_write_remarks),
        # Properties belong to the mathematics, rewritings to the appendix: the one stands before the rules, the other
        # after.
        "properties": Part(lambda draft: (write_properties(draft.setting),)),
        "rules": Part(_write_rules),
        "rewritings": Part(lambda draft: (write_rewritings(draft.setting),)),
    }
)
"""What a document can have: key -> how it is written, in the order of a document that has all."""
