"""The facts at the top of the report: machine, versions, commit, commands; and the runs that failed.

    for name, values in facts(results): print(name, ", ".join(values))
"""
import shlex


def facts(results):
    """[(name, [distinct values])]. If there are several commits or versions, the results are of different programs."""
    found = [
        ("Hosts", _hosts(results) or _distinct(run.get("host") for run in results)),
        ("Processor", _distinct(_summary(run, "processor") for run in results) or
         _distinct(run.get("processor") for run in results)),
        ("Cores of all hosts", _distinct(run.get("cores") for run in results)),
        ("Launcher", _distinct(run.get("launcher") for run in results)),
        ("Device", _distinct(_summary(run, "device") for run in results)),
        ("Commit", _distinct(run.get("commit") for run in results)),
        ("Versions", _versions(results)),
        ("Measured", _span([str(run["started"]) for run in results if run.get("started")])),
        ("Runs", [_count(results)]),
        ("Command of the last run", [shell(run) for run in results[-1:] if run.get("command")]),
    ]
    if dict(found)["Device"] == dict(found)["Processor"]:
        found = [(name, values) for name, values in found if name != "Device"]
    return [(name, values) for name, values in found if values]


def failures(results):
    """[(what ran, command, output)] of the runs that failed."""
    return [(f"{run.get('program', 'program')} {run.get('mode', '')}, np {run.get('np', '?')}, "
             f"mesh {run.get('asked_mesh') or run.get('mesh') or '?'}, {_repetition(run)}: "
             f"exit code {run.get('exit_code', '?')}",
             shell(run), _text(run.get("output")) or "(no output)")
            for run in results if run.get("exit_code") != 0]


def shell(run):
    command = run.get("command") or []
    return shlex.join(map(str, command)) if isinstance(command, list) else str(command)


def _repetition(run):
    repeat = run.get("repeat")
    return "warm-up" if repeat == 0 else f"repetition {'?' if repeat is None else repeat}"


def _text(output):
    return "\n".join(map(str, output)) if isinstance(output, list) else str(output or "").rstrip()


def _summary(run, key):
    return run["summary"].get(key) if isinstance(run.get("summary"), dict) else None


def _hosts(results):
    names = (_summary(run, "hosts") for run in results)
    return _distinct(name for hosts in names if isinstance(hosts, list) for name in hosts)


def _versions(results):
    """"NAME VERSION", with all versions of a name if there are several."""
    versions = {}
    for run in results:
        for found in (run.get("versions"), _summary(run, "libraries")):
            for name, version in (found.items() if isinstance(found, dict) else ()):
                versions.setdefault(name.replace("_", " ").lower(), []).append((name.replace("_", " "), version))
    told = []
    for found in versions.values():
        name, distinct = found[0][0], _distinct(version for _, version in found)
        if distinct:  # the version of a program may begin with its name
            told.append(f"{name} {' and '.join(version.removeprefix(name).strip() for version in distinct)}")
    return told


def _span(times):
    return [f"{min(times)} to {max(times)}"] if len(set(times)) > 1 else times[:1]


def _count(results):
    failed = sum(run.get("exit_code") != 0 for run in results)
    return f"{len(results)}, {failed} failed" if failed else str(len(results))


def _distinct(values):
    return list(dict.fromkeys(str(value) for value in values if value not in (None, "")))
