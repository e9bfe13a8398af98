"""What was measured, as figures and as a table."""

from benchmarks.timing import Result, ratio


def figures(results: list[Result], peaks: list[Result]) -> list[dict]:
    """A dictionary per result; its shares are of the peaks measured beside it in the same precision."""
    reached = {(peak.case.about["step"], peak.case.about["precision"]): peak.case.flops / peak.seconds
               for peak in peaks}
    rows = []
    for result in results:
        case = result.case
        speed, precision = case.flops / result.seconds, case.about["precision"]
        rows.append(case.about | {
            "seconds": result.seconds, "images_per_second": case.images / result.seconds, "flops": case.flops,
            "flops_per_second": speed,
            "share_of_convolution_peak": speed / reached["convolution", precision],
            "share_of_product_peak": speed / reached["product", precision]})
    return rows


def ratios(results: list[Result]) -> list[dict]:
    """Each result against those that it is to be compared with: what it is, the comparison's name, the ratio of times.

    Results are of one measurement, so the ratio is taken round by round.
    """
    rows = []
    for result in results:
        about = result.case.about
        if "program" in about:
            continue
        for name, other in _compared(about, [twin.case.about for twin in results]):
            rows += [about | {"ratio_of": name, "ratio": ratio(result, twin)} for twin in results
                     if twin.case.about == other != about]
        twins = _twins(about, results)
        if twins:
            best = min(twins, key=lambda twin: twin.seconds)
            variant = best.case.about["program"].removeprefix("PyTorch ")
            rows.append(about | {"ratio_of": f"ours / best of PyTorch ({variant})", "ratio": ratio(result, best)})
    return rows


def _twins(about: dict, results: list[Result]) -> list[Result]:
    """The same step in other programs, in the same precision."""
    return [result for result in results
            if result.case.about == about | {"jit": False, "program": result.case.about.get("program")}]


def _compared(about: dict, everything: list[dict]) -> list[tuple[str, dict]]:
    """(name of the comparison, what stands below the line)."""
    found = [(f"{about['precision']} / float32", about | {"precision": "float32"})]
    if about["jit"]:
        found.append(("XLA / no XLA", about | {"jit": False}))
    if about["step"] == "critic":
        found.append(("critic step / yardstick", about | {"system": "yardstick"}))
    if about["system"] == "MeRGAN" and about["step"] == "iteration":
        found.append((f"{about['method']} iteration with {about['past']} past classes / SFT iteration",
                      about | {"method": "SFT", "past": 0}))
    if about["method"] == "MemoryGAN":
        found.append(("MemoryGAN / GAN", about | {"method": "GAN", "slots": 0}))
    for size in ("slots", "forks"):
        if about.get(size):
            fewest = min(other[size] for other in everything if other.get(size))
            found.append((f"{about[size]} {size} / {fewest} {size}", about | {size: fewest}))
    return found


def table(rows: list[dict]) -> str:
    """The figures of one measurement for the terminal."""
    width = max(len(label(row)) for row in rows)
    lines = [f"{'':{width}} {'ms':>9} {'images/s':>9} {'GFLOP':>8} {'GFLOP/s':>8} {'of conv.':>8} {'of prod.':>8}"]
    for row in rows:
        lines.append(f"{label(row):{width}} {1e3 * row['seconds']:9.2f} {row['images_per_second']:9.0f} "
                     f"{row['flops'] / 1e9:8.2f} {row['flops_per_second'] / 1e9:8.1f} "
                     f"{row['share_of_convolution_peak']:8.0%} {row['share_of_product_peak']:8.0%}")
    return "\n".join(lines)


def ratio_table(rows: list[dict]) -> str:
    return "\n".join(f"{row['ratio']:9.3f} {row['ratio_of']}: {label(row)}" for row in rows)


def label(about: dict) -> str:
    """What was measured, in one line."""
    sizes = [f"{about[name]} {words}" for name, words in (("past", "past classes"), ("slots", "slots"),
                                                          ("forks", "forks")) if about.get(name)]
    words = [about["system"], about["dataset"], about["method"], *sizes, about["step"], about["precision"]]
    if about["jit"]:
        words.append("XLA")
    if "program" in about:
        words.append(f"({about['program']})")
    return " ".join(words)


def peak_table(rows: list[dict]) -> str:
    return "\n".join(f"peak of a {row['step']} in {row['precision']}: {row['flops_per_second'] / 1e9:.1f} GFLOP/s"
                     for row in rows)
