r"""Letters that LaTeX has no commands for: Chinese, Cyrillic, Arabic and all others, and emoji.

The words stay in the source as they are.  LuaLaTeX and XeLaTeX set them, in the first installed font that has them;
pdfLaTeX has no fonts for them and shows code points, with a warning that says which engine to take.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_TOGETHER = {"CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "KATAKANA-HIRAGANA", "HALFWIDTH"}
"""First words of character names that stand in one line of Chinese or Japanese."""

_LEFTWARD = {"ARABIC", "HEBREW", "SYRIAC", "THAANA", "NKO"}
"""First words of the names of letters that run from right to left."""

DEFINITIONS = r"""% Letters beyond Latin: LuaLaTeX and XeLaTeX set them in the first of these fonts that has them.
\makeatletter
\providecommand\otherfonts{Noto Serif,Noto Serif CJK SC,Noto Sans CJK SC,Songti SC,SimSun,Droid Sans Fallback,%
WenQuanYi Micro Hei,Noto Naskh Arabic,Noto Serif Devanagari,DejaVu Serif,DejaVu Sans,FreeSerif,Arial Unicode MS,%
Noto Emoji,Symbola}
\providecommand\otherwarning{\gdef\otherwarning{}\GenericWarning{}{Letters beyond Latin are shown by their code points:
  compile with lualatex or xelatex to see them}}
\providecommand\otherpoint[1]{[U+#1]\allowbreak}
% code point of the first letter, the letters, what stands for them where no font has them
\providecommand\otherscript[3]{\ifdefined\fontspec\begingroup\otherfont{#1}{#2}{#3}\endgroup\else\otherwarning #3\fi}
\providecommand\otherfont[3]{\let\otherfound\@undefined\iffontchar\font#1 \def\otherfound{}\else
  \@for\othername:=\otherfonts\do{\ifdefined\otherfound\else\expandafter\othertry\expandafter{\othername}{#1}\fi}\fi
  \ifdefined\otherfound #2\else\normalfont #3\fi}
\providecommand\othertry[2]{\IfFontExistsTF{#1}{%
  \expandafter\fontspec\expandafter[\otherfeatures]{#1}\iffontchar\font#2 \def\otherfound{}\fi}{}}
% of letters between which a line may end, and from right to left
\providecommand\otherwide[3]{\otherscript{#1}{\@tfor\otherletter:=#2\do{\otherletter\hskip 0pt plus .05em\relax}}{#3}}
\providecommand\otherfeatures{}
\providecommand\otherleft[3]{{\def\otherfeatures{Script=Arabic}\otherscript{#1}{%
  \ifdefined\textdirection\textdirection 1 \else\ifdefined\beginR\TeXXeTstate=1 \beginR\fi\fi
  #2\ifdefined\endR\endR\fi}{#3}}}
\makeatother
"""
"""What a document needs in front of words in such letters; LaTeX itself, and fontspec where that is loaded."""


@dataclass(frozen=True)
class _Script:
    """What decides how letters are set: their script, and the command for it."""

    name: str
    command: str


def _script(character: str) -> _Script:
    # Python knows no scripts; the first word of a character's name says it for all letters that matter here.
    name = unicodedata.name(character, "NONE").split()[0]
    if name in _LEFTWARD:
        return _Script(name, "otherleft")
    wide = unicodedata.east_asian_width(character) in ("W", "F")
    return _Script("CJK" if name in _TOGETHER else name, "otherwide" if wide else "otherscript")


def set_other(characters: str) -> str:
    r"""Letters without a command of LaTeX's, as calls of the commands defined above.

    >>> print(set_other("中文"))
    \otherwide{"4E2D}{中文}{\otherpoint{4E2D}\otherpoint{6587}}
    """
    runs: list[tuple[_Script, str]] = []
    for character in characters:
        # An accent belongs to its letter, whatever script it is of.
        script = _script(character) if not unicodedata.combining(character) or not runs else runs[-1][0]
        if character == " " and runs:
            script = runs[-1][0]
        if runs and runs[-1][0] == script:
            runs[-1] = (script, runs[-1][1] + character)
        else:
            runs.append((script, character))
    return "".join(_call(script.command, run) for script, run in runs)


def is_right_to_left(character: str) -> bool:
    """Whether words of this letter run from right to left, so that the spaces between them belong to the run."""
    return _script(character).command == "otherleft"


def _call(command: str, run: str) -> str:
    letters = run.rstrip(" ")
    points = "".join(rf"\otherpoint{{{ord(c):04X}}}" if c != " " else " " for c in letters)
    return rf'\{command}{{"{ord(run[0]):04X}}}{{{letters}}}{{{points}}}' + run[len(letters) :]
