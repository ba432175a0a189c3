#!/bin/sh
# Generates the parts of the paper anew, and compiles it.
set -e
cd "$(dirname "$0")"
symrnn derive lstm --level brief --fragment --width column --heading none -o parts/lstm.tex
symrnn derive rnn --sections flow --level brief --fragment --width column --heading none --prefix rnn -o parts/rnn-flow.tex
symrnn derive lstm --sections flow --level brief --fragment --width column --heading none --prefix flow -o parts/lstm-flow.tex
symrnn draw lstm --gradient c --to tikz -o parts/lstm-picture.tex
pdflatex paper.tex
pdflatex paper.tex
