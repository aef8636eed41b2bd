"""The real gateways with a rendered plugin: `nox -s gateway_e2e`, or `pytest tests/gateway_e2e -m gateway_e2e -k unix`.

A case is a release (tests/gateway/releases.py) and a variant of the plugin entry (matrix.py). deployment.py starts a
gateway for it, with the plugins file that the plugin's `gateway-config` prints; scenario.py has the steps that it goes
through. Each case boots one gateway, and never do two run at once.

To add a variant, add a `Variant` to `matrix.VARIANTS`: further arguments of `gateway-config`, folders for the gateway's
PYTHONPATH (paths in the rendered repository, such as "src"), a change to the printed file (`edit`), and for the
connector what becomes of calls while the plugin is down (`unavailable`): its scenario is stricter, and begins with a
plugin that is not up. For example:

    Variant("connector-unix", "connector", "unix", arguments=("--connector",), python_path=("src",), unavailable="deny")

To add a step, write a function in scenario.py and name it in STEPS and in `Variant.steps`.
"""
