"""The papers and books that the library's sources name: one table, written as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_NAME = r"(?:(?:van|von|der|de) )*[A-Z][\w'-]+"
_CITATION = re.compile(rf"({_NAME})(?: et al\.|(?:, {_NAME})*(?: & {_NAME})?) \((\d{{4}})\)")
"""Authors and a year as sources have them: the first author, and the year."""


@dataclass(frozen=True)
class Paper:
    """A paper or a book.

    Attributes:
        key: what it is cited by.
        kind: the type of its entry.
        authors: their full names, surname first, as BibTeX has them.
        title: the title; capitals that stay are in braces.
        year: the year that sources name.
        fields: what else there is: journal, volume, publisher.
        arxiv: its number there, or an empty text.
    """

    key: str
    kind: str
    authors: str
    title: str
    year: int
    fields: Mapping[str, str]
    arxiv: str = ""

    @property
    def surname(self) -> str:
        """The first author's surname."""
        return self.authors.partition(",")[0]

    def is_named(self, text: str) -> bool:
        """Whether a source names it: by its number at arXiv, or by the first author and the year."""
        if self.arxiv and self.arxiv in text:
            return True
        return any((found[1], found[2]) == (self.surname, str(self.year)) for found in _CITATION.finditer(text))

    def bibtex(self) -> str:
        """Its entry."""
        fields = {"author": self.authors, "title": self.title, **self.fields, "year": str(self.year)}
        if self.arxiv:
            fields |= {"eprint": self.arxiv, "archiveprefix": "arXiv"}
        rows = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
        return f"@{self.kind}{{{self.key},\n{rows}}}\n"

    def reference(self) -> str:
        """It as LaTeX text in a list of references."""
        names = self.authors.replace(" and ", "; ")
        where = ", ".join(self.fields.values())
        number = f", arXiv:{self.arxiv}" if self.arxiv else ""
        return f"{names}. {self.title}. {where}{', ' if where else ''}{self.year}{number}."


def _preprint(key: str, authors: str, title: str, year: int, arxiv: str) -> Paper:
    return Paper(key, "misc", authors, title, year, {}, arxiv)


def _article(key: str, authors: str, title: str, year: int, journal: str, volume: str, number: str = "") -> Paper:
    numbers = {"number": number} if number else {}
    return Paper(key, "article", authors, title, year, {"journal": journal, "volume": volume, **numbers})


def _book(key: str, authors: str, title: str, year: int, publisher: str) -> Paper:
    return Paper(key, "book", authors, title, year, {"publisher": publisher})


_GERS = "Gers, Felix A. and "
PAPERS: tuple[Paper, ...] = (
    _article("elman1990", "Elman, Jeffrey L.", "Finding Structure in Time", 1990, "Cognitive Science", "14", "2"),
    _preprint("le2015", "Le, Quoc V. and Jaitly, Navdeep and Hinton, Geoffrey E.", "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units", 2015, "1504.00941"),
    _preprint("saxe2014", "Saxe, Andrew M. and McClelland, James L. and Ganguli, Surya", "Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear Neural Networks", 2014, "1312.6120"),
    _preprint("li2018", "Li, Shuai and Li, Wanqing and Cook, Chris and Zhu, Ce and Gao, Yanbo", "Independently Recurrent Neural Network ({IndRNN})", 2018, "1803.04831"),
    _preprint("chang2019", "Chang, Bo and Chen, Minmin and Haber, Eldad and Chi, Ed H.", "{AntisymmetricRNN}: A Dynamical System View on Recurrent Neural Networks", 2019, "1902.09689"),
    _preprint("mikolov2015", "Mikolov, Tomas and Joulin, Armand and Chopra, Sumit and Mathieu, Michael and Ranzato, Marc'Aurelio", "Learning Longer Memory in Recurrent Neural Networks", 2015, "1412.7753"),
    _preprint("collins2017", "Collins, Jasmine and Sohl-Dickstein, Jascha and Sussillo, David", "Capacity and Trainability in Recurrent Neural Networks", 2017, "1611.09913"),
    _preprint("ravanelli2018", "Ravanelli, Mirco and Brakel, Philemon and Omologo, Maurizio and Bengio, Yoshua", "Light Gated Recurrent Units for Speech Recognition", 2018, "1803.10225"),
    _preprint("zhou2016", "Zhou, Guo-Bing and Wu, Jianxin and Zhang, Chen-Lin and Zhou, Zhi-Hua", "Minimal Gated Unit for Recurrent Neural Networks", 2016, "1603.09420"),
    _preprint("chen2017", "Chen, Minmin", "{MinimalRNN}: Toward More Interpretable and Trainable Recurrent Neural Networks", 2017, "1711.06788"),
    _preprint("kusupati2018", "Kusupati, Aditya and Singh, Manish and Bhatia, Kush and Kumar, Ashish and Jain, Prateek and Varma, Manik", "{FastGRNN}: A Fast, Accurate, Stable and Tiny Kilobyte Sized Gated Recurrent Neural Network", 2018, "1901.02358"),
    _preprint("zilly2017", "Zilly, Julian Georg and Srivastava, Rupesh Kumar and Koutn{\\'i}k, Jan and Schmidhuber, J{\\\"u}rgen", "Recurrent Highway Networks", 2017, "1607.03474"),
    _preprint("laurent2017", "Laurent, Thomas and von Brecht, James", "A Recurrent Neural Network without Chaos", 2017, "1612.06212"),
    _preprint("vanderwesthuizen2018", "van der Westhuizen, Jos and Lasenby, Joan", "The Unreasonable Effectiveness of the Forget Gate", 2018, "1804.04849"),
    _article("hochreiter1997", "Hochreiter, Sepp and Schmidhuber, J{\\\"u}rgen", "Long Short-Term Memory", 1997, "Neural Computation", "9", "8"),
    _article("gers2000", f"{_GERS}Schmidhuber, J{{\\\"u}}rgen and Cummins, Fred", "Learning to Forget: Continual Prediction with {LSTM}", 2000, "Neural Computation", "12", "10"),
    _article("gers2002", f"{_GERS}Schraudolph, Nicol N. and Schmidhuber, J{{\\\"u}}rgen", "Learning Precise Timing with {LSTM} Recurrent Networks", 2002, "Journal of Machine Learning Research", "3"),
    Paper("olah2015", "misc", "Olah, Christopher", "Understanding {LSTM} Networks", 2015, {"howpublished": "Blog post"}),
    _preprint("graves2013", "Graves, Alex", "Generating Sequences With Recurrent Neural Networks", 2013, "1308.0850"),
    _preprint("greff2017", "Greff, Klaus and Srivastava, Rupesh K. and Koutn{\\'i}k, Jan and Steunebrink, Bas R. and Schmidhuber, J{\\\"u}rgen", "{LSTM}: A Search Space Odyssey", 2017, "1503.04069"),
    _preprint("sak2014", "Sak, Ha{\\c{s}}im and Senior, Andrew and Beaufays, Fran{\\c{c}}oise", "Long Short-Term Memory Based Recurrent Neural Network Architectures", 2014, "1402.1128"),
    _preprint("ba2016", "Ba, Jimmy Lei and Kiros, Jamie Ryan and Hinton, Geoffrey E.", "Layer Normalization", 2016, "1607.06450"),
    _preprint("chung2014", "Chung, Junyoung and Gulcehre, Caglar and Cho, KyungHyun and Bengio, Yoshua", "Empirical Evaluation of Gated Recurrent Neural Networks on Sequence Modeling", 2014, "1412.3555"),
    _preprint("cho2014", "Cho, Kyunghyun and van Merrienboer, Bart and Gulcehre, Caglar and Bahdanau, Dzmitry and Bougares, Fethi and Schwenk, Holger and Bengio, Yoshua", "Learning Phrase Representations using {RNN} Encoder-Decoder for Statistical Machine Translation", 2014, "1406.1078"),
    _preprint("feng2024", "Feng, Leo and Tung, Frederick and Ahmed, Mohamed Osama and Bengio, Yoshua and Hajimirsadeghi, Hossein", "Were {RNNs} All We Needed?", 2024, "2410.01201"),
    _preprint("lei2018", "Lei, Tao and Zhang, Yu and Wang, Sida I. and Dai, Hui and Artzi, Yoav", "Simple Recurrent Units for Highly Parallelizable Recurrence", 2018, "1709.02755"),
    _preprint("beck2024", "Beck, Maximilian and P{\\\"o}ppel, Korbinian and Spanring, Markus and Auer, Andreas and Prudnikova, Oleksandra and Kopp, Michael and Klambauer, G{\\\"u}nter and Brandstetter, Johannes and Hochreiter, Sepp", "{xLSTM}: Extended Long Short-Term Memory", 2024, "2405.04517"),
    _preprint("orvieto2023", "Orvieto, Antonio and Smith, Samuel L. and Gu, Albert and Fernando, Anushan and Gulcehre, Caglar and Pascanu, Razvan and De, Soham", "Resurrecting Recurrent Neural Networks for Long Sequences", 2023, "2303.06349"),
    # The sources of the rules and of the rewritings.
    Paper("giles2008", "incollection", "Giles, Mike B.", "Collected matrix derivative results for forward and reverse mode algorithmic differentiation", 2008, {"booktitle": "Advances in Automatic Differentiation", "publisher": "Springer"}),
    _book("magnus2019", "Magnus, Jan R. and Neudecker, Heinz", "Matrix Differential Calculus with Applications in Statistics and Econometrics", 2019, "Wiley"),
    _article("rumelhart1986", "Rumelhart, David E. and Hinton, Geoffrey E. and Williams, Ronald J.", "Learning representations by back-propagating errors", 1986, "Nature", "323"),
    Paper("bridle1990", "incollection", "Bridle, John S.", "Probabilistic interpretation of feedforward classification network outputs, with relationships to statistical pattern recognition", 1990, {"booktitle": "Neurocomputing", "publisher": "Springer"}),
    _book("goodfellow2016", "Goodfellow, Ian and Bengio, Yoshua and Courville, Aaron", "Deep Learning", 2016, "MIT Press"),
    _book("horn1991", "Horn, Roger A. and Johnson, Charles R.", "Topics in Matrix Analysis", 1991, "Cambridge University Press"),
)  # fmt: skip
"""Every paper and book that a source of the library names, once."""


def papers_in(text: str) -> tuple[Paper, ...]:
    """Those that a text names, in the table's order."""
    return tuple(paper for paper in PAPERS if paper.is_named(text))


def bibliography(sources: Iterable[str]) -> str:
    """The entries of what these sources name, in BibTeX.

    >>> print(bibliography(["Elman (1990), with tanh"]), end="")
    @article{elman1990,
      author = {Elman, Jeffrey L.},
      title = {Finding Structure in Time},
      journal = {Cognitive Science},
      volume = {14},
      number = {2},
      year = {1990},
    }
    """
    named = {paper.key for text in sources for paper in papers_in(text)}
    return "\n".join(paper.bibtex() for paper in PAPERS if paper.key in named)
