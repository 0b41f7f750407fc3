#!/usr/bin/python3
"""Makes docs/reference.md from the comments of include/st.h.

    make_reference.py            writes it
    make_reference.py --check    fails if it is not what would be written
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = ROOT / "include" / "st.h"
REFERENCE = ROOT / "docs" / "reference.md"

SECTION = re.compile(r"/\* ---- (.+?) ---- \*/")
FUNCTION = re.compile(r"\b(st_\w+)\(")


def comment_text(lines: list[str]) -> str:
    """The words of a comment; what it says of errors is a paragraph of its own."""
    words = " ".join(re.sub(r"^\s*/?\*+/?\s?|\s*\*/\s*$", "", line).strip() for line in lines)
    words = re.sub(r"(?<!\w)\*(\w+)", r"`*\1`", words)  # not the beginning of emphasis
    return re.sub(r"\s*\b(Errors?:)", r"\n\n*\1*", words).strip()


def introduction(header: str) -> str:
    """The paragraphs of the header's first comment, without its first line, which is for readers of the file."""
    comment = header[2:header.index("*/")]
    lines = [re.sub(r"^\s*\* ?", "", line) for line in comment.splitlines()[1:]]
    text = "\n".join(lines).strip("\n")
    # Indented lines are a table of words.
    text = re.sub(r"(?m)^  (\w+) +(.*)$", r"- `\1`: \2", text)
    return re.sub(r"(?m)^((?!- ).+)\n(?=- )", r"\1\n\n", re.sub(r"(?m)^(- .*)\n(?=[^-\n])", r"\1\n\n", text)).rstrip()


class Entry:
    """Declarations that stand together, and the comment above them."""

    def __init__(self, comment: list[str]):
        self.comment = comment
        self.code: list[str] = []

    def title(self) -> str:
        names = FUNCTION.findall(re.sub(r"/\*.*?\*/", "", " ".join(self.code)))
        if not names:
            names = re.findall(r"#define (\w+)|typedef .*?\b(\w+);", "\n".join(self.code))
            names = [a or b for a, b in names]
        return ", ".join(f"`{name}`" for name in dict.fromkeys(names))

    def markdown(self) -> str:
        code = "\n".join(self.code).replace("extern ", "")
        # The second line of a declaration is aligned with an `extern` that is gone.
        code = re.sub(r"(?m)^ {7}(?= +\S)", "", code)
        return f"### {self.title()}\n\n```c\n{code}\n```\n\n{comment_text(self.comment)}\n".rstrip() + "\n"


def entries(lines: list[str]) -> list[Entry]:
    found: list[Entry] = []
    comment: list[str] = []
    fresh = True
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if line.lstrip().startswith("/*"):
            comment = [line]
            while "*/" not in lines[position - 1]:
                comment.append(lines[position])
                position += 1
            fresh = True
        elif not line.strip():
            comment, fresh = [], True
        elif not re.match(r"#(if|ifdef|ifndef|endif|pragma|else)|struct \w+;|}$", line):
            if fresh:
                found.append(Entry(comment))
                comment, fresh = [], False
            found[-1].code.append(line)
    return [entry for entry in found if entry.title()]


def reference(header: str) -> str:
    parts = ["# Reference", "", "Made by `docs/make_reference.py` from `include/st.h`; change the comments there.", "",
             introduction(header), ""]
    pieces = SECTION.split(header[header.index("*/"):header.index('#ifdef __cplusplus\n}\n#endif')])
    for title, body in zip(pieces[1::2], pieces[2::2]):
        name, _, remark = title.partition(": ")
        parts += [f"## {name}", ""]
        if remark:
            parts += [remark[0].upper() + remark[1:] + ".", ""]
        parts += [entry.markdown() for entry in entries(body.splitlines())]
    return "\n".join(parts).rstrip() + "\n"


def main() -> int:
    header = HEADER.read_text()
    text = reference(header)
    declared = set(FUNCTION.findall(re.sub(r"/\*.*?\*/", "", header, flags=re.S)))
    missing = sorted(name for name in declared if f"{name}(" not in text)
    if missing:
        print(f"make_reference.py: not in the reference: {', '.join(missing)}", file=sys.stderr)
        return 1
    if sys.argv[1:] == ["--check"]:
        if not REFERENCE.exists() or REFERENCE.read_text() != text:
            print(f"{REFERENCE} does not say what st.h says; run {Path(__file__).name}", file=sys.stderr)
            return 1
        return 0
    REFERENCE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
