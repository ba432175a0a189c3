"""What is written is whole or not there, whatever comes in between."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from symrnn import cells, derive, generate
from symrnn.errors import InputError, SymrnnError
from symrnn.files import write_whole

HEAD = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); from symrnn.files import write_whole\n"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def assert_refused(path: str, message: str) -> None:
    before = {name: os.lstat(name) for name in os.listdir()}
    with pytest.raises(SymrnnError, match=message) as caught:
        write_whole(path, "new")
    assert str(caught.value).count("\n  ") == 1
    assert {name: os.lstat(name).st_ino for name in os.listdir()} == {n: s.st_ino for n, s in before.items()}


def child(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program with write_whole in a process of its own."""
    return subprocess.run([sys.executable, "-c", HEAD + program], capture_output=True, text=True, check=False)


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 200, 244, 245, 250, 254, 255])
@pytest.mark.parametrize("letter", ["a", "δ"])
def test_a_name_may_be_as_long_as_the_file_system_allows(length: int, letter: str) -> None:
    name = (letter * length).encode()[: length - length % len(letter.encode())].decode()
    if name:
        write_whole(name, "text")
        assert os.listdir() == [name]


def test_a_longer_name_is_refused() -> None:
    assert_refused("a" * 256, "name too long\n  give a shorter name")


@pytest.mark.parametrize("name", ["with blank.tex", "-o", "δh.tex", "a\nb", "'", "~", "*"])
def test_odd_names_are_names(name: str) -> None:
    write_whole(name, "text")
    assert os.listdir() == [name]


def test_a_name_is_printed_so_that_a_terminal_does_not_obey_it() -> None:
    os.mkdir("a\x1b[2J")
    assert_refused("a\x1b[2J", r"^a\\x1b\[2J: cannot be written: this is a directory\n")
    assert_refused("a\x00b", r"^a\\x00b: cannot be written: embedded null byte")


# --- symbolic links ---------------------------------------------------------------------------------------------------


def test_what_a_link_leads_to_is_written_and_the_link_stays() -> None:
    os.mkdir("far")
    Path("far/old").write_text("old")
    os.symlink("far/old", "link")
    write_whole("link", "new")
    assert os.path.islink("link")
    assert Path("far/old").read_text() == "new"
    assert os.listdir("far") == ["old"]


def test_a_broken_link_is_mended() -> None:
    os.symlink("target", "link")
    write_whole("link", "new")
    assert os.path.islink("link")
    assert Path("target").read_text() == "new"


def test_links_that_lead_nowhere_are_refused() -> None:
    os.symlink("a", "b")
    os.symlink("b", "a")
    assert_refused("a", "lead in a circle")
    os.symlink("no/such/place", "nowhere")
    assert_refused("nowhere", "No such file or directory\n  make its directory first")


# --- permissions ------------------------------------------------------------------------------------------------------


def test_a_read_only_file_is_not_replaced() -> None:
    Path("old").write_text("old")
    os.chmod("old", 0o444)
    assert_refused("old", "this file is read-only\n  allow it with 'chmod u\\+w old'")
    assert Path("old").read_text() == "old"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o666])
def test_a_file_keeps_its_permissions(mode: int) -> None:
    Path("old").write_text("old")
    os.chmod("old", mode)
    write_whole("old", "new")
    assert stat.S_IMODE(os.stat("old").st_mode) == mode


def test_a_new_file_has_the_permissions_of_any_new_file() -> None:
    Path("other").write_text("")
    write_whole("new", "")
    assert os.stat("new").st_mode == os.stat("other").st_mode


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be somebody else")
def test_a_directory_where_nothing_may_be_made_is_said(tmp_path: Path) -> None:
    os.mkdir("closed", 0o755)
    Path("closed/old").write_text("old")
    os.chmod("closed/old", 0o666)
    program = "import os\nos.setuid(65534)\ntry:\n    write_whole('closed/old', 'new')\nexcept Exception as e: print(e)"
    done = child(program)
    assert "closed/old: cannot be written: Permission denied\n  no new file may be made in " in done.stdout, done.stderr
    assert Path("closed/old").read_text() == "old"
    assert os.listdir("closed") == ["old"]


# --- interrupts and full disks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["fsync", "replace", "chmod"])
def test_a_signal_while_writing_leaves_the_old_file_or_the_new_one(number: int, moment: str) -> None:
    Path("file").write_text("old")
    program = f"""
import os
honest = os.{moment}
def disturbed(*arguments):
    os.kill(os.getpid(), {int(number)})
    return honest(*arguments)
os.{moment} = disturbed
write_whole("file", "new")
print("not reached")
"""
    done = child(program)
    assert done.returncode not in (0, 1) or "KeyboardInterrupt" in done.stderr
    assert os.listdir() == ["file"]
    assert Path("file").read_text() == "new"


@pytest.mark.parametrize("moment", ["fsync", "replace", "chmod"])
def test_an_exception_while_writing_leaves_the_old_file(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    def disturbed(*arguments: object) -> None:
        raise KeyboardInterrupt

    Path("file").write_text("old")
    monkeypatch.setattr(os, moment, disturbed)
    with pytest.raises(KeyboardInterrupt):
        write_whole("file", "new")
    assert os.listdir() == ["file"]
    assert Path("file").read_text() == "old"


def test_a_full_disk_leaves_the_old_file() -> None:
    Path("file").write_text("old")
    program = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    done = child(program + "try:\n    write_whole('file', 'new' * 10000)\nexcept Exception as e: print(e)")
    assert "file: cannot be written: File too large\n  nothing of it was kept" in done.stdout
    assert os.listdir() == ["file"]
    assert Path("file").read_text() == "old"


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(SymrnnError, match="surrogates not allowed"):
        write_whole("file", "\ud800")
    assert os.listdir() == []


# --- what is no file --------------------------------------------------------------------------------------------------


def test_a_pipe_without_a_reader_is_refused() -> None:
    os.mkfifo("pipe")
    assert_refused("pipe", "nothing reads this pipe\n  start what reads it first")


def test_a_pipe_gets_all_of_it() -> None:
    os.mkfifo("pipe")
    text = "δh_t\n" * 100_000  # more than a pipe holds
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_text(encoding="utf-8")))
    reader.start()
    write_whole("pipe", text)
    reader.join()
    assert read == [text]
    assert os.listdir() == ["pipe"]


def test_a_reader_that_leaves_a_pipe_is_said() -> None:
    os.mkfifo("pipe")
    reader = threading.Thread(target=lambda: os.close(os.open("pipe", os.O_RDONLY)))
    reader.start()
    with pytest.raises(SymrnnError, match="its reader has left"):
        write_whole("pipe", "text" * 100_000)
    reader.join()


def test_a_full_device_is_said() -> None:
    assert_refused("/dev/full", "No space left on device")


def test_the_standard_output_is_written_into() -> None:
    for place in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        assert child(f"write_whole({place!r}, 'text')").stdout == "text"
    with open("kept", "w") as file:
        program = "print('before')\nwrite_whole('/dev/stdout', 'text\\n')\nprint('after')"
        subprocess.run([sys.executable, "-c", HEAD + program], stdout=file, check=True)
    assert Path("kept").read_text() == "before\ntext\nafter\n"
    assert os.listdir() == ["kept"]


def test_a_directory_is_refused() -> None:
    assert_refused(".", "this is a directory\n  give a file in it")
    assert_refused("no/such/place", "No such file or directory\n  make its directory first")
    Path("file").write_text("")
    assert_refused("file/in", "Not a directory")


def test_modules_are_saved_whole() -> None:
    assert generate(cells.rnn).save("rnn.py") == Path("rnn.py")
    assert Path("rnn.py").read_text() == generate(cells.rnn).source


def test_derivations_are_saved_whole() -> None:
    for name, part in (("a.tex", r"\documentclass"), ("a.md", "$$"), ("a.txt", "δh_t")):
        assert derive(cells.rnn).save(name) == Path(name)
        assert part in Path(name).read_text(encoding="utf-8")
    with pytest.raises(SymrnnError, match=r"no form belongs to \.docx"):
        derive(cells.rnn).save("a.docx")


# --- modules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["numpy", "math", "queue", "symrnn", "1a", "a-b", "a.b", "lambda", "a b", ""])
def test_a_module_that_cannot_be_imported_or_hides_another_is_not_written(name: str) -> None:
    with pytest.raises(InputError) as caught:
        generate(cells.rnn).save(f"{name}.py" if name else "")
    assert str(caught.value).count("\n  ") == 1
    assert os.listdir() == []


@pytest.mark.parametrize("path", ["rnn.py", "numpy.txt", "package/queue.py", "größe.py"])
def test_a_module_that_can_be_imported_is_written(path: str) -> None:
    Path("package").mkdir()
    Path("package/__init__.py").touch()
    assert generate(cells.rnn).save(path).exists()
