"""The cases of an experiment. Each is measured --repeat times: once in each round."""
import dataclasses

from options import ranks_of


@dataclasses.dataclass(frozen=True)
class Case:
    mode: str  # strong or weak
    np: int
    mesh: str  # auto, or such as 2x1x1

    def __str__(self):
        return f"{self.mode}, np {self.np}" + ("" if self.mesh == "auto" else f", mesh {self.mesh}")


def meshes_of(np):
    """Every mesh of np ranks."""
    return [f"{i}x{j}x{np // i // j}" for i in range(np, 0, -1) if np % i == 0
            for j in range(np // i, 0, -1) if np // i % j == 0]


def cases_of(experiment):
    def meshes(np):
        if experiment.meshes == ["auto"]:
            return ["auto"]
        return meshes_of(np) if experiment.meshes == ["all"] else [m for m in experiment.meshes if ranks_of(m) == np]

    return [Case(mode, np, mesh) for mode in experiment.modes for np in experiment.sizes for mesh in meshes(np)]


def rounds_of(cases, repeat):
    """The cases in the order of measuring, one list per round. Every second round is in reverse order, so a drift of
    the machine affects all cases alike. Round 0 warms up and is not recorded."""
    return [cases if number % 2 == 0 else cases[::-1] for number in range(repeat + 1)]
