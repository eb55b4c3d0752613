#!/usr/bin/env python3
"""Small houses with one fault each: floors and tidy must see it, and nothing else.

A checker that never fails is worth nothing; this is where each rule is seen to fail."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TOOL = HERE.parent.parent / "tool"
FLOORS = """\
floor 0 base
floor 1 wire net net_sim
floor 2 link
floor 3 load
floor 6 plug
floor 8 app testbed
see net_sim as net
only plug/list.h app
narrow testbed base/ net/loop.h
wall src/plug
library sqlite3.h link
"""
ROOMS = """\
room(base)
room(wire BELOW base)
room(net BELOW base)
room(net_sim BELOW base)
room(link BELOW base wire net)
room(load BELOW base wire link)
room(plug BELOW base wire link load LINK m)
program(plimsoll FROM src/app BELOW base wire link load plug)
program(testbed FROM testbed BELOW base net)
"""
CLEAN = "/* An idea. */\n"


class House(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.put("floors.txt", FLOORS)
        self.put("CMakeLists.txt", ROOMS)
        self.put("src/base/text.c", CLEAN)

    def tearDown(self):
        self.folder.cleanup()

    def put(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_tool(self, tool, *options):
        command = [sys.executable, TOOL / tool, *options, self.root]
        if tool == "tidy" and not options:
            command.insert(2, "--no-format")
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def assert_fault(self, tool, *expected):
        status, said = self.run_tool(tool)
        self.assertEqual(status, 1, said)
        for words in expected:
            self.assertIn(words, said)
        self.assertIn("1 faults", said)

    def assert_clean(self, tool):
        status, said = self.run_tool(tool)
        self.assertEqual(status, 0, said)


class Floors(House):
    def include(self, name, line):
        self.put(name, CLEAN + line + "\n")

    def test_down_is_right(self):
        self.include("src/load/engine.c", '#include "base/text.h"\n#include "load/engine.h"\n#include <stdio.h>')
        self.include("src/net_sim/pipe.c", '#include "net/loop.h"')
        self.include("src/app/main.c", '#include "plug/list.h"')
        self.include("src/plug/list.c", '#include "plug/list.h"\n#include "plug/driver/http.h"')
        self.include("testbed/main.c", '#include "net/loop.h"\n#include "testbed/law.h"')
        self.include("src/link/file.c", "#include <sqlite3.h>")
        self.assert_clean("floors")

    def test_up(self):
        self.include("src/wire/http.c", '#include "link/pool.h"')
        self.assert_fault("floors", "src/wire/http.c:2", "goes up")

    def test_sideways(self):
        self.include("src/wire/http.c", '#include "net/loop.h"')
        self.assert_fault("floors", "goes sideways")

    def test_not_named_in_cmake(self):
        self.include("src/load/engine.c", '#include "net/loop.h"')
        self.assert_fault("floors", "does not name net")

    def test_spaces_hide_nothing(self):
        self.include("src/wire/http.c", '  #  include  "link/pool.h"')
        self.assert_fault("floors", "goes up")

    def test_no_room_shown(self):
        self.include("src/wire/http.c", '#include "http.h"')
        self.assert_fault("floors", "does not show its room")

    def test_no_way_around(self):
        self.include("src/wire/http.c", '#include "base/../link/pool.h"')
        self.assert_fault("floors", "does not show its room")

    def test_unknown_room(self):
        self.include("src/wire/http.c", '#include "cellar/wine.h"')
        self.assert_fault("floors", "no room cellar")

    def test_room_without_floor(self):
        self.include("src/cellar/wine.c", "")
        self.assert_fault("floors", "room cellar is not in floors.txt")

    def test_list_is_for_few(self):
        self.include("src/plug/driver/http.c", '#include "plug/list.h"')
        self.assert_fault("floors", "only for app")

    def test_walls(self):
        self.include("src/plug/driver/http.c", '#include "plug/writer/text.h"')
        self.assert_fault("floors", "may not know each other")

    def test_testbed_is_narrow(self):
        self.include("testbed/main.c", '#include "net/tls.h"')
        self.assert_fault("floors", "testbed may include only")

    def test_library_has_a_home(self):
        self.include("src/load/engine.c", "#include <sqlite3.h>")
        self.assert_fault("floors", "its home in link")

    def test_cmake_climbs(self):
        self.put("CMakeLists.txt", ROOMS.replace("room(wire BELOW base)", "room(wire BELOW base link)"))
        self.assert_fault("floors", "wire links link, which is not below")

    def test_public_header_is_alone(self):
        self.put("include/plimsoll/plimsoll.h", '#include "base/text.h"\n')
        self.assert_fault("floors", "a public header includes")

    def test_breach_is_listed(self):
        self.include("src/wire/http.c", '#include "net/loop.h" /* breach: for a reason */')
        status, said = self.run_tool("floors")
        self.assertEqual(status, 0, said)
        self.assertIn("permitted: src/wire/http.c:2", said)

    def test_empty_house_is_no_success(self):
        (self.root / "src/base/text.c").unlink()
        self.assertEqual(self.run_tool("floors")[0], 1)


GUARD = "/* An idea. */\n#ifndef BASE_X_H\n#define BASE_X_H\n%s\n#endif\n"


class Tidy(House):
    def source(self, code):
        self.put("src/base/x.c", CLEAN + code + "\n")

    def test_clean(self):
        self.source('#include "base/x.h"\n\nstatic const int table[] = {1, 2};\n'
                    'static const char *const names[] = {"rand()", "int x;"};\n'
                    "struct x;\n\nint x_add(int one, int other)\n{\n    /* not strcpy() */\n"
                    "    return one + other + table[0] + names[0][0];\n}")
        self.put("src/base/x.h", GUARD % "\n/* Adds. */\nint x_add(int one, int other);\n")
        self.assert_clean("tidy")

    def test_banned_calls(self):
        for call in ("strcpy(a, b)", "system(a)", "atoi(a)", "signal(1, a)", "rand()"):
            with self.subTest(call):
                self.source(f"void f(void)\n{{\n    {call};\n}}")
                self.assert_fault("tidy", "src/base/x.c:4", "is banned")

    def test_printing_belongs_to_app(self):
        self.source('void f(void)\n{\n    printf("x");\n}')
        self.assert_fault("tidy", "printf() belongs in src/app/")

    def test_mutable_state(self):
        for line in ("static int count;", "int count = 1;", "static const char *name = 0;",
                     "static struct x things[3];", "void (*hook)(int);", "static int (*table[2])(void);"):
            with self.subTest(line):
                self.source(line)
                self.assert_fault("tidy", "src/base/x.c:2", "mutable state")

    def test_mutable_static_in_function(self):
        self.source("int f(void)\n{\n    static int calls = 0;\n    return ++calls;\n}")
        self.assert_fault("tidy", "mutable static variable")

    def test_long_function(self):
        self.source("int f(void)\n{\n" + "    g();\n" * 71 + "}")
        self.assert_fault("tidy", "f() has 71 lines")
        self.source("int f(void)\n{\n" + "    g();\n" * 70 + "}")
        self.assert_clean("tidy")

    def test_long_file(self):
        self.source("/* */\n" * 600)
        self.assert_fault("tidy", "at most 600")

    def test_long_line(self):
        self.source("/* " + "x" * 99 + " */")
        self.assert_fault("tidy", "at most 100")

    def test_typedef(self):
        self.source("typedef struct x {\n    int y;\n} x_t;")
        self.assert_fault("tidy", "no typedef")

    def test_no_opening(self):
        self.put("src/base/x.c", "int f(void);\n")
        self.assert_fault("tidy", "does not open with a comment")

    def test_unfinished(self):
        self.source("/* TO" + "DO */")
        self.assert_fault("tidy", "unfinished")

    def test_places_of_users(self):
        self.source("/* as in Citadel */")
        self.assert_fault("tidy", "belongs into a plan")

    def test_dead_link(self):
        self.put("README.md", "[a](src/base/text.c) [b](https://example.org/x) [c](gone.md)\n")
        self.assert_fault("tidy", "README.md:1: gone.md does not exist")

    def test_undocumented(self):
        self.put("src/base/x.h", GUARD % "\nint x_add(int one);\n")
        self.assert_fault("tidy", "src/base/x.h:5", "x_add() is not documented")

    def test_documented_block(self):
        self.put("src/base/x.h", GUARD % "\n/* Both add. */\nint x_add(int one);\nint y_add(int one,\n    int b);\n")
        self.assert_clean("tidy")

    def test_no_guard(self):
        self.put("src/base/x.h", CLEAN)
        self.assert_fault("tidy", "no include guard")

    @unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
    def test_layout(self):
        self.put(".clang-format", "BasedOnStyle: LLVM\n")
        self.source("int  x(void);")
        status, said = self.run_tool("tidy", "--")
        self.assertEqual(status, 1, said)
        self.assertIn("src/base/x.c:1: run clang-format", said)

    def test_breach_is_listed(self):
        self.source("static int count; /* breach: the flag of a handler */")
        status, said = self.run_tool("tidy")
        self.assertEqual(status, 0, said)
        self.assertIn("the flag of a handler", said)
        self.assertIn("1 breaches", said)


if __name__ == "__main__":
    unittest.main()
