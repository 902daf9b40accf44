"""Writes what the load generator's driver measured as Markdown: table.py RUNS.JSON

Added times are the median over the rounds of target minus direct. Of a round that was
measured twice, because others used the machine, the quieter run counts.
"""
import json
import sys
from statistics import median

CASES = {  # name: what it says above its table
    "paced-5": "Streams of 60 pieces, 20 ms apart after 200 ms, 5 a second",
    "paced-50": "The same, 50 a second",
    "paced-200": "The same, 200 a second",
    "plain-200": "Whole answers of a provider that takes no time, 200 a second",
    "burst-200": "Streams of 60 pieces at once, 200 a second",
    "max-plain": "Whole answers, 16 clients without pause, the target on one core and the rest on the other",
    "max-burst": "Streams of 60 pieces at once, 16 clients without pause, the cores as above",
}
NAMES = {
    "direct": "direct",
    "floor": "the standard library's proxy",
    "litellm": "LiteLLM",
    "portkey": "Portkey",
    "answerable": "Answerable, own API",
    "answerable-openai": "Answerable, `/v1/chat/completions`",
}


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        measured = json.load(f)
    runs = quietest(measured["runs"])
    for case, title in CASES.items():
        targets = [t for t in NAMES if (case, t) in runs]
        if not targets:
            continue
        print(f"\n{title}:\n")
        table(case, targets, runs)
    idle = measured["idle_rss_mb"]
    print("\nRSS at rest, in MB: " + ", ".join(
        f"{name} {idle[t + '/target']:.0f}" for t, name in NAMES.items() if t != "direct" and t + "/target" in idle) + ".")
    results = [r for rounds in runs.values() for r in rounds.values()]
    for what, key in (("Others used", "other_cpu"), ("The host took away", "steal")):
        cores = [r[key] for r in results]
        print(f"{what} {median(cores):.2f} cores meanwhile (median), {max(cores):.2f} at most.")


def quietest(runs):
    """Returns the results as {(case, target): {round: result}}."""
    best = {}
    for run in runs:
        rounds = best.setdefault((run["case"], run["target"]), {})
        old = rounds.get(run["round"])
        if old is None or run["result"]["other_cpu"] < old["other_cpu"]:
            rounds[run["round"]] = run["result"]
    return best


def table(case, targets, runs):
    titles = {"rps": "answers/s"} if case.startswith("max-") else {
        "ttft_ms": "first text, added ms p50 / p99", "total_ms": "end, added ms p50 / p99"}
    if case.startswith("plain-"):
        del titles["ttft_ms"]
    row("", *titles.values(), "errors", "CPU ms each", "RSS MB")
    row("---", *["---:" for _ in titles], "---", "---:", "---:")
    for target in targets:
        rounds, direct = runs[case, target], runs.get((case, "direct"), {})
        if "rps" in titles:
            figures = [f"{median(r['rps'] for r in rounds.values()):.0f}"]
        else:
            figures = [added(what, target, rounds, direct) for what in titles]
        row(NAMES[target], *figures, errors(rounds), *cost(target, rounds))


def row(*cells):
    print("| " + " | ".join(cells) + " |")


def added(what, target, rounds, direct):
    """Returns how p50 and p99 differ from direct's; of direct itself, what they are."""
    pairs = [(r, direct[n]) for n, r in rounds.items() if n in direct and r["done"] > 0]
    if not pairs:
        return "–"
    if target == "direct":
        return "(takes {:.1f} / {:.1f})".format(*(median(r[what][p] for r, _ in pairs) for p in ("p50", "p99")))
    return "{:.1f} / {:.1f}".format(*(median(r[what][p] - d[what][p] for r, d in pairs) for p in ("p50", "p99")))


def errors(rounds):
    """Returns the share of requests that failed, with the kinds of failure."""
    planned = sum(r["planned"] for r in rounds.values())
    failed = planned - sum(r["done"] for r in rounds.values())
    if failed <= 0:
        return "0" if planned else "none finished"
    kinds = {kind for r in rounds.values() for kind in r.get("errors") or {}}
    return f"{100 * failed / planned:.1f} % ({', '.join(sorted(kinds))})"


def cost(target, rounds):
    """Returns CPU an answer and the highest RSS. Direct has no process; where much fails, CPU is not an answer's."""
    seen = [r["procs"]["target"] for r in rounds.values() if "target" in r.get("procs", {})]
    if target == "direct" or not seen:
        return "–", "–"
    finished = all(r["done"] > 0 and r["error_rate"] <= 0.01 for r in rounds.values())
    cpu = f"{median(p['cpu_ms_per_req'] for p in seen):.2f}" if finished else "–"
    return cpu, f"{max(p['rss_max_mb'] for p in seen):.0f}"


main()
