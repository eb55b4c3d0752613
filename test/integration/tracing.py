"""Whether each line of an analysis and of recommendations stands on evidence in their documents."""

import re


def at(document, pointer):
    """What a JSON pointer (RFC 6901) points at."""
    for part in pointer.split("/")[1:]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def trace_analysis(text, document):
    """Each line of the bottleneck analysis is one of the document, with evidence that has a source."""
    begin = text.index("Bottleneck Analysis:")
    part = text[begin:text.index("Exonerated" if "Exonerated" in text else "Expected Bottlenecks")]
    heads = [line for line in part.splitlines() if re.match(r"\d\. ", line)]
    rows = document["primary"] + document["secondary"]
    assert len(heads) == len(rows)
    flat = " ".join(text.split())
    for head, row in zip(heads, rows):
        assert row["name"].split()[0] in head
        assert row["evidence"] or row["predicted"]
        for one in row["evidence"]:
            assert one["metric"], one  # where its number comes from
            assert " ".join(one["words"].split()) in flat and one["metric"] in flat
    for code in (warning["code"] for warning in document["warnings"]):
        assert text.count(f"! {code}:") == 1
    for line in document["next"]:
        assert " ".join(line.split()) in flat


def trace_advice(text, found, analysis):
    """Each line of the recommendations is an item of the document, and each item points at its
    evidence in the analysis, whose words it quotes."""
    items = [item for group in ("configuration", "vertical", "horizontal", "architecture")
             for item in found[group]]
    flat = " ".join(text.split())
    lines = [line for line in text.splitlines() if line.startswith("   - ")]
    whole = [line for line in lines if "eplicas of all that was tested" in line or
             "none for what was seen" in line or "Not reachable" in line]
    assert len(lines) == len(items) + len(whole)
    for item in items:
        assert " ".join(item["action"].split()) in flat
        evidence = at(analysis, item["evidence_at"])
        bottleneck = at(analysis, item["evidence_at"].rsplit("/", 1)[0])
        assert bottleneck["name"] == item["bottleneck"] and item["bottleneck"] in item["reason"]
        quoted = [one for one in evidence if one["words"] in item["reason"]]
        assert quoted or (bottleneck["predicted"] and bottleneck["ceiling_rps"]), item
        assert all(one["metric"] in item["reason"] for one in quoted)
        assert item["source"] and item["impact"] and item["tradeoff"]
    if found["replicas"]["answer"] in ("sized", "at least"):
        assert at(analysis, found["replicas"]["evidence_at"])
    for need in found["replica_needs"]:
        assert at(analysis, need["evidence_at"])["value"] == need["measured"]
    for step in found["steps"]:
        assert at(analysis, step["evidence_at"]) is not None
    codes = [warning["code"] for warning in found["warnings"]]
    assert len(codes) == len(set(codes))
    assert all(text.count(f"! {code} ") == 1 for code in codes)
    handed_on = {warning["code"] for warning in analysis["warnings"]}
    assert handed_on <= set(codes)
    assert all(len(line) <= 80 for line in text.splitlines())
