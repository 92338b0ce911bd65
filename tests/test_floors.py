"""Imports run downhill: every module has a floor and looks only at floors below it."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

from pytest import mark

HOUSE = Path(__file__).resolve().parents[1]
FLOORS = (  # from the ground; a package stands for all its modules, which may know each other
    (
        "sim.signals",
        "sim.units",
        "sim.streams",
        "sim.kernels",
        "sim.mistakes",
        "sim.plain",
        "sim.folders",
        "sim.columns",
        "sim.pictures",
    ),
    ("sim.sums", "sim.pools", "sim.collateral", "sim.rating_engine", "sim.deal_fields", "sim.claims"),
    ("sim.ratings", "sim.deal_obligors"),
    ("sim.structuring", "sim.deal_files"),
    ("sim.books", "sim.orders", "sim.tape", "sim.arrows", "sim.params", "sim.record", "sim.deal_records", "sim.deal_risk"),
    ("sim.markets", "agents", "sim.references", "sim.manifest", "sim.summary", "sim.compose", "sim.deal_reader", "sim.plans"),
    ("sim.valuing", "sim.breakdowns", "sim.grants"),
    ("sim.regional", "sim.deal_library", "sim.rating_files"),
    ("sim.reports", "sim.deal"),
    ("sim.phases",),
    ("sim.month",),
    ("sim.economy",),
    ("sim.start", "sim.seating"),
    ("sim.build",),
    ("sim.run", "sim.launcher"),
    ("sim.sweep",),
    ("sim.terminal",),
    ("sim.__main__",),
    ("analysis",),
)
AGENTS_READ = {"sim.units", "sim.streams", "sim.kernels", "sim.orders", "sim.tape", "agents"}
MARKETS_READ = {"sim.units", "sim.sums", "sim.kernels", "sim.orders", "sim.tape", "sim.markets"}
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}


def found() -> dict[str, Path]:
    """Module name -> file, packages' own files included."""
    files = [f for top in ("sim", "agents", "analysis") for f in sorted((HOUSE / top).rglob("*.py"))]
    return {".".join(f.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__"): f for f in files}


MODULES = found()


def group(module: str) -> str:
    """The entry of FLOORS that a module belongs to."""
    parts = module.split(".")
    names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((name for name in names if name in FLOOR), "")


def nodes(tree: ast.AST):
    """All statements of a module, wherever they stand, but for those that only the type checker runs."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from nodes(child)


def imported(module: str) -> set[str]:
    """Modules of the house that a module imports."""
    names = set()
    for node in nodes(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= below & MODULES.keys() or {node.module or ""}
    return {name for name in names if name.split(".")[0] in ("sim", "agents", "analysis")}


IMPORTS = {module: imported(module) for module in MODULES}


def test_every_module_has_a_floor():
    """A new module goes into FLOORS; only the empty ``sim`` package itself stands outside."""
    assert [module for module in MODULES if not group(module)] == ["sim"]


@mark.parametrize("module", [m for m in MODULES if group(m)])
def test_imports_run_downhill(module):
    """Strictly down, or within a package: ``sim.books.deals`` may know the ledger, agents may not know markets."""
    here = group(module)
    for name in IMPORTS[module]:
        assert group(name) == here or FLOOR[group(name)] < FLOOR[here], f"{module} imports {name}, which is not below it"


def test_no_import_leads_back_to_itself():
    TopologicalSorter(IMPORTS).prepare()


def test_only_the_composition_root_knows_agents():
    outside = {m for m, names in IMPORTS.items() if group(m) != "agents" and any(group(n) == "agents" for n in names)}
    assert outside == {"sim.build"}


@mark.parametrize(("package", "allowed"), [("agents", AGENTS_READ), ("sim.markets", MARKETS_READ)])
def test_agents_and_markets_never_see_the_books(package, allowed):
    """Agents read the tape and return orders; markets turn orders into terms; both hold no account."""
    seen = {group(name) for module in MODULES if group(module) == package for name in IMPORTS[module]}
    assert seen <= allowed


def test_randomness_has_one_source():
    """Nothing in the model imports ``random`` or asks numpy for a generator: draws are keyed by event."""
    for module, file in ((m, f) for m, f in MODULES.items() if group(m) != "analysis"):
        for node in nodes(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [node.attr] if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else []
            assert not {"random", "numpy.random", "default_rng"} & set(names), module
