"""The JSON schema of plans: the examples are what it takes, the malformed plans are what it mostly
does not, and `validate` agrees with it about the examples."""

import json
import subprocess

import pytest
from conftest import PLIMSOLL, ROOT

yaml = pytest.importorskip("yaml", reason="SKIPPED: PyYAML is not installed")
jsonschema = pytest.importorskip("jsonschema", reason="SKIPPED: jsonschema is not installed")

EXAMPLES = sorted((ROOT / "example").glob("*.yaml"))


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(subprocess.run([PLIMSOLL, "schema"], capture_output=True, check=True).stdout)
    kind = jsonschema.Draft202012Validator
    kind.check_schema(schema)
    return kind(schema)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_what_the_schema_takes(validator, path):
    errors = [(list(e.absolute_path), e.message) for e in
              validator.iter_errors(yaml.safe_load(path.read_text()))]
    assert errors == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_what_validate_takes(path):
    done = subprocess.run([PLIMSOLL, "validate", path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["unknown-keys", "wrong-types", "out-of-range", "no-scenario",
                                  "flat-form", "stages"])
def test_the_schema_refuses(validator, name):
    plan = yaml.safe_load((ROOT / "test/golden/plans" / f"{name}.yaml").read_text())
    assert not validator.is_valid(plan)
