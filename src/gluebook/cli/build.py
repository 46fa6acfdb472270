"""`gluebook build`: build the artefacts that a deployment uploads."""

from __future__ import annotations

from gluebook.cli import options, screens
from gluebook.deployment.build import build as build_artefacts
from gluebook.deployment.build import project_root


def build(as_json: options.JSON = False) -> None:
    """Build what jobs and functions run: the package, the modules that it imports, the layer and the handlers.

    Example: gluebook build --json
    """
    made = build_artefacts(project_root())
    if as_json:
        keys = {"package_key": made.package_key, "modules_key": made.modules_key}
        files = {"package": str(made.package), "modules": str(made.modules), "layer": str(made.layer)}
        options.print_json({**files, **keys, "functions": [str(file) for file in made.functions]})
    else:
        for file in (made.package, made.modules, made.layer, *made.functions):
            screens.show(str(file))
