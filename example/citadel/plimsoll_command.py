"""Finds plimsoll and becomes it: what the scripts beside this file share."""
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def find():
    """PLIMSOLL, else the PATH, else the builds of the repository that this file lies in."""
    root = os.path.dirname(os.path.dirname(HERE))
    places = [os.environ.get("PLIMSOLL"), shutil.which("plimsoll")]
    places += [os.path.join(root, "build", kind, "bin", "plimsoll") for kind in ("release", "dev")]
    for place in places:
        if place and os.access(place, os.X_OK):
            return place
    sys.exit(
        f"{os.path.basename(sys.argv[0])}: plimsoll is not installed.\n"
        f"  Build it with ./demo in {root} (Debian 12), or name it: PLIMSOLL=/path/to/plimsoll"
    )


def config():
    """scaling_config.yaml where one works, else the one beside this file."""
    return "scaling_config.yaml" if os.path.exists("scaling_config.yaml") else os.path.join(HERE, "scaling_config.yaml")


def take(arguments, name, unset=None):
    """Removes --NAME VALUE or --NAME=VALUE from the arguments, and returns the value."""
    for i, word in enumerate(arguments):
        if word == f"--{name}" and i + 1 < len(arguments):
            value = arguments[i + 1]
            del arguments[i : i + 2]
            return value
        if word.startswith(f"--{name}="):
            del arguments[i]
            return word.split("=", 1)[1]
    return unset


def become(*words):
    """Takes the place of this process, so that signals and exit codes are plimsoll's own."""
    command = find()
    os.execv(command, [command, *words])
