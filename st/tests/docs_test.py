#!/usr/bin/python3
"""Compiles every block of code in the documents and the headers in every language, and checks that the reference says what the
header says.

    docs_test.py DIRECTORY-OF-ST CC CXX

Blocks marked ```c and ```cpp are sources of their own, below the headers that every reader has in mind.
"""

import re
import subprocess
import sys
import unittest
from pathlib import Path

root = Path(sys.argv[1])
compilers = {"c": [sys.argv[2], "-xc", "-std=c11"], "cpp": [sys.argv[3], "-xc++", "-std=c++20"]}
# reference.md repeats the header's own declarations.
DOCUMENTS = [root / "README.md", *sorted(path for path in (root / "docs").glob("*.md") if path.name != "reference.md")]
PRELUDE = {
    "c": "#include <st.h>\n#include <pthread.h>\n#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n",
    "cpp": "#include <string>\n",
}
BLOCK = re.compile(r"^```(c|cpp)\n(.*?)^```$", re.M | re.S)


# The C header in every language that it may be included from, the C++ one in those that it is for. C89 knows no long long, which
# 1.9 has in its header, too.
LANGUAGES = [
    *(("c", f"-std={standard}", "st.h") for standard in ("c89", "gnu89", "c99", "c11", "c2x")),
    *(("cpp", f"-std=c++{year}", "st.h") for year in ("98", "11", "14", "17", "20", "2b")),
    *(("cpp", f"-std=c++{year}", "st.hpp") for year in ("20", "2b")),
]


class Docs(unittest.TestCase):
    def test_every_block_compiles(self):
        count = 0
        for document in DOCUMENTS:
            text = document.read_text()
            for block in BLOCK.finditer(text):
                language, code = block.groups()
                line = text.count("\n", 0, block.start(2)) + 1
                source = f'{PRELUDE[language]}#line {line} "{document}"\n{code}'
                done = subprocess.run(
                    [*compilers[language], "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused-function", "-Wno-unused-variable",
                     "-Werror", "-fsyntax-only", f"-I{root / 'include'}", "-"],
                    input=source, capture_output=True, text=True)
                count += 1
                with self.subTest(document=document.name, line=line):
                    self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(count, 10, "where have the blocks gone?")

    def test_headers_compile_in_every_language_without_a_warning(self):
        for language, standard, header in LANGUAGES:
            with self.subTest(header=header, standard=standard):
                done = subprocess.run(
                    [compilers[language][0], compilers[language][1], standard, "-Wall", "-Wextra", "-pedantic", "-Wno-long-long",
                     "-Werror", "-fsyntax-only", f"-I{root / 'include'}", "-"],
                    input=f"#include <{header}>\n#include <{header}>\nint nothing;\n", capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_reference_is_up_to_date(self):
        done = subprocess.run([sys.executable, root / "docs" / "make_reference.py", "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_files_that_documents_name_exist(self):
        for document in DOCUMENTS:
            for name in re.findall(r"`((?:docs|examples|include|debug|src)/[\w./-]+)`", document.read_text()):
                self.assertTrue((root / name).exists(), f"{document.name}: {name}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
